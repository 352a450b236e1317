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
const { watchProcess } = require('./usage');

const DEVICES = 500;
const WARM_MS = 3000;
const SECONDS = 10;
const REFERENCE = 'modbus-serial + mqtt';

async function measure() {
  const executable = isChosen() ? undefined : await buildExecutable(await fetchCurl());
  const plant = new Plant();
  try {
    await plant.openPeers({ profile: 'generic/modbus-60', devices: DEVICES, delay: '2ms-30ms' });
    await plant.openRuntime({ executable });
    await delay(WARM_MS);
    const before = await plant.counters();
    const ours = await watchProcess(plant.pid, SECONDS);
    const after = await plant.counters();
    await plant.children.pop()?.stop();
    say(
      `  busbar: ${ours.cpuPercent.toFixed(2)} %, ${ours.rssMb.toFixed(1)} MB, ` +
        `${after.answered - before.answered} polls, ${after.skipped - before.skipped} skipped`,
    );

    const script = findScript('node_telemetry.js');
    const args = [script, plant.broker, ...plant.ports.map(String)];
    const reference = new Child(REFERENCE, process.execPath, args);
    plant.children.push(reference);
    await reference.waitForLine(/^ready$/);
    await delay(WARM_MS);
    const theirs = await watchProcess(reference.pid, SECONDS);
    say(`  ${REFERENCE}: ${theirs.cpuPercent.toFixed(2)} %, ${theirs.rssMb.toFixed(1)} MB`);

    const compare = (/** @type {number} */ value) => ({ name: REFERENCE, value });
    return [
      atMost('idle-cpu/cpu', '% of a core', ours.cpuPercent, 2, compare(theirs.cpuPercent)),
      atMost('idle-cpu/memory', 'MB RSS', ours.rssMb, 16, compare(theirs.rssMb)),
    ];
  } finally {
    await plant.close();
  }
}

module.exports = { measure };
