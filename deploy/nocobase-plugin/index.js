'use strict';

// What NocoBase loads. It is called from within the app, whose own @nocobase/server it uses.

const { createPlugin } = require('./lib/plugin');

module.exports = { __esModule: true, default: createPlugin(require('@nocobase/server')) };
