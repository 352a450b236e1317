/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* An MQTT broker, as a sink of the runtime. */

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @this {any} @param {Record<string, any>} config */
  function BusbarMqtt(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config);
  }

  RED.nodes.registerType('busbar-mqtt', BusbarMqtt, {
    credentials: { user: { type: 'text' }, password: { type: 'password' } },
  });
};
