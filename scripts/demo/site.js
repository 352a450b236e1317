/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The site of the demo: three simulated meters, a broker in this process, and Node-RED with the
   reference flows, which spawns the runtime. */

const fs = require('node:fs');
const path = require('node:path');
const { startEmbeddedBroker } = require('../peers/embedded_broker');
const { startNodeRed } = require('../peers/node_red');
const { freePort, remove, tempFolder } = require('../peers/place');
const { FLOWS, joinFlows, placeFlows } = require('./flows');
const { endRuntime } = require('./runtime');
const { Simulator } = require('./simulator');

const METERS = ['meter-1', 'meter-2', 'meter-3'];
/* The first that is free, so that an address is mostly the one that people know. */
const PORTS = {
  nodeRed: [1880, 1881, 1882],
  broker: [1883, 1884, 1885, 1886, 1887, 1888, 1889],
  metrics: [9464, 9465, 9466, 9467, 9468, 9469],
};
const DASHBOARD = '@flowfuse/node-red-dashboard';
const LOG_LINES = 20;

class Site {
  constructor() {
    this.folder = tempFolder();
    this.data = path.join(this.folder, 'data');
    this.meters = METERS.map((name, i) => new Simulator(name, i + 1));
    /** @type {import('../peers/child').Child | undefined} */
    this.nodeRed = undefined;
    /** @type {Awaited<ReturnType<typeof startEmbeddedBroker>> | undefined} */
    this.embedded = undefined;
    this.broker = '';
    this.editor = '';
    this.dashboard = '';
    /** Of the runtime's pages. */
    this.health = '';
  }

  /** Starts all of it; what was started before a failure is ended by `close`. */
  async open() {
    await Promise.all(this.meters.map((meter) => meter.open()));
    const ports = this.meters.map(({ port }) => port);
    this.embedded = await startEmbeddedBroker(PORTS.broker);
    this.broker = this.embedded.url;
    const metrics = `127.0.0.1:${await freePort(PORTS.metrics)}`;
    this.health = `http://${metrics}/readyz`;
    /* Should we be killed, Node-RED may fail at its log, which nobody reads any more, and leave the
       runtime behind. */
    const linger = '5s';
    const flows = placeFlows(joinFlows(FLOWS), { ports, broker: this.broker, metrics, linger });
    const nodeRed = await startNodeRed({
      userDir: path.join(this.folder, 'node-red'),
      flows,
      env: { BUSBAR_DATA: this.data },
      modules: [DASHBOARD],
      port: await freePort(PORTS.nodeRed),
    });
    this.nodeRed = nodeRed.child;
    this.editor = nodeRed.url;
    this.dashboard = `${nodeRed.url}/dashboard/meters`;
  }

  /** The newest lines of Node-RED and of the runtime. */
  get log() {
    const nodeRed = this.nodeRed?.lines.slice(-LOG_LINES) ?? [];
    const file = path.join(this.data, 'busbar.log');
    const runtime = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    return [...nodeRed, ...runtime.slice(-LOG_LINES)];
  }

  /** Lives on without a meter: one that ends is started again so long after it. @param {number} seconds */
  keepMeters(seconds) {
    for (const meter of this.meters) void meter.keep(seconds);
  }

  /** Rejects with one sentence as soon as a meter is gone. @returns {Promise<never>} */
  watchMeters() {
    return Promise.race(this.meters.map((meter) => meter.watch()));
  }

  /** Rejects with one sentence as soon as that is gone without which nothing is left to see.
   * @returns {Promise<never>} */
  watch() {
    return /** @type {import('../peers/child').Child} */ (this.nodeRed).watch();
  }

  /** Node-RED first, which takes the runtime along; then the broker, then the meters. */
  async close() {
    await this.nodeRed?.stop();
    await endRuntime(this.data);
    await this.embedded?.close();
    await Promise.all(this.meters.map((meter) => meter.close()));
    remove(this.folder);
  }
}

module.exports = { METERS, Site };
