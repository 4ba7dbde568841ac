'use strict';

// This process as a node of the cluster: one worker ID for all apps in it, its state in the registry, and
// its way out. One object a process; plugin.js tells it what happens to the apps.

const { EventEmitter } = require('node:events');
const { RedisClient } = require('./redis');
const { Lease } = require('./lease');

const EXIT_MS = 10000;

// Ends the process as its own SIGTERM handler does, and in any case; the exit status is not 0, so that
// whoever watches over it starts it again.
function endProcess() {
  process.exitCode = 1;
  setTimeout(() => process.exit(1), EXIT_MS).unref();
  process.kill(process.pid, 'SIGTERM');
}

class ClusterNode extends EventEmitter {
  // settings: readSettings'. gateway: () => NocoBase's Gateway object, or undefined. log: info, warn, error.
  // end: what ends the process.
  constructor(settings, gateway, log, end = endProcess) {
    super();
    this.settings = settings;
    this.gateway = gateway;
    this.log = log;
    this.end = end;
    this.state = 'starting';
    this.apps = new Map(); // by name
    this.stopping = false; // the main app stops, and is not merely restarted within the process
    this.fenced = false; // the ID is another's: nothing is served any more
    this.closed = false; // WebSockets have been closed
    this.lease = null;
    this.allocation = null;
    this.leaving = null;
  }

  // The ID is the process' own until the process stops: NocoBase keeps generating by it through every
  // restart within the process, and asks again only at some of them.
  getWorkerId(version, serves) {
    if (!this.allocation) {
      this.allocation = this.allocate(version, serves);
      this.allocation.catch(() => {
        this.allocation = null;
      });
    }
    return this.allocation;
  }

  async allocate(version, serves) {
    const { settings } = this;
    const lease = new Lease(new RedisClient(settings.target, settings.deadline), {
      ...settings,
      // A command (an upgrade, say) takes an ID beside the node that serves at the address.
      identity: serves ? settings.identity : '',
      log: this.log,
    });
    lease.on('lost', ({ instance, addr }) => this.lost(`${addr || instance} holds it now`));
    lease.on('unreachable', (error) => this.unreachable(error));
    lease.on('reached', () => this.log.info(`weir: worker ID ${lease.id} is held and renewed again`));
    const fields = { mode: settings.mode, weight: settings.weight, version, since: Date.now(), state: this.state };
    try {
      await lease.acquire(serves ? { addr: settings.addr, ...fields } : fields, settings.startWait);
    } catch (error) {
      lease.client.close();
      throw error;
    }
    this.lease = lease;
    this.log.info(`weir: worker ID ${lease.id} of "${settings.app}" is held in ${settings.target.label}`);
    return lease.id;
  }

  // The main app serves (afterStart). Redis may be away: the next renewal then tells it.
  async started() {
    if (this.fenced) return;
    if (!this.lease) {
      this.log.warn('weir: NocoBase has its instance ID from elsewhere; this node is not published');
      return;
    }
    this.stopping = this.closed = false;
    this.leaving = null;
    this.state = 'ready';
    await this.lease.resume({ state: 'ready', addr: this.settings.addr });
  }

  // The main app is restarted within the process (beforeStop): it answers 503 by itself meanwhile.
  async restarting() {
    if (this.fenced || !this.lease || this.stopping) return;
    this.state = 'starting';
    await this.lease.set({ state: 'starting' });
  }

  // The main app is about to stop (beforeStop): resolves when it may. Asked twice, it drains once.
  leave() {
    this.stopping = true;
    this.leaving ||= this.drain();
    return this.leaving;
  }

  async drain() {
    const served = this.state === 'ready';
    this.state = 'draining';
    if (served && !this.fenced && this.lease) {
      const over = this.unlessLost(this.settings.drain);
      this.log.info(`weir: draining for ${this.settings.drain} ms`);
      this.emit('draining');
      await this.lease.set({ state: 'draining' });
      await over;
    }
    await this.closeWebSockets();
  }

  // Resolves after so many ms, or when the ID is lost.
  unlessLost(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.once('lost', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  // Closes the clients' WebSockets so that they come back elsewhere; those that do not answer are cut.
  // NocoBase itself leaves them open, and its process with them.
  async closeWebSockets() {
    this.closed = true;
    const clients = [...(this.gateway()?.wsServer?.wss?.clients || [])];
    const ends = clients.map((client) => new Promise((resolve) => client.once('close', resolve)));
    for (const client of clients) client.close(1012, 'service restart');
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(() => resolve(true), this.settings.closeWait);
    });
    const cut = await Promise.race([Promise.all(ends).then(() => false), late]);
    clearTimeout(timer);
    if (cut) for (const client of clients) client.terminate();
    this.emit('closed', clients.length);
  }

  // Gives the ID back, once the main app has stopped and its database is closed: nothing is generated by
  // it any more.
  async release() {
    if (this.stopping && this.lease) await this.lease.release();
  }

  unreachable(error) {
    const what = `its lease has run out and Redis cannot be asked: ${error.message}`;
    if (this.settings.onUnreachable === 'exit') return this.lost(what);
    this.log.error(`weir: worker ID ${this.lease.id}: ${what}; this node serves on and takes it back when it can`);
  }

  // Another may be generating by the same ID: from here on nothing is served or generated, and the process
  // ends. It cannot go on with another ID: NocoBase's parts have this one for as long as they live.
  lost(why) {
    if (this.fenced) return;
    this.fenced = true;
    this.lease.holding = false;
    this.log.error(`weir: worker ID ${this.lease.id} is lost: ${why}; this process ends`);
    const refuse = () => {
      throw new Error('weir: the worker ID of this process is lost; no ID is generated, the process ends');
    };
    for (const app of this.apps.values()) app.snowflakeIdGenerator = { generate: refuse };
    this.emit('lost', why);
    this.leave()
      .catch((error) => this.log.error(`weir: ${error.message}`))
      .finally(() => this.end());
  }

  // NocoBase's request handler: false for what is none of ours.
  handle(request, response) {
    const { fenced, state, settings } = this;
    const check = request.url.endsWith('/__health_check') && request.url.startsWith(settings.apiBase);
    if (!fenced && !(state === 'draining' && check)) return false;
    const error = {
      status: 503,
      // weir and NocoBase's pages take this for "not executed, come again".
      maintaining: true,
      message: fenced ? 'this node lost its worker ID and ends' : 'this node is draining',
      code: fenced ? 'WEIR_LEASE_LOST' : 'WEIR_DRAINING',
    };
    response.statusCode = 503;
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Cache-Control', 'no-store');
    if (fenced) response.setHeader('Connection', 'close');
    response.end(JSON.stringify({ error }));
    return true;
  }

  // NocoBase's handler of upgrades: after the others were closed, no new WebSocket begins.
  handleUpgrade(request, socket) {
    if (!this.closed && !this.fenced) return false;
    socket.on('error', () => {});
    socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return true;
  }
}

module.exports = { ClusterNode };
