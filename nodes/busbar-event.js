/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Events: a device is lost or back, a sink pauses, a deploy is refused. Any input answers with how all
   of it is now. */

const { compileList, splitList } = require('../lib/patterns');
const { ofRuntime } = require('../lib/node_status');

module.exports = function (/** @type {any} */ RED) {
  const hub = require('../lib/hub').of(RED);

  /** @param {Record<string, any>} config @returns {(topic: string) => boolean} */
  function compileInterest(config) {
    const fits = compileList(splitList(config.devices));
    const wants = (/** @type {any} */ flag) => flag !== false && flag !== 'false';
    return (topic) => {
      const [kind, id = ''] = topic.split('/');
      if (kind === 'device') return wants(config.deviceEvents) && fits(id);
      return wants(kind === 'sink' ? config.sinkEvents : config.runtimeEvents);
    };
  }

  /** @this {any} @param {Record<string, any>} config */
  function BusbarEvent(config) {
    RED.nodes.createNode(this, config);
    hub.add(this, config, () => ofRuntime(hub));
    const isWanted = compileInterest(config);
    const tell = (/** @type {{topic: string, payload: any}} */ { topic, payload }) => {
      if (isWanted(topic)) this.send({ topic, payload, timestamp: payload.since ?? Date.now() });
    };
    hub.on('happening', tell);
    this.on('close', () => hub.off('happening', tell));
    this.on('input', (/** @type {any} */ msg, /** @type {any} */ send, /** @type {any} */ done) => {
      send({ ...msg, topic: 'overview', payload: hub.overview(), timestamp: Date.now() });
      done();
    });
  }

  RED.nodes.registerType('busbar-event', BusbarEvent);
};
