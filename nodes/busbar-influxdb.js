/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A database of InfluxDB 1 or a bucket of InfluxDB 2, as a sink of the runtime. */

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @this {any} @param {Record<string, any>} config */
  function BusbarInfluxdb(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config);
  }

  RED.nodes.registerType('busbar-influxdb', BusbarInfluxdb, {
    credentials: {
      user: { type: 'text' },
      password: { type: 'password' },
      token: { type: 'password' },
    },
  });
};
