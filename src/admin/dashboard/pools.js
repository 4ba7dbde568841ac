// Pools and their peers. What is closed is not drawn: 32 pools of 32 peers cost a line each.

import { h, setText, setClass, setAttribute, setHidden, showList, byId } from "./dom.js";
import { roughly, number, percent, milliseconds, plural } from "./format.js";
import { Chart } from "./charts.js";
import { look, poolLook } from "./states.js";

const MANY_PEERS = 40; // beyond, pools are closed at first, but for those in trouble
const FIGURES = ["req/s", "errors", "p50", "p99", "in flight", "retries"];
const COLUMNS = [
  ["State"], ["Peer"], ["For"], ["Why, and the last check"], ["In flight", "n"], ["Req/s", "n"],
  ["Errors", "n"], ["p50", "n"], ["p95", "n"], ["p99", "n"],
  ["Retries", "n", "Requests that went elsewhere after an attempt here, last 15 minutes"],
  ["Ejected", "n", "Times that it was taken out for its failures, last 15 minutes"],
  ["Share", "", "Of the requests that are bound to a peer by address, key or cookie, last 15 minutes"],
  ["Last 15 minutes"], [""],
];

export function checkText(check) {
  if (!check) return "";
  const took = `${check.took_ms} ms`;
  if (check.layer === "ok") return `check ok${check.status ? ` (${check.status})` : ""}, ${took}`;
  return `check failed at ${check.layer}${check.detail ? `: ${check.detail}` : ""}`;
}

// What the check says is not told twice.
function why(peer) {
  const check = checkText(peer.check);
  const parts = [];
  if (peer.reason) parts.push(peer.reason);
  if (check && !(peer.check.detail && peer.reason.includes(peer.check.detail)) &&
      !(peer.state === "up" && peer.check.layer !== "ok" && !peer.reason)) {
    parts.push(check);
  }
  // That it passed is what "up" means.
  if (peer.state === "up" && peer.check?.layer === "ok") return check;
  return parts.join("; ");
}

class PeerRow {
  constructor(can) {
    this.can = can;
    const cell = (name, label) => h("td", { class: name, "data-label": label });
    this.shape = h("i", { class: "shape" });
    this.word = h("span");
    this.state = h("td", { class: "state" }, this.shape, this.word);
    this.address = h("span");
    this.tags = h("span");
    this.peer = h("td", { class: "peer mono" }, this.address, this.tags);
    this.since = cell("for", "for");
    this.why = cell("why");
    this.figures = ["in flight", "req/s", "errors", "p50", "p95", "p99", "retries", "ejected"].map(
      (label) => cell("n", label));
    this.bar = h("i");
    this.track = h("span", { class: "share" }, this.bar);
    this.percent = h("span");
    this.share = h("td", { "data-label": "share" }, this.track, this.percent);
    this.chart = new Chart("requests a second", (i) => this.tell(i));
    this.strip = h("td", { class: "strip" }, this.chart.element);
    this.drain = h("button", { type: "button", "data-verb": "drain" }, "Drain");
    this.down = h("button", { type: "button", "data-verb": "down" }, "Down");
    this.ready = h("button", { type: "button", "data-verb": "ready" }, "Ready");
    this.acts = h("td", { class: "acts" }, this.drain, " ", this.down, " ", this.ready);
    this.element = h("tr", {}, this.state, this.peer, this.since, this.why, ...this.figures,
                     this.share, this.strip, this.acts);
  }

  // True: it shows another peer than before.
  show(pool, peer) {
    const other = this.data !== undefined && this.data.address !== peer.address;
    const first = this.data === undefined;
    this.data = peer;
    if (other) this.clear();
    const { shape, tone } = look(peer.state);
    setClass(this.shape, `shape ${shape}`);
    setText(this.word, peer.state);
    setClass(this.word, tone === "quiet" ? "soft" : tone);
    setText(this.address, peer.address);
    this.showTags(peer);
    setText(this.why, why(peer));
    const alarm = peer.errors > 0.05 ? "n bad" : "n";
    const values = [number(peer.in_flight), number(peer.per_second), percent(peer.errors),
                    milliseconds(peer.p50), milliseconds(peer.p95), milliseconds(peer.p99),
                    number(peer.retries), number(peer.ejections)];
    values.forEach((value, i) => setText(this.figures[i], value));
    setClass(this.figures[2], alarm);
    setHidden(this.share, !pool.bound);
    if (pool.bound) {
      const percents = Math.round((peer.share ?? 0) * 100);
      if (this.percents !== percents) this.bar.style.width = `${percents}%`;
      this.percents = percents;
      setClass(this.track, pool.crowded === peer.address ? "share crowded" : "share");
      setText(this.percent, percent(peer.share));
    }
    this.showActs(pool, peer);
    return first || other;
  }

  showTags(peer) {
    const tags = [];
    if (peer.name !== peer.address) tags.push(peer.name);
    if (peer.slot !== null) tags.push(`worker ${peer.slot}`);
    if (peer.backup) tags.push("backup");
    if (peer.weight !== 1) tags.push(`weight ${peer.weight}${peer.set?.weight ? "*" : ""}`);
    const key = tags.join();
    if (this.tagged === key) return;
    this.tagged = key;
    this.tags.replaceChildren(...tags.map((tag) => h("span", { class: "tag" }, tag)));
  }

  showActs(pool, peer) {
    setHidden(this.acts, !this.can());
    const held = peer.set?.state;
    setHidden(this.drain, held === "draining");
    setHidden(this.down, held === "down");
    setHidden(this.ready, !held);
    const target = `${pool.name}/${peer.address}`;
    for (const button of [this.drain, this.down, this.ready]) {
      setAttribute(button, "data-target", target);
      setAttribute(button, "aria-label", `${button.textContent} ${target}`);
    }
  }

  tick(now) {
    const since = this.data.since;
    setText(this.since, since === null ? "" : roughly(now - since));
    setAttribute(this.since, "title", since === null ? "" : `since ${new Date(since * 1000).toLocaleString()}`);
  }

  history(history, peer, top) {
    this.past = peer;
    this.states = history.states;
    const runs = [];
    [...peer.states].forEach((letter, i) => {
      const tone = this.tone(letter);
      const kind = tone === "bad" || tone === "warn" ? "out" : tone === "hand" ? "held" : null;
      const last = runs.at(-1);
      if (kind && last?.kind === kind && last.to === i) last.to = i + 1;
      else if (kind) runs.push({ from: i, to: i + 1, kind });
    });
    this.chart.mark(runs, peer.states.length);
    this.chart.draw({ main: peer.per_second, alarm: peer.errors },
                    { top, at: history.at, every: history.every,
                      summary: `Now ${number(peer.per_second.at(-1))}.` });
  }

  // Rows are used again as peers come and go; what was is that of another one.
  clear() {
    if (!this.past) return;
    this.past = undefined;
    this.chart.leave();
    this.chart.mark([], 0);
    this.chart.draw({});
  }

  tone(letter) {
    return look(this.states[letter.charCodeAt(0) - 97]).tone;
  }

  tell(i) {
    const state = this.states[this.past.states.charCodeAt(i) - 97];
    return `${state}, ${number(this.past.per_second[i])} req/s, ${number(this.past.errors[i])} failed/s`;
  }
}

class PoolView {
  constructor(hooks) {
    this.hooks = hooks;
    this.rows = [];
    this.shape = h("i", { class: "shape" });
    this.name = h("span");
    this.how = h("span", { class: "how" });
    this.word = h("span");
    this.dots = h("span", { class: "dots", "aria-hidden": "true" });
    this.numbers = FIGURES.map(() => h("span"));
    const figures = this.numbers.map((value, i) =>
      h("span", { class: "n" }, h("small", {}, `${FIGURES[i]} `), value));
    this.spark = new Chart("requests a second", (i) => this.tell(i));
    this.body = h("div", { class: "inside" });
    this.element = h("details", { class: "pool" },
                     h("summary", {},
                       h("span", {}, h("span", { class: "name" }, this.name), " ", this.how),
                       h("span", { class: "serve" }, this.shape, this.word), this.dots,
                       h("span", { class: "figures" }, ...figures), this.spark.element),
                     this.body);
    this.element.addEventListener("toggle", () => this.toggled());
  }

  show(pool, now, first) {
    this.data = pool;
    pool.bound = pool.peers.some((peer) => peer.share !== null);
    const { shape, tone, word } = poolLook(pool);
    setClass(this.shape, `shape ${shape}`);
    setText(this.word, word);
    setClass(this.word, tone === "good" || tone === "quiet" ? "" : tone);
    setText(this.name, pool.name);
    setText(this.how, [pool.balance, pool.sticky ? "sticky" : ""].filter(Boolean).join(", "));
    showList(this.dots, pool.peers, () => ({ element: h("i") }),
             (dot, peer) => {
               setClass(dot.element, `shape ${look(peer.state).shape}`);
               setAttribute(dot.element, "title", `${peer.address}: ${peer.state}`);
             });
    [number(pool.per_second), percent(pool.errors), milliseconds(pool.p50), milliseconds(pool.p99),
     number(pool.in_flight), number(pool.retries)]
      .forEach((value, i) => setText(this.numbers[i], value));
    setClass(this.numbers[1], pool.errors > 0.05 ? "bad" : "");
    if (first) this.open(tone, now);
    if (this.element.open) this.showInside(now);
  }

  // As it was left in this tab; else all of few, and those in trouble of many.
  open(tone) {
    const kept = sessionStorage.getItem(`open:${this.data.name}`);
    const open = kept ? kept === "1" : !this.hooks.many() || tone === "bad" || tone === "warn";
    this.opening = open;
    this.element.open = open;
  }

  toggled() {
    if (this.opening !== this.element.open) {
      sessionStorage.setItem(`open:${this.data.name}`, this.element.open ? "1" : "0");
    }
    this.opening = undefined;
    if (!this.element.open) return;
    this.showInside(this.hooks.now());
    this.hooks.wanted(this);
  }

  build() {
    this.built = true;
    this.notes = h("div", { class: "notes" });
    this.rate = new Chart("requests and failures a second", (i) =>
      `${number(this.past.per_second[i])} req/s, ${number(this.past.errors[i])} failed/s`);
    this.latency = new Chart("latency to the first byte", (i) =>
      `p50 ${milliseconds(this.past.p50[i])}, p99 ${milliseconds(this.past.p99[i])}`);
    this.flight = new Chart("requests in flight", (i) => `${number(this.past.in_flight[i])} in flight`);
    this.tops = [h("span"), h("span"), h("span")];
    const figure = (title, chart, i) =>
      h("figure", {}, h("figcaption", {}, h("span", {}, title), this.tops[i]), chart.element);
    this.charts = h("div", { class: "charts" },
                    figure("Requests/s, failures in red", this.rate, 0),
                    figure("First byte: p99, p50 dashed", this.latency, 1),
                    figure("In flight", this.flight, 2));
    this.heads = COLUMNS.map(([title, kind, help]) => h("th", { class: kind || null, scope: "col", title: help }, title));
    this.tbody = h("tbody");
    this.caption = h("caption", { class: "skip" });
    this.table = h("table", {}, this.caption, h("thead", {}, h("tr", {}, ...this.heads)), this.tbody);
    this.on = h("button", { type: "button", "data-verb": "maintenance", "data-value": "on" }, "Maintenance…");
    this.off = h("button", { type: "button", "data-verb": "maintenance", "data-value": "off" }, "End maintenance");
    this.all = h("button", { type: "button", "data-verb": "ready" }, "All ready");
    this.tools = h("p", { class: "tools" }, this.on, this.off, this.all);
    this.body.append(this.notes, this.charts, h("div", { class: "peers" }, this.table), this.tools);
    if (this.past) this.drawPast();
  }

  showInside(now) {
    if (!this.built) this.build();
    const pool = this.data;
    setText(this.caption, `Peers of ${pool.name}`);
    this.showNotes(now);
    setHidden(this.heads[12], !pool.bound);
    setHidden(this.heads[14], !this.hooks.can());
    let others = false;
    showList(this.tbody, pool.peers, () => new PeerRow(this.hooks.can), (row, peer) => {
      if (row.show(pool, peer)) others = true;
    });
    this.rows = this.tbody.madeChildren;
    if (others) this.drawRows();
    this.tick(now);
    const set = pool.set;
    setHidden(this.tools, !this.hooks.can());
    setHidden(this.on, Boolean(set?.maintenance));
    setHidden(this.off, !set?.maintenance);
    setHidden(this.all, !(set?.only || set?.first || pool.peers.some((peer) => peer.set?.state)));
    for (const button of [this.on, this.off, this.all]) setAttribute(button, "data-target", pool.name);
  }

  showNotes(now) {
    showList(this.notes, this.notesOf(this.data, now),
             () => {
               const shape = h("i"), text = h("span");
               return { element: h("p", {}, shape, text), shape, text };
             },
             (view, note) => {
               setClass(view.shape, `shape ${note.shape}`);
               setText(view.text, note.text);
             });
  }

  notesOf(pool, now) {
    const notes = [];
    const set = pool.set;
    if (set?.maintenance) {
      const allow = set.maintenance.allow.length ? `, but for ${set.maintenance.allow.join(", ")}` : "";
      notes.push({ shape: "maintenance", text: `Maintenance: clients get 503${allow}` });
    }
    if (set?.only) notes.push({ shape: "aside", text: `Only ${set.only} is to serve` });
    if (set?.first) notes.push({ shape: "waiting", text: `The others wait for ${set.first}` });
    if (set?.absent) notes.push({ shape: "vanished", text: `Set for peers that are not there: ${set.absent.join(", ")}` });
    if (pool.queued > 0) notes.push({ shape: "attention", text: `${plural(pool.queued, "request")} waiting for a peer` });
    if (pool.crowded) notes.push({ shape: "attention", text: crowdText(pool) });
    if (pool.registry) notes.push(registryNote(pool.registry, now));
    return notes;
  }

  tick(now) {
    if (!this.element.open || !this.built) return;
    for (const row of this.rows) row.tick(now);
    if (this.data.registry?.stale_since) this.showNotes(now);
  }

  history(history, past) {
    this.past = past;
    this.around = history;
    if (past.peers) this.peersPast = { history, peers: past.peers };
    this.spark.draw({ main: past.per_second, alarm: past.errors },
                    { at: history.at, every: history.every, summary: `Now ${number(past.per_second.at(-1))}.` });
    if (this.element.open && this.built) this.drawPast();
  }

  drawPast() {
    const { past, around } = this;
    const options = { at: around.at, every: around.every };
    const now = (values) => values.at(-1);
    this.rate.draw({ main: past.per_second, alarm: past.errors },
                   { ...options, summary: `Now ${number(now(past.per_second))}.` });
    this.latency.draw({ main: past.p99, second: past.p50 },
                      { ...options, summary: `p99 now ${milliseconds(now(past.p99))}.` });
    this.flight.draw({ main: past.in_flight }, { ...options, summary: `Now ${number(now(past.in_flight))}.` });
    setText(this.tops[0], `most ${number(round(this.rate.top))}/s`);
    setText(this.tops[1], `most ${milliseconds(this.latency.top)}`);
    setText(this.tops[2], `most ${number(round(this.flight.top))}`);
    if (past.peers) this.drawRows();
  }

  drawRows() {
    if (!this.peersPast) return;
    const { history, peers } = this.peersPast;
    const byAddress = new Map(peers.map((peer) => [peer.address, peer]));
    const top = peers.reduce((most, peer) => peer.per_second.reduce((a, b) => (b > a ? b : a), most), 0);
    for (const row of this.rows) {
      const peer = byAddress.get(row.data.address);
      if (peer) row.history(history, peer, top);
      else row.clear();
    }
  }

  tell(i) {
    return `${number(this.past.per_second[i])} req/s, ${number(this.past.errors[i])} failed/s`;
  }
}

const round = (value) => (value < 1e-5 ? 0 : value);

export function crowdText(pool) {
  const share = pool.peers.find((peer) => peer.address === pool.crowded)?.share;
  const cure = pool.balance === "ip_hash" ? "; behind one address translator or CDN, `sticky` or `ip_hash full` spread clients better" : "";
  return `${pool.crowded} gets ${percent(share)} of the requests that are bound to a peer${cure}`;
}

export function registryNote(registry, now) {
  if (registry.waiting_for_first_list) {
    return { shape: "checking", bad: true, head: "registry not read yet", text: `Registry ${registry.url}: no list of nodes yet${registry.error ? `: ${registry.error}` : ""}` };
  }
  if (!registry.fresh) {
    const age = registry.stale_since ? `stale for ${roughly(now - registry.stale_since)}` : "stale";
    return { shape: "attention", bad: true, head: "registry is stale", text: `Registry ${registry.url}: ${age}${registry.error ? `: ${registry.error}` : ""}; the last good list is in force` };
  }
  if (registry.emptying_unconfirmed) {
    return { shape: "attention", bad: true, head: "registry says that most are gone", text: `Registry ${registry.url} says that most nodes are gone at once; not believed yet` };
  }
  if (registry.events_error) {
    return { shape: "attention", bad: true, head: "registry does not tell of changes", text: `Registry ${registry.url} does not tell of changes: ${registry.events_error}; they are seen at polls` };
  }
  return { shape: "up", text: `Registry ${registry.url}: fresh, ${plural(registry.serving, "node")}` };
}

export class Pools {
  // can(): whether buttons are of any use; now(): the server's time.
  constructor(hooks) {
    this.hooks = hooks;
    this.root = byId("pools");
    this.views = [];
    this.head = h("div", { class: "pools-head", "aria-hidden": "true" }, h("span"), h("span", {}, "Pool"),
                  h("span", {}, "State"), h("span", {}, "Peers"),
                  ...FIGURES.map((title) => h("span", {}, title)), h("span", {}, "Last 15 minutes"));
    this.root.append(this.head);
    this.list = h("div");
    this.root.append(this.list);
    this.empty = h("p", { class: "soft", hidden: "" }, "No upstreams are configured.");
    this.root.append(this.empty);
  }

  show(state, now) {
    this.peers = state.pools.reduce((sum, pool) => sum + pool.peers.length, 0);
    const names = state.pools.map((pool) => pool.name).join("\n");
    const others = this.names !== names;
    if (others) {
      // Views belong to names: what is open stays with its pool.
      this.names = names;
      this.list.replaceChildren();
      this.list.madeChildren = [];
      this.views = [];
    }
    const hooks = { ...this.hooks, many: () => this.peers > MANY_PEERS };
    showList(this.list, state.pools, () => new PoolView(hooks), (view, pool) => view.show(pool, now, others));
    this.views = this.list.madeChildren;
    setHidden(this.empty, state.pools.length > 0);
    setHidden(this.head, state.pools.length === 0);
    if (others) this.hooks.wanted(null);
  }

  tick(now) {
    for (const view of this.views) view.tick(now);
  }

  view(name) {
    return this.views.find((view) => view.data.name === name);
  }
}
