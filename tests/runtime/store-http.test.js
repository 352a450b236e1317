/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Databases that stop, sleep, refuse, hang, crawl, break off and lose their answers: each number must be
   in them afterwards, under its time. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacks, startInflux1, startVictoria, tempDir, waitFor } = require('../support');
const { assertComplete, describeCounters, startCounter, timeOf } = require('../support/counter');
const { startHttpWay } = require('../support/http_way');
const { startRuntime } = require('../support/runtime');

/**
 * @typedef {import('node:test').TestContext} TestContext
 * @typedef {Awaited<ReturnType<typeof startHttpWay>>} Way
 * @typedef {import('../support/counter').Counter} Counter
 * @typedef {import('../support/program').Program} Program
 *
 * @typedef {object} Database
 * @property {string} url
 * @property {Record<string, unknown>} options Of the sink.
 * @property {() => Promise<[ms: number, n: number][]>} read
 * @property {() => Promise<unknown>} start
 * @property {() => Promise<unknown>} stop
 * @property {() => Program} program
 */

/** @param {TestContext} t @returns {Promise<Database>} */
async function openInflux(t) {
  const influx = await startInflux1(t, { databases: ['plant'] });
  return {
    url: influx.url,
    options: { database: 'plant' },
    read: async () => {
      const rows = await influx.query('plant', 'SELECT n FROM counted');
      return rows.map(({ time, n }) => [Math.round(time / 1e6), n]);
    },
    start: () => influx.start(),
    stop: async () => influx.stop(),
    program: () => /** @type {Program} */ (influx.program),
  };
}

/** @param {TestContext} t @returns {Promise<Database>} */
async function openVictoria(t) {
  /* It leaves out what is older than a month otherwise. */
  const victoria = await startVictoria(t, { args: ['-retentionPeriod=100y'] });
  return {
    url: victoria.url,
    options: { org: 'plant', bucket: 'energy', token_env: 'PATH' },
    read: async () => {
      const found = await victoria.export('{__name__="counted_n"}');
      return found.flatMap(({ values, timestamps }) =>
        timestamps.map((time, i) => /** @type {[number, number]} */ ([time, values[i]])),
      );
    },
    start: () => victoria.start(),
    stop: async () => victoria.stop(),
    program: () => /** @type {Program} */ (victoria.program),
  };
}

const DATABASES = [
  { name: 'InfluxDB 1', open: openInflux, skip: lacks('influxd') },
  { name: 'VictoriaMetrics', open: openVictoria, skip: lacks('victoria-metrics') },
];

/** @param {Database} database @param {string} url */
function describeSite(database, url) {
  const options = { measurement: 'counted', timeout: '2s', gzip: false, batch: { age: '100ms' } };
  return {
    ...describeCounters('m'),
    sinks: [{ id: 'hist', influxdb: { url, ...options, ...database.options }, devices: ['*'] }],
    runtime: { store: { sync: '100ms' } },
  };
}

/** Each number is there, under its own time, and nothing else.
 * @param {Database} database @param {number} last */
async function checkRows(database, last) {
  await waitFor(async () => (await database.read()).length >= last, {
    timeoutMs: 60000,
    what: `${last} rows`,
  }).catch(() => {});
  const rows = await database.read();
  for (const [time, n] of rows) assert.equal(time, timeOf(n), `the time of ${n}`);
  assertComplete(new Set(rows.map(([, n]) => n)), last);
}

/** The numbers whose writing was acknowledged more than once. @param {Way} way */
function findRepeated(way) {
  const seen = new Set();
  const numbers = way.acknowledged.flatMap((text) => [...text.matchAll(/ n=(\d+)[iu]? /g)]);
  return numbers.map((match) => Number(match[1])).filter((n) => seen.has(n) || !seen.add(n));
}

/** Spoils the way, sends, waits until that was noticed, and puts it right.
 * @param {Way} way @param {Counter} counter @param {import('../support/http_way').Mode} mode */
async function suffer(way, counter, mode) {
  way.set(mode);
  await counter.send(200);
  await waitFor(() => way.asked > 0, { timeoutMs: 30000, what: `a request (${mode})` });
  await counter.send(200);
  way.set('pass');
  await counter.send(10);
  await counter.drained('hist');
}

for (const { name, open, skip } of DATABASES) {
  test(`${name}: what it is owed comes once it takes it again`, { skip }, async (t) => {
    const database = await open(t);
    const way = await startHttpWay(t, database.url);
    const runtime = await startRuntime(t, describeSite(database, way.url));
    const counter = await startCounter(t, runtime);
    await counter.send(100);
    await counter.drained('hist');
    for (const mode of /** @type {const} */ ([503, 'break', 'slow'])) {
      await suffer(way, counter, mode);
      await checkRows(database, counter.last);
    }
    assert.deepEqual(findRepeated(way), [], 'nothing was acknowledged twice');
    await suffer(way, counter, 'lose');
    process.kill(database.program().pid, 'SIGSTOP');
    await counter.send(300);
    await counter.isReady('hist', false);
    process.kill(database.program().pid, 'SIGCONT');
    await counter.drained('hist');
    await checkRows(database, counter.last);
    assert.equal((await counter.sinks()).hist.dropped, 0);
  });

  test(`${name}: stopped, started, and refusing over two lives`, { skip }, async (t) => {
    const database = await open(t);
    const way = await startHttpWay(t, database.url);
    const data = tempDir(t);
    const config = describeSite(database, way.url);
    const first = await startRuntime(t, config, { data });
    const before = await startCounter(t, first);
    await before.send(100);
    await before.drained('hist');
    await database.stop();
    await before.send(300);
    await before.isReady('hist', false);
    await database.start();
    await before.send(10);
    await before.drained('hist');
    way.set(401);
    await before.send(300);
    await before.isReady('hist', false);
    const reason = (await before.sinks()).hist.reason;
    assert.match(reason, /401/);
    await before.send(200);
    await before.committed('hist', { payload: 'mark n=0' });
    await first.stop('SIGKILL');
    way.set('pass');
    const second = await startRuntime(t, config, { data });
    const after = await startCounter(t, second, { last: before.last });
    await after.send(50);
    await after.drained('hist');
    await checkRows(database, after.last);
    assert.deepEqual(findRepeated(way), []);
  });
}
