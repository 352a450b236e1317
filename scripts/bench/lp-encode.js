/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* How many float32 fields with random mantissas become line protocol in a second: our encoder, and
   Point of @influxdata/influxdb-client. */

const { say } = require('../progress');
const { findProgram, findScript, mean, measureProgram } = require('./program');
const { atLeast } = require('./result');

const SECONDS = 2;
const ROUNDS = 2;
const REFERENCE = '@influxdata/influxdb-client';
const MILLION = 1e6;

async function measure() {
  /** @type {number[]} */
  const ours = [];
  /** @type {number[]} */
  const theirs = [];
  for (let round = 0; round < ROUNDS; round++) {
    const native = await measureProgram(findProgram('lp_encode'), [SECONDS]);
    const script = findScript('lp_encode_reference.js');
    const reference = await measureProgram(process.execPath, [script, SECONDS]);
    ours.push(native.fields_per_s / MILLION);
    theirs.push(reference.fields_per_s / MILLION);
  }
  say(`  busbar ${ours.map((n) => n.toFixed(1)).join(', ')} M fields/s`);
  say(`  ${REFERENCE} ${theirs.map((n) => n.toFixed(2)).join(', ')} M fields/s`);
  return [
    atLeast('lp-encode', 'M fields/s', mean(ours), 25, { name: REFERENCE, value: mean(theirs) }),
  ];
}

module.exports = { measure };
