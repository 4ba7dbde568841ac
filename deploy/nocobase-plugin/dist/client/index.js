// The browser asks for this file of every enabled plugin. There is nothing to do in the browser.
define([], function () {
  'use strict';
  class PluginWeirNode {
    constructor(options, app) {
      this.options = options;
      this.app = app;
    }
    async afterAdd() {}
    async beforeLoad() {}
    async load() {}
    async afterLoad() {}
  }
  return { __esModule: true, default: PluginWeirNode };
});
