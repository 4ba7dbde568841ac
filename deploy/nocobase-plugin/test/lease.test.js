'use strict';

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { execFile, spawn } = require('node:child_process');
const { once } = require('node:events');
const { promisify } = require('node:util');
const { Redis, hash } = require('./support');
const { RegistryFull, backoff } = require('../lib/lease');

const LIMIT = { timeout: 120000 };
const key = (id) => `weir:{main}:node:${id}`;

test('the first ID is 0, the next ones the lowest that are free, and each is in the registry with a lease', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const client = redis.client(t);
  const events = await redis.events(t);
  const leases = [redis.lease(t), redis.lease(t), redis.lease(t)];
  const ids = [];
  for (const lease of leases) ids.push(await lease.acquire({ state: 'starting', addr: 'h:1', weight: 3 }, 1000));
  assert.deepStrictEqual(ids, [0, 1, 2]);
  const { instance, ...fields } = await hash(client, key(1));
  assert.deepStrictEqual(fields, { state: 'starting', addr: 'h:1', weight: '3' });
  assert.strictEqual(instance, leases[1].instance);
  const left = await client.command('PTTL', key(1));
  assert.ok(left > 14000 && left <= 15000, `${left} ms`);
  await leases[1].release();
  assert.strictEqual(await redis.lease(t).acquire({ state: 'starting' }, 1000), 1);
  await events.total(5);
  assert.deepStrictEqual(events.messages, ['0 starting', '1 starting', '2 starting', '1 gone', '1 starting']);
});

test('a change is published at once, a renewal is silent, and both renew the lease', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const client = redis.client(t);
  const events = await redis.events(t);
  const lease = redis.lease(t);
  await lease.acquire({ state: 'starting' }, 1000);
  await client.command('PEXPIRE', key(0), 3000);
  assert.strictEqual(await lease.set({ state: 'ready', addr: 'h:2' }), true);
  assert.strictEqual((await hash(client, key(0))).addr, 'h:2');
  assert.ok((await client.command('PTTL', key(0))) > 14000);
  await lease.renew();
  await lease.set({ state: 'draining' });
  await events.seen('0 draining');
  assert.deepStrictEqual(events.messages, ['0 starting', '0 ready', '0 draining']);
});

test('a lease outlives its own length as long as it is renewed', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const lease = redis.lease(t, { lease: 1200, renew: 100 });
  await lease.acquire({ state: 'ready' }, 1000);
  // The test's clock is Redis': a key of its own that runs out later.
  const client = redis.client(t);
  await client.command('BLPOP', 'never', '1.8');
  assert.strictEqual((await hash(client, key(0))).instance, lease.instance);
});

test('after a restart a node has its ID again, though a lower one is free', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const [first, second] = [redis.lease(t, { identity: 'a:1' }), redis.lease(t, { identity: 'b:1' })];
  await first.acquire({ state: 'ready' }, 1000);
  assert.strictEqual(await second.acquire({ state: 'ready' }, 1000), 1);
  await first.release();
  await second.release();
  assert.strictEqual(await redis.lease(t, { identity: 'b:1' }).acquire({ state: 'ready' }, 1000), 1);
  assert.strictEqual(await redis.lease(t, { identity: 'c:1' }).acquire({ state: 'ready' }, 1000), 0);
  // a's ID is c's now.
  assert.strictEqual(await redis.lease(t, { identity: 'a:1' }).acquire({ state: 'ready' }, 1000), 2);
});

test('after kill -9 a node waits for its own lease to end, and has its ID again', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  await redis.lease(t).acquire({ state: 'ready' }, 1000);
  const holder = spawn(process.execPath, [path.join(__dirname, 'holder.js'), redis.url, 'a:1', '900'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => holder.kill('SIGKILL'));
  const [said] = await once(holder.stdout, 'data');
  assert.strictEqual(String(said).trim(), '1');
  holder.kill('SIGKILL');
  assert.strictEqual(await redis.lease(t, { identity: 'a:1', lease: 900, renew: 300 }).acquire({ state: 'ready' }, 1000), 1);
});

test('a predecessor that lives on keeps its ID: the newcomer waits once and takes another', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const settings = { identity: 'a:1', lease: 1500, renew: 100 };
  await redis.lease(t, settings).acquire({ state: 'ready' }, 1000);
  assert.strictEqual(await redis.lease(t, settings).acquire({ state: 'ready' }, 1000), 1);
});

test('32 IDs are given, and the 33rd node is told who has them', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const client = redis.client(t);
  await client.command('SET', key(7), 'something else');
  const leases = Array.from({ length: 31 }, () => redis.lease(t));
  const ids = await Promise.all(leases.map((lease, at) => lease.acquire({ state: 'ready', addr: `10.0.0.${at}:13000` }, 5000)));
  assert.deepStrictEqual([...ids].sort((a, b) => a - b), Array.from({ length: 32 }, (_, id) => id).filter((id) => id !== 7));
  await assert.rejects(redis.lease(t).acquire({ state: 'ready' }, 60000), (error) => {
    assert.ok(error instanceof RegistryFull);
    assert.match(error.message, /all 32 worker IDs of "main" in redis:\/\/127\.0\.0\.1:\d+\/4 are taken; stop a node first/);
    for (const at of leases.keys()) assert.ok(error.message.includes(` 10.0.0.${at}:13000 (ready)`), `10.0.0.${at}`);
    assert.match(error.message, / 7 a foreign key \(unknown\)/);
    return true;
  });
});

test('36 processes that take and give back IDs 540 times never hold one twice', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const run = promisify(execFile);
  const racers = Array.from({ length: 36 }, () => run(process.execPath, [path.join(__dirname, 'racer.js'), redis.url, '15']));
  const taken = (await Promise.all(racers)).reduce((sum, { stdout }) => sum + Number(stdout), 0);
  assert.strictEqual(taken, 36 * 15);
});

test('nobody but the holder renews, changes or gives back', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const client = redis.client(t);
  const [holder, other] = [redis.lease(t), redis.lease(t)];
  await holder.acquire({ state: 'ready', addr: 'h:1' }, 1000);
  await other.acquire({ state: 'ready' }, 1000);
  other.id = 0;
  const lost = once(other, 'lost');
  assert.strictEqual(await other.set({ addr: 'evil:1' }), false);
  assert.deepStrictEqual((await lost)[0], { instance: holder.instance, addr: 'h:1' });
  other.holding = true;
  await other.release();
  assert.strictEqual((await hash(client, key(0))).addr, 'h:1');
});

test('a lease that ran out is retaken where nobody has it', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const client = redis.client(t);
  const lease = redis.lease(t);
  await lease.acquire({ state: 'ready', addr: 'h:1' }, 1000);
  const events = await redis.events(t);
  await client.command('DEL', key(0));
  assert.strictEqual(await lease.renew(), true);
  assert.strictEqual((await hash(client, key(0))).instance, lease.instance);
  await events.seen('0 ready');
});

test('Redis killed and started empty: the lease is told as out of reach, and held again when Redis is back', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const lease = redis.lease(t, { lease: 400, renew: 100 });
  await lease.acquire({ state: 'ready', addr: 'h:1' }, 1000);
  const unreachable = once(lease, 'unreachable');
  await redis.kill();
  await unreachable;
  const reached = once(lease, 'reached');
  await redis.begin();
  await reached;
  assert.strictEqual((await hash(redis.client(t), key(0))).addr, 'h:1');
});

test('a newcomer waits for those that an empty Redis has forgotten', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const old = redis.lease(t, { lease: 400, renew: 100 });
  await old.acquire({ state: 'ready' }, 1000);
  await redis.kill();
  await redis.begin();
  assert.strictEqual(await redis.lease(t, { settle: 3000 }).acquire({ state: 'ready' }, 10000), 1);
  assert.strictEqual(old.holding, true);
});

test('a Redis that hangs costs a deadline, and the lease is renewed when it goes on', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  const lease = redis.lease(t, { lease: 1500, renew: 100 });
  lease.client.deadline = 200;
  await lease.acquire({ state: 'ready' }, 1000);
  const unreachable = once(lease, 'unreachable');
  redis.child.kill('SIGSTOP');
  await unreachable;
  const reached = once(lease, 'reached');
  redis.child.kill('SIGCONT');
  await reached;
  assert.strictEqual(lease.id, 0);
});

test('a start without Redis tries for as long as it may, and says why it failed', LIMIT, async (t) => {
  const redis = await Redis.start(t);
  await redis.kill();
  await assert.rejects(redis.lease(t).acquire({ state: 'ready' }, 300), /no worker ID: redis:\/\/127.0.0.1:\d+\/4 cannot be asked: .*ECONNREFUSED/);
  const acquired = redis.lease(t).acquire({ state: 'ready' }, 60000);
  await redis.begin();
  assert.strictEqual(await acquired, 0);
});

test('a Redis that only reads is no place for a lease', LIMIT, async (t) => {
  const redis = await Redis.start(t, { args: ['--replicaof', '127.0.0.1', '1', '--replica-serve-stale-data', 'yes'] });
  await assert.rejects(redis.lease(t).acquire({ state: 'ready' }, 300), /READONLY/);
});

test('tries back off to two seconds, spread by half', () => {
  const spans = [1, 2, 3, 4, 5, 6, 7, 100].map((failures) => [backoff(failures, () => 0), backoff(failures, () => 1)]);
  assert.deepStrictEqual(spans, [[50, 100], [100, 200], [200, 400], [400, 800], [800, 1600], [1000, 2000], [1000, 2000], [1000, 2000]]);
});
