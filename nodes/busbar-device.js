/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* One device, or a table of devices that differ in their unit. */

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @this {any} @param {Record<string, any>} config */
  function BusbarDevice(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config);
  }

  RED.nodes.registerType('busbar-device', BusbarDevice);
};
