/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A plant of simulated devices, a broker, and the runtime that reads the one into the other. */

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { StepError } = require('../command');
const { startBroker } = require('../peers/broker');
const { startRuntime, startSim } = require('../peers/busbar');
const { freePort, remove, tempFolder } = require('../peers/place');
const { sumMetric } = require('./metrics');

const START_MS = 30000;
const LOOK_MS = 100;
const WRITABLE = 'setpoint';

/**
 * A profile of so many float32 values in one read, the first of them writable.
 * @param {string} folder @param {number} points
 */
function writeProfile(folder, points) {
  const file = path.join(folder, 'bench.json');
  const profile = {
    profile: 1,
    id: 'bench/floats',
    name: 'Values of the bench',
    source: 'made up',
    verified: false,
    modbus: { word_order: 'ABCD', max_gap: 0 },
    points: Array.from({ length: points }, (_, i) => ({
      name: i === 0 ? WRITABLE : `value/${i + 1}`,
      type: 'float32',
      holding: 2 * i,
      ...(i === 0 && { write: { min: 0, max: 1000 } }),
    })),
  };
  fs.writeFileSync(file, JSON.stringify(profile));
  return file;
}

/** @param {string} profile @param {number[]} ports @param {string} broker @param {number} metrics
 * @param {object} store Of the sink. */
function describePlant(profile, ports, broker, metrics, store) {
  return {
    busbar: 1,
    site: { id: 'plant' },
    connections: ports.map((port, i) => ({
      id: `line-${i + 1}`,
      'modbus-tcp': { host: '127.0.0.1', port },
    })),
    devices: ports.map((_, i) => ({
      id: `device-${i + 1}`,
      connection: `line-${i + 1}`,
      profile,
      scan: { fast: '1s' },
    })),
    /* As Node-RED's own node publishes unless told otherwise. */
    sinks: [{ id: 'bus', mqtt: { url: broker, qos: 0 }, store, devices: ['*'] }],
    runtime: { metrics: `127.0.0.1:${metrics}`, log: { level: 'warn' } },
  };
}

class Plant {
  constructor() {
    this.folder = tempFolder();
    /** @type {import('../peers/child').Child[]} */
    this.children = [];
    /** @type {number[]} */
    this.ports = [];
    this.broker = '';
    this.pid = 0;
    this.metricsUrl = '';
    this.dataFolder = path.join(this.folder, 'data');
  }

  /** The devices and the broker.
   * @param {{profile: string | number, devices: number, delay: string}} options A bundled profile,
   *   or the number of points of one of our own. */
  async openPeers({ profile, devices, delay: answer }) {
    this.profile = typeof profile === 'string' ? profile : writeProfile(this.folder, profile);
    const args = [this.profile, '--count', String(devices), '--delay', answer];
    const sim = await startSim('the simulator', args, devices);
    this.children.push(sim.child);
    this.ports = sim.ports;
    const broker = await startBroker(this.folder, ['max_queued_messages 0']);
    this.children.push(broker.child);
    this.broker = broker.url;
  }

  /** The runtime; returns when each device has been read. A second one takes the place of the first in
   * what is asked of this plant.
   * @param {{name?: string, store?: object, executable?: string}} [options] */
  async openRuntime({ name = '', store = {}, executable } = {}) {
    const folder = path.join(this.folder, name);
    fs.mkdirSync(folder, { recursive: true });
    const metrics = await freePort();
    this.metricsUrl = `http://127.0.0.1:${metrics}/metrics`;
    const config = describePlant(String(this.profile), this.ports, this.broker, metrics, store);
    const runtime = startRuntime(folder, config, executable);
    this.children.push(runtime);
    this.pid = runtime.pid;
    await Promise.race([this.waitUntilRead(), runtime.watch()]);
    return runtime.pid;
  }

  async waitUntilRead() {
    const end = Date.now() + START_MS;
    for (;;) {
      const up = await this.sum('busbar_device_up').catch(() => 0);
      if (up >= this.ports.length && (await this.sum('busbar_sink_ready')) === 1) return;
      if (Date.now() >= end) {
        const output = this.children.at(-1)?.lines.join('\n');
        throw new StepError(`${up} of ${this.ports.length} devices are read.`, { output });
      }
      await delay(LOOK_MS);
    }
  }

  /** Sum of all series of that name. @param {string} name */
  sum(name) {
    return sumMetric(this.metricsUrl, name);
  }

  /** Polls answered and periods skipped so far. */
  async counters() {
    return {
      answered: await this.sum('busbar_scan_polls_answered_total'),
      failed: await this.sum('busbar_scan_polls_failed_total'),
      skipped: await this.sum('busbar_scan_periods_skipped_total'),
      delivered: await this.sum('busbar_sink_delivered_batches_total'),
    };
  }

  async close() {
    for (const child of this.children.reverse()) await child.stop();
    remove(this.folder);
  }
}

module.exports = { Plant, WRITABLE };
