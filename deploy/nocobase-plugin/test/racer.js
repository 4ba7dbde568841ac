'use strict';

// One of many processes that take and give back IDs: racer.js URL ROUNDS. What it holds it also claims by
// a key of its own; that a claim is refused means that two held one ID. Prints how many it took.

const assert = require('node:assert');
const { RedisClient } = require('../lib/redis');
const { Lease, RegistryFull } = require('../lib/lease');
const { parseUrl } = require('../lib/settings');

async function main(url, rounds) {
  const log = { info() {}, warn() {}, error() {} };
  const witness = new RedisClient(parseUrl(url), 20000);
  let taken = 0;
  for (let tries = 0; taken < rounds && tries < 100 * rounds; tries++) {
    const lease = new Lease(new RedisClient(parseUrl(url), 20000), { app: 'main', identity: '', lease: 60000, renew: 20000, settle: 0, log });
    try {
      await lease.acquire({ state: 'starting' }, 30000);
    } catch (error) {
      if (!(error instanceof RegistryFull)) throw error;
      lease.client.close();
      continue;
    }
    taken++;
    assert.strictEqual(await witness.command('SET', `witness:${lease.id}`, process.pid, 'NX'), 'OK', `ID ${lease.id} is held twice`);
    await witness.command('DEL', `witness:${lease.id}`);
    await lease.release();
  }
  witness.close();
  console.log(taken);
}

main(process.argv[2], Number(process.argv[3])).catch((error) => {
  console.error(error);
  process.exit(1);
});
