/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* 200, 1,000 and 2,000 devices of 50 points at 1 s to MQTT: what they cost, whether every period is
   kept, and whether a point becomes dearer with their number. */

const { setTimeout: delay } = require('node:timers/promises');
const { say } = require('../progress');
const { Plant } = require('./plant');
const { atMost, atMostTimes } = require('./result');
const { watchProcess } = require('./usage');

const SIZES = [200, 1000, 2000];
const POINTS = 50;
const WARM_MS = 2500;
const SECONDS = 8;

/** @param {number} devices */
async function measureSize(devices) {
  const plant = new Plant();
  try {
    await plant.openPeers({ profile: POINTS, devices, delay: '2ms-30ms' });
    await plant.openRuntime();
    await delay(WARM_MS);
    const before = await plant.counters();
    const usage = await watchProcess(plant.pid, SECONDS);
    const after = await plant.counters();
    const skipped = after.skipped - before.skipped + after.failed - before.failed;
    const polls = devices * SECONDS;
    const nsPerPoint = usage.cpuNs / (polls * POINTS);
    say(
      `  ${devices} devices: ${usage.cpuPercent.toFixed(2)} %, ${usage.rssMb.toFixed(1)} MB, ` +
        `${skipped} periods lost, ${nsPerPoint.toFixed(0)} ns a point, ` +
        `${after.delivered - before.delivered} batches delivered`,
    );
    return { ...usage, skipped, nsPerPoint };
  } finally {
    await plant.close();
  }
}

async function measure() {
  const measured = [];
  for (const devices of SIZES) measured.push(await measureSize(devices));
  const most = measured[SIZES.length - 1];
  const skipped = measured.reduce((sum, { skipped: n }) => sum + n, 0);
  const few = { name: '200 devices', value: measured[0].nsPerPoint };
  return [
    atMost('scale/cpu', '% of a core', most.cpuPercent, 8),
    atMost('scale/memory', 'MB RSS', most.rssMb, 32),
    atMost('scale/periods-lost', 'periods', skipped, 0),
    atMostTimes('scale/cost-per-point', 'ns CPU', most.nsPerPoint, 1, few),
  ];
}

module.exports = { measure };
