// The states of a peer: what each looks like, and how much it matters.

// tone: good, quiet (not checked, or configured so), hand (by an operator), warn, bad
const STATES = {
  "up": { shape: "up", tone: "good" },
  "unchecked": { shape: "unchecked", tone: "quiet" },
  "checking": { shape: "checking", tone: "quiet" },
  "down": { shape: "down", tone: "bad" },
  "failed": { shape: "failed", tone: "bad" },
  "draining": { shape: "draining", tone: "hand" },
  "down by operator": { shape: "stopped", tone: "hand" },
  "waiting": { shape: "waiting", tone: "hand" },
  "aside": { shape: "aside", tone: "hand" },
  "down by configuration": { shape: "disabled", tone: "quiet" },
  "down by registry": { shape: "withheld", tone: "quiet" },
  "vanished": { shape: "vanished", tone: "warn" },
};

export const look = (state) => STATES[state] ?? { shape: "unchecked", tone: "quiet" };

// Of a pool: the worst that can be said of it.
export function poolLook(pool) {
  if (pool.set?.maintenance) return { shape: "maintenance", tone: "hand", word: "in maintenance" };
  const count = pool.peers.length;
  const word = `${pool.live} of ${count} ${count === 1 ? "serves" : "serve"}`;
  if (pool.live === 0) return { shape: "down", tone: "bad", word: count === 0 ? "no peers" : "none serves" };
  const tones = pool.peers.map((peer) => look(peer.state).tone);
  if (tones.includes("bad")) return { shape: "attention", tone: "warn", word };
  if (tones.includes("warn") || pool.crowded) return { shape: "attention", tone: "warn", word };
  if (tones.includes("hand")) return { shape: "aside", tone: "hand", word };
  return { shape: "up", tone: "good", word };
}
