// "Where would this client go, and why?": asks the verb explain and puts its answer into words.

import { h, byId } from "./dom.js";

const line = (title, ...text) => [h("dt", {}, title), h("dd", {}, ...text)];
const at = (position) => (position ? h("span", { class: "soft" }, `  ${position}`) : null);

function verdict(told) {
  if (told.pool?.maintenance) return ["maintenance", `503: ${told.pool.name} is in maintenance`];
  if (told.peer) return ["up", `${told.peer} of ${told.pool.name}`];
  const whither = told.redirect ? `, to ${told.redirect}` : "";
  if (told.pool) return ["down", `${told.status}: no peer of ${told.pool.name} may take it`];
  return ["unchecked", `${told.status} by weir itself${whither}`];
}

// What the method reckons with, for one peer.
function arithmetic(peer, balance) {
  if (balance.startsWith("least_conn")) return `${peer.conns} in flight / weight ${peer.weight}`;
  if (balance.startsWith("least_time")) return `${peer.response_time_ms} ms, ${peer.conns} in flight / weight ${peer.weight}`;
  if (balance.startsWith("round_robin")) return `${peer.current_weight} + ${peer.effective_weight}`;
  if (balance.startsWith("hash consistent") || peer.backup) return `weight ${peer.weight}`;
  const last = peer.first_point + peer.weight - 1;
  return `points ${peer.first_point}${last > peer.first_point ? ` to ${last}` : ""}`;
}

function hashLine(named, pool) {
  const ring = pool.ring_points > 0;
  const sum = ring ? `${named.value} is before point ${named.point} of ${pool.ring_points}`
    : `${named.value} mod ${pool.total_weight} = ${named.point}`;
  return `${sum}: ${named.peer}${named.taken ? "" : `, but: ${named.why_not}`}`;
}

function peerTable(pool) {
  const row = (peer) => h("tr", {},
    h("td", { class: "mono" }, peer.chosen ? h("b", {}, `▸ ${peer.address}`) : peer.address),
    h("td", {}, peer.state), h("td", { class: "soft" }, arithmetic(peer, pool.balance)),
    h("td", {}, peer.chosen ? `chosen: ${pool.reason}` : peer.why_not));
  const head = ["Peer", "State", "Reckoning", "Why, or why not"].map((title) => h("th", { scope: "col" }, title));
  return h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...pool.peers.map(row)));
}

export function words(told) {
  const [shape, text] = verdict(told);
  const list = [
    ...line("Client", `${told.client}, to ${told.listen}`),
    ...line("Server", `${told.server.name}, ${told.server.by}`, at(told.server.at)),
    ...told.tried.flatMap((tried) => line("Tried", `${tried.location}: ${tried.result}`, at(tried.at))),
    ...line("Location", told.location.location, at(told.location.at)),
    ...line("Path", `${told.path}${told.args ? `?${told.args}` : ""}`),
    ...told.notes.flatMap((note) => line("Note", note)),
  ];
  const { pool } = told;
  const whole = pool && !pool.maintenance;
  if (pool) list.push(...line("Pool", `${pool.name} (${pool.balance})`));
  if (whole && pool.key !== undefined) list.push(...line("Key", `“${pool.key}”`));
  if (whole) list.push(...pool.named.flatMap((named) => line("Hash", hashLine(named, pool))));
  return [h("p", { class: "goes" }, h("i", { class: `shape ${shape}` }), text), h("dl", {}, ...list),
          ...(whole ? [peerTable(pool)] : [])];
}

async function tell(form, out) {
  const options = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value.trim()) options.append(name, value.trim());
  let told;
  try {
    told = await (await fetch(`/api/explain?${options}`)).json();
  } catch {
    told = { error: "weir does not answer" };
  }
  out.replaceChildren(...(told.error ? [h("p", { class: "error" }, told.error)] : words(told)));
}

export function setUpExplain() {
  const dialog = byId("explain");
  const form = byId("explain-form");
  byId("explain-open").addEventListener("click", () => dialog.showModal());
  dialog.querySelector(".cancel").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    tell(form, byId("explain-answer"));
  });
}
