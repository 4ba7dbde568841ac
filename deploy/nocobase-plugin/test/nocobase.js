'use strict';

// The parts of NocoBase 2.2 that the plugin touches, with the order of its life cycle: a Gateway with real
// HTTP and WebSockets, and an app that starts, restarts and stops as NocoBase's does. Written from its
// public interface; what a test needs to know about the order of things, `app.order` tells.

const http = require('node:http');
const { createHash } = require('node:crypto');
const { EventEmitter, once } = require('node:events');

// The server's side of a WebSocket, as far as closing goes.
class FakeWebSocket extends EventEmitter {
  constructor(socket) {
    super();
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => this.emit('close'));
    // The only frame that a client of these tests sends is its answer to a close.
    socket.on('data', () => socket.end());
  }

  close(code, reason) {
    const payload = Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
    this.socket.write(Buffer.concat([Buffer.from([0x88, payload.length]), payload]));
  }

  terminate() {
    this.socket.destroy();
  }
}

// A new pair of classes for each test, as for each process.
function createServer({ start = true } = {}) {
  class Gateway {
    static handlers = [];
    static wsHandlers = [];
    static one = new Gateway();

    static getInstance() {
      return Gateway.one;
    }

    static registerRequestHandler(handler) {
      Gateway.handlers.push(handler);
    }

    static registerWsHandler(handler) {
      Gateway.wsHandlers.push(handler);
    }

    wsServer = { wss: { clients: new Set() } };

    isStart() {
      return start;
    }

    async listen(app) {
      this.server = http.createServer(async (request, response) => {
        for (const handler of Gateway.handlers) if ((await handler(request, response, app)) !== false) return;
        response.statusCode = app.running ? 200 : 503;
        response.end(request.url.endsWith('/__health_check') && app.running ? 'ok' : 'app');
      });
      this.server.on('upgrade', async (request, socket, head) => {
        for (const handler of Gateway.wsHandlers) if ((await handler(request, socket, head, app)) !== false) return;
        const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n`);
        const client = new FakeWebSocket(socket);
        this.wsServer.wss.clients.add(client);
        client.on('close', () => this.wsServer.wss.clients.delete(client));
      });
      this.server.listen(0, '127.0.0.1');
      await once(this.server, 'listening');
      return this.server.address().port;
    }

    async close() {
      this.server.closeAllConnections();
      for (const client of this.wsServer.wss.clients) client.terminate();
      this.server.close();
      await once(this.server, 'close');
    }
  }

  class Plugin {
    constructor(app, options) {
      this.app = app;
      this.options = options;
    }
    async afterAdd() {}
    async beforeLoad() {}
    async load() {}
  }

  return { Gateway, Plugin };
}

class WorkerIdAllocator {
  setAdapter(adapter) {
    this.adapter = adapter;
  }
  async getWorkerId() {
    return this.adapter ? this.adapter.getWorkerId() : 1000;
  }
  async release() {
    if (this.adapter) await this.adapter.release();
  }
}

class FakeApp extends EventEmitter {
  constructor(PluginClass, name = 'main') {
    super();
    this.name = name;
    this.PluginClass = PluginClass;
    this.order = [];
    this.lines = [];
    const log = (level) => (text) => this.lines.push(`${level} ${text}`);
    this.log = { info: log('info'), warn: log('warn'), error: log('error') };
    this.running = false;
    this.init();
  }

  init() {
    this.instanceId = undefined;
    this.workerIdAllocator = new WorkerIdAllocator();
    // Listeners of plugins go when the app is set up anew.
    this.removeAllListeners();
  }

  getPackageVersion() {
    return '2.2.15';
  }

  async emitAsync(event, ...args) {
    this.order.push(event);
    for (const listener of this.listeners(event)) await listener(...args);
  }

  async load() {
    await new this.PluginClass(this, {}).afterAdd();
    await this.emitAsync('beforeLoad', this, {});
    if (!this.instanceId) this.instanceId = await this.workerIdAllocator.getWorkerId();
    // Made once, and kept through everything.
    this.snowflakeIdGenerator ||= { worker: this.instanceId, generate: () => this.instanceId };
  }

  async start() {
    await this.emitAsync('beforeStart', this, {});
    await this.emitAsync('afterStart', this, {});
    this.running = true;
  }

  async disposeServices() {
    await this.workerIdAllocator.release();
    this.order.push('disposed');
  }

  async restart() {
    this.running = false;
    await this.emitAsync('beforeStop');
    await this.disposeServices();
    this.init();
    await this.load();
    await this.start();
  }

  async stop() {
    await this.emitAsync('beforeStop', this, {});
    this.running = false;
    this.order.push('database closed');
    await this.disposeServices();
    await this.emitAsync('afterStop', this, {});
  }
}

module.exports = { createServer, FakeApp };
