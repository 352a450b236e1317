/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Decode: registers, as numbers or as a Buffer, into values by a profile or a type. Needs no runtime. */

const { asError } = require('../lib/errors');
const { makeDecoder } = require('../lib/decode_node');
const { ofCodec } = require('../lib/node_status');

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @this {any} @param {Record<string, any>} config */
  function BusbarDecode(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config, ofCodec());
    const decode = makeDecoder(config, (id) => hub.added.get(id)?.config);
    this.on('input', (/** @type {any} */ msg, /** @type {any} */ send, /** @type {any} */ done) => {
      try {
        for (const message of decode(msg)) send({ ...msg, ...message });
        done();
      } catch (error) {
        done(asError(error));
      }
    });
  }

  RED.nodes.registerType('busbar-decode', BusbarDecode);
};
