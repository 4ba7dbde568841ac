'use strict';

// A small Redis client (RESP2) over one connection, made when it is needed: TCP, TLS or a Unix socket.
// Each command has a deadline, each reply a greatest size; whatever goes wrong ends the connection, and
// the next command makes a new one. When to try again is the caller's to say. The connection keeps the
// process alive only while a reply is awaited.

const net = require('node:net');
const tls = require('node:tls');

const MAX_REPLY = 256 * 1024;
const MAX_DEPTH = 4;
const MAX_PENDING = 64;
// The server cannot serve now, or is not the one to ask: look it up again the next time.
const UNFIT = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|BUSY|NOAUTH|MISCONF|TRYAGAIN|UNKILLABLE)\b/;

// What the server said no to.
class RedisError extends Error {}

// Reads one reply at `at`: [value, next], or null where bytes are missing. An error reply is a value.
function parseReply(data, at = 0, depth = 0) {
  const end = data.indexOf('\r\n', at);
  if (end < 0) return null;
  const line = data.toString('utf8', at + 1, end);
  const next = end + 2;
  const count = () => {
    if (!/^-?\d{1,9}$/.test(line) || Number(line) < -1 || Number(line) > MAX_REPLY) throw new Error('not a reply of Redis: bad length');
    return Number(line);
  };
  switch (String.fromCharCode(data[at])) {
    case '+':
      return [line, next];
    case '-':
      return [new RedisError(line), next];
    case ':':
      if (!/^-?\d{1,19}$/.test(line)) throw new Error('not a reply of Redis: bad number');
      return [Number(line), next];
    case '$': {
      const size = count();
      if (size < 0) return [null, next];
      if (data.length < next + size + 2) return null;
      if (data[next + size] !== 13 || data[next + size + 1] !== 10) throw new Error('not a reply of Redis: bad end');
      return [data.toString('utf8', next, next + size), next + size + 2];
    }
    case '*': {
      const items = [];
      let position = next;
      const size = count();
      if (size < 0) return [null, next];
      if (depth >= MAX_DEPTH) throw new Error('not a reply of Redis: nested too deep');
      for (let i = 0; i < size; i++) {
        const item = parseReply(data, position, depth + 1);
        if (!item) return null;
        items.push(item[0]);
        position = item[1];
      }
      return [items, position];
    }
    default:
      throw new Error('not a reply of Redis: unknown type');
  }
}

function encode(args) {
  const parts = [`*${args.length}\r\n`];
  for (const arg of args) {
    const text = String(arg);
    parts.push(`$${Buffer.byteLength(text)}\r\n${text}\r\n`);
  }
  return parts.join('');
}

class RedisClient {
  // target: settings.parseUrl's. deadline: ms for connecting and for each reply.
  constructor(target, deadline) {
    this.target = target;
    this.deadline = deadline;
    this.socket = null;
    this.pending = [];
    this.data = Buffer.alloc(0);
  }

  // The reply; rejects with RedisError for what the server refused, with another Error for the rest.
  async command(...args) {
    if (!this.socket) this.connect();
    return this.send(args);
  }

  close() {
    if (this.socket) this.fail(this.socket, new Error('closed'));
  }

  connect() {
    const { host, port, path, tls: secure, ca, username, password, db } = this.target;
    const where = path ? { path } : { host, port };
    const name = host && !net.isIP(host) ? host : undefined;
    const socket = secure ? tls.connect({ ...where, ca, servername: name }) : net.connect(where);
    this.socket = socket;
    this.data = Buffer.alloc(0);
    if (!path) socket.setNoDelay(true).setKeepAlive(true, 5000);
    socket.on('data', (chunk) => this.receive(socket, chunk));
    socket.on('error', (error) => this.fail(socket, error));
    socket.on('close', () => this.fail(socket, new Error('the connection was closed')));
    // What is written before the handshakes are over waits for them, within the same deadline.
    const nothing = () => {}; // settle() ends the connection, and with it what waits
    if (password) this.send(username ? ['AUTH', username, password] : ['AUTH', password], true).catch(nothing);
    if (db) this.send(['SELECT', db], true).catch(nothing);
  }

  send(args, handshake = false) {
    return new Promise((resolve, reject) => {
      const socket = this.socket;
      if (!socket) return reject(new Error('not connected'));
      if (this.pending.length >= MAX_PENDING) return reject(new Error('too many commands at once'));
      const timer = setTimeout(() => this.fail(socket, new Error(`no answer within ${this.deadline} ms`)), this.deadline);
      this.pending.push({ resolve, reject, timer, handshake });
      socket.ref();
      socket.write(encode(args));
    });
  }

  receive(socket, chunk) {
    if (socket !== this.socket) return;
    this.data = Buffer.concat([this.data, chunk]);
    if (this.data.length > MAX_REPLY) return this.fail(socket, new Error('the reply is too long'));
    try {
      while (this.data.length && socket === this.socket) {
        const reply = parseReply(this.data);
        if (!reply) return;
        this.data = this.data.subarray(reply[1]);
        this.settle(socket, reply[0]);
      }
    } catch (error) {
      this.fail(socket, error);
    }
  }

  settle(socket, value) {
    const waiting = this.pending.shift();
    if (!waiting) throw new Error('a reply to nothing');
    clearTimeout(waiting.timer);
    if (!this.pending.length) socket.unref();
    if (!(value instanceof RedisError)) return waiting.resolve(value);
    waiting.reject(value);
    if (waiting.handshake || UNFIT.test(value.message)) this.fail(socket, value);
  }

  fail(socket, error) {
    if (socket !== this.socket) return;
    this.socket = null;
    socket.destroy();
    for (const waiting of this.pending.splice(0)) {
      clearTimeout(waiting.timer);
      waiting.reject(error);
    }
  }
}

module.exports = { RedisClient, RedisError, parseReply, encode };
