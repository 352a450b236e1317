/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* To MQTT: the end of a flow. A message is done once the runtime has it in its queue. */

const { asError } = require('../lib/errors');
const { describeLeftOut, listProperties, readMqttMessage } = require('../lib/input_mqtt');
const { ofEnd } = require('../lib/node_status');

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** Once a node, since all messages of a flow will have them. @param {any} node */
  function makeWarner(node) {
    let told = false;
    return (/** @type {any} */ msg) => {
      const names = told ? [] : listProperties(msg);
      if (names.length === 0) return;
      told = true;
      node.warn(describeLeftOut(names), msg);
    };
  }

  /** @this {any} @param {Record<string, any>} config */
  function BusbarMqttOut(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config, () => ofEnd(hub, this.id));
    const warn = makeWarner(this);
    this.on(
      'input',
      (/** @type {any} */ msg, /** @type {any} */ _send, /** @type {any} */ done) => {
        try {
          const message = readMqttMessage(msg, config);
          warn(msg);
          const { plant, sink } = hub.needSink(this.id);
          plant.put(sink, [message], done);
        } catch (error) {
          done(asError(error));
        }
      },
    );
  }

  RED.nodes.registerType('busbar-mqtt-out', BusbarMqttOut);
};
