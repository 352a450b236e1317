/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Databases that take a counter's numbers (counter.js) by the sink `hist`, and what is to be said of the
   rows that they have then. */

const assert = require('node:assert/strict');
const { assertComplete, describeCounters, timeOf } = require('./counter');
const { startInflux1 } = require('./influx1');
const { lacks } = require('./place');
const { startVictoria } = require('./victoria');
const { waitFor } = require('./wait');

/**
 * @typedef {import('node:test').TestContext} TestContext
 * @typedef {import('./http_way').HttpWay} HttpWay
 *
 * @typedef {object} Database
 * @property {string} url
 * @property {boolean} keepsOne Of what has the same series and time; else it keeps each.
 * @property {Record<string, unknown>} options Of the sink.
 * @property {() => Promise<[ms: number, n: number][]>} read
 * @property {() => Promise<unknown>} start
 * @property {() => Promise<unknown>} stop
 * @property {() => import('./program').Program} program
 */

/** @param {TestContext} t @returns {Promise<Database>} */
async function openInflux(t) {
  const influx = await startInflux1(t, { databases: ['plant'] });
  return {
    url: influx.url,
    keepsOne: true,
    options: { database: 'plant' },
    read: async () => {
      const rows = await influx.query('plant', 'SELECT n FROM counted');
      return rows.map(({ time, n }) => [Math.round(time / 1e6), n]);
    },
    start: () => influx.start(),
    stop: async () => influx.stop(),
    program: () => /** @type {any} */ (influx.program),
  };
}

/** @param {TestContext} t @param {string[]} [more] Of its arguments. @returns {Promise<Database>} */
async function openVictoria(t, more = []) {
  /* It leaves out what is older than a month otherwise. */
  const victoria = await startVictoria(t, { args: ['-retentionPeriod=100y', ...more] });
  return {
    url: victoria.url,
    keepsOne: more.length > 0,
    options: { org: 'plant', bucket: 'energy', token_env: 'PATH' },
    read: async () => {
      const found = await victoria.export('{__name__="counted_n"}');
      return found.flatMap(({ values, timestamps }) =>
        timestamps.map((time, i) => /** @type {[number, number]} */ ([time, values[i]])),
      );
    },
    start: () => victoria.start(),
    stop: async () => victoria.stop(),
    program: () => /** @type {any} */ (victoria.program),
  };
}

/** @param {TestContext} t */
function openVictoriaOnce(t) {
  return openVictoria(t, ['-dedup.minScrapeInterval=1ms']);
}

const DATABASES = [
  { name: 'InfluxDB 1', open: openInflux, skip: lacks('influxd') },
  { name: 'VictoriaMetrics', open: openVictoria, skip: lacks('victoria-metrics') },
];

/** @param {Database} database @param {string} url Of the way to it. */
function describeSite(database, url) {
  const options = { measurement: 'counted', timeout: '2s', gzip: false, batch: { age: '100ms' } };
  return {
    ...describeCounters('m'),
    sinks: [{ id: 'hist', influxdb: { url, ...options, ...database.options }, devices: ['*'] }],
    runtime: { store: { sync: '100ms' } },
  };
}

/** The counted numbers in what was written, in their order. @param {string[]} texts */
function numbersIn(texts) {
  const found = texts.flatMap((text) => [...text.matchAll(/^counted\S* n=(\d+)[iu]?[ ,]/gm)]);
  return found.map((match) => Number(match[1]));
}

/** The numbers whose writing was acknowledged more than once. @param {HttpWay} way */
function findRepeated(way) {
  const seen = new Set();
  return numbersIn(way.acknowledged).filter((n) => seen.has(n) || !seen.add(n));
}

/**
 * Each number is there, under its own time, and nothing else: once, or where the database keeps each as often as
 * it was written along the way.
 * @param {Database} database @param {HttpWay} way @param {number} last
 */
async function checkRows(database, way, last) {
  const wanted = () => (database.keepsOne ? last : numbersIn(way.written).length);
  const isThere = async () => (await database.read()).length >= wanted() && way.underWay === 0;
  await waitFor(isThere, { timeoutMs: 60000, what: `${wanted()} rows` }).catch(() => {});
  const rows = await database.read();
  for (const [time, n] of rows) assert.equal(time, timeOf(n), `the time of ${n}`);
  assertComplete(new Set(rows.map(([, n]) => n)), last);
  assert.equal(rows.length, wanted(), `${rows.length} rows of ${last} numbers`);
}

module.exports = {
  ...{ DATABASES, checkRows, describeSite, findRepeated, numbersIn },
  ...{ openInflux, openVictoria, openVictoriaOnce },
};
