/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The site of the demo: three simulated PowerMonitor 500, each a process of its own that speaks
   Modbus TCP, a broker, and the runtime between them. */

const { startBroker } = require('../peers/broker');
const { startRuntime, startSim } = require('../peers/busbar');
const { freePort, remove, tempFolder } = require('../peers/place');

const SITE = 'demo';
const METERS = ['meter-1', 'meter-2', 'meter-3'];

/**
 * The document of the runtime. Energies are read more often than by default, so that they are there
 * soon after the start.
 * @param {number[]} ports Of the meters. @param {string} broker URL @param {number} metrics Port
 */
function describeSite(ports, broker, metrics) {
  return {
    busbar: 1,
    site: { id: SITE },
    connections: METERS.map((id, i) => ({
      id,
      'modbus-tcp': { host: '127.0.0.1', port: ports[i] },
    })),
    devices: METERS.map((id) => ({
      id,
      connection: id,
      profile: 'rockwell/powermonitor-500',
      tags: { asset: id },
      scan: { fast: '1s', slow: '10s', energy: '5s' },
    })),
    sinks: [
      { id: 'broker', mqtt: { url: broker, topic: '{site}/{asset}/{scan}' }, devices: ['*'] },
    ],
    runtime: { metrics: `127.0.0.1:${metrics}` },
  };
}

class Site {
  constructor() {
    this.folder = tempFolder();
    /** In the order of their start. @type {import('../peers/child').Child[]} */
    this.children = [];
    this.broker = '';
    this.metrics = '';
    /** Newest lines of the runtime's log. @type {string[]} */
    this.log = [];
  }

  /** Starts all of it; what was started before a failure is in `children`. */
  async open() {
    const ports = [];
    for (const [i, name] of METERS.entries()) {
      const meter = await startSim(name, ['pm500', '--port', '0', '--seed', String(i + 1)]);
      this.children.push(meter.child);
      ports.push(meter.ports[0]);
    }
    const broker = await startBroker(this.folder);
    this.children.push(broker.child);
    this.broker = broker.url;
    const metrics = await freePort();
    this.metrics = `http://127.0.0.1:${metrics}/metrics`;
    const runtime = startRuntime(this.folder, describeSite(ports, broker.url, metrics));
    this.children.push(runtime);
    this.log = runtime.lines;
  }

  /** Rejects with one sentence as soon as a part of it is gone. @returns {Promise<never>} */
  watch() {
    return Promise.race(this.children.map((child) => child.watch()));
  }

  /** The runtime first, then the broker, then the meters. */
  async close() {
    for (const child of this.children) child.asked = true;
    const meters = this.children.splice(0, METERS.length);
    for (const child of this.children.reverse()) await child.stop();
    await Promise.all(meters.map((child) => child.stop()));
    remove(this.folder);
  }
}

module.exports = { METERS, SITE, Site };
