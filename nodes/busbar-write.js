/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Write points: one output, with what became of it in msg.outcome. */

const { asError } = require('../lib/errors');
const { ofAsker } = require('../lib/node_status');
const { writePoints } = require('../lib/write_points');

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @this {any} @param {Record<string, any>} config */
  function BusbarWrite(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config, () => ofAsker(hub, this.id));
    this.on(
      'input',
      async (/** @type {any} */ msg, /** @type {any} */ send, /** @type {any} */ done) => {
        try {
          msg.outcome = await writePoints(hub, this.id, config, msg);
          send(msg);
          done();
        } catch (error) {
          done(asError(error));
        }
      },
    );
  }

  RED.nodes.registerType('busbar-write', BusbarWrite);
};
