/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Nodes of a deploy that are the same runtime: one keeps one data directory, so a second busbar-runtime
   for that directory cannot run beside the first, whatever it is called. */

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {{node: LiveNode, directory: string, runs: boolean}} Place `directory`: as the system knows it.
 *   `runs`: what this node asks for is there already. */

/** @param {LiveNode} node */
function nameOf({ id, name, siteId }) {
  return name || siteId || id;
}

/** Those that have to give way, each with its sentence. Who runs stays, else who comes first.
 * @param {Place[]} places In the order of the flows. @returns {Map<string, {first: string, text: string}>} */
function findTwins(places) {
  /** @type {Map<string, LiveNode>} */
  const owners = new Map();
  for (const { node, directory } of [...places].sort((a, b) => Number(b.runs) - Number(a.runs))) {
    if (!owners.has(directory)) owners.set(directory, node);
  }
  const twins = new Map();
  for (const { node, directory } of places) {
    const owner = /** @type {LiveNode} */ (owners.get(directory));
    if (owner === node) continue;
    const text =
      `the data folder ${directory} is that of the Busbar runtime "${nameOf(owner)}": give this one ` +
      `another folder, or let its connections and sinks use "${nameOf(owner)}"`;
    twins.set(node.id, { first: owner.id, text });
  }
  return twins;
}

module.exports = { findTwins };
