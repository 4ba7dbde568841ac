'use strict';

const test = require('node:test');
const assert = require('node:assert');
const http = require('node:http');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const { createPlugin } = require('../lib/plugin');
const { createServer, FakeApp } = require('./nocobase');
const { Redis, hash } = require('./support');

const LIMIT = { timeout: 60000 };
const key = (id) => `weir:{main}:node:${id}`;

// A NocoBase process with the plugin; its lease is as short as the options say.
async function boot(t, redis, { env = {}, start, timing = {} } = {}) {
  const server = createServer({ start });
  const ended = {};
  ended.promise = new Promise((resolve) => {
    ended.resolve = resolve;
  });
  const base = { WEIR_SETTLE: '0s', WEIR_DRAIN: '300ms', WEIR_ADDR: '10.0.0.1:13000', WEIR_REGISTRY_URL: redis.url };
  const PluginClass = createPlugin(server, { ...base, ...env }, ended.resolve);
  const app = new FakeApp(PluginClass);
  const port = await server.Gateway.getInstance().listen(app);
  t.after(async () => {
    if (PluginClass.node && PluginClass.node.lease) await PluginClass.node.lease.release();
    await server.Gateway.getInstance().close();
  });
  const get = async (url) => {
    const request = http.get({ port, path: url, agent: false });
    const [response] = await once(request, 'response');
    let body = '';
    for await (const chunk of response) body += chunk;
    return { status: response.statusCode, body };
  };
  const run = async () => {
    await app.load();
    Object.assign(PluginClass.node.lease.options, timing);
    await app.start();
  };
  return { app, port, get, run, server, ended: ended.promise, PluginClass, node: () => PluginClass.node };
}

// A client's WebSocket: `closed` resolves with the code of the close frame, or null where the socket is cut.
async function webSocket(t, port, { answers = true } = {}) {
  const request = http.get({ port, path: '/ws', agent: false,
    headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' } });
  const refused = once(request, 'response').then(([response]) => ({ status: response.statusCode }));
  const opened = once(request, 'upgrade').then(([, socket]) => {
    t.after(() => socket.destroy());
    const one = { socket };
    one.closed = new Promise((resolve) => {
      socket.on('error', () => {});
      socket.on('close', () => resolve(null));
      socket.once('data', (frame) => {
        one.code = frame.readUInt16BE(2);
        if (answers) socket.write(Buffer.concat([Buffer.from([0x88, 0x82, 0, 0, 0, 0]), frame.subarray(2, 4)]));
        if (answers) resolve(one.code);
      });
    });
    return one;
  });
  refused.catch(() => {});
  opened.catch(() => {});
  return Promise.race([opened, refused]);
}

test('the worker ID is the registry\'s, and the node is published when it serves', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const client = redis.client(t);
  const before = Date.now();
  const one = await boot(t, redis, { env: { WORKER_MODE: '!', WEIR_WEIGHT: '5' } });
  await one.app.load();
  assert.strictEqual(one.app.instanceId, 0);
  assert.strictEqual((await hash(client, key(0))).state, 'starting');
  await one.app.start();
  const { instance, since, ...fields } = await hash(client, key(0));
  assert.deepStrictEqual(fields, { addr: '10.0.0.1:13000', state: 'ready', mode: '!', weight: '5', version: '2.2.15' });
  assert.ok(instance.startsWith(`10.0.0.1:13000/${process.pid}/`));
  assert.ok(Number(since) >= before && Number(since) <= Date.now());
  assert.deepStrictEqual(await one.get('/api/__health_check'), { status: 200, body: 'ok' });
});

test('a stop drains, closes, stops and gives back, in this order', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const client = redis.client(t);
  const events = await redis.events(t);
  const one = await boot(t, redis);
  await one.run();
  const socket = await webSocket(t, one.port);
  const draining = once(one.node(), 'draining');
  one.node().once('closed', (count) => one.app.order.push(`${count} closed`));
  const stopped = one.app.stop();
  await draining;
  const check = await one.get('/api/__health_check');
  assert.strictEqual(check.status, 503);
  assert.deepStrictEqual(JSON.parse(check.body).error, { status: 503, maintaining: true, message: 'this node is draining', code: 'WEIR_DRAINING' });
  assert.strictEqual((await one.get('/api/users:list')).status, 200);
  await events.seen('0 draining');
  assert.strictEqual((await hash(client, key(0))).state, 'draining');
  assert.strictEqual(socket.code, undefined);
  assert.strictEqual((await webSocket(t, one.port)).code, undefined);
  assert.strictEqual(await socket.closed, 1012);
  await stopped;
  assert.deepStrictEqual(one.app.order.slice(-5), ['beforeStop', '2 closed', 'database closed', 'disposed', 'afterStop']);
  await events.seen('0 gone');
  assert.deepStrictEqual(events.messages, ['0 starting', '0 ready', '0 draining', '0 gone']);
  assert.strictEqual(await client.command('EXISTS', key(0)), 0);
  assert.strictEqual((await webSocket(t, one.port)).status, 503);
});

test('the drain lasts as long as it is set to', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const one = await boot(t, redis, { env: { WEIR_DRAIN: '700ms' } });
  await one.run();
  const begun = performance.now();
  await one.app.stop();
  assert.ok(performance.now() - begun >= 695);
});

test('two requests to stop are one drain', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const one = await boot(t, redis);
  await one.run();
  let drains = 0;
  one.node().on('draining', () => drains++);
  await Promise.all([one.app.stop(), one.app.stop()]);
  assert.strictEqual(drains, 1);
});

test('a WebSocket whose client does not answer is cut, so that the process can end', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const one = await boot(t, redis, { env: { WEIR_CLOSE_WAIT: '100ms', WEIR_DRAIN: '0s' } });
  await one.run();
  const socket = await webSocket(t, one.port, { answers: false });
  await one.app.stop();
  assert.strictEqual(await socket.closed, null);
  assert.strictEqual(socket.code, 1012);
});

test('a restart within the process keeps ID and WebSockets, and is told as starting', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const client = redis.client(t);
  await redis.lease(t).acquire({ state: 'ready' }, 1000);
  const events = await redis.events(t);
  const one = await boot(t, redis);
  await one.run();
  const socket = await webSocket(t, one.port);
  const { instance } = await hash(client, key(1));
  for (let round = 0; round < 3; round++) await one.app.restart();
  assert.strictEqual(one.app.instanceId, 1);
  assert.strictEqual((await hash(client, key(1))).instance, instance);
  assert.deepStrictEqual(events.messages, ['1 starting', ...Array(3).fill(['1 ready', '1 starting']).flat(), '1 ready']);
  assert.strictEqual(socket.code, undefined);
  assert.strictEqual((await one.get('/api/__health_check')).status, 200);
  assert.strictEqual(one.app.listenerCount('beforeStop'), 1);
});

test('a start after a stop in the same process takes the same ID back', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const one = await boot(t, redis, { env: { WEIR_DRAIN: '0s' } });
  await one.run();
  await one.app.stop();
  await one.app.start();
  assert.strictEqual((await hash(redis.client(t), key(0))).state, 'ready');
  assert.strictEqual((await one.get('/api/__health_check')).status, 200);
  assert.strictEqual((await webSocket(t, one.port)).status, undefined);
});

test('a start after a stop, when another has the ID by now, ends the process', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const one = await boot(t, redis, { env: { WEIR_DRAIN: '0s' } });
  await one.run();
  await one.app.stop();
  await redis.lease(t).acquire({ state: 'ready', addr: '10.0.0.2:13000' }, 1000);
  await one.app.start();
  await one.ended;
  assert.ok(one.app.lines.some((line) => /^error .*worker ID 0 is lost: 10\.0\.0\.2:13000 holds it now; this process ends/.test(line)), one.app.lines.join('\n'));
});

test('a lost lease: nothing is served or generated any more, WebSockets close with 1012, the process ends, the holder stays', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const client = redis.client(t);
  const one = await boot(t, redis, { timing: { renew: 50 } });
  await one.run();
  const socket = await webSocket(t, one.port);
  const lost = once(one.node(), 'lost');
  await client.command('EVAL', "redis.call('DEL', KEYS[1]); redis.call('HSET', KEYS[1], 'instance', 'other', 'addr', '10.0.0.9:13000', 'state', 'ready')", 1, key(0));
  await one.node().lease.renew();
  await lost;
  for (const url of ['/api/__health_check', '/api/users:list', '/']) {
    const answer = await one.get(url);
    assert.strictEqual(answer.status, 503, url);
    assert.strictEqual(JSON.parse(answer.body).error.code, 'WEIR_LEASE_LOST');
    assert.strictEqual(JSON.parse(answer.body).error.maintaining, true);
  }
  assert.throws(() => one.app.snowflakeIdGenerator.generate(), /is lost; no ID is generated/);
  assert.strictEqual(await socket.closed, 1012);
  await one.ended;
  await one.app.stop();
  assert.deepStrictEqual(await hash(client, key(0)), { instance: 'other', addr: '10.0.0.9:13000', state: 'ready' });
});

test('a lease lost while draining ends the drain', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const one = await boot(t, redis, { env: { WEIR_DRAIN: '1m' } });
  await one.run();
  const draining = once(one.node(), 'draining');
  const stopped = one.app.stop();
  await draining;
  await redis.client(t).command('HSET', key(0), 'instance', 'other');
  await one.node().lease.renew();
  await one.ended;
  await stopped;
});

test('Redis killed: the node serves on, and is in the registry again when Redis is back, empty', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const one = await boot(t, redis, { timing: { lease: 400, renew: 100 } });
  await one.run();
  const unreachable = once(one.node().lease, 'unreachable');
  await redis.kill();
  await unreachable;
  assert.strictEqual((await one.get('/api/__health_check')).status, 200);
  assert.strictEqual((await one.get('/api/users:list')).status, 200);
  const reached = once(one.node().lease, 'reached');
  await redis.begin();
  await reached;
  const fields = await hash(redis.client(t), key(0));
  assert.strictEqual(fields.addr, '10.0.0.1:13000');
  assert.strictEqual(fields.state, 'ready');
  assert.ok(one.app.lines.some((line) => /^error .*serves on and takes it back/.test(line)));
});

test('with WEIR_ON_UNREACHABLE=exit a node whose lease must have run out ends', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const one = await boot(t, redis, { env: { WEIR_ON_UNREACHABLE: 'exit' }, timing: { lease: 400, renew: 100 } });
  await one.run();
  const lost = once(one.node(), 'lost');
  await redis.kill();
  await lost;
  assert.strictEqual((await one.get('/api/users:list')).status, 503);
  await one.ended;
});

test('a stop without Redis drains all the same, and ends', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const one = await boot(t, redis);
  await one.run();
  await redis.kill();
  const draining = once(one.node(), 'draining');
  const stopped = one.app.stop();
  await draining;
  assert.strictEqual((await one.get('/api/__health_check')).status, 503);
  await stopped;
});

test('a command beside the serving node takes an ID of its own, without an address, and no drain', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const client = redis.client(t);
  const serving = await boot(t, redis);
  await serving.run();
  const upgrade = await boot(t, redis, { start: false, env: { WEIR_DRAIN: '1m' } });
  await upgrade.app.load();
  assert.strictEqual(upgrade.app.instanceId, 1);
  assert.strictEqual((await hash(client, key(1))).addr, undefined);
  await upgrade.app.stop();
  assert.strictEqual(await client.command('EXISTS', key(1)), 0);
});

test('all apps of a process have its ID, and the end of a sub-app gives nothing back', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const one = await boot(t, redis);
  await one.run();
  const sub = new FakeApp(one.PluginClass, 'sub');
  await sub.load();
  await sub.start();
  assert.strictEqual(sub.workerIdAllocator.adapter !== undefined, true);
  assert.strictEqual(await sub.workerIdAllocator.getWorkerId(), 0);
  await sub.stop();
  assert.strictEqual((await hash(redis.client(t), key(0))).state, 'ready');
});

test('a start without a free ID fails with the holders\' names', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const leases = Array.from({ length: 32 }, () => redis.lease(t));
  await Promise.all(leases.map((lease) => lease.acquire({ state: 'ready', addr: 'full:1' }, 5000)));
  const one = await boot(t, redis);
  await assert.rejects(one.app.load(), /all 32 worker IDs of "main" .* 0 full:1 \(ready\)/);
});

test('without a registry the plugin says so and changes nothing', LIMIT, async (t) => {
  const PluginClass = createPlugin(createServer(), {});
  const app = new FakeApp(PluginClass);
  await app.load();
  assert.strictEqual(app.instanceId, 1000);
  assert.ok(app.lines[0].startsWith('warn weir: neither WEIR_REGISTRY_URL nor REDIS_URL is set'));
});

test('the package is loaded as NocoBase loads one, and the process ends with a status that is not 0', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const env = { ...process.env, WEIR_REGISTRY_URL: redis.url, WEIR_SETTLE: '0s', NODE_PATH: path.join(__dirname, 'modules') };
  let error;
  try {
    execFileSync(process.execPath, [path.join(__dirname, 'process.js'), redis.url], { env, timeout: 30000, encoding: 'utf8' });
  } catch (caught) {
    error = caught;
  }
  assert.ok(error, 'it ended with 0');
  assert.strictEqual(error.status, 1, error.stderr);
  assert.match(error.stdout, /SIGTERM\nbeforeStop\ndatabase closed\n/);
});
