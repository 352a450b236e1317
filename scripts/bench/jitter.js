/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* How late polls are while a function node holds up Node-RED's event loop for 2 s at a time: the times
   of the requests at 500 devices polled each second, through our palette and through
   node-red-contrib-modbus, by turns; and beside each what a bare loop on a timer keeps, in the same
   seconds on the same machine. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const readline = require('node:readline');
const { setTimeout: delay } = require('node:timers/promises');
const { startBroker } = require('../peers/broker');
const { startNodeRed } = require('../peers/node_red');
const { say } = require('../progress');
const { Plant } = require('./plant');
const { findProgram, findScript, mean } = require('./program');
const { atMost } = require('./result');

const PALETTE = 'node-red-contrib-modbus';
const DEVICES = 500;
const POINTS = 60;
const PERIOD_MS = 1000;
const BLOCK_MS = 2000;
const FREE_MS = 500;
const WARM_MS = 5000;
const TURNS = 6;
const MOST_MS = 3;

/** @typedef {{p50_ms: number, p999_ms: number, max_ms: number}} Lateness */
/** @typedef {Lateness & {polls: number, bare: Lateness}} Measured */

/** The devices, which note when they are asked. */
class Clock {
  constructor() {
    this.process = spawn(findProgram('modbus_clock'), [DEVICES, PERIOD_MS].map(String), {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.lines = readline.createInterface({ input: this.process.stdout });
    /** @type {Promise<number[]>} */
    this.ports = once(this.lines, 'line').then(([line]) => line.split(' ').map(Number));
  }

  begin() {
    this.process.stdin.write('begin\n');
  }

  /** @returns {Promise<Measured>} */
  async end() {
    const answer = once(this.lines, 'line');
    this.process.stdin.write('end\n');
    return JSON.parse((await answer)[0]);
  }

  close() {
    this.process.stdin.end();
    this.process.kill();
  }
}

/** A Node-RED and the devices that it polls. */
class Side {
  /** @param {string} name @param {string} palette */
  constructor(name, palette) {
    this.name = name;
    this.palette = palette;
    this.clock = new Clock();
    this.url = '';
    /** @type {Measured[]} */
    this.measured = [];
  }

  /** @param {Plant} plant @param {(site: object) => object[]} makeFlows */
  async open(plant, makeFlows) {
    const { makeBlocker } = require(findScript('node_red_flows.js'));
    const ports = await this.clock.ports;
    const profile = 'generic/modbus-60';
    const site = { ports, broker: plant.broker, profile, points: POINTS, root: this.name };
    const nodeRed = await startNodeRed({
      userDir: path.join(plant.folder, this.name),
      flows: [...makeFlows(site), ...makeBlocker(BLOCK_MS)],
      env: { BUSBAR_DATA: path.join(plant.folder, `data-${this.name}`) },
      modules: this.palette ? [this.palette] : [],
    });
    plant.children.push(nodeRed.child);
    this.url = nodeRed.url;
  }

  /** One turn: held up once. */
  async measure() {
    this.clock.begin();
    await fetch(`${this.url}/inject/block`, { method: 'POST' });
    await delay(BLOCK_MS + FREE_MS);
    this.measured.push(await this.clock.end());
  }

  /** @param {(measured: Measured) => number} of */
  median(of) {
    return this.measured.map(of).sort((a, b) => a - b)[this.measured.length >> 1];
  }

  /** More than the bare loop. */
  get more() {
    return Math.max(
      0,
      this.median(({ p999_ms: late, bare }) => late - bare.p999_ms),
    );
  }

  tell() {
    const polls = mean(this.measured.map(({ polls: n }) => n));
    const part = (100 * polls * PERIOD_MS) / (DEVICES * (BLOCK_MS + FREE_MS));
    const list = (/** @type {(measured: Measured) => number} */ of) =>
      this.measured.map((measured) => of(measured).toFixed(1)).join(', ');
    say(
      `  ${this.name}: ${part.toFixed(0)} % of the polls came; late by p50 ` +
        `${this.median(({ p50_ms: p50 }) => p50).toFixed(1)} ms, p99.9 by turns ` +
        `${list(({ p999_ms: p999 }) => p999)} ms; bare loop ${list(({ bare }) => bare.p999_ms)} ms`,
    );
  }
}

async function measure() {
  const { makeReference, makeWired } = require(findScript('node_red_flows.js'));
  const plant = new Plant();
  const ours = new Side('busbar', '');
  const theirs = new Side('reference', PALETTE);
  try {
    const broker = await startBroker(plant.folder);
    plant.children.push(broker.child);
    plant.broker = broker.url;
    await ours.open(plant, makeWired);
    await theirs.open(plant, makeReference);
    await delay(WARM_MS);
    for (let i = 0; i < TURNS; i++) for (const side of [ours, theirs]) await side.measure();
    ours.tell();
    theirs.tell();
    const reference = { name: PALETTE, value: theirs.more };
    return [atMost('jitter/p99.9-over-bare-loop', 'ms', ours.more, MOST_MS, reference)];
  } finally {
    ours.clock.close();
    theirs.clock.close();
    await plant.close();
  }
}

module.exports = { measure };
