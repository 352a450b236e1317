/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The clock is set, back and forth and to before it was ever set, while sinks come and go and the runtime
   is killed: what was read arrives, in its order, the same everywhere. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacks, startInflux1, startMosquitto, tempDir, waitFor } = require('../support');
const { lacksClock, makeClock } = require('../support/clock');
const { assertRising } = require('../support/counter');
const { startForwarder } = require('../support/forwarder');
const { listen } = require('../support/listener');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');
const { connectSocket } = require('../support/socket');

/**
 * @typedef {import('node:test').TestContext} TestContext
 * @typedef {{boot: number, seq: number, historical?: boolean, timestamp: number,
 *   values: Record<string, number>}} Payload
 */

const SKIP = lacksClock() || lacks('mosquitto', 'influxd');
const HOUR_MS = 3600000;
const READS = 8; /* before the next step */
/* What the clock is ahead by, while the sinks are there or away. No two readings get one time: the
   steps are longer than what lies between them. */
const STEPS = [
  { aheadMs: 24 * HOUR_MS, away: false },
  { aheadMs: -24 * HOUR_MS, away: true },
  { aheadMs: HOUR_MS, away: false },
  { aheadMs: HOUR_MS - 60000, away: true },
  { aheadMs: 300000 - Date.now(), away: true, killed: true } /* 1970-01-01T00:05 */,
  { aheadMs: 0, away: true },
  { aheadMs: 2 * HOUR_MS, away: false },
];

/** A meter that is read often, for a broker and a database that can be cut off. @param {TestContext} t */
async function openPlant(t) {
  const broker = await startMosquitto(t, {
    config: ['max_queued_messages 0', 'max_inflight_messages 0'],
  });
  const influx = await startInflux1(t, { databases: ['plant'] });
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const ways = [
    await startForwarder(t, broker.port),
    await startForwarder(t, Number(new URL(influx.url).port)),
  ];
  const sim = await startSim(t, ['generic/modbus-60']);
  const scan = { fast: '100ms', slow: 'off', energy: 'off' };
  const influxdb = { url: `http://127.0.0.1:${ways[1].port}`, database: 'plant' };
  const config = {
    ...describeMeter('m', sim.port, { scan }),
    sinks: [
      { id: 'bus', mqtt: { url: `mqtt://127.0.0.1:${ways[0].port}` }, devices: ['*'] },
      { id: 'hist', influxdb: { ...influxdb, batch: { age: '100ms' } }, devices: ['*'] },
    ],
    runtime: { store: { sync: '100ms' } },
  };
  return { influx, listener, ways, config };
}

/** What a life of the runtime has for its sinks. @param {import('../support/socket').SocketClient} client */
async function sinksOf(client) {
  const { sinks } = await client.must('status', { devices: [] });
  for (const { id, dropped } of sinks) assert.equal(dropped, 0, `dropped for ${id}`);
  return /** @type {{delivered: number, waiting: number, saved: number}[]} */ (sinks);
}

/** Waits until more was read. @param {import('../support/socket').SocketClient} client */
async function readMore(client) {
  const look = async () => {
    const [{ delivered, waiting }] = await sinksOf(client);
    return delivered + waiting;
  };
  const before = await look();
  await waitFor(async () => (await look()) >= before + READS, { what: `${READS} readings more` });
}

/** Waits until what was read by now for sinks that are away is on the disk.
 * @param {import('../support/socket').SocketClient} client @returns {Promise<number>} How many readings that is. */
async function isSaved(client) {
  const before = await sinksOf(client);
  const isIt = async () =>
    (await sinksOf(client)).every(({ saved }, i) => saved >= before[i].waiting);
  await waitFor(isIt, { what: 'what was read to be on the disk' });
  return before[0].delivered + before[0].waiting;
}

/** Each reading once, in the order in which they came.
 * @param {import('../support/listener').Listener} listener @returns {Payload[]} */
function readingsOf(listener) {
  const found = new Map();
  for (const { payload } of listener.messages) {
    const key = `${payload.boot} ${payload.seq}`;
    if (!found.has(key)) found.set(key, payload);
  }
  return [...found.values()];
}

/** Of that life, none is missing. @param {Payload[]} readings @param {number} boot @param {number} least */
function expectNoGap(readings, boot, least) {
  const numbers = readings.filter((one) => one.boot === boot).map(({ seq }) => seq);
  numbers.sort((a, b) => a - b);
  const at = numbers.findIndex((seq, i) => seq !== numbers[0] + i);
  assert.equal(at, -1, `boot ${boot}, missing before ${numbers[at]}`);
  assert.ok(numbers.length >= least, `boot ${boot}: ${numbers.length} came of ${least}`);
}

/** The database has the same values at the same times, to the millisecond: where the machine was held up,
 * two periods may be read in one, and are one row.
 * @param {Payload[]} readings @param {Record<string, any>[]} rows */
function expectSame(readings, rows) {
  const byTime = new Map(rows.map((row) => [Math.round(row.time / 1e6), row]));
  assert.equal(byTime.size, rows.length, 'no two rows have one time');
  const latest = new Map(readings.map((reading) => [reading.timestamp, reading]));
  for (const { timestamp, values } of latest.values()) {
    const row = byTime.get(timestamp) ?? {};
    const same = Object.fromEntries(
      Object.keys(values).map((name) => [name, row[name.replaceAll('/', '_')]]),
    );
    assert.deepEqual(same, values, `at ${new Date(timestamp).toISOString()}`);
  }
  assert.equal(rows.length, latest.size);
  assert.ok(latest.size >= readings.length - 2, `${latest.size} times of ${readings.length}`);
}

test('a clock that is stepped loses and reorders nothing', { skip: SKIP }, async (t) => {
  const { influx, listener, ways, config } = await openPlant(t);
  const clock = makeClock(t);
  const data = tempDir(t);
  let runtime = await startRuntime(t, config, { data, env: clock.env });
  let client = await connectSocket(t, data);
  let owed = 0;
  const phases = [];
  await readMore(client);
  for (const { aheadMs, away, killed } of STEPS) {
    for (const way of ways) await (away ? way.stop() : way.server || way.start());
    clock.step(aheadMs);
    if (killed) {
      await readMore(client);
      owed = await isSaved(client);
      await runtime.stop('SIGKILL');
      runtime = await startRuntime(t, config, { data, env: clock.env });
      client = await connectSocket(t, data);
    }
    const from = Date.now() + aheadMs;
    await readMore(client);
    phases.push({ aheadMs, from, to: Date.now() + aheadMs });
  }
  await client.must('pause'); /* so that there is an end of what is read */
  await waitFor(async () => (await sinksOf(client)).every(({ waiting }) => waiting === 0), {
    timeoutMs: 30000,
    what: 'all to be delivered',
  });
  await listener.caughtUp();
  const readings = readingsOf(listener);
  for (const { aheadMs, from, to } of phases) {
    const isThen = (/** @type {Payload} */ { timestamp }) => timestamp >= from && timestamp <= to;
    assert.ok(readings.filter(isThen).length >= READS - 2, `read while ${aheadMs} ms ahead`);
  }
  expectNoGap(readings, 1, owed);
  const polls = { device: 'm', scan: 'fast' };
  expectNoGap(readings, 2, await runtime.metric('busbar_scan_polls_answered_total', polls));
  for (const historical of [false, true]) {
    const some = readings.filter((one) => (one.historical === true) === historical);
    assert.ok(some.length > READS, `${some.length} readings, historical: ${historical}`);
    assertRising(
      some.map(({ boot, seq }) => boot * 1e6 + seq),
      historical ? 'history' : 'what is live',
    );
  }
  expectSame(readings, await influx.query('plant', 'SELECT * FROM modbus_60'));
  t.diagnostic(`${readings.length} readings, of ${listener.messages.length} messages`);
});
