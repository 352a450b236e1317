/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A way to devices: a TCP connection or a serial line. The hub makes the document of it. */

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @this {any} @param {Record<string, any>} config */
  function BusbarConnection(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config);
  }

  RED.nodes.registerType('busbar-connection', BusbarConnection);
};
