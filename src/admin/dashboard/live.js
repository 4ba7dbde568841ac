// The present, by server-sent events: the whole state at first, then what changes. Tells since when
// nothing was heard, and comes back by itself.

// Puts a change into the state: objects member by member, arrays by index; null is null.
export function merge(into, change) {
  for (const [key, value] of Object.entries(change)) {
    const there = into[key];
    const isTree = (x) => x !== null && typeof x === "object";
    if (isTree(value) && !Array.isArray(value) && isTree(there)) {
      merge(there, value);
    } else {
      into[key] = value;
    }
  }
}

const FIRST_WAIT = 1000; // ms; doubled up to the last one
const LAST_WAIT = 15000;
const CONNECT_TIME = 20000; // ms to the first event: the whole state over a slow link
const HIDDEN_TIME = 60000; // ms; the server's places for readers are few

export class Live {
  // shown(state): it has changed; heard(): something came; lost(since, shown, why): nothing does;
  // rests(): nobody looks, and it is not connected until somebody does.
  constructor(hooks) {
    this.hooks = hooks;
    this.state = null;
    this.offset = 0; // of the server's clock, in seconds
    this.lastHeard = Date.now();
    this.beat = 1000;
    this.wait = FIRST_WAIT;
    this.why = "";
    this.connect();
    setInterval(() => this.check(), 1000);
    document.addEventListener("visibilitychange", () => this.seen());
    this.seen();
  }

  seen() {
    clearTimeout(this.hiding);
    if (document.hidden) {
      this.hiding = setTimeout(() => this.rest(), HIDDEN_TIME);
    } else if (this.resting) {
      this.resting = false;
      this.wait = FIRST_WAIT;
      this.connect();
    }
  }

  rest() {
    this.resting = true;
    clearTimeout(this.timer);
    this.source.close();
    this.hooks.rests();
  }

  // The server's time, in seconds since 1970.
  now() {
    return Date.now() / 1000 + this.offset;
  }

  connect() {
    clearTimeout(this.timer);
    this.waiting = false;
    this.greeted = false; // by an event of this connection
    this.began = Date.now();
    this.source?.close();
    this.source = new EventSource("/events");
    this.source.addEventListener("state", (event) => this.take(JSON.parse(event.data), true));
    this.source.addEventListener("change", (event) => this.take(JSON.parse(event.data), false));
    // What the browser does by itself depends on the browser and on the error: not relied on.
    this.source.onerror = () => {
      if (!this.greeted) this.ask();
      this.again();
    };
  }

  // Why there are no events: an EventSource keeps that for itself.
  async ask() {
    const asked = new AbortController();
    const late = setTimeout(() => asked.abort(), CONNECT_TIME);
    let why = "";
    try {
      const response = await fetch("/events", { signal: asked.signal });
      if (!response.ok) why = (await response.text()).trim();
    } catch {
      // No answer at all.
    }
    clearTimeout(late);
    asked.abort();
    if (!this.lostSince) return;
    this.why = why;
    if (!this.resting) this.lose();
  }

  again() {
    this.source.close();
    clearTimeout(this.timer);
    this.waiting = true;
    this.timer = setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(this.wait * 2, LAST_WAIT);
    this.lose();
  }

  lose() {
    if (!this.lostSince) this.lostSince = this.lastHeard;
    this.hooks.lost(this.lostSince, this.state !== null, this.why);
  }

  take(message, whole) {
    const fresh = this.lostSince || this.state === null;
    this.lastHeard = Date.now();
    this.lostSince = null;
    this.greeted = true;
    this.why = "";
    this.wait = FIRST_WAIT;
    this.beat = message.beat_ms;
    this.offset = message.at - Date.now() / 1000;
    if (whole) {
      this.state = message.state;
    } else if (this.state !== null && message.change) {
      merge(this.state, message.change);
    }
    if (this.state === null) return;
    this.hooks.heard(fresh);
    if (whole || message.change) this.hooks.shown(this.state, whole);
  }

  // A connection may be dead without anybody having said so.
  check() {
    if (this.resting) return;
    if (this.lostSince) this.lose();
    const silent = Date.now() - (this.greeted ? this.lastHeard : this.began);
    if (!this.waiting && silent > (this.greeted ? 4 * this.beat + 1000 : CONNECT_TIME)) this.again();
  }
}
