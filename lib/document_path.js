/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Where in the flows a path of the document leads: `devices[meter-1].unit` is about the node that made
   meter-1, `devices[meter-1].profile.points[0].type` about the busbar-profile that its points stand in. */

const { nodeOfRoute } = require('./document_route');

/** @typedef {{nodeId: string, path: string}} Place `path`: as that node's dialog would have it. */

/** @typedef {object} Known
 * @property {Map<string, string>} connectionIds Nodes by the ids of the document.
 * @property {import('./document').Assembly['devices']} devices
 * @property {import('./document').Assembly['sinks']} sinks
 * @property {import('./document').Parts} parts
 */

/** A point by its name, since nobody counts them.
 * @param {string} path Inside a profile. @param {string[]} names */
function namePoint(path, names) {
  return path.replace(/^points\[(\d+)\]/, (whole, n) => (names[n] ? `points[${names[n]}]` : whole));
}

/** @param {string} path @param {string} rest What follows the device. @param {Known['devices']} devices
 * @param {string} id @returns {Place} */
function placeOfDevice(path, rest, devices, id) {
  const { nodeId = '', profileNode, names } = devices.get(id) ?? {};
  const [, inProfile] = /^profile\.(.+)$/.exec(rest) ?? [];
  if (inProfile === undefined || !profileNode) return { nodeId, path };
  return { nodeId: profileNode, path: namePoint(inProfile, names?.points ?? []) };
}

/** @param {string} path @param {Known} known @returns {Place} */
function findPlace(path, { connectionIds, devices, sinks, parts }) {
  const [, list, id = '', rest = ''] = /^(\w+)(?:\[([^\]]*)\])?(?:\.(.*))?/.exec(path) || [];
  if (list === 'devices') return placeOfDevice(path, rest, devices, id);
  const [key] = /^\w*/.exec(rest) ?? [];
  const own = list === 'site' || list === 'runtime' ? parts.runtime?.id : undefined;
  const route = list === 'routes' ? nodeOfRoute(parts.routes[Number(id)], key) : undefined;
  const connection = list === 'connections' ? connectionIds.get(id) : undefined;
  const sink = list === 'sinks' ? sinks.get(id)?.nodeId : undefined;
  return { nodeId: own ?? route ?? connection ?? sink ?? '', path };
}

/** The last word of a path that is no place in a list; ids stand in brackets, and may hold dots.
 * @param {string} path */
function lastKey(path) {
  const words = path.match(/\[[^\]]*\]|[^.[\]]+/g) ?? [];
  const key = words.filter((word) => !/^\[\d+\]$/.test(word)).at(-1);
  return key?.replace(/^\[|\]$/g, '') ?? path;
}

module.exports = { findPlace, lastKey };
