'use strict';

const test = require('node:test');
const assert = require('node:assert');
const net = require('node:net');
const fs = require('node:fs');
const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const { RedisClient, RedisError, parseReply } = require('../lib/redis');
const { parseUrl } = require('../lib/settings');
const { Redis, scratch } = require('./support');

const LIMIT = { timeout: 60000 };

test('replies of all types are parsed, whole or not at all', () => {
  const whole = Buffer.from('*5\r\n:7\r\n$2\r\nab\r\n$-1\r\n*0\r\n+OK\r\n');
  assert.deepStrictEqual(parseReply(whole)[0], [7, 'ab', null, [], 'OK']);
  for (let size = 0; size < whole.length; size++) assert.strictEqual(parseReply(whole.subarray(0, size)), null);
  assert.ok(parseReply(Buffer.from('-ERR no\r\n'))[0] instanceof RedisError);
});

const bad = {
  'an HTTP answer': 'HTTP/1.1 400 Bad Request\r\n\r\n',
  'a length that is no number': '$x\r\n',
  'a negative length': '$-2\r\n',
  'a length beyond all bounds': '$999999999\r\n',
  'an array beyond all bounds': '*999999999\r\n',
  'a number that is none': ':1x\r\n',
  'a text that does not end where it says': '$2\r\nabcd\r\n',
  'arrays in arrays in arrays': '*1\r\n'.repeat(10),
  'more than is read': `+${'x'.repeat(300000)}`,
  'a reply too many': '+OK\r\n+OK\r\n+OK\r\n',
  'a connection that is closed': null,
};
for (const [name, text] of Object.entries(bad)) {
  test(`${name} ends the command, or what follows it, and nothing else`, LIMIT, async (t) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(text || undefined));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const client = new RedisClient({ host: '127.0.0.1', port: server.address().port }, 1000);
    const all = await Promise.allSettled([client.command('PING'), client.command('PING'), client.command('PING'), client.command('PING')]);
    assert.strictEqual(all[3].status, 'rejected');
    assert.strictEqual(client.socket, null);
    assert.strictEqual(client.pending.length, 0);
  });
}

test('a server that says nothing is given up at the deadline', LIMIT, async (t) => {
  const server = net.createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const client = new RedisClient({ host: '127.0.0.1', port: server.address().port }, 50);
  await assert.rejects(client.command('PING'), /no answer within 50 ms/);
});

test('a Unix socket leads to Redis', LIMIT, async (t) => {
  const redis = await Redis.start(t, { unix: true });
  assert.strictEqual(await redis.client(t).command('PING'), 'PONG');
});

test('user, password and database are given; a wrong password is told as such', LIMIT, async (t) => {
  const redis = await Redis.start(t, { args: ['--requirepass', 'secret', '--user', 'node', 'on', '>pass', '~*', '&*', '+@all'] });
  const at = (who, db) => redis.client(t, `redis://${who}@127.0.0.1:${redis.port}/${db}`);
  await at(':secret', 4).command('SET', 'here', 'four');
  assert.strictEqual(await at('node:pass', 4).command('GET', 'here'), 'four');
  assert.strictEqual(await at('node:pass', 3).command('GET', 'here'), null);
  await assert.rejects(at('node:wrong', 0).command('PING'), /WRONGPASS/);
  await assert.rejects(redis.client(t, `redis://127.0.0.1:${redis.port}`).command('PING'), /NOAUTH/);
});

test('TLS is spoken, and a certificate that nobody vouches for is refused', LIMIT, async (t) => {
  const folder = scratch(t);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-keyout',
    `${folder}/key.pem`, '-out', `${folder}/cert.pem`, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], { stdio: 'ignore' });
  const redis = await Redis.start(t, { tls: true, args: ['--tls-cert-file', `${folder}/cert.pem`, '--tls-key-file', `${folder}/key.pem`,
    '--tls-auth-clients', 'no'] });
  const target = (host) => parseUrl(`rediss://${host}:${redis.port}/1`);
  const ca = fs.readFileSync(`${folder}/cert.pem`);
  const good = new RedisClient({ ...target('localhost'), ca }, 2000);
  t.after(() => good.close());
  assert.strictEqual(await good.command('PING'), 'PONG');
  await assert.rejects(new RedisClient(target('localhost'), 2000).command('PING'), /self.signed/);
  await assert.rejects(new RedisClient({ ...target('127.0.0.1'), ca }, 2000).command('PING'), /does not match|IP/);
});
