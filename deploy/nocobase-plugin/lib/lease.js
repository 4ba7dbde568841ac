'use strict';

// One worker ID of the registry, held by this process: taken, renewed, changed, given back. Knows
// nothing of NocoBase. Times are measured by a clock that nobody sets; the lease's own clock is Redis'.
//
// Events: 'lost' ({instance, addr}: another holds the ID) and, while Redis cannot be asked, 'unreachable'
// (once, when the lease must have run out) and 'reached' (the ID is ours again, or still).

const { EventEmitter } = require('node:events');
const { randomUUID } = require('node:crypto');
const { RedisError } = require('./redis');
const { SLOTS } = require('./settings');
const scripts = require('./scripts');

const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 2000;

// No ID is free; `holders` names who has them.
class RegistryFull extends Error {
  constructor(app, label, holders) {
    const names = holders.map(([id, addr, state, instance]) => `${id} ${addr || instance || 'a foreign key'} (${state || 'unknown'})`);
    super(`weir: all ${holders.length} worker IDs of "${app}" in ${label} are taken; stop a node first. Holders: ${names.join(', ')}`);
    this.holders = holders;
  }
}

// Doubles with each failure in a row, and spreads so that nodes do not come all at once.
function backoff(failures, random) {
  const whole = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10));
  return whole / 2 + (random() * whole) / 2;
}

class Lease extends EventEmitter {
  // client: RedisClient. options: app, identity ('' for none), lease, renew, settle (ms), log;
  // now (ms) and random for tests.
  constructor(client, options) {
    super();
    this.client = client;
    this.options = options;
    this.log = options.log;
    this.now = options.now || (() => performance.now());
    this.random = options.random || Math.random;
    this.instance = `${options.identity}/${process.pid}/${randomUUID()}`;
    this.channel = `weir:{${options.app}}:events`;
    this.id = null;
    this.holding = false;
    this.fields = {};
    this.failures = 0;
    this.renewedAt = 0;
    this.unreachable = false;
    this.timer = null;
    this.tail = Promise.resolve();
  }

  key(id) {
    return `weir:{${this.options.app}}:node:${id}`;
  }

  // Takes an ID and begins to renew it. Tries for `wait` ms while Redis cannot be asked; rejects with
  // RegistryFull at once where none is free.
  async acquire(fields, wait) {
    this.fields = { ...fields };
    const until = this.now() + wait;
    const { settle, lease } = this.options;
    let patient = this.options.identity !== '';
    for (let failures = 0; ; ) {
      let pause;
      try {
        pause = await this.unsettled();
        if (!pause) {
          const answer = await this.allocate(patient);
          if (answer === null) return this.id;
          // The process before this one, at the same address, was killed: its lease ends soon.
          pause = answer;
          patient = false;
        }
        failures = 0;
      } catch (error) {
        if (error instanceof RegistryFull) throw error;
        pause = backoff(++failures, this.random);
        if (failures === 1) this.log.warn(`weir: no worker ID yet, trying again: ${error.message}`);
        if (this.now() + pause > until) {
          throw new Error(`weir: no worker ID: ${this.client.target.label} cannot be asked: ${error.message}`);
        }
      }
      if (this.now() + pause > until + settle + lease) {
        throw new Error(`weir: no worker ID: ${this.client.target.label} was started again and again`);
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  // A Redis that has just started may have lost the leases of nodes that still run: they come first.
  // How many ms are to be waited for that.
  async unsettled() {
    if (!this.options.settle) return 0;
    let text;
    try {
      text = await this.client.command('INFO', 'server');
    } catch (error) {
      if (error instanceof RedisError && /^NOPERM\b/.test(error.message)) return 0;
      throw error;
    }
    const match = /^uptime_in_seconds:(\d{1,12})\r?$/m.exec(text);
    return match ? Math.max(0, this.options.settle - Number(match[1]) * 1000) : 0;
  }

  // null when an ID is taken, else how long to wait before the next try.
  async allocate(patient) {
    const sent = this.now();
    const keys = Array.from({ length: SLOTS }, (_, id) => this.key(id));
    keys.push(`weir:{${this.options.app}}:earlier`);
    const answer = await this.client.command('EVAL', scripts.ALLOCATE, keys.length, ...keys, this.channel, this.instance,
      this.options.identity, this.options.lease, patient ? 1 : 0, ...this.flat());
    const [what, id, rest] = Array.isArray(answer) ? answer : [];
    if (what === 'taken' && Number.isInteger(id) && id >= 0 && id < SLOTS) {
      this.id = id;
      this.holding = true;
      this.renewed(sent);
      return null;
    }
    if (what === 'wait' && Number.isInteger(rest)) {
      this.log.info(`weir: worker ID ${id} was this node's and its lease has ${rest} ms left; waiting for it`);
      return Math.min(Math.max(rest, 0), this.options.lease) + 50;
    }
    if (what === 'full') throw new RegistryFull(this.options.app, this.client.target.label, answer.slice(1));
    throw new Error('an unknown answer of the allocation script');
  }

  flat() {
    return Object.entries(this.fields).flat();
  }

  // Publishes changed fields. Resolves when Redis has them (true), or could not take them (false: they
  // go out with the next renewal).
  set(fields) {
    Object.assign(this.fields, fields);
    return this.renew();
  }

  // Takes the ID that was given back anew: as a change of fields does, so that another holder is noticed.
  resume(fields) {
    this.holding = this.id !== null;
    return this.set(fields);
  }

  // One after the other: what was sent later is never overtaken.
  enqueue(job) {
    const done = this.tail.then(job);
    this.tail = done.catch(() => {});
    return done;
  }

  renew() {
    clearTimeout(this.timer);
    return this.enqueue(async () => {
      if (!this.holding) return false;
      const sent = this.now();
      try {
        await this.keep(sent);
        return this.holding;
      } catch (error) {
        if (this.holding) this.missed(error);
        return false;
      }
    });
  }

  async keep(sent) {
    const answer = await this.client.command('EVAL', scripts.KEEP, 1, this.key(this.id), this.channel, this.instance,
      this.id, this.options.lease, ...this.flat());
    const [what, instance, addr] = Array.isArray(answer) ? answer : [];
    if (what === 'held') {
      this.holding = false;
      clearTimeout(this.timer);
      this.emit('lost', { instance, addr });
      return;
    }
    if (what !== 'kept' && what !== 'retaken') throw new Error('an unknown answer of the renewal script');
    if (what === 'retaken') this.log.warn(`weir: the lease of worker ID ${this.id} had run out; nobody had taken it, it is held again`);
    this.renewed(sent);
  }

  renewed(sent) {
    this.renewedAt = sent;
    this.failures = 0;
    if (this.unreachable) {
      this.unreachable = false;
      this.emit('reached');
    }
    this.schedule(this.options.renew);
  }

  missed(error) {
    this.failures++;
    if (this.failures === 1) this.log.warn(`weir: worker ID ${this.id} was not renewed, trying again: ${error.message}`);
    const over = this.now() - this.renewedAt >= this.options.lease;
    if (over && !this.unreachable) {
      this.unreachable = true;
      this.emit('unreachable', error);
    }
    if (this.holding) this.schedule(backoff(this.failures, this.random));
  }

  schedule(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.renew(), ms);
    this.timer.unref();
  }

  // Gives the ID back and ends the connection. Never rejects: what fails ends by itself with the lease.
  release() {
    clearTimeout(this.timer);
    return this.enqueue(async () => {
      const held = this.holding;
      this.holding = false;
      clearTimeout(this.timer);
      try {
        if (held) await this.client.command('EVAL', scripts.RELEASE, 1, this.key(this.id), this.channel, this.instance, this.id);
      } catch (error) {
        this.log.warn(`weir: worker ID ${this.id} was not given back and is free when its lease ends: ${error.message}`);
      }
      this.client.close();
    });
  }
}

module.exports = { Lease, RegistryFull, backoff };
