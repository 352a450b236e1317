/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The site of the demo: three simulated PowerMonitor 500, each a process of its own that speaks
   Modbus TCP, a broker in this process, and Node-RED with the reference flows, which spawns the
   runtime. */

const fs = require('node:fs');
const path = require('node:path');
const { startSim } = require('../peers/busbar');
const { startEmbeddedBroker } = require('../peers/embedded_broker');
const { startNodeRed } = require('../peers/node_red');
const { freePort, remove, tempFolder } = require('../peers/place');
const { FLOWS, joinFlows, placeFlows } = require('./flows');

const METERS = ['meter-1', 'meter-2', 'meter-3'];
/* Node-RED's usual port, if it is free, so that the address is the one that people know. */
const USUAL_PORT = 1880;
const DASHBOARD = '@flowfuse/node-red-dashboard';
const LOG_LINES = 20;

class Site {
  constructor() {
    this.folder = tempFolder();
    /** In the order of their start. @type {import('../peers/child').Child[]} */
    this.children = [];
    /** @type {Awaited<ReturnType<typeof startEmbeddedBroker>> | undefined} */
    this.embedded = undefined;
    this.broker = '';
    this.editor = '';
    this.dashboard = '';
  }

  /** Starts all of it; what was started before a failure is in `children`. */
  async open() {
    const ports = [];
    for (const [i, name] of METERS.entries()) {
      const meter = await startSim(name, ['pm500', '--port', '0', '--seed', String(i + 1)]);
      this.children.push(meter.child);
      ports.push(meter.ports[0]);
    }
    this.embedded = await startEmbeddedBroker();
    this.broker = this.embedded.url;
    const metrics = `127.0.0.1:${await freePort()}`;
    /* Should we be killed, Node-RED may fail at its log, which nobody reads any more, and leave the
       runtime behind. */
    const linger = '5s';
    const flows = placeFlows(joinFlows(FLOWS), { ports, broker: this.broker, metrics, linger });
    const nodeRed = await startNodeRed({
      userDir: path.join(this.folder, 'node-red'),
      flows,
      env: { BUSBAR_DATA: path.join(this.folder, 'data') },
      modules: [DASHBOARD],
      port: await freePort(USUAL_PORT),
    });
    this.children.push(nodeRed.child);
    this.editor = nodeRed.url;
    this.dashboard = `${nodeRed.url}/dashboard/meters`;
  }

  /** The newest lines of Node-RED and of the runtime. */
  get log() {
    const nodeRed = this.children.at(-1)?.lines.slice(-LOG_LINES) ?? [];
    const file = path.join(this.folder, 'data', 'busbar.log');
    const runtime = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    return [...nodeRed, ...runtime.slice(-LOG_LINES)];
  }

  /** Rejects with one sentence as soon as a part of it is gone. @returns {Promise<never>} */
  watch() {
    return Promise.race(this.children.map((child) => child.watch()));
  }

  /** Node-RED first, which takes the runtime along; then the broker, then the meters. */
  async close() {
    for (const child of this.children) child.asked = true;
    const meters = this.children.splice(0, METERS.length);
    for (const child of this.children.reverse()) await child.stop();
    await this.embedded?.close();
    await Promise.all(meters.map((child) => child.stop()));
    remove(this.folder);
  }
}

module.exports = { METERS, Site };
