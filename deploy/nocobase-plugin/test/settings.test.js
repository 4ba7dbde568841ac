'use strict';

const test = require('node:test');
const assert = require('node:assert');
const { readSettings, parseUrl } = require('../lib/settings');

const net = { lo: [{ family: 'IPv4', internal: true, address: '127.0.0.1' }], eth0: [{ family: 'IPv4', internal: false, address: '10.0.0.7' }] };
const read = (env) => readSettings({ REDIS_URL: 'redis://localhost:6379/4', ...env }, net);

test('without a registry there are no settings', () => {
  assert.strictEqual(readSettings({}, net), null);
});

test('the defaults are those of the documentation', () => {
  const { target, ...rest } = read({});
  assert.strictEqual(target.label, 'redis://localhost:6379/4');
  assert.deepStrictEqual(rest, {
    app: 'main', addr: '10.0.0.7:13000', identity: '10.0.0.7:13000', weight: 1, mode: '', apiBase: '/api/', drain: 4000,
    closeWait: 2000, startWait: 60000, settle: 15000, onUnreachable: 'keep', lease: 15000, renew: 5000, deadline: 2000,
  });
});

test('WEIR_REGISTRY_URL comes before REDIS_URL, and APP_PORT and pm2 make the address and the identity', () => {
  const settings = read({ WEIR_REGISTRY_URL: 'redis://other', APP_PORT: '13001', NODE_APP_INSTANCE: '2' });
  assert.strictEqual(settings.target.label, 'redis://other:6379/0');
  assert.strictEqual(settings.addr, '10.0.0.7:13001');
  assert.strictEqual(settings.identity, '10.0.0.7:13001#2');
});

for (const [text, expected] of [
  ['redis://h', { host: 'h', port: 6379, db: 0, tls: false, username: '', password: '' }],
  ['redis://:p%40ss@h:1/15', { host: 'h', port: 1, db: 15, password: 'p@ss' }],
  ['rediss://u:p@[::1]:2/3', { host: '::1', port: 2, db: 3, tls: true, username: 'u', password: 'p' }],
  ['unix:///run/r.sock?db=2', { path: '/run/r.sock', db: 2 }],
  ['unix://u:p@localhost/run/r.sock', { path: '/run/r.sock', db: 0, username: 'u', password: 'p' }],
]) {
  test(`the URL ${text} is understood, and its label tells no password`, () => {
    const target = parseUrl(text);
    for (const [key, value] of Object.entries(expected)) assert.strictEqual(target[key], value, key);
    assert.doesNotMatch(target.label, /p@|p%40|:p\b/);
  });
}

for (const [env, message] of [
  [{ REDIS_URL: 'localhost 6379' }, /cannot be read/],
  [{ REDIS_URL: 'http://h' }, /begins with http:/],
  [{ REDIS_URL: 'redis:///4' }, /names no host|cannot be read/],
  [{ REDIS_URL: 'redis://h/abc' }, /database "abc"/],
  [{ REDIS_URL: 'redis://:%zz@h' }, /percent-encoded/],
  [{ WEIR_DRAIN: '4' }, /WEIR_DRAIN="4" is no time/],
  [{ WEIR_DRAIN: '11m' }, /WEIR_DRAIN="11m" is no time/],
  [{ WEIR_ADDR: '10.0.0.7' }, /WEIR_ADDR="10.0.0.7" is no address/],
  [{ WEIR_ADDR: '10.0.0.7:70000' }, /is no address/],
  [{ WEIR_ADDR: 'a b:1' }, /is no address/],
  [{ WEIR_WEIGHT: '0' }, /at least 1/],
  [{ WEIR_WEIGHT: '1.5' }, /WEIR_WEIGHT "1.5"/],
  [{ WEIR_APP: 'a{b}' }, /is no name/],
  [{ WEIR_ON_UNREACHABLE: 'die' }, /one of keep, exit/],
  [{ WEIR_REGISTRY_CA: '/nonexistent/ca.pem' }, /ENOENT/],
]) {
  test(`${JSON.stringify(env)} is refused`, () => {
    assert.throws(() => read(env), message);
  });
}
