/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Read now: asks a device once for each message, or registers as {fc, unitid, address, quantity}. */

const { asError } = require('../lib/errors');
const { ofAsker } = require('../lib/node_status');
const { makeMessages } = require('../lib/output');
const { isRawRequest, readNow, readRaw } = require('../lib/read_now');

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @this {any} @param {Record<string, any>} config */
  function BusbarRead(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config, () => ofAsker(hub, this.id));
    this.on(
      'input',
      async (/** @type {any} */ msg, /** @type {any} */ send, /** @type {any} */ done) => {
        try {
          if (isRawRequest(msg, config)) {
            send({ ...msg, ...(await readRaw(hub, this.id, config, msg.payload)) });
          } else {
            for (const reading of await readNow(hub, this.id, config, msg)) {
              for (const message of makeMessages(reading, config.output))
                send({ ...msg, ...message });
            }
          }
          done();
        } catch (error) {
          done(asError(error));
        }
      },
    );
  }

  RED.nodes.registerType('busbar-read', BusbarRead);
};
