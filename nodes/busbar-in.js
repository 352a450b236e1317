/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Read points: the batches of a device, of some or of all, as messages. A wire straight into a busbar
   sink runs inside the runtime and carries none. */

const { ofReader } = require('../lib/node_status');

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** Only the wires that the hub leaves to messages are connected.
   * @param {any} node @param {string[][]} drawn */
  function divideWires(node, drawn) {
    const connect = node.updateWires;
    node.busbarWires = drawn;
    node.setWires = (/** @type {string[][]} */ wires) => connect.call(node, wires);
    node.updateWires = (/** @type {string[][]} */ wires) => {
      node.busbarWires = wires;
    };
  }

  /** @this {any} @param {Record<string, any>} config */
  function BusbarIn(config) {
    RED.nodes.createNode(this, config);
    divideWires(this, config.wires ?? []);
    hub.add(this, config, () => ofReader(hub, this.id));
  }

  RED.nodes.registerType('busbar-in', BusbarIn);
};
