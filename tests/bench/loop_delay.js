/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Loaded into Node-RED before all else (node --require): how long its event loop keeps a timer waiting.
   With SIGWINCH it begins anew, after it has printed a line of what was measured so far:

     loop-delay {"p50":0.08,"p99":0.9,"max":4.1,"n":1000}

   in milliseconds over the timer's own period. */

const { monitorEventLoopDelay } = require('node:perf_hooks');

const PERIOD_MS = 10;

const histogram = monitorEventLoopDelay({ resolution: PERIOD_MS });
histogram.enable();

/** @param {number} ns */
function lateness(ns) {
  return Number((ns / 1e6 - PERIOD_MS).toFixed(3));
}

process.on('SIGWINCH', () => {
  const at = (/** @type {number} */ part) => lateness(histogram.percentile(part));
  const { max, count } = histogram;
  const measured = { p50: at(50), p99: at(99), max: lateness(max), n: count };
  histogram.reset();
  process.stdout.write(`loop-delay ${JSON.stringify(measured)}\n`);
});
