/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What goes from the store unsent: history that is too old, and what a sink has refused for good. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacks, startInflux1, tempDir, waitFor } = require('../support');
const { runBusbar } = require('../support/busbar');
const { arrivalsOf, describeCounters, startCounter, timeOf } = require('../support/counter');
const { count, openPlant } = require('../support/disk');
const { startRuntime } = require('../support/runtime');

/** @typedef {import('node:test').TestContext} TestContext */

const MOSQUITTO = { skip: lacks('mosquitto') };

/** Waits until so many batches for that sink were dropped, and nothing waits any more.
 * @param {import('../support/counter').Counter} counter @param {number} dropped */
async function isDropped(counter, dropped) {
  await waitFor(async () => (await counter.sinks()).bus.dropped >= dropped, {
    timeoutMs: 60000,
    what: `${dropped} to be dropped`,
  });
  const { bus } = await counter.sinks();
  assert.deepEqual([bus.dropped, bus.waiting], [dropped, 0]);
}

const LIMITS = [
  {
    name: 'history that is too old for the store',
    store: { max_age: '2s' },
    sink: {},
    told: / bus: batches older than 2 s are dropped unsent; raise runtime.store.max_age/,
  },
  {
    name: 'history that is too old for its sink',
    store: {},
    sink: { max_age: '2s' },
    told: / bus: more waits than store.max_age of the sink allows/,
  },
];

for (const { name, store, sink, told } of LIMITS) {
  test(`${name} is dropped, counted, and told once an episode`, MOSQUITTO, async (t) => {
    const { listener, way, config } = await openPlant(t);
    const runtime = await startRuntime(t, {
      ...config,
      sinks: [{ ...config.sinks[0], store: sink }],
      runtime: { store: { ...config.runtime.store, ...store } },
    });
    const counter = await startCounter(t, runtime);
    await counter.send(50);
    await counter.committed('bus');
    await isDropped(counter, 50 + counter.marks);
    await counter.send(30);
    await isDropped(counter, 80 + counter.marks);
    assert.equal(count(runtime, told), 1, runtime.log);
    const isEmpty = async () => (await counter.client.must('status')).store.records === 0;
    await waitFor(isEmpty, { what: 'the store to be empty' });
    await way.start();
    await counter.isReady('bus', true);
    await counter.send(10);
    await waitFor(() => arrivalsOf(listener).length >= 10, { what: 'what came since' });
    await counter.drained('bus');
    await listener.caughtUp();
    await way.stop();
    await counter.isReady('bus', false);
    await counter.send(5);
    await isDropped(counter, 85 + counter.marks);
    assert.equal(count(runtime, told), 2, runtime.log);
    assert.equal(
      await runtime.metric('busbar_sink_dropped_batches_total', { sink: 'bus' }),
      85 + counter.marks,
    );
    const heard = arrivalsOf(listener).map(({ n }) => n);
    assert.deepEqual(
      heard,
      Array.from({ length: 10 }, (_, i) => 81 + i),
    );
  });
}

test('history gets too old though nothing new comes', MOSQUITTO, async (t) => {
  const { config } = await openPlant(t);
  const data = tempDir(t);
  const first = await startRuntime(t, config, { data });
  const counter = await startCounter(t, first);
  await counter.send(50);
  await counter.committed('bus');
  await first.stop();
  const store = { ...config.runtime.store, max_age: '1s' };
  const runtime = await startRuntime(t, { ...config, runtime: { store } }, { data });
  const dropped = () => runtime.metric('busbar_sink_dropped_batches_total', { sink: 'bus' });
  await waitFor(async () => (await dropped()) >= 51, { timeoutMs: 60000, what: 'all to go' });
  assert.equal(await dropped(), 51);
  assert.equal(count(runtime, / bus: batches older than 1 s are dropped unsent/), 1, runtime.log);
  assert.equal(await runtime.metric('busbar_store_bytes'), 0);
});

/** A database in which the field `n` has been a text, in the days of the counter's times.
 * @param {TestContext} t @param {Record<string, unknown>} store */
async function startConflict(t, store) {
  const influx = await startInflux1(t, { databases: ['plant'] });
  const line = `counted,asset=other n="text" ${timeOf(0)}`;
  const answer = await fetch(`${influx.url}/write?db=plant&precision=ms`, {
    method: 'POST',
    body: line,
  });
  assert.equal(answer.status, 204);
  const options = { url: influx.url, database: 'plant', measurement: 'counted', gzip: false };
  const config = {
    ...describeCounters('m'),
    sinks: [{ id: 'hist', influxdb: options, devices: ['*'] }],
    runtime: { store: { sync: '100ms', ...store } },
  };
  const runtime = await startRuntime(t, config);
  const counter = await startCounter(t, runtime);
  const status = async () => (await counter.client.must('status')).store;
  return { influx, runtime, counter, status };
}

/** @param {string} data @param {...string} words */
async function store(data, ...words) {
  const { code, stdout, stderr } = await runBusbar(['store', ...words, '--data', data, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

const INFLUX = { skip: lacks('influxd') };

test('what a database refuses is listed with why, and arrives once it may', INFLUX, async (t) => {
  const { influx, runtime, counter, status } = await startConflict(t, {});
  await counter.send(40);
  await waitFor(async () => (await status()).dead === 40, { what: '40 dead letters' });
  const { letters } = await store(runtime.data, 'dead');
  assert.equal(letters.length, 40);
  for (const { sink, device, reason } of letters) {
    assert.deepEqual([sink, device], ['hist', 'm']);
    assert.match(reason, /field type conflict/);
  }
  const read = () => influx.query('plant', 'SELECT n FROM counted');
  assert.equal((await read()).length, 1, 'the text');
  await influx.ask('DROP MEASUREMENT counted', 'plant');
  assert.equal((await store(runtime.data, 'requeue-dead', 'hist')).requeued, 40);
  await waitFor(async () => (await read()).length >= 40, { what: 'all to arrive' });
  const rows = (await read()).map(({ time, n }) => [Math.round(time / 1e6), n]);
  const wanted = Array.from({ length: 40 }, (_, i) => [timeOf(i + 1), i + 1]);
  assert.deepEqual(rows, wanted, 'each under its time');
  await waitFor(async () => (await status()).dead === 0, { what: 'the letters to be gone' });
});

test('dead letters keep to their bounds', INFLUX, async (t) => {
  const { runtime, counter, status } = await startConflict(t, {
    ...{ dead_bytes: '4KiB', dead_age: '20s' },
  });
  await counter.send(400);
  const refused = async () => runtime.metric('busbar_sink_refused_batches_total', { sink: 'hist' });
  await waitFor(async () => (await refused()) >= 400, { timeoutMs: 60000, what: 'all refused' });
  /* The newest is told of last. */
  const newest = async () => (await store(runtime.data, 'dead')).letters.at(-1)?.id === 400;
  await waitFor(newest, { what: 'the newest to be kept' });
  const { dead, dead_bytes: bytes } = await status();
  assert.ok(bytes <= 4096, `${bytes} bytes are kept`);
  assert.ok(dead > 10 && dead < 400, `${dead} letters are kept`);
  const { letters } = await store(runtime.data, 'dead');
  const ids = letters.map((/** @type {any} */ letter) => letter.id);
  assert.deepEqual(
    ids,
    Array.from({ length: dead }, (_, i) => 401 - dead + i),
    'the newest',
  );
  /* And they get too old, though nothing else happens. */
  await waitFor(async () => (await status()).dead === 0, { timeoutMs: 60000, what: 'all to go' });
});
