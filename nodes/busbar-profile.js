/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a kind of device offers, kept in the flow. */

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @this {any} @param {Record<string, any>} config */
  function BusbarProfile(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config);
  }

  RED.nodes.registerType('busbar-profile', BusbarProfile);
};
