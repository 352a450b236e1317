/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What 500 devices of 60 points cost at 1 Hz to MQTT, the devices answering in 2 to 30 ms: the
   runtime, and a program for Node.js that does the same with modbus-serial and mqtt.

   The runtime is the executable that the package carries: the one built for tests takes the
   distribution's libcurl, which brings thirty libraries for protocols that are never used. */

const { setTimeout: delay } = require('node:timers/promises');
const { buildExecutable, fetchCurl } = require('../pack/build');
const { isChosen } = require('../peers/busbar');
const { Child } = require('../peers/child');
const { say } = require('../progress');
const { Plant } = require('./plant');
const { findScript } = require('./program');
const { atMost } = require('./result');
const { median, watchProcess } = require('./usage');

const DEVICES = 500;
const WARM_MS = 3000;
const SECONDS = 2;
const STRETCHES = 4;
const REFERENCE = 'modbus-serial + mqtt';

/** @typedef {{cpu: number[], rssMb: number}} Use `cpu`: percent of a core, by stretch. */

/** @param {number} pid @param {Use} use */
async function watch(pid, use) {
  await delay(WARM_MS);
  for (let i = 0; i < STRETCHES; i++) {
    const { cpuPercent, rssMb } = await watchProcess(pid, SECONDS);
    use.cpu.push(cpuPercent);
    use.rssMb = Math.max(use.rssMb, rssMb);
  }
}

/** @param {Plant} plant @param {string | undefined} executable @param {Use} use */
async function watchOurs(plant, executable, use) {
  await plant.openRuntime({ executable, name: `runtime-${use.cpu.length}` });
  const before = await plant.counters();
  await watch(plant.pid, use);
  const after = await plant.counters();
  await plant.children.pop()?.stop();
  const [polls, skipped] = [after.answered - before.answered, after.skipped - before.skipped];
  say(`  busbar: ${describe(use)}, ${polls} polls, ${skipped} skipped`);
}

/** @param {Plant} plant @param {Use} use */
async function watchReference(plant, use) {
  const args = [findScript('node_telemetry.js'), plant.broker, ...plant.ports.map(String)];
  const reference = new Child(REFERENCE, process.execPath, args);
  plant.children.push(reference);
  await reference.waitForLine(/^ready$/);
  await watch(reference.pid, use);
  await plant.children.pop()?.stop();
  say(`  ${REFERENCE}: ${describe(use)}`);
}

/** @param {Use} use */
function describe({ cpu, rssMb }) {
  const turn = cpu.slice(-STRETCHES).map((share) => share.toFixed(2));
  return `${turn.join(', ')} %, ${rssMb.toFixed(1)} MB`;
}

async function measure() {
  const executable = isChosen() ? undefined : await buildExecutable(await fetchCurl());
  const plant = new Plant();
  /** @type {Use} */
  const ours = { cpu: [], rssMb: 0 };
  /** @type {Use} */
  const theirs = { cpu: [], rssMb: 0 };
  try {
    await plant.openPeers({ profile: 'generic/modbus-60', devices: DEVICES, delay: '2ms-30ms' });
    await watchOurs(plant, executable, ours);
    await watchReference(plant, theirs);
    await watchOurs(plant, executable, ours);
    const compare = (/** @type {number} */ value) => ({ name: REFERENCE, value });
    return [
      atMost('idle-cpu/cpu', '% of a core', median(ours.cpu), 2, compare(median(theirs.cpu))),
      atMost('idle-cpu/memory', 'MB RSS', ours.rssMb, 16, compare(theirs.rssMb)),
    ];
  } finally {
    await plant.close();
  }
}

module.exports = { measure };
