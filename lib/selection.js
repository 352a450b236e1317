/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Which devices a flow node means: one node's (a device or a table of them), those with certain tags,
   or all. */

const { rowsOf } = require('./document_device');
const { readBoolean } = require('./fields');
const { compileTags } = require('./patterns');

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {{id: string, nodeId: string, tags: Record<string, string>}} Candidate */

/** All devices that are enabled. @param {LiveNode[]} deviceNodes @returns {Candidate[]} */
function listDevices(deviceNodes) {
  return deviceNodes
    .filter((node) => readBoolean(node.enabled) !== false)
    .flatMap((node) => rowsOf(node).map(({ id, tags }) => ({ id, nodeId: node.id, tags })))
    .filter(({ id }) => id !== '');
}

/** @param {LiveNode} node With source, device and tags, as busbar-in has them.
 * @returns {(device: Candidate) => boolean} */
function compileSelection(node) {
  if (node.source === 'all') return () => true;
  if (node.source === 'tags') {
    const fits = compileTags(node.tags);
    return ({ tags }) => fits(tags);
  }
  return ({ nodeId }) => nodeId === node.device;
}

module.exports = { compileSelection, listDevices };
