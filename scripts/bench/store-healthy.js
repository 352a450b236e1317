/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the store costs while every sink takes what comes: the plants of the rows idle-cpu and scale, by
   a runtime whose sink keeps what waits on the disk, and by one whose sink keeps it in memory. Both
   read the same devices and are measured over the same stretches of time. And what is written with
   InfluxDB as the sink, which batches wait for until a request is worth it. */

const { setTimeout: delay } = require('node:timers/promises');
const { startInflux } = require('../peers/influx');
const { remove, tempFolder } = require('../peers/place');
const { say } = require('../progress');
const { countDelivered, startBacklogged } = require('./backlog');
const { Plant } = require('./plant');
const { findScript } = require('./program');
const { atMost, atMostTimes } = require('./result');
const { median, readWritten, watchProcess } = require('./usage');

/** @type {{row: string, profile: string | number, devices: number}[]} */
const PLANTS = [
  { row: 'idle-cpu', profile: 'generic/modbus-60', devices: 500 },
  { row: 'scale', profile: 50, devices: 2000 },
];
const WARM_MS = 2500;
const SECONDS = 2;
const STRETCHES = 6;
const REFERENCE = 'store in memory';
const LIVE_EVERY_MS = 20;
const INFLUX_SECONDS = 8;
const DATABASE = 'plant';

/** @param {typeof PLANTS[number]} options */
async function measurePlant({ row, profile, devices }) {
  const plant = new Plant();
  try {
    await plant.openPeers({ profile, devices, delay: '2ms-30ms' });
    const memory = await plant.openRuntime({ name: 'memory', store: { mode: 'memory' } });
    const disk = await plant.openRuntime({ name: 'disk', store: { mode: 'disk' } });
    await delay(WARM_MS);
    const pids = [disk, memory];
    /** @type {number[][]} */
    const shares = [[], []];
    const written = [];
    for (let i = 0; i < STRETCHES; i++) {
      const before = readWritten(disk);
      const used = await Promise.all(pids.map((pid) => watchProcess(pid, SECONDS)));
      used.forEach(({ cpuPercent }, which) => shares[which].push(cpuPercent));
      written.push((readWritten(disk) - before) / SECONDS / 1000);
    }
    const kilobytes = median(written);
    const [ours, theirs] = shares.map(median);
    say(
      `  ${row}: ${ours.toFixed(2)} % of a core on the disk, ${theirs.toFixed(2)} % in memory, ` +
        `${kilobytes.toFixed(2)} kB/s written`,
    );
    const reference = { name: REFERENCE, value: theirs };
    return [
      atMostTimes(`store-healthy/${row}`, '% of a core', ours, 1.2, reference),
      atMost(`store-healthy/${row}-written`, 'kB/s', kilobytes, 1),
    ];
  } finally {
    await plant.close();
  }
}

async function measureInflux() {
  const { openLiveSource } = require(findScript('live_source.js'));
  const folder = tempFolder();
  const children = [];
  try {
    const influx = await startInflux(folder, [DATABASE]);
    children.push(influx.child);
    const sink = { influxdb: { url: influx.url, database: DATABASE } };
    const runtime = await startBacklogged(folder, sink);
    children.push(runtime.child);
    await delay(WARM_MS);
    const live = await openLiveSource(runtime.data);
    live.start(LIVE_EVERY_MS);
    while (!(await countDelivered(runtime))) await delay(LIVE_EVERY_MS);
    const written = readWritten(runtime.child.pid);
    await delay(INFLUX_SECONDS * 1000);
    const kilobytes = (readWritten(runtime.child.pid) - written) / INFLUX_SECONDS / 1000;
    live.stop();
    say(`  to InfluxDB: ${kilobytes.toFixed(2)} kB/s written`);
    return atMost('store-healthy/influxdb-written', 'kB/s', kilobytes, 1);
  } finally {
    for (const child of children.reverse()) await child.stop();
    remove(folder);
  }
}

async function measure() {
  const results = [];
  for (const options of PLANTS) results.push(...(await measurePlant(options)));
  return [...results, await measureInflux()];
}

module.exports = { measure };
