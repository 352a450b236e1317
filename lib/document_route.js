/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The routes of the document: one for each wire that leads straight from busbar-in into a sink. Its two
   nodes say what goes along it: which readings, the busbar-in; whether events too, the end. */

const { leaveOutEmpty, readBoolean } = require('./fields');
const { splitList } = require('./patterns');

/** @typedef {import('./document').LiveNode} LiveNode */

/** @typedef {object} DirectRoute
 * @property {string} nodeId Of the busbar-in.
 * @property {string} sink
 * @property {string[]} devices Ids.
 * @property {LiveNode} source
 * @property {LiveNode} end The busbar-mqtt-out or busbar-influx-out.
 */

const UNTOLD =
  'it shall get events of devices, and none come: they go along a wire straight from "read points", ' +
  'while its fields for messages are empty; draw such a wire, or empty them';

/** @param {LiveNode} end */
function wantsEvents({ events }) {
  return readBoolean(events) === true;
}

/** @param {DirectRoute} route */
function makeRoute({ sink, devices, source, end }) {
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
      events: wantsEvents(end) || undefined,
    }),
  };
}

/** @param {DirectRoute[]} routes */
function makeRoutes(routes) {
  return routes.map(makeRoute);
}

/** Messages carry no events, so who wants some and has no route would wait for nothing.
 * @param {LiveNode[]} ends @param {DirectRoute[]} routes @returns {import('./document').Problem[]} */
function warnOfUntold(ends, routes) {
  const told = new Set(routes.map(({ end }) => end.id));
  const untold = ends.filter((end) => wantsEvents(end) && !told.has(end.id));
  return untold.map(({ id }) => ({ nodeId: id, text: UNTOLD }));
}

/** Whose setting a key of a route is. @param {DirectRoute | undefined} route @param {string} [key] */
function nodeOfRoute(route, key) {
  return key === 'events' ? route?.end.id : route?.nodeId;
}

module.exports = { makeRoutes, nodeOfRoute, warnOfUntold };
