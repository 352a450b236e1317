/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* How fast a backlog of the disk reaches its sink, and how long live data takes meanwhile from its
   source to the far end: to InfluxDB over its v1 API, and to a broker with QoS 1. The references send
   values of the same kind with nothing else to do: requests that were made before, with a line every
   20 ms from another client beside them, and mqtt.js. */

const { setTimeout: delay } = require('node:timers/promises');
const { startBroker } = require('../peers/broker');
const { askInflux, startInflux } = require('../peers/influx');
const { remove, tempFolder } = require('../peers/place');
const { say } = require('../progress');
const { POINTS, countDelivered, countWaiting, fillStore, startBacklogged } = require('./backlog');
const { findScript } = require('./program');
const { atLeast, atMost } = require('./result');
const { median, watchProcess } = require('./usage');

const DEVICES = 500;
const LIVE_EVERY_MS = 20;
const WARM_MS = 1000;
const STRETCH_MS = 1000;
const STRETCHES = 8;
const LOOK_MS = 10;
const REFERENCE_MS = 3000;
const IN_FLIGHT = 100;
const DATABASE = 'plant';
const PLAIN = 'plain';
const PLAIN_NAME = 'requests made before';

/** @typedef {import('./backlog').Backlogged} Backlogged */
/** @typedef {{samples: number, times: number[]}} Drained Samples a second; ms of live data, sorted. */

/** @param {number[]} sorted @param {number} part */
function at(sorted, part) {
  return sorted[Math.floor((sorted.length - 1) * part)];
}

/** @param {Drained} drained */
function p99({ times }) {
  return at(times, 0.99);
}

/** What arrives in each stretch, as long as something waits. @param {Backlogged} runtime */
async function measureRates(runtime) {
  const rates = [];
  let [time, count] = [performance.now(), await countDelivered(runtime)];
  while (rates.length < STRETCHES) {
    await delay(STRETCH_MS);
    const [nextTime, next] = [performance.now(), await countDelivered(runtime)];
    if ((await countWaiting(runtime)) < IN_FLIGHT) break;
    rates.push((POINTS * (next - count) * 1000) / (nextTime - time));
    [time, count] = [nextTime, next];
  }
  return rates;
}

/** @param {Backlogged} runtime @param {(live: any) => Promise<void>} watch Tells it what arrives, until
 * it has ended. @returns {Promise<Drained>} */
async function measureDrain(runtime, watch) {
  const { openLiveSource } = require(findScript('live_source.js'));
  while (!(await countDelivered(runtime).catch(() => 0))) await delay(LOOK_MS);
  const live = await openLiveSource(runtime.data);
  live.start(LIVE_EVERY_MS);
  const watched = watch(live);
  await delay(WARM_MS);
  live.times.length = 0;
  const usage = watchProcess(runtime.child.pid, (STRETCHES * STRETCH_MS) / 1000);
  const rates = await measureRates(runtime);
  const times = live.stop();
  await watched;
  const { cpuPercent } = await usage;
  const told = rates.map((rate) => Math.round(rate / 1000)).join(', ');
  say(`  ${told} thousand samples/s at ${cpuPercent.toFixed(0)} % of a core`);
  return { samples: median(rates), times };
}

/** @param {string} name @param {Drained} drained */
function tell(name, { samples, times }) {
  const [half, most, worst] = [0.5, 0.99, 1].map((part) => at(times, part).toFixed(0));
  say(
    `  ${name}: ${Math.round(samples)} samples/s, live p50 ${half}, p99 ${most}, max ${worst} ms`,
  );
}

/* --- InfluxDB --- */

const REQUEST_LINES = 1400; /* about a MiB, as the sink sends them */
const REQUESTS = 50;

/** @param {number} first */
function makeRequest(first) {
  const lines = Array.from({ length: REQUEST_LINES }, (_, i) => {
    const n = first + i;
    const fields = Array.from(
      { length: POINTS },
      (_one, point) => `p${point}=${(128 + 256 * Math.random()).toPrecision(8)}`,
    );
    return `busbar,asset=meter-${n % DEVICES},site=plant ${fields.join(',')} ${1760000000000 + n}`;
  });
  return lines.join('\n');
}

/** @param {string} url @param {string} body */
async function writeLines(url, body) {
  const response = await fetch(`${url}/write?db=${PLAIN}&precision=ms`, { method: 'POST', body });
  if (!response.ok) throw new Error(`InfluxDB answers ${response.status}`);
}

/** Samples a second that InfluxDB takes by itself, one request after the other, and milliseconds that a
 * line of another client takes meanwhile. @param {string} url */
async function measurePlain(url) {
  const bodies = Array.from({ length: REQUESTS }, (_, i) => makeRequest(i * REQUEST_LINES));
  /** @type {number[]} */
  const times = [];
  /** @type {Promise<void>[]} */
  const lines = [];
  const timer = setInterval(() => {
    const sent = performance.now();
    const line = `busbar,asset=live,site=plant p0=${Math.random()} ${Date.now()}`;
    lines.push(writeLines(url, line).then(() => void times.push(performance.now() - sent)));
  }, LIVE_EVERY_MS);
  const started = performance.now();
  for (const body of bodies) await writeLines(url, body);
  const samples = (REQUESTS * REQUEST_LINES * POINTS * 1000) / (performance.now() - started);
  clearInterval(timer);
  await Promise.all(lines);
  return { samples, times: times.sort((a, b) => a - b) };
}

/** @param {string} url @param {any} live */
async function watchInflux(url, live) {
  let newest = live.lastMs;
  for (;;) {
    const text = `SELECT p0 FROM busbar WHERE asset = 'live' AND time > ${newest}ms`;
    const found = await askInflux(url, text, DATABASE);
    for (const [time] of found?.series?.[0]?.values ?? []) {
      live.arrived(time);
      if (time > newest) newest = time;
    }
    if (live.control.socket.destroyed) return;
    await delay(LOOK_MS);
  }
}

/* Of its own, so that what it does afterwards with what it was sent disturbs no one. */
async function measureReference() {
  const folder = tempFolder();
  const { child, url } = await startInflux(folder, [PLAIN]);
  try {
    return await measurePlain(url);
  } finally {
    await child.stop();
    remove(folder);
  }
}

async function drainInflux() {
  const folder = tempFolder();
  const children = [];
  try {
    const theirs = await measureReference();
    tell(PLAIN_NAME, theirs);
    const influx = await startInflux(folder, [DATABASE]);
    children.push(influx.child);
    await fillStore(folder, DEVICES, 150000);
    const sink = { influxdb: { url: influx.url, database: DATABASE } };
    const runtime = await startBacklogged(folder, sink);
    children.push(runtime.child);
    const ours = await measureDrain(runtime, (live) => watchInflux(influx.url, live));
    tell('to InfluxDB', ours);
    const of = (/** @type {number} */ value) => ({ name: PLAIN_NAME, value });
    return [
      atLeast('store-drain/influxdb', 'samples/s', ours.samples, 300000, of(theirs.samples)),
      atMost('store-drain/influxdb-live-p99', 'ms', p99(ours), 250, of(p99(theirs))),
    ];
  } finally {
    for (const child of children.reverse()) await child.stop();
    remove(folder);
  }
}

/* --- MQTT --- */

/** Samples a second that mqtt.js gets confirmed, a message for each batch. @param {string} url */
async function publishPlain(url) {
  const client = await require('mqtt').connectAsync(url);
  const values = Array.from({ length: POINTS }, (_, i) => [`p${i}`, 128 + 256 * Math.random()]);
  const payload = JSON.stringify({ timestamp: Date.now(), values: Object.fromEntries(values) });
  const end = performance.now() + REFERENCE_MS;
  let confirmed = 0;
  const send = async () => {
    for (let i = 0; performance.now() < end; i++) {
      await client.publishAsync(`plant/meter-${i % DEVICES}/fast`, payload, { qos: 1 });
      confirmed++;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, send));
  await client.endAsync();
  return (confirmed * POINTS * 1000) / REFERENCE_MS;
}

/** @param {string} url @param {any} live */
async function watchBroker(url, live) {
  const client = await require('mqtt').connectAsync(url);
  client.on('message', (/** @type {string} */ _topic, /** @type {Buffer} */ payload) => {
    live.arrived(JSON.parse(String(payload)).timestamp);
  });
  await client.subscribeAsync('plant/live/values', { qos: 1 });
  while (!live.control.socket.destroyed) await delay(LOOK_MS);
  await client.endAsync(true);
}

async function drainMqtt() {
  const folder = tempFolder();
  const children = [];
  try {
    const broker = await startBroker(folder, ['max_queued_messages 0']);
    children.push(broker.child);
    const theirs = await publishPlain(broker.url);
    say(`  mqtt.js: ${Math.round(theirs)} samples/s`);
    await fillStore(folder, DEVICES, 200000);
    const runtime = await startBacklogged(folder, { mqtt: { url: broker.url } });
    children.push(runtime.child);
    const ours = await measureDrain(runtime, (live) => watchBroker(broker.url, live));
    tell('to MQTT', ours);
    const reference = { name: 'mqtt.js', value: theirs };
    return [
      atLeast('store-drain/mqtt', 'samples/s', ours.samples, 100000, reference),
      atMost('store-drain/mqtt-live-p99', 'ms', p99(ours), 250),
    ];
  } finally {
    for (const child of children.reverse()) await child.stop();
    remove(folder);
  }
}

async function measure() {
  return [...(await drainInflux()), ...(await drainMqtt())];
}

module.exports = { measure };
