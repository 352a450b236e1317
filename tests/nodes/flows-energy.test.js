/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the function of flows/dashboard.json makes of a meter's counter: the energy of each minute. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { readFile } = require('../../scripts/files');

const MINUTE = 60000;
const NOON = new Date(2026, 0, 5, 12, 0).getTime();

/** The function of the flow with a memory of its own. @returns {(msg: object) => any} */
function makeFunction() {
  const nodes = JSON.parse(readFile('flows/dashboard.json'));
  const { func } = nodes.find((/** @type {any} */ node) => node.name === 'energy per minute');
  const memory = new Map();
  const context = {
    get: (/** @type {string} */ key) => memory.get(key),
    set: (/** @type {string} */ key, /** @type {unknown} */ value) => void memory.set(key, value),
  };
  return (msg) => new Function('msg', 'context', func)(msg, context);
}

/** @param {string} id @param {number} ms After noon. @param {number} [value] Wh */
function reading(id, ms, value) {
  const payload = value === undefined ? {} : { 'energy/active/import': value };
  return { device: { id }, timestamp: NOON + ms, payload };
}

test('the energy of a minute is what the counter grew by since the last one of the minute before', () => {
  const run = makeFunction();
  run(reading('meter-2', 0, 5000000));
  /** @type {[number, number, number, string][]} */
  const steps = [
    [20000, 5000250, 0.25, '12:00'],
    [50000, 5000700, 0.7, '12:00'],
    [MINUTE + 5000, 5000900, 0.2, '12:01'],
    [MINUTE + 55000, 5001400, 0.7, '12:01'],
    /* Away for two minutes. */
    [4 * MINUTE, 5004000, 0, '12:04'],
    [4 * MINUTE + 10000, 5004100, 0.1, '12:04'],
    /* Another meter in its place. */
    [4 * MINUTE + 20000, 80, 0, '12:04'],
    [4 * MINUTE + 30000, 95, 0.015, '12:04'],
  ];
  for (const [ms, value, kwh, time] of steps) {
    const bar = run(reading('meter-2', ms, value));
    assert.deepEqual(bar, { topic: 'meter-2', payload: kwh, time });
  }
});

test('each meter has its own counter, and the bars of all stand in one order', () => {
  const run = makeFunction();
  const [first] = run(reading('meter-3', 0, 900));
  const zero = (/** @type {string} */ topic) => ({ topic, payload: 0, time: '12:00' });
  assert.deepEqual(first, ['meter-1', 'meter-2', 'meter-3'].map(zero));
  assert.deepEqual(run(reading('meter-1', 10, 40)), zero('meter-1'));
  assert.equal(run(reading('meter-3', 10000, 1000)).payload, 0.1);
  assert.equal(run(reading('meter-1', 10010, 90)).payload, 0.05);
});

test('a reading without the counter changes nothing', () => {
  const run = makeFunction();
  run(reading('meter-1', 0, 1000));
  assert.equal(run(reading('meter-1', 10000)), null);
  assert.equal(run(reading('meter-1', 20000, 1300)).payload, 0.3);
});
