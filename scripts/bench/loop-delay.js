/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What busbar-in on 2,000 devices of 50 points at 1 Hz, each batch a message, adds to the delay of
   Node-RED's event loop while somebody looks at the sidebar: the difference to a Node-RED without
   busbar nodes that runs at the same time. */

const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { StepError } = require('../command');
const { startNodeRed } = require('../peers/node_red');
const { say } = require('../progress');
const { Plant } = require('./plant');
const { findScript } = require('./program');
const { atMost } = require('./result');

const DEVICES = 2000;
const POINTS = 50;
const START_MS = 15000;
const WARM_MS = 5000;
const LOOK_MS = 1000;
const STRETCH_MS = 4000;
const STRETCHES = 5;
const MOST_MS = 3;

/** @typedef {{p50: number, p99: number, max: number, n: number}} Delay In milliseconds. */

class Side {
  /** @param {string} name */
  constructor(name) {
    this.name = name;
    this.url = '';
    /** @type {import('../peers/child').Child | undefined} */
    this.child = undefined;
    /** @type {(measured: Delay) => void} */
    this.take = () => {};
    /** @type {Delay[]} */
    this.measured = [];
  }

  /** @param {Plant} plant @param {object[]} flows */
  async open(plant, flows) {
    const { child, url } = await startNodeRed({
      userDir: path.join(plant.folder, this.name),
      flows,
      env: {
        BUSBAR_DATA: path.join(plant.folder, `data-${this.name}`),
        NODE_OPTIONS: `--require ${findScript('loop_delay.js')}`,
      },
    });
    plant.children.push(child);
    this.child = child;
    this.url = url;
    child.onLine((line) => {
      const text = /^loop-delay (.*)$/.exec(line)?.[1];
      if (text) this.take(JSON.parse(text));
    });
  }

  /** Since the last time. @returns {Promise<Delay>} */
  read() {
    const measured = new Promise((resolve) => (this.take = resolve));
    this.child?.process.kill('SIGWINCH');
    return measured;
  }

  tell() {
    const list = (/** @type {'p50' | 'p99' | 'max'} */ key) =>
      this.measured.map((measured) => measured[key].toFixed(2)).join(', ');
    say(`  ${this.name}: p99 ${list('p99')} ms; max ${list('max')} ms`);
  }
}

/** As the sidebar does. @param {string} url @returns {Promise<any>} */
async function look(url) {
  return (await fetch(`${url}/busbar/overview`)).json();
}

/** @param {string} url */
async function waitUntilRead(url) {
  const end = Date.now() + START_MS;
  for (;;) {
    const { devices } = await look(url);
    const good = devices.filter((/** @type {any} */ { state }) => state === 'good').length;
    if (good === DEVICES) return;
    if (Date.now() >= end) throw new StepError(`${good} of ${DEVICES} devices are read.`);
    await delay(LOOK_MS);
  }
}

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** @param {Side[]} sides */
async function measureStretches(sides) {
  await Promise.all(sides.map((side) => side.read()));
  for (let i = 0; i < STRETCHES; i++) {
    await delay(STRETCH_MS);
    const measured = await Promise.all(sides.map((side) => side.read()));
    measured.forEach((one, at) => sides[at].measured.push(one));
  }
}

async function measure() {
  const { makeEmpty, makeMessages } = require(findScript('node_red_flows.js'));
  const plant = new Plant();
  const ours = new Side('busbar');
  const bare = new Side('without');
  /** @type {NodeJS.Timeout | undefined} */
  let looking;
  try {
    await plant.openPeers({ profile: POINTS, devices: DEVICES, delay: '2ms-30ms' });
    const { ports, broker, profile } = plant;
    const site = { ports, broker, profile, points: POINTS, root: 'plant' };
    await bare.open(plant, makeEmpty());
    await ours.open(plant, makeMessages(site));
    await waitUntilRead(ours.url);
    looking = setInterval(() => look(ours.url).catch(() => {}), LOOK_MS);
    await delay(WARM_MS);
    await measureStretches([ours, bare]);
    ours.tell();
    bare.tell();
    const added = ours.measured.map(({ p99 }, i) => Math.max(0, p99 - bare.measured[i].p99));
    const reference = {
      name: 'Node-RED without busbar',
      value: median(bare.measured.map(({ p99 }) => p99)),
    };
    return [atMost('loop-delay/p99-added', 'ms', median(added), MOST_MS, reference)];
  } finally {
    clearInterval(looking);
    await plant.close();
  }
}

module.exports = { measure };
