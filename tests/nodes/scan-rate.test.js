/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the sidebar says of a device between two answers of the runtime: its measured rate, and when it
   is asked out of turn. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { PlantState } = require('../../lib/plant_state');
const { ScanRate } = require('../../lib/scan_rate');
const { StatusPoller } = require('../../lib/status_poller');
const { waitFor } = require('../support');

const START = 1763688000000;

test('a rate is that of the readings, whenever it is looked at', () => {
  const rate = new ScanRate();
  rate.take(10, START, 60);
  assert.equal(rate.at(START + 100), undefined);
  /* Configured for one a second; the device manages one in two. */
  rate.take(11, START + 2000, 60);
  assert.equal(rate.at(START + 2100), 30);
  rate.take(12, START + 4000, 60);
  rate.take(13, START + 6000, 60);
  assert.equal(rate.at(START + 6900), 30);
  rate.take(23, START + 11000, 60);
  assert.equal(rate.at(START + 11000), 120);
  assert.equal(rate.at(START + 30000), 0, 'it is silent');
  rate.take(1, START + 31000, 60);
  assert.equal(rate.at(START + 31000), undefined, 'the runtime was started anew');
});

test('a scan with a long period keeps its rate between two readings', () => {
  const rate = new ScanRate();
  rate.take(1, START, 12);
  rate.take(2, START + 60000, 12);
  assert.equal(rate.at(START + 115000), 0.2);
});

/** @param {string} id @param {any[]} scans */
const status = (id, scans) => ({ devices: [{ id, up: true, scans }] });

test('scans that were not read yet count neither as points nor as rate', () => {
  const state = new PlantState();
  const slow = { scan: 'slow', period_ms: 10000, polls: 1, done: 0, failed: 0 };
  const fast = { scan: 'fast', points: 4, good: 4, period_ms: 100, polls: 1, failed: 0 };
  state.takeStatus(status('m', [slow, { ...fast, done: 1, timestamp: START }]));
  state.takeStatus(status('m', [slow, { ...fast, done: 6, timestamp: START + 1000 }]));
  const device = state.device('m');
  assert.deepEqual([device.points, device.good, device.missing], [4, 4, 1]);
  assert.equal(state.rateOf('m', START + 1000), 20);
  assert.equal(state.rateOf('nobody', START), undefined);
});

test('a device that has come up is asked at once, until its points are known', async (t) => {
  const state = new PlantState();
  /** @type {string[][]} */
  const asked = [];
  let answers = 0;
  const scan = { scan: 'fast', points: 4, good: 4, period_ms: 1000, polls: 1, done: 1, failed: 0 };
  const runtime = {
    /** @param {string} _op @param {{devices: string[]}} args */
    async request(_op, { devices }) {
      if (devices.length > 0) asked.push(devices);
      if (!devices.includes('m')) return {};
      /* Its first reading is on its way for a while. */
      return status('m', [++answers < 4 ? { ...scan, done: 0 } : { ...scan, timestamp: START }]);
    },
  };
  const poller = new StatusPoller(/** @type {any} */ (runtime), state);
  poller.devices = ['m', 'other'];
  t.after(() => poller.stop());
  poller.start();
  await waitFor(() => asked.length === 1, { what: 'the first round' });
  state.takeEvent({ event: 'device', device: 'm', up: true, since: START });
  const started = Date.now();
  poller.hurry('m');
  await waitFor(() => state.device('m').points === 4, { what: 'its points' });
  assert.ok(Date.now() - started < 4000, `${Date.now() - started} ms`);
  assert.deepEqual(asked.slice(1), [['m'], ['m'], ['m']]);
  assert.equal(poller.fresh.size, 1);
  await waitFor(() => poller.fresh.size === 0, { what: 'no more to be asked' });
});
