/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Where the runtime keeps its data and how it is kept alive. Optional: without one the default is used. */

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @this {any} @param {Record<string, any>} config */
  function BusbarRuntime(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config);
  }

  RED.nodes.registerType('busbar-runtime', BusbarRuntime);
};
