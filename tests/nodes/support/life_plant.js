/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A plant whose readings tell whether what happened to Node-RED and to the runtime was noticed: their times
   are those of the readings, as they arrive at a real broker by a direct route. */

const assert = require('node:assert/strict');
const { startMosquitto, waitFor } = require('../../support');
const { listen } = require('../../support/listener');
const { connectSocket } = require('../../support/socket');
const { makeFlows, startMeters, startPalette } = require('./palette');

const PERIOD_MS = 1000;
/* A reading may come so much later than a period after the one before. */
const LATE_MS = 400;
const METERS = ['meter-1', 'meter-2', 'meter-3'];
/* Nodes of the flow. */
const TAB = 'b05ba70000000300';
const READ_ALL = 'b05ba70000000302';
const TO_BROKER = 'b05ba70000000305';

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {import('./palette').FlowNode} FlowNode */

/** Meters whose fast scan goes to a broker by a direct route, and by messages to a debug node.
 * @param {TestContext} t @param {{extra?: FlowNode[], options?: object, mode?: 'spawn' | 'attach'}} [more] */
async function startPlant(t, { extra = [], options = {}, mode = 'spawn' } = {}) {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url);
  const sims = await startMeters(t);
  const flows = (await makeFlows(['pm500-direct'], { sims, broker: broker.url }))
    .filter(({ type }) => type !== 'busbar-influxdb' && type !== 'busbar-influx-out')
    .map((node) => (node.id === READ_ALL ? { ...node, wires: [[TO_BROKER, 'sink']] } : node))
    .filter(({ id }) => id !== 'b05ba70000000304')
    .map((node) => (node.type === 'busbar-runtime' ? { ...node, mode } : node));
  const debug = {
    id: 'sink',
    type: 'function',
    z: TAB,
    func: 'return null;',
    outputs: 0,
    libs: [],
    wires: [],
  };
  /** @type {FlowNode[]} */
  const all = [...flows, debug, ...extra];
  const palette = await startPalette(t, all, options);
  await goodMeters(palette);
  await waitFor(() => timesOf(listener, 'meter-1').length >= 3, { what: 'three readings' });
  return { palette, flows: all, sims, listener, broker };
}

/** @param {import('./palette').Palette} palette */
function goodMeters(palette) {
  return palette.waitForOverview(
    ({ devices }) =>
      devices.length === 3 && devices.every((/** @type {any} */ one) => one.state === 'good'),
    'all meters to be good',
  );
}

/** Times of the readings of a meter's fast scan. @param {import('../../support/listener').Listener} listener
 * @param {string} meter */
function timesOf(listener, meter) {
  return listener.messages
    .filter(({ topic }) => topic === `plant/${meter}/fast`)
    .map(({ payload }) => payload.timestamp)
    .sort((a, b) => a - b);
}

/** How many periods of a meter's fast scan the runtime says it had no time for, or no answer: a machine
 * that is held up for a second misses one. @param {import('node:test').TestContext} t
 * @param {string} data Its data directory. @returns {Promise<Map<string, number>>} By meter. */
async function countMissed(t, data) {
  const client = await connectSocket(t, data);
  const { devices } = await client.must('status');
  return new Map(
    devices.map((/** @type {any} */ { id, scans }) => {
      const { skipped, failed } = scans.find((/** @type {any} */ { scan }) => scan === 'fast');
      return [id, skipped + failed];
    }),
  );
}

/** No period is missing. @param {import('../../support/listener').Listener} listener @param {string} meter
 * @param {{longestMs?: number, fromMs?: number, missed?: number}} [more] `fromMs`: what was read before
 *   does not matter; `missed`: so many were never read. */
function expectNoGap(
  listener,
  meter,
  { longestMs = PERIOD_MS + LATE_MS, fromMs = 0, missed = 0 } = {},
) {
  let left = missed;
  const times = timesOf(listener, meter).filter((time) => time >= fromMs);
  assert.ok(times.length >= 3, `${meter}: only ${times.length} readings`);
  for (let i = 1; i < times.length; i++) {
    const gap = times[i] - times[i - 1];
    const isMissed = gap > longestMs && gap <= longestMs + PERIOD_MS && left > 0;
    if (isMissed) left -= 1;
    assert.ok(gap <= longestMs || isMissed, `${meter}: ${gap} ms between two readings`);
  }
}

/** One that is read after that time has come. @param {import('../../support/listener').Listener} listener
 * @param {string} meter @param {number} afterMs */
function readingAfter(listener, meter, afterMs) {
  return waitFor(() => timesOf(listener, meter).some((time) => time > afterMs), {
    what: `a reading of ${meter}`,
    timeoutMs: 15000,
  });
}

module.exports = {
  ...{ METERS, PERIOD_MS, READ_ALL, TAB, TO_BROKER },
  ...{ countMissed, expectNoGap, goodMeters, readingAfter, startPlant },
};
