'use strict';

// A process that holds an ID until it is killed: holder.js URL IDENTITY LEASE_MS. Prints the ID.

const { RedisClient } = require('../lib/redis');
const { Lease } = require('../lib/lease');
const { parseUrl } = require('../lib/settings');

const [, , url, identity, ms] = process.argv;
const log = { info() {}, warn() {}, error() {} };
const lease = new Lease(new RedisClient(parseUrl(url), 5000), { app: 'main', identity, lease: Number(ms), renew: ms / 3, settle: 0, log });
lease.acquire({ state: 'ready' }, 10000).then((id) => console.log(id));
setInterval(() => {}, 1000);
