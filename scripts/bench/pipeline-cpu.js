/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What 500 devices of 60 points at 1 Hz to MQTT cost in Node-RED, everything that belongs to it
   included: by our palette on a direct wire and through a function (Node-RED and the runtime
   together), and by node-red-contrib-modbus with a function that decodes and the core node mqtt out.

   Each of ours runs beside the reference, one after the other, reads the same simulated devices and is
   measured over the same stretches of time, so that whatever else the machine does meets both; two of
   ours at once would wake at the same instants and wait for each other. Each publishes below a topic of
   its own, where it is counted before whether it keeps up. */

const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { StepError } = require('../command');
const { startNodeRed } = require('../peers/node_red');
const { say } = require('../progress');
const { Plant } = require('./plant');
const { findScript } = require('./program');
const { timesLess } = require('./result');
const { median, watchProcess } = require('./usage');

const PALETTE = 'node-red-contrib-modbus';
const PROFILE = 'generic/modbus-60';
const POINTS = 60;
const DEVICES = 500;
/* Until the compiler of Node.js has seen what is hot, and its start is collected. */
const WARM_MS = 8000;
const COUNT_MS = 2000;
const SECONDS = 2;
const STRETCHES = 5;
const KEEPS_UP = 0.97;

/** @typedef {import('../peers/child').Child} Child */
/** @typedef {{name: string, child: Child, pids: number[]}} Way */

/** @param {string} url @returns {Promise<any>} */
async function readOverview(url) {
  return (await fetch(`${url}/busbar/overview`)).json();
}

/** @param {Plant} plant @param {string} name @param {object[]} flows @returns {Promise<Way>} */
async function startWay(plant, name, flows) {
  const isOurs = name !== PALETTE;
  const nodeRed = await startNodeRed({
    userDir: path.join(plant.folder, name),
    flows,
    env: { BUSBAR_DATA: path.join(plant.folder, `data-${name}`) },
    modules: isOurs ? [] : [PALETTE],
  });
  plant.children.push(nodeRed.child);
  const pids = [nodeRed.child.pid];
  while (isOurs && pids.length < 2) {
    const { runtime } = await readOverview(nodeRed.url);
    if (runtime.pid) pids.push(runtime.pid);
    else await delay(100);
  }
  return { name, child: nodeRed.child, pids };
}

/** Messages a second of each. @param {string} broker @param {string[]} roots
 * @returns {Promise<number[]>} */
async function countMessages(broker, roots) {
  /* Not before the set-up: it is an npm package. */
  const client = await require('mqtt').connectAsync(broker);
  const counts = roots.map(() => 0);
  client.on('message', (/** @type {string} */ topic) => {
    counts[roots.indexOf(topic.split('/', 1)[0])]++;
  });
  await client.subscribeAsync(roots.map((root) => `${root}/+/fast`));
  counts.fill(0);
  await delay(COUNT_MS);
  await client.endAsync(true);
  return counts.map((count) => (count * 1000) / COUNT_MS);
}

/** @param {string} broker @param {Way[]} ways */
async function checkRates(broker, ways) {
  const names = ways.map(({ name }) => name);
  const rates = await countMessages(broker, names);
  const told = names.map((name, i) => `${name} ${rates[i]}`).join(', ');
  say(`  messages a second: ${told}`);
  const late = rates.findIndex((rate) => rate < KEEPS_UP * DEVICES);
  if (late < 0) return;
  throw new StepError(`${names[late]} does not keep up with ${DEVICES} devices: ${told}.`);
}

/** Of a core, by stretch, for each of them. @param {Way[]} ways @returns {Promise<number[][]>} */
async function measureShares(ways) {
  /** @type {number[][]} */
  const shares = ways.map(() => []);
  for (let i = 0; i < STRETCHES; i++) {
    const used = ways.map(({ pids }) => Promise.all(pids.map((pid) => watchProcess(pid, SECONDS))));
    (await Promise.all(used)).forEach((processes, k) => {
      shares[k].push(processes.reduce((sum, { cpuPercent }) => sum + cpuPercent, 0));
    });
  }
  return shares;
}

/** @param {string} name @param {number[]} shares */
function describeShares(name, shares) {
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  return `  ${name}: ${median(shares).toFixed(2)} % of a core (${least.toFixed(2)} to ${most.toFixed(2)})`;
}

/** @param {Plant} plant @param {Way} theirs @param {string} name @param {object[]} flows
 * @param {number} goal */
async function measureBeside(plant, theirs, name, flows, goal) {
  const ours = await startWay(plant, name, flows);
  await delay(WARM_MS);
  await checkRates(plant.broker, [theirs, ours]);
  const [reference, shares] = await measureShares([theirs, ours]);
  await ours.child.stop();
  say(describeShares(`${PALETTE} beside it`, reference));
  say(describeShares(name, shares));
  const against = { name: `${PALETTE}, ${DEVICES} devices`, value: median(reference) };
  return timesLess(`pipeline-cpu/${name}`, '% of a core', median(shares), goal, against);
}

async function measure() {
  const { makeDirect, makeReference, makeWired } = require(findScript('node_red_flows.js'));
  const plant = new Plant();
  try {
    await plant.openPeers({ profile: PROFILE, devices: DEVICES, delay: '2ms-30ms' });
    const site = (/** @type {string} */ root) => {
      const { ports, broker } = plant;
      return { ports, broker, profile: PROFILE, points: POINTS, root };
    };
    const theirs = await startWay(plant, PALETTE, makeReference(site(PALETTE)));
    return [
      await measureBeside(plant, theirs, 'direct', makeDirect(site('direct')), 10),
      await measureBeside(plant, theirs, 'wired', makeWired(site('wired')), 3),
    ];
  } finally {
    await plant.close();
  }
}

module.exports = { measure };
