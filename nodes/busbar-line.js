/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Line protocol: values into lines for InfluxDB. Needs no runtime. */

const { asError } = require('../lib/errors');
const { makeLines } = require('../lib/line_node');
const { ofCodec } = require('../lib/node_status');

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @this {any} @param {Record<string, any>} config */
  function BusbarLine(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config, ofCodec());
    this.on('input', (/** @type {any} */ msg, /** @type {any} */ send, /** @type {any} */ done) => {
      try {
        msg.payload = makeLines(msg, config);
        send(msg);
        done();
      } catch (error) {
        done(asError(error));
      }
    });
  }

  RED.nodes.registerType('busbar-line', BusbarLine);
};
