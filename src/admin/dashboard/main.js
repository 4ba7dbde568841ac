// Brings the parts together: what comes in, what is shown, what is pressed.

import { setText, setHidden, byId } from "./dom.js";
import { clock, duration } from "./format.js";
import { Live } from "./live.js";
import { Overview } from "./overview.js";
import { Pools } from "./pools.js";
import { operate, askToken, token } from "./operate.js";
import { setUpExplain } from "./explain.js";

const MANY = 100; // peers: from then on charts are redrawn less often
const EVERY_FEW = 5; // seconds
const EVERY_MANY = 15;
const CERTIFICATES_EVERY = 60;
const PATIENCE = 30000; // ms for an answer

let mayChange = false;
const overview = new Overview();
const pools = new Pools({
  can: () => mayChange,
  now: () => live.now(),
  wanted: (view) => fetchHistory(view),
});

async function json(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

const wanted = { all: false, views: new Set(), fetching: false };

// One at a time: a slow link is not asked again before it has answered, and then once for all that
// was wanted meanwhile.
async function fetchHistory(only) {
  if (only) wanted.views.add(only);
  else wanted.all = true;
  if (wanted.fetching) return;
  wanted.fetching = true;
  while (wanted.all || wanted.views.size > 0) {
    const views = wanted.all ? null : [...wanted.views];
    wanted.all = false;
    wanted.views.clear();
    await bringHistory(views);
  }
  wanted.fetching = false;
}

// Of some pools with their peers; null: of all pools, and of the peers of those that are open.
async function bringHistory(some) {
  try {
    if (!some) {
      const history = await json("/history");
      overview.history(history);
      for (const past of history.pools) pools.view(past.name)?.history(history, past);
    }
    const open = some ?? pools.views.filter((view) => view.element.open);
    for (const view of open) {
      const history = await json(`/history?pool=${encodeURIComponent(view.data.name)}`);
      if (history.pools.length === 1) view.history(history, history.pools[0]);
    }
  } catch {
    // That weir does not answer is told where events fail to come.
  }
}

async function fetchCertificates() {
  if (!live.state.weir.certificates) return;
  try {
    const told = await json("/certificates");
    overview.certificates = told.certificates;
    overview.orders = told.orders;
  } catch {
    overview.certificates = [];
    overview.orders = [];
  }
}

function showAccess(state) {
  mayChange = state.weir.can_change;
  const button = byId("access");
  setText(button, !mayChange ? "Read only" : token.get() ? "Forget the token" : "Read only: unlock");
  button.title = mayChange ? "" : "No token is set in admin { }: changes take the `weir` command on the machine.";
  button.disabled = !mayChange;
}

const live = new Live({
  shown(state, whole) {
    showAccess(state);
    pools.show(state, live.now());
    overview.show(state, live.now());
    if (whole) {
      fetchHistory(null);
      fetchCertificates();
    }
  },
  heard(fresh) {
    if (!fresh) return;
    document.body.classList.remove("stale");
    setHidden(byId("stale"), true);
  },
  lost(since, shown, why) {
    const ago = duration((Date.now() - since) / 1000);
    const what = why ? `weir refuses: ${why}` : "weir does not answer";
    setText(byId("stale"), shown
      ? `Stale since ${clock(since / 1000)} (${ago}): ${what}. What you see is what it said last; trying again.`
      : `${what} (${ago}); trying again.`);
    setHidden(byId("stale"), false);
    document.body.classList.add("stale");
    setText(byId("link"), "not connected");
  },
  rests() {
    document.title = "paused · weir";
    setText(byId("link"), "paused");
  },
});

let seconds = 0;
setInterval(() => {
  seconds += 1;
  if (live.lostSince || live.resting || live.state === null) return;
  const now = live.now();
  setText(byId("link"), `live · ${clock(now)}`);
  if (document.hidden) return;
  pools.tick(now);
  overview.tick(now);
  if (seconds % (pools.peers > MANY ? EVERY_MANY : EVERY_FEW) === 0) fetchHistory(null);
  if (seconds % CERTIFICATES_EVERY === 0) fetchCertificates();
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && live.state && !live.lostSince) fetchHistory(null);
});

function find(target) {
  for (const pool of live.state.pools) {
    if (target === pool.name) return { pool };
    const peer = pool.peers.find((one) => target === `${pool.name}/${one.address}`);
    if (peer) return { pool, peer };
  }
  return {};
}

byId("pools").addEventListener("click", (event) => {
  const button = event.target.closest("button[data-verb]");
  if (button) operate(button, find);
});
byId("access").addEventListener("click", async () => {
  if (token.get()) token.forget();
  else await askToken();
  showAccess(live.state);
});
document.addEventListener("weir-token", () => live.state && showAccess(live.state));
setUpExplain();
