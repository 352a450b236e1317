/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The routes of the document: one for each wire that leads straight from busbar-in into a sink. */

const { leaveOutEmpty } = require('./fields');
const { splitList } = require('./patterns');

/** @typedef {import('./document').LiveNode} LiveNode */

/** @typedef {object} DirectRoute
 * @property {string} nodeId Of the busbar-in.
 * @property {string} sink
 * @property {string[]} devices Ids.
 * @property {LiveNode} source
 */

/** @param {DirectRoute} route */
function makeRoute({ sink, devices, source }) {
  return {
    sink,
    devices,
    ...leaveOutEmpty({
      scans: splitList(source.scans),
      points: splitList(source.points),
      report: source.mode === 'changes' ? 'changes' : undefined,
      heartbeat: source.mode === 'changes' ? source.heartbeat : undefined,
      every: source.every,
      aggregate: source.aggregate === 'none' || !source.every ? undefined : source.aggregate,
    }),
  };
}

/** @param {DirectRoute[]} routes */
function makeRoutes(routes) {
  return routes.map(makeRoute);
}

module.exports = { makeRoutes };
