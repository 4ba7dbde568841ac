'use strict';

// A real redis-server on a free port or Unix socket, and what the tests ask it.

const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const readline = require('node:readline');
const { RedisClient, encode, parseReply } = require('../lib/redis');
const { Lease } = require('../lib/lease');
const { parseUrl } = require('../lib/settings');

const quiet = { info() {}, warn() {}, error() {} };

// Runs with each test's end: processes and folders go, whatever it found.
function scratch(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weir-plugin-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

class Redis {
  static async start(t, options = {}) {
    const redis = new Redis();
    redis.folder = scratch(t);
    redis.args = ['--save', '', '--appendonly', 'no', '--dir', redis.folder, ...(options.args || [])];
    if (options.unix) {
      redis.url = `unix://${redis.folder}/redis.sock`;
      redis.args.push('--port', '0', '--unixsocket', `${redis.folder}/redis.sock`);
    } else {
      redis.port = await freePort();
      redis.url = `redis://127.0.0.1:${redis.port}/4`;
      redis.args.push('--bind', '127.0.0.1', ...(options.tls ? ['--port', '0', '--tls-port'] : ['--port']), redis.port);
    }
    // What is tested keeps no process alive, and is not to end this one.
    const alive = setInterval(() => {}, 60000);
    t.after(() => {
      clearInterval(alive);
      return redis.kill();
    });
    await redis.begin();
    return redis;
  }

  async begin() {
    this.child = spawn('redis-server', this.args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.gone = once(this.child, 'exit');
    const lines = readline.createInterface({ input: this.child.stdout });
    const ready = (async () => {
      for await (const line of lines) if (/ready to accept connections/i.test(line)) return;
      throw new Error('redis-server ended before it was ready');
    })();
    await ready;
    this.child.stdout.resume();
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.gone;
  }

  client(t, url = this.url) {
    const client = new RedisClient(parseUrl(url), 2000);
    t.after(() => client.close());
    return client;
  }

  lease(t, options = {}, url = this.url) {
    const client = this.client(t, url);
    const lease = new Lease(client, { app: 'main', identity: '', lease: 15000, renew: 5000, settle: 0, log: quiet, ...options });
    t.after(() => lease.release());
    return lease;
  }

  // The messages of the events channel from now on.
  async events(t, app = 'main') {
    const socket = net.connect(this.port, '127.0.0.1');
    t.after(() => socket.destroy());
    const messages = [];
    const waiting = [];
    let data = Buffer.alloc(0);
    const subscribed = new Promise((resolve) => {
      socket.on('data', (chunk) => {
        data = Buffer.concat([data, chunk]);
        for (let reply = parseReply(data); reply; reply = data.length ? parseReply(data) : null) {
          data = data.subarray(reply[1]);
          if (reply[0][0] === 'subscribe') resolve();
          else messages.push(reply[0][2]);
        }
        for (const check of [...waiting]) check();
      });
    });
    socket.write(encode(['SUBSCRIBE', `weir:{${app}}:events`]));
    await subscribed;
    const when = (condition) =>
      new Promise((resolve) => {
        const check = () => {
          if (!condition()) return;
          waiting.splice(waiting.indexOf(check), 1);
          resolve();
        };
        waiting.push(check);
        check();
      });
    return { messages, seen: (text) => when(() => messages.includes(text)), total: (count) => when(() => messages.length >= count) };
  }
}

async function hash(client, key) {
  const flat = await client.command('HGETALL', key);
  const fields = {};
  for (let i = 0; i < flat.length; i += 2) fields[flat[i]] = flat[i + 1];
  return fields;
}

module.exports = { Redis, hash, quiet, scratch, freePort };
