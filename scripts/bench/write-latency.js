/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* How long a write takes, from the request on the control socket to its confirmed outcome, read back
   from the device, while 2,000 devices of 50 points are polled at 1 s. The devices answer at once, so
   that the time is the runtime's. */

const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { StepError } = require('../command');
const { openControl } = require('../peers/control');
const { say } = require('../progress');
const { Plant, WRITABLE } = require('./plant');
const { atMost } = require('./result');

const DEVICES = 2000;
const POINTS = 50;
const WARM_MS = 3000;
const SECONDS = 20;
const PAUSE_MS = 5;

/** One device after the other, so that none is written to twice in a short time.
 * @param {import('../peers/control').Control} control @returns {Promise<number[]>} Milliseconds. */
async function writeAll(control) {
  const times = [];
  const end = Date.now() + SECONDS * 1000;
  for (let i = 0; Date.now() < end; i++) {
    const device = `device-${(i % DEVICES) + 1}`;
    const points = [{ name: WRITABLE, value: i % 1000 }];
    const from = process.hrtime.bigint();
    const answer = await control.ask('write', { device, points });
    times.push(Number(process.hrtime.bigint() - from) / 1e6);
    if (answer.outcome !== 'confirmed') {
      throw new StepError(`A write to ${device} ended with ${JSON.stringify(answer)}.`);
    }
    await delay(PAUSE_MS);
  }
  return times.sort((a, b) => a - b);
}

async function measure() {
  const plant = new Plant();
  try {
    await plant.openPeers({ profile: POINTS, devices: DEVICES, delay: '0ms' });
    await plant.openRuntime();
    await delay(WARM_MS);
    const before = await plant.counters();
    const control = await openControl(path.join(plant.dataFolder, 'busbar.sock'), 'bench');
    const times = await writeAll(control);
    control.close();
    const after = await plant.counters();
    const rate = ((after.answered - before.answered) * POINTS) / SECONDS;
    const at = (/** @type {number} */ part) => times[Math.floor((times.length - 1) * part)];
    say(
      `  ${times.length} writes under ${Math.round(rate)} points/s: p50 ${at(0.5).toFixed(2)}, ` +
        `p99 ${at(0.99).toFixed(2)}, max ${at(1).toFixed(2)} ms`,
    );
    return [
      atMost('write-latency/p50', 'ms', at(0.5), 2),
      atMost('write-latency/p99', 'ms', at(0.99), 10),
      atMost('write-latency/max', 'ms', at(1), 100),
    ];
  } finally {
    await plant.close();
  }
}

module.exports = { measure };
