'use strict';

module.exports = require('../../../nocobase').createServer();
