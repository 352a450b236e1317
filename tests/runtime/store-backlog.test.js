/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Long backlogs: of sinks while another is away, of one that was removed, and one that is longer than what
   the memory holds. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { lacks, startMosquitto, tempDir, waitFor } = require('../support');
const {
  arrivalsOf,
  assertComplete,
  checkArrivals,
  describeCounters,
  startCounter,
  waitForAll,
} = require('../support/counter');
const { checkRows, describeSite, numbersIn, openInflux } = require('../support/database');
const { startForwarder } = require('../support/forwarder');
const { startHttpWay } = require('../support/http_way');
const { listen } = require('../support/listener');
const { startRuntime } = require('../support/runtime');

/** @typedef {import('node:test').TestContext} TestContext */

const MOSQUITTO = { skip: lacks('mosquitto') };
const THREE = { skip: lacks('mosquitto', 'influxd') };
const MANY = process.env.BUSBAR_LONG ? 1000000 : 200000;
const UNLIMITED = ['max_queued_messages 0', 'max_inflight_messages 0'];

/** The store's bytes on the disk, without the log beside it, which is used again. @param {string} data */
function storeBytes(data) {
  return fs.statSync(path.join(data, 'store.db')).size;
}

/** In memory, of a process, bytes. @param {number} pid */
function residentBytes(pid) {
  const text = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1]) * 1024;
}

/** @param {string} id @param {string} url */
function describeSink(id, url) {
  return { id, mqtt: { url, topic: `${id}/{device}` }, devices: ['*'] };
}

/** @param {import('../support/listener').Listener} listener @param {string} sink */
function heardFrom(listener, sink) {
  const messages = listener.messages.filter(({ topic }) => topic === `${sink}/m`);
  return arrivalsOf(/** @type {any} */ ({ messages }));
}

/** Three sinks that are away: two brokers and a database. @param {TestContext} t */
async function openThree(t) {
  const broker = await startMosquitto(t, { config: UNLIMITED });
  const listener = await listen(t, broker.url, { topic: '+/m' });
  const database = await openInflux(t);
  const http = await startHttpWay(t, database.url);
  const one = await startForwarder(t, broker.port);
  const two = await startForwarder(t, Number(new URL(http.url).port));
  const late = await startForwarder(t, broker.port);
  await Promise.all([one, two, late].map((way) => way.stop()));
  const { sinks } = describeSite(database, `http://127.0.0.1:${two.port}`);
  const config = {
    ...describeCounters('m'),
    sinks: [
      describeSink('one', `mqtt://127.0.0.1:${one.port}`),
      { ...sinks[0], id: 'two' },
      describeSink('late', `mqtt://127.0.0.1:${late.port}`),
    ],
    runtime: { queue_bytes: '4MiB', store: { sync: '100ms' } },
  };
  return { config, listener, database, http, one, two, late };
}

test('two sinks get all that waited while a third is away', THREE, async (t) => {
  const { config, listener, database, http, one, two, late } = await openThree(t);
  const runtime = await startRuntime(t, config);
  const counter = await startCounter(t, runtime, { noise: 110 });
  while (counter.last < 10000) {
    await counter.send(1000);
    await counter.committed('late');
  }
  const full = storeBytes(runtime.data);
  await Promise.all([one.start(), two.start()]);
  await waitForAll(() => heardFrom(listener, 'one'), counter.last);
  await counter.drained('one');
  await counter.drained('two');
  await listener.caughtUp();
  assert.deepEqual(checkArrivals(heardFrom(listener, 'one'), counter).repeated, []);
  await checkRows(database, http, counter.last);
  assert.equal(numbersIn(http.written).length, counter.last, 'each was written once');
  assert.equal((await counter.sinks()).late.waiting, counter.last + counter.marks);
  assert.equal(heardFrom(listener, 'late').length, 0);
  await late.start();
  await waitForAll(() => heardFrom(listener, 'late'), counter.last);
  await counter.drained('late');
  await listener.caughtUp();
  const { repeated } = checkArrivals(heardFrom(listener, 'late'), counter);
  assert.deepEqual(repeated, []);
  const sinks = await counter.sinks();
  assert.deepEqual([sinks.one.dropped, sinks.two.dropped, sinks.late.dropped], [0, 0, 0]);
  await waitFor(() => storeBytes(runtime.data) < full / 4, {
    timeoutMs: 30000,
    what: `the file to get smaller than ${full} bytes`,
  });
  t.diagnostic(
    `store: ${full} bytes with ${counter.last} records, then ${storeBytes(runtime.data)}`,
  );
});

test('a sink that was removed keeps its backlog for its return', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t, { config: UNLIMITED });
  const listener = await listen(t, broker.url, { topic: '+/m' });
  const way = await startForwarder(t, broker.port);
  await way.stop();
  const data = tempDir(t);
  const both = {
    ...describeCounters('m'),
    sinks: [
      describeSink('stays', broker.url),
      describeSink('goes', `mqtt://127.0.0.1:${way.port}`),
    ],
    runtime: { store: { sync: '100ms' } },
  };
  const one = { ...both, sinks: [both.sinks[0]] };
  const first = await startRuntime(t, both, { data });
  const counter = await startCounter(t, first);
  await counter.send(1000);
  await waitForAll(() => heardFrom(listener, 'stays'), 1000);
  await first.stop();
  const second = await startRuntime(t, one, { data });
  await second.program.waitForOutput(/goes: there is no such sink any more; 1000 batches/);
  const without = await startCounter(t, second, { last: 1000 });
  await without.send(500);
  await waitForAll(() => heardFrom(listener, 'stays'), 1500);
  await second.stop('SIGKILL');
  await way.start();
  const third = await startRuntime(t, both, { data });
  const back = await startCounter(t, third, { last: 1500 });
  await back.send(100);
  await waitFor(() => heardFrom(listener, 'goes').length >= 1100, {
    timeoutMs: 30000,
    what: 'its backlog, and what is new',
  });
  await back.drained('goes');
  await listener.caughtUp();
  checkArrivals(heardFrom(listener, 'stays'), back);
  const numbers = heardFrom(listener, 'goes').map(({ n }) => n);
  assert.equal(numbers.length, 1100);
  /* 1001 to 1500 were read while there was no such sink. */
  assertComplete(new Set(numbers.map((n) => (n > 1500 ? n - 500 : n))), 1100);
});

test(`a backlog of ${MANY} is not loaded at the start`, MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t, { config: UNLIMITED });
  const listener = await listen(t, broker.url, { topic: '+/m' });
  const way = await startForwarder(t, broker.port);
  await way.stop();
  const data = tempDir(t);
  const sink = describeSink('bus', `mqtt://127.0.0.1:${way.port}`);
  const config = {
    ...describeCounters('m'),
    sinks: [sink],
    runtime: { queue_bytes: '4MiB', store: { sync: '100ms' } },
  };
  const first = await startRuntime(t, config, { data });
  const counter = await startCounter(t, first);
  while (counter.last < MANY) {
    await counter.send(10000);
    await counter.committed('bus');
    const { dropped } = (await counter.sinks()).bus;
    assert.equal(dropped, 0, `none has to go, at ${counter.last}`);
  }
  await first.stop();
  t.diagnostic(`${MANY} records are ${storeBytes(data)} bytes of store`);
  await way.start();
  const slow = { ...config, sinks: [{ ...sink, store: { history_rate: 2000 } }] };
  const started = Date.now();
  const second = await startRuntime(t, slow, { data });
  const after = await startCounter(t, second, { last: MANY });
  const early = residentBytes(second.pid);
  await after.send(1);
  await listener.waitFor(({ payload }) => payload.values?.n === MANY + 1, {
    timeoutMs: 30000,
    what: 'what is live',
  });
  t.diagnostic(`live after ${Date.now() - started} ms`);
  const history = () => heardFrom(listener, 'bus').length;
  await waitFor(() => history() > 10000, { timeoutMs: 60000, what: '10,000 of the backlog' });
  const late = residentBytes(second.pid);
  t.diagnostic(`resident: ${early} bytes at the start, ${late} during the drain`);
  assert.ok(early < 40 << 20, `${early} bytes are in memory at the start`);
  assert.ok(late < early + (16 << 20), `${late} bytes are in memory during the drain`);
  checkPrefix(heardFrom(listener, 'bus'));
});

/** The backlog comes from its beginning, without a gap.
 * @param {import('../support/counter').Arrival[]} arrivals */
function checkPrefix(arrivals) {
  const numbers = arrivals.filter(({ history }) => history).map(({ n }) => n);
  const at = numbers.findIndex((n, i) => n !== i + 1);
  assert.equal(at, -1, `at ${at}: ${numbers.slice(Math.max(0, at - 2), at + 3).join(', ')}`);
}

for (const where of ['the store', 'the sink']) {
  test(`past the bound of ${where} the oldest go, and are counted`, MOSQUITTO, async (t) => {
    const broker = await startMosquitto(t, { config: UNLIMITED });
    const listener = await listen(t, broker.url, { topic: '+/m' });
    const way = await startForwarder(t, broker.port);
    await way.stop();
    const bound = { max_bytes: '1MiB' };
    const sink = describeSink('bus', `mqtt://127.0.0.1:${way.port}`);
    const runtime = await startRuntime(t, {
      ...describeCounters('m'),
      sinks: [where === 'the sink' ? { ...sink, store: bound } : sink],
      runtime: { store: { sync: '100ms', ...(where === 'the store' && bound) } },
    });
    const counter = await startCounter(t, runtime, { noise: 40 });
    while (counter.last < 8000) {
      await counter.send(500);
      await counter.committed('bus');
    }
    const dropped = async () => (await counter.sinks()).bus.dropped;
    await waitFor(async () => (await dropped()) > 1000, { what: 'the oldest to go' });
    await way.start();
    await counter.drained('bus');
    const numbers = () => heardFrom(listener, 'bus').map(({ n }) => n);
    const least = counter.last - (await dropped());
    await waitFor(() => numbers().length >= least, { what: `the ${least} newest` });
    const came = numbers().sort((a, b) => a - b);
    t.diagnostic(`${came.length} came, ${await dropped()} were dropped`);
    assert.equal(came.length, counter.last - came[0] + 1, 'only the oldest are missing');
    /* Some of the dropped ones are marks. */
    const missing = came[0] - 1;
    const told = await dropped();
    assert.ok(told >= missing && told <= missing + counter.marks, `${told} told, ${missing} gone`);
    const warnings = runtime.log.split('\n').filter((line) => /dropped unsent/.test(line));
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.match(warnings[0], /store\.max_bytes/);
  });
}
