/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a busbar-in asks of its devices by name. The runtime sees that of direct routes only, and a reader
   that waits for a point that nobody has would look as if all were well. */

const { compilePattern, splitList } = require('./patterns');

/** @typedef {import('./document').Problem} Problem */
/** @typedef {import('./document').Assembly['devices']} Devices */
/** @typedef {{node: import('./document').LiveNode, devices: string[]}} Source `devices`: ids. */

/** The names of all its devices; nothing where one has a profile that the runtime alone can read.
 * @param {string[]} ids @param {Devices} devices @param {'points' | 'scans'} kind
 * @returns {Set<string> | undefined} */
function listNames(ids, devices, kind) {
  /** @type {Set<string>} */
  const all = new Set();
  for (const id of ids) {
    const names = devices.get(id)?.names;
    if (!names) return undefined;
    for (const name of names[kind]) all.add(name);
  }
  return ids.length > 0 ? all : undefined;
}

/** @param {Source} source @param {Devices} devices @param {'points' | 'scans'} kind @returns {Problem[]} */
function findUnknownOf({ node, devices: ids }, devices, kind) {
  const patterns = splitList(node[kind]);
  const names = patterns.length > 0 ? listNames(ids, devices, kind) : undefined;
  if (!names) return [];
  const noun = kind.slice(0, -1);
  const unknown = patterns.filter((pattern) => ![...names].some(compilePattern(pattern)));
  return unknown.map((pattern) => ({
    nodeId: node.id,
    text: `no ${noun} of its devices fits "${pattern}"; the settings of the device show the ${kind} that it has`,
    short: `no ${noun} fits "${pattern}"`,
  }));
}

/** @param {Source[]} sources @param {Devices} devices @returns {Problem[]} */
function findUnknown(sources, devices) {
  return sources.flatMap((source) => [
    ...findUnknownOf(source, devices, 'points'),
    ...findUnknownOf(source, devices, 'scans'),
  ]);
}

module.exports = { findUnknown };
