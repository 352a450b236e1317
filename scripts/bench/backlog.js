/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A runtime that starts with records on the disk for its one sink, and an external device beside. */

const fs = require('node:fs');
const path = require('node:path');
const { startRuntime } = require('../peers/busbar');
const { freePort } = require('../peers/place');
const { sumMetric } = require('./metrics');
const { findProgram, findScript, measureProgram } = require('./program');

const POINTS = 50;
const SINK = 'far';

/** @typedef {{child: import('../peers/child').Child, metricsUrl: string, data: string}} Backlogged */

/** Puts batches of 50 floats on the disk. @param {string} folder @param {number} devices
 * @param {number} records @returns {Promise<{records: number, bytes: number}>} */
async function fillStore(folder, devices, records) {
  const data = path.join(folder, 'data');
  fs.mkdirSync(data, { recursive: true });
  return measureProgram(findProgram('store_fill'), [data, SINK, devices, records]);
}

/** @param {string} folder @param {object} sink Its kind, with the options.
 * @returns {Promise<Backlogged>} */
async function startBacklogged(folder, sink) {
  const { CONFIG } = require(findScript('live_source.js'));
  const metrics = await freePort();
  const child = startRuntime(folder, {
    busbar: 1,
    site: { id: 'plant' },
    ...CONFIG,
    sinks: [{ id: SINK, ...sink, devices: ['*'] }],
    runtime: { metrics: `127.0.0.1:${metrics}`, log: { level: 'warn' } },
  });
  return {
    child,
    metricsUrl: `http://127.0.0.1:${metrics}/metrics`,
    data: path.join(folder, 'data'),
  };
}

/** @param {Backlogged} runtime */
function countDelivered({ metricsUrl }) {
  return sumMetric(metricsUrl, 'busbar_sink_delivered_batches_total');
}

/** @param {Backlogged} runtime */
function countWaiting({ metricsUrl }) {
  return sumMetric(metricsUrl, 'busbar_sink_queue_batches');
}

module.exports = { POINTS, countDelivered, countWaiting, fillStore, startBacklogged };
