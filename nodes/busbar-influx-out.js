/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* To InfluxDB: the end of a flow. A message is done once the runtime has its lines in its queue. */

const { asError } = require('../lib/errors');
const { encodeInflux } = require('../lib/influx_lines');
const { ofEnd } = require('../lib/node_status');

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @this {any} @param {Record<string, any>} config */
  function BusbarInfluxOut(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config, () => ofEnd(hub, this.id));
    this.on(
      'input',
      (/** @type {any} */ msg, /** @type {any} */ _send, /** @type {any} */ done) => {
        try {
          const { plant, sink, sinkNode, shapes } = hub.needSink(this.id);
          const payloads = encodeInflux(msg, { ...config, id: this.id }, sinkNode, shapes);
          plant.put(
            sink,
            payloads.map((payload) => ({ topic: '', payload })),
            done,
          );
        } catch (error) {
          done(asError(error));
        }
      },
    );
  }

  RED.nodes.registerType('busbar-influx-out', BusbarInfluxOut);
};
