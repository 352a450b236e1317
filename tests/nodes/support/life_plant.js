/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A plant whose readings tell whether what happened to Node-RED and to the runtime was noticed: their times
   are those of the readings, as they arrive at a real broker by a direct route. */

const assert = require('node:assert/strict');
const { startMosquitto, waitFor } = require('../../support');
const { listen } = require('../../support/listener');
const { makeFlows, startMeters, startPalette } = require('./palette');

const PERIOD_MS = 1000;
/* A reading may come so much later than a period after the one before. */
const LATE_MS = 400;
const READ_ALL = 'b05ba70000000302';

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {import('./palette').FlowNode} FlowNode */

/** Meters whose fast scan goes to a broker by a direct route, and by messages to a debug node.
 * @param {TestContext} t @param {{extra?: FlowNode[], options?: object}} [more] */
async function startPlant(t, { extra = [], options = {} } = {}) {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url);
  const sims = await startMeters(t);
  const flows = (await makeFlows(['pm500-direct'], { sims, broker: broker.url }))
    .filter(({ type }) => type !== 'busbar-influxdb' && type !== 'busbar-influx-out')
    .map((node) =>
      node.id === READ_ALL ? { ...node, wires: [['b05ba70000000305', 'sink']] } : node,
    )
    .filter(({ id }) => id !== 'b05ba70000000304');
  const debug = {
    id: 'sink',
    type: 'function',
    z: 'b05ba70000000300',
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

/** No period is missing. @param {import('../../support/listener').Listener} listener @param {string} meter
 * @param {number} [longestMs] */
function expectNoGap(listener, meter, longestMs = PERIOD_MS + LATE_MS) {
  const times = timesOf(listener, meter);
  assert.ok(times.length >= 3, `${meter}: only ${times.length} readings`);
  for (let i = 1; i < times.length; i++) {
    const gap = times[i] - times[i - 1];
    assert.ok(gap <= longestMs, `${meter}: ${gap} ms between two readings`);
  }
}

module.exports = { READ_ALL, expectNoGap, goodMeters, startPlant };
