/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A start with a million records on the disk for a sink: how long until the first live batch arrives
   there, and how much memory the runtime ever took while it sent what it found. For comparison the
   same start with nothing on the disk. */

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { startBroker } = require('../peers/broker');
const { remove, tempFolder } = require('../peers/place');
const { say } = require('../progress');
const { countDelivered, countWaiting, fillStore, startBacklogged } = require('./backlog');
const { findScript } = require('./program');
const { atMost } = require('./result');

const DEVICES = 2000;
const RECORDS = 1000000;
const LIVE_EVERY_MS = 20;
const LOOK_MS = 5;
const WATCH_MS = 12000;

/** The most memory that it ever had. @param {number} pid */
function readPeakMb(pid) {
  const text = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
}

/** Milliseconds from the start to the first live message at the broker, and the peak of its memory.
 * @param {number} records On the disk. */
async function measureStart(records) {
  const { openLiveSource } = require(findScript('live_source.js'));
  const folder = tempFolder();
  const children = [];
  try {
    const broker = await startBroker(folder, ['max_queued_messages 0']);
    children.push(broker.child);
    const filled = records > 0 ? await fillStore(folder, DEVICES, records) : { bytes: 0 };
    /* Not before the set-up: it is an npm package. */
    const client = await require('mqtt').connectAsync(broker.url);
    const first = new Promise((resolve) => client.on('message', () => resolve(performance.now())));
    await client.subscribeAsync('plant/live/values');
    const started = performance.now();
    const runtime = await startBacklogged(folder, { mqtt: { url: broker.url } });
    children.push(runtime.child);
    while (!fs.existsSync(path.join(runtime.data, 'busbar.sock'))) await delay(LOOK_MS);
    const live = await openLiveSource(runtime.data);
    live.start(LIVE_EVERY_MS);
    const ms = Number(await Promise.race([first, runtime.child.watch()])) - started;
    await delay(records > 0 ? WATCH_MS : 0);
    const [sent, left] = [await countDelivered(runtime), await countWaiting(runtime)];
    const peakMb = readPeakMb(runtime.child.pid);
    live.stop();
    await client.endAsync(true);
    say(
      `  ${records} records (${Math.round(filled.bytes / 1e6)} MB): live after ${ms.toFixed(0)} ms, ` +
        `${peakMb.toFixed(1)} MB at most, ${sent} batches sent, ${left} left`,
    );
    return { ms, peakMb };
  } finally {
    for (const child of children.reverse()) await child.stop();
    remove(folder);
  }
}

async function measure() {
  const none = await measureStart(0);
  const ours = await measureStart(RECORDS);
  const of = (/** @type {number} */ value) => ({ name: 'nothing on the disk', value });
  return [
    atMost('store-restart/first-live', 'ms', ours.ms, 2000, of(none.ms)),
    atMost('store-restart/memory', 'MB at most', ours.peakMb, 48, of(none.peakMb)),
  ];
}

module.exports = { measure };
