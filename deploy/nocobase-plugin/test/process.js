'use strict';

// A process of its own that loads the package, loses its lease and ends as NocoBase ends on SIGTERM.

const PluginClass = require('..').default;
const { Gateway } = require('@nocobase/server');
const { RedisClient } = require('../lib/redis');
const { parseUrl } = require('../lib/settings');
const { FakeApp } = require('./nocobase');

async function main(url) {
  const app = new FakeApp(PluginClass);
  await Gateway.getInstance().listen(app);
  process.on('SIGTERM', async () => {
    console.log('SIGTERM');
    const from = app.order.length;
    await app.stop();
    console.log(app.order.slice(from).join('\n'));
    await Gateway.getInstance().close();
  });
  await app.load();
  await app.start();
  const other = new RedisClient(parseUrl(url), 2000);
  await other.command('HSET', 'weir:{main}:node:0', 'instance', 'other');
  other.close();
  await PluginClass.node.lease.renew();
}

main(process.argv[2]);
