/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The runtime that Node-RED has started. It ends with Node-RED, unless that was killed: then it waits for
   the next one, and writes to a folder that is to go. */

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');

const LOOK_MS = 50;
const END_MS = 8000;

/** @param {string} data @returns {number} 0: none is known. */
function readPid(data) {
  try {
    return JSON.parse(fs.readFileSync(path.join(data, 'runtime.json'), 'utf8')).pid;
  } catch {
    return 0;
  }
}

/** Whether that process still is a runtime of that data directory. @param {number} pid @param {string} data */
function isRuntime(pid, data) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(data);
  } catch {
    return false;
  }
}

/** @param {string} data Its data directory. */
async function endRuntime(data) {
  const pid = readPid(data);
  if (isRuntime(pid, data)) process.kill(pid, 'SIGTERM');
  const end = Date.now() + END_MS;
  while (isRuntime(pid, data) && Date.now() < end) await delay(LOOK_MS);
}

module.exports = { endRuntime };
