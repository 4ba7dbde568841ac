'use strict';

// Settings come from the environment, as NocoBase's own do. A value that cannot be meant is an error at
// the start: the app is not to run with another setting than the one written.

const fs = require('node:fs');
const os = require('node:os');

// registry.md's figures: every writer and reader of the registry goes by them.
const SLOTS = 32;
const LEASE_MS = 15000;
const RENEW_MS = 5000;

const UNITS = { ms: 1, s: 1000, m: 60000 };

function duration(env, name, fallback, most) {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const match = /^(\d{1,9})(ms|s|m)$/.exec(text);
  const value = match ? Number(match[1]) * UNITS[match[2]] : NaN;
  if (!(value <= most)) {
    throw new Error(`weir: ${name}="${text}" is no time from 0 to ${most / 1000}s; write it as 500ms, 4s or 1m`);
  }
  return value;
}

function choice(env, name, values) {
  const text = env[name] || values[0];
  if (!values.includes(text)) throw new Error(`weir: ${name}="${text}" is unknown; it is one of ${values.join(', ')}`);
  return text;
}

function decoded(text, what) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(`weir: the ${what} of the registry's URL is badly percent-encoded; write % as %25`);
  }
}

function number(text, most, what) {
  if (!/^\d{1,5}$/.test(text) || Number(text) > most) throw new Error(`weir: ${what} "${text}" is no number from 0 to ${most}`);
  return Number(text);
}

// redis://[user:password@]host[:port][/database], rediss:// for TLS, unix://[user:password@localhost]/path[?db=N].
function parseUrl(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new Error('weir: the URL of the registry cannot be read; write redis://host:6379/4');
  }
  const target = { username: decoded(url.username, 'user'), password: decoded(url.password, 'password'), db: 0 };
  if (url.protocol === 'unix:' || url.protocol === 'redis+unix:') {
    target.path = decoded(url.pathname, 'path');
    target.db = number(url.searchParams.get('db') || '0', 9999, 'database');
    target.label = `unix://${target.path}`;
    return target;
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new Error(`weir: the registry's URL begins with ${url.protocol}; it is one of redis:, rediss:, unix:`);
  }
  if (!url.hostname) throw new Error('weir: the URL of the registry names no host; write redis://host:6379/4');
  target.host = url.hostname.replace(/^\[|\]$/g, '');
  target.port = Number(url.port || 6379);
  target.db = number(url.pathname.slice(1) || '0', 9999, 'database');
  target.tls = url.protocol === 'rediss:';
  target.label = `${url.protocol}//${url.hostname}:${target.port}/${target.db}`;
  return target;
}

// The address that weir connects to, where none is set: the first one that is not loopback.
function ownAddress(env, interfaces) {
  const port = env.APP_PORT || '13000';
  for (const list of Object.values(interfaces)) {
    for (const one of list) {
      if (one.family === 'IPv4' && !one.internal) return `${one.address}:${port}`;
    }
  }
  return `127.0.0.1:${port}`;
}

function address(env, interfaces) {
  const text = env.WEIR_ADDR || ownAddress(env, interfaces);
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/.exec(text);
  if (!match || Number(match[2]) < 1 || Number(match[2]) > 65535) {
    throw new Error(`weir: WEIR_ADDR="${text}" is no address; write it as 10.0.0.7:13000, node1:13000 or [fd00::7]:13000`);
  }
  return text;
}

// null: no registry is set, and the plugin does nothing.
function readSettings(env = process.env, interfaces = os.networkInterfaces()) {
  const text = env.WEIR_REGISTRY_URL || env.REDIS_URL;
  if (!text) return null;
  const target = parseUrl(text);
  if (env.WEIR_REGISTRY_CA) target.ca = fs.readFileSync(env.WEIR_REGISTRY_CA);
  const app = env.WEIR_APP || 'main';
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(app)) {
    throw new Error(`weir: WEIR_APP="${app}" is no name; letters, digits, ".", "_" and "-" make one`);
  }
  const weight = number(env.WEIR_WEIGHT || '1', 65535, 'WEIR_WEIGHT');
  if (weight < 1) throw new Error('weir: WEIR_WEIGHT is at least 1');
  const addr = address(env, interfaces);
  return {
    target,
    app,
    addr,
    // Processes of pm2's cluster share an address, but no worker ID.
    identity: addr + (env.NODE_APP_INSTANCE ? `#${env.NODE_APP_INSTANCE}` : ''),
    weight,
    mode: env.WORKER_MODE || '',
    apiBase: env.API_BASE_PATH || '/api/',
    drain: duration(env, 'WEIR_DRAIN', 4000, 600000),
    closeWait: duration(env, 'WEIR_CLOSE_WAIT', 2000, 60000),
    startWait: duration(env, 'WEIR_START_WAIT', 60000, 3600000),
    settle: duration(env, 'WEIR_SETTLE', LEASE_MS, 60000),
    onUnreachable: choice(env, 'WEIR_ON_UNREACHABLE', ['keep', 'exit']),
    lease: LEASE_MS,
    renew: RENEW_MS,
    deadline: 2000,
  };
}

module.exports = { readSettings, parseUrl, SLOTS, LEASE_MS, RENEW_MS };
