/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What it costs Node.js to make a plain object of a batch of 60 points, and JSON.parse of the same. */

const { say } = require('../progress');
const { findScript, measureProgram } = require('./program');
const { atMost } = require('./result');

const SECONDS = 3;
const ROUNDS = 3;
const MOST_NS = 15;

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

async function measure() {
  /** @type {number[]} */
  const ours = [];
  /** @type {number[]} */
  const json = [];
  for (let round = 0; round < ROUNDS; round++) {
    /* Both by turns in one process; its numbers are medians already. */
    const measured = await measureProgram(process.execPath, [findScript('js_decode.js'), SECONDS]);
    ours.push(measured.ns_per_point);
    json.push(measured.json_ns_per_point);
  }
  say(`  busbar ${ours.join(', ')} ns a point; JSON.parse ${json.join(', ')} ns a point`);
  const reference = { name: 'JSON.parse', value: median(json) };
  return [atMost('js-decode', 'ns CPU/point', median(ours), MOST_NS, reference)];
}

module.exports = { measure };
