// What is said of all of weir: the verdict, what needs a look, the figures, and what is around it.

import { h, setText, setClass, setHidden, showList, byId } from "./dom.js";
import { duration, roughly, number, percent, milliseconds, plural, clock } from "./format.js";
import { Chart } from "./charts.js";
import { look } from "./states.js";
import { crowdText, registryNote, checkText } from "./pools.js";

const WARN_DAYS = 14;
const BAD_DAYS = 3;
const MOST_PROBLEMS = 8; // what is beyond is counted

const RANK = { bad: 0, warn: 1, hand: 2 };

function poolProblems(pool, now) {
  const found = [];
  const maintenance = pool.set?.maintenance;
  if (maintenance) {
    const since = maintenance.at ? ` for ${roughly(now - maintenance.at)}` : "";
    found.push({ tone: "hand", shape: "maintenance", head: `${pool.name} in maintenance`, text: `clients get 503${since}` });
  } else if (pool.live === 0) {
    found.push({ tone: "bad", shape: "down", head: `${pool.name}: no peer serves`,
                 text: pool.peers.length ? "its clients get errors" : "it has no peers" });
  }
  for (const peer of pool.peers) {
    const { tone, shape } = look(peer.state);
    if (tone !== "bad" && tone !== "warn") continue;
    const since = peer.since === null ? "" : ` for ${roughly(now - peer.since)}`;
    found.push({ tone: "warn", shape, head: `${pool.name}/${peer.address} ${peer.state}${since}`,
                 text: peer.reason || checkText(peer.check), peer: true });
  }
  if (pool.crowded) {
    found.push({ tone: "warn", shape: "attention", head: `${pool.name}: one peer is crowded`, text: crowdText(pool) });
  }
  if (pool.registry) {
    const note = registryNote(pool.registry, now);
    if (note.bad) found.push({ tone: "warn", shape: note.shape, head: `${pool.name}: ${note.head}`, text: note.text });
  }
  return found;
}

function reloadProblem(reload, now) {
  if (!reload || reload.ok) return [];
  return [{ tone: "warn", shape: "attention", head: `Reload failed ${roughly(now - reload.at)} ago`,
            text: `${reload.error || "see the error log"} · generation ${reload.generation} stays in force` }];
}

function certificateProblems(certificates) {
  return certificates.flatMap((one) => {
    const name = one.names[0] ?? one.certificate;
    const late = one.days_left < WARN_DAYS;
    if (!late && !one.problem) return [];
    const head = one.days_left < 0 ? `Certificate of ${name} has expired`
      : late ? `Certificate of ${name}: ${plural(one.days_left, "day")} left` : `Certificate of ${name}`;
    return [{ tone: one.days_left < BAD_DAYS ? "bad" : "warn", shape: "attention", head, text: one.problem ?? one.certificate }];
  });
}

// Of answers about them that are to be sent along.
function stapleProblems(certificates, now) {
  return certificates.filter((one) => one.ocsp?.error).map((one) => ({
    tone: "warn", shape: "attention", head: `No new answer of OCSP about the certificate of ${one.names[0] ?? one.certificate}`,
    text: `${one.ocsp.error}; asked again ${one.ocsp.next > now ? `in ${roughly(one.ocsp.next - now)}` : "now"}`,
  }));
}

// Of certificates that ACME servers are to give.
function orderProblems(orders, now) {
  return orders.filter((one) => one.error).map((one) => ({
    tone: "warn", shape: "attention", head: `Certificate of ${one.names[0]} is not to be had`,
    text: `${one.issuer}: ${one.error}; tried again ${one.next > now ? `in ${roughly(one.next - now)}` : "now"}`,
  }));
}

export function problemsOf(state, certificates, orders, now) {
  const found = state.pools.flatMap((pool) => poolProblems(pool, now));
  for (const name of state.names) {
    if (!name.error) continue;
    const kept = name.addresses.length ? "; its last addresses are in force" : "";
    found.push({ tone: "warn", shape: "attention", head: `${name.name} is not found`, text: `${name.error}${kept}` });
  }
  found.push(...reloadProblem(state.weir.reload, now), ...certificateProblems(certificates),
             ...stapleProblems(certificates, now), ...orderProblems(orders, now));
  if (state.weir.draining) found.push({ tone: "hand", shape: "draining", head: "weir is ending", text: "it accepts no more" });
  return found.sort((a, b) => RANK[a.tone] - RANK[b.tone]);
}

// In a few words, for those who look from afar.
export function verdictOf(state, problems) {
  const dead = state.pools.filter((pool) => pool.live === 0 && !pool.set?.maintenance);
  if (dead.length) {
    const what = dead.length === 1 ? `${dead[0].name}: no peer serves` : `${plural(dead.length, "pool")} without a peer that serves`;
    return { tone: "bad", shape: "down", text: what };
  }
  const out = problems.filter((one) => one.peer).length;
  const peers = state.pools.reduce((sum, pool) => sum + pool.peers.length, 0);
  if (out) return { tone: "warn", shape: "attention", text: `${out} of ${plural(peers, "peer")} out` };
  const bad = problems.filter((one) => one.tone !== "hand");
  if (bad.length) return { tone: bad[0].tone, shape: "attention", text: bad[0].head };
  if (problems.length) return { tone: "hand", shape: problems[0].shape, text: problems[0].head };
  const held = state.pools.flatMap((pool) => pool.peers).filter((peer) => look(peer.state).tone === "hand");
  if (held.length) return { tone: "hand", shape: "aside", text: `All well, ${plural(held.length, "peer")} held` };
  return { tone: "good", shape: "up", text: "All well" };
}

class Tile {
  constructor(title, chartTitle, tell) {
    this.figure = h("span");
    this.rest = h("small");
    this.chart = new Chart(chartTitle, tell);
    this.element = h("div", { class: "tile" }, h("h2", {}, title),
                     h("p", { class: "figure" }, this.figure, " ", this.rest), this.chart.element);
  }
  show(figure, rest, tone = "") {
    setText(this.figure, figure);
    setText(this.rest, rest);
    setClass(this.figure, tone);
  }
}

class Fact {
  constructor(title) {
    this.list = h("div");
    this.element = h("div", { class: "fact" }, h("h2", {}, title), this.list);
  }
  // lines: [{shape, text, more, tone}]
  show(lines) {
    setHidden(this.element, lines.length === 0);
    showList(this.list, lines, () => {
      const shape = h("i"), text = h("span"), more = h("span");
      return { element: h("p", {}, shape, text, more), shape, text, more };
    }, (view, line) => {
      setHidden(view.shape, !line.shape);
      setClass(view.shape, `shape ${line.shape ?? ""}`);
      setText(view.text, line.text);
      setText(view.more, line.more ?? "");
      setClass(view.more, line.tone ?? "soft");
    });
  }
}

export class Overview {
  constructor() {
    this.certificates = [];
    this.orders = [];
    const past = (name) => (i) => this.past?.[name][i];
    this.rate = new Tile("Requests of clients", "requests a second",
                         (i) => `${number(past("per_second")(i))} req/s`);
    this.errors = new Tile("Answered with 5xx", "answers of 5xx a second",
                           (i) => `${number(past("errors")(i))} of 5xx/s`);
    this.latency = new Tile("Time to the end of the answer", "time to the end of the answer",
                            (i) => `p50 ${milliseconds(past("p50")(i))}, p99 ${milliseconds(past("p99")(i))}`);
    this.clients = new Tile("Connections of clients", "connections of clients",
                            (i) => `${number(past("in_flight")(i))} connections`);
    byId("totals").append(this.rate.element, this.errors.element, this.latency.element, this.clients.element);
    this.config = new Fact("Configuration");
    this.process = new Fact("Workers");
    this.registries = new Fact("Registries");
    this.names = new Fact("Host names");
    this.certs = new Fact("Certificates");
    byId("system").append(this.config.element, this.process.element, this.registries.element,
                          this.names.element, this.certs.element);
    this.verdict = byId("verdict");
    [this.verdictShape, this.verdictText] = this.verdict.children;
  }

  show(state, now) {
    const { weir } = state;
    this.state = state;
    const sum = (name) => weir.workers.reduce((total, worker) => total + worker[name], 0);
    this.rate.show(number(weir.per_second), "a second");
    this.errors.show(percent(weir.errors), "of all, last 30 s", weir.errors > 0.01 ? "bad" : "");
    this.latency.show(milliseconds(weir.p50), `p50 · ${milliseconds(weir.p95)} p95 · ${milliseconds(weir.p99)} p99`);
    this.clients.show(number(sum("active") + sum("idle") + sum("tunnels")),
                      `${number(sum("active"))} busy · ${number(sum("idle"))} idle · ${number(sum("tunnels"))} tunnels`);
    setText(byId("version"), `weir ${weir.version}`);
    this.tick(now);
  }

  tick(now) {
    if (!this.state) return;
    const { state } = this;
    const problems = problemsOf(state, this.certificates, this.orders, now);
    const verdict = verdictOf(state, problems);
    setClass(this.verdictShape, `shape ${verdict.shape}`);
    setText(this.verdictText, verdict.text);
    setClass(this.verdictText, verdict.tone);
    const sign = { bad: "■ ", warn: "▲ ", hand: "◆ ", good: "" }[verdict.tone];
    const title = `${sign}${verdict.text} · weir`;
    if (document.title !== title) document.title = title;
    this.showProblems(problems);
    this.showFacts(state, now);
  }

  showProblems(problems) {
    const root = byId("problems");
    const shown = problems.slice(0, MOST_PROBLEMS);
    const rest = problems.length - shown.length;
    if (rest > 0) shown.push({ tone: "warn", shape: "attention", head: `${rest} more`, text: "" });
    setHidden(root, shown.length === 0);
    showList(root, shown, () => {
      const shape = h("i"), head = h("b"), text = h("span");
      return { element: h("li", {}, shape, head, text), shape, head, text };
    }, (view, problem) => {
      setClass(view.element, problem.tone);
      setClass(view.shape, `shape ${problem.shape}`);
      setText(view.head, problem.head);
      setText(view.text, problem.text ?? "");
    });
  }

  showFacts(state, now) {
    const { weir } = state;
    const { reload } = weir;
    const config = [{ shape: reload.ok ? "up" : "attention", text: `Generation ${reload.generation}`,
                      more: `${reload.ok ? "loaded" : "reload failed"} ${roughly(now - reload.at)} ago`, tone: reload.ok ? "soft" : "warn" }];
    if (reload.failed > 0) config.push({ text: plural(reload.failed, "failed reload"), more: "since the start" });
    if (!reload.ok && reload.error) config.push({ text: reload.error });
    const up = now - weir.started;
    config.push({ text: "Up", more: duration(Math.floor(up < 60 ? up : up - up % 60)) });
    this.config.show(config);
    this.process.show([
      ...weir.workers.map((worker, i) => ({ text: `Worker ${i}`,
        more: `${number(worker.active)} busy · ${number(worker.idle)} idle · ${number(worker.tunnels)} tunnels` })),
      { text: "Memory", more: `${number(weir.memory)} MiB` },
      { text: "Open files", more: `${number(weir.open_fds)} of ${number(weir.max_fds)}`,
        tone: weir.open_fds > 0.8 * weir.max_fds ? "bad" : "soft" },
    ]);
    this.registries.show(state.pools.filter((pool) => pool.registry).map((pool) => {
      const { registry } = pool;
      return { shape: registry.fresh ? "up" : "attention", text: `${pool.name} · ${registry.url}`,
               more: registry.fresh ? "fresh" : registry.stale_since ? `stale since ${clock(registry.stale_since)}` : "stale",
               tone: registry.fresh ? "soft" : "warn" };
    }));
    this.names.show(state.names.map((name) => ({
      shape: name.error ? "attention" : "up", text: name.name,
      more: name.error ? (name.found_at ? `stale since ${clock(name.found_at)}` : "not found") : plural(name.addresses.length, "address", "addresses"),
      tone: name.error ? "warn" : "soft",
    })));
    this.certs.show(this.certificates.map((one) => ({
      shape: one.days_left < WARN_DAYS || one.problem ? "attention" : "up", text: one.names[0] ?? one.certificate,
      more: one.days_left < 0 ? "expired" : `${plural(one.days_left, "day")} left`,
      tone: one.days_left < BAD_DAYS ? "bad" : one.days_left < WARN_DAYS ? "warn" : "soft",
    })));
  }

  history(history) {
    const past = history.weir;
    this.past = past;
    const options = { at: history.at, every: history.every };
    this.rate.chart.draw({ main: past.per_second }, { ...options, summary: `Now ${number(past.per_second.at(-1))}.` });
    this.errors.chart.draw({ alarm: past.errors, main: past.errors }, { ...options, top: 1, summary: `Now ${number(past.errors.at(-1))}.` });
    this.latency.chart.draw({ main: past.p99, second: past.p50 }, { ...options, summary: `p99 now ${milliseconds(past.p99.at(-1))}.` });
    this.clients.chart.draw({ main: past.in_flight }, { ...options, summary: `Now ${number(past.in_flight.at(-1))}.` });
  }
}
