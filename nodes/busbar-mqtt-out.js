/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* To MQTT: the end of a flow. A message is done once the runtime has it in its queue. */

const { asError } = require('../lib/errors');
const { isPublished, readMqttMessage } = require('../lib/input_mqtt');
const { describeLeftOut, listProperties, whyNone } = require('../lib/mqtt_properties');
const { ofEnd } = require('../lib/node_status');

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** Once a node, since all messages of a flow will have them.
   * @param {any} node @param {Record<string, any>} config */
  function makeWarner(node, config) {
    let told = false;
    return (/** @type {any} */ msg, /** @type {string} */ why) => {
      const names = told ? [] : listProperties(msg, config);
      if (names.length === 0) return;
      told = true;
      node.warn(describeLeftOut(names, why), msg);
    };
  }

  /** @this {any} @param {Record<string, any>} config */
  function BusbarMqttOut(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config, () => ofEnd(hub, this.id));
    const warn = makeWarner(this, config);
    this.on(
      'input',
      (/** @type {any} */ msg, /** @type {any} */ _send, /** @type {any} */ done) => {
        try {
          const { plant, sink, sinkNode } = hub.needSink(this.id);
          if (!isPublished(msg)) return done();
          const why = whyNone(sinkNode, plant.runtime.hello);
          const message = readMqttMessage(msg, config, why === undefined);
          if (why) warn(msg, why);
          plant.put(sink, [message], done);
        } catch (error) {
          done(asError(error));
        }
      },
    );
  }

  RED.nodes.registerType('busbar-mqtt-out', BusbarMqttOut);
};
