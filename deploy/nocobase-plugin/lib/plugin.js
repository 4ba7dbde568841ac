'use strict';

// Where NocoBase and the node meet: the plugin's class, made for the @nocobase/server that loads it.
//
// The adapter is set in afterAdd: NocoBase asks for the worker ID before it loads plugins. afterAdd runs
// again, with a new object, whenever the app is set up anew; NocoBase has then forgotten the adapter and the
// listeners of the old one. What must outlive that is the ClusterNode.

const { readSettings } = require('./settings');
const { ClusterNode } = require('./node');

function logOf(app) {
  const log = (level) => (text) => (app.log && app.log[level] ? app.log : console)[level](text);
  return { info: log('info'), warn: log('warn'), error: log('error') };
}

// server: the module @nocobase/server. env, end: of the process, but for tests.
function createPlugin(server, env = process.env, end = undefined) {
  const { Plugin, Gateway } = server;
  let node; // undefined: not looked yet; null: no registry is set

  function begin(app) {
    const settings = readSettings(env);
    if (!settings) {
      logOf(app).warn('weir: neither WEIR_REGISTRY_URL nor REDIS_URL is set; worker IDs are random, and this node is not published');
      return null;
    }
    const made = new ClusterNode(settings, () => Gateway.getInstance(), logOf(app), end);
    Gateway.registerRequestHandler((request, response) => made.handle(request, response));
    Gateway.registerWsHandler((request, socket) => made.handleUpgrade(request, socket));
    return made;
  }

  return class PluginWeirNode extends Plugin {
    static get node() {
      return node;
    }

    async afterAdd() {
      const { app } = this;
      if (node === undefined) node = begin(app);
      if (!node) return;
      const main = app.name === 'main';
      node.apps.set(app.name, app);
      app.workerIdAllocator.setAdapter({
        getWorkerId: () => node.getWorkerId(app.getPackageVersion(), Gateway.getInstance().isStart()),
        // NocoBase calls this at restarts within the process, too, and goes on with the ID.
        release: () => (main ? node.release() : Promise.resolve()),
      });
      if (!main) return;
      app.on('afterStart', () => node.started());
      // stop() says of which app, with which options; restart() and reInit() say nothing.
      app.on('beforeStop', (...args) => (args.length ? node.leave() : node.restarting()));
    }
  };
}

module.exports = { createPlugin };
