/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The bench programs: those of C from the native build, those of JavaScript from tests/bench. */

const path = require('node:path');
const { runStep } = require('../command');
const { REPO } = require('../files');
const { findBusbar } = require('../peers/busbar');

const TIMEOUT_MS = 60000;

/** Beside the executable. @param {string} name Of a program from tests/bench/NAME.c */
function findProgram(name) {
  return path.join(path.dirname(findBusbar()), 'bench', name);
}

/** @param {string} name Of tests/bench/NAME */
function findScript(name) {
  return path.join(REPO, 'tests/bench', name);
}

/** Runs a program that prints one JSON object.
 * @param {string} command @param {(string | number)[]} args @returns {Promise<any>} */
async function measureProgram(command, args) {
  const output = await runStep(command, args.map(String), {
    what: 'The measurement',
    timeoutMs: TIMEOUT_MS,
    advice: '',
  });
  return JSON.parse(/** @type {string} */ (output.trimEnd().split('\n').pop()));
}

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

module.exports = { findProgram, findScript, mean, measureProgram };
