/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Which profile a node means, as the document takes it. */

const { loadProfile, mergeProfile } = require('./profiles');

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {{id: string, value: any, scans: string[]}} Resolved `value`: a bundled id, a path or the profile itself. */

const FIRST_SCAN = 'fast';

/** The scans that its points have. @param {Record<string, any> | undefined} profile */
function scansOf(profile) {
  const points = Array.isArray(profile?.points) ? profile.points : [];
  return [...new Set(points.map((/** @type {any} */ point) => point.scan || FIRST_SCAN))];
}

/** @param {LiveNode} node A busbar-profile. @param {(text: string) => void} complain
 * @returns {Record<string, any> | undefined} */
function readProfileNode(node, complain) {
  let own;
  try {
    own = JSON.parse(node.profile || '{}');
  } catch (error) {
    complain(`its profile ${node.name || ''} is no JSON: ${/** @type {Error} */ (error).message}`);
    return undefined;
  }
  if (!node.extends) return { profile: 1, ...own };
  const base = loadProfile(node.extends);
  if (base) return mergeProfile(base, own);
  complain(`its profile extends "${node.extends}", which is not among the bundled ones`);
  return undefined;
}

/** @param {LiveNode} node A busbar-device, or a busbar-decode. @param {Map<string, LiveNode>} nodes
 * @param {(text: string) => void} complain @returns {Resolved | undefined} */
function resolveProfile(node, nodes, complain) {
  if (node.profileType === 'node') {
    const profileNode = nodes.get(node.profileNode);
    if (!profileNode) {
      complain('its profile node is missing or disabled; choose a profile in its settings');
      return undefined;
    }
    const value = readProfileNode(profileNode, complain);
    return value && { id: value.id || profileNode.name || 'own', value, scans: scansOf(value) };
  }
  const name = String(node.profile ?? '').trim();
  if (name === '') {
    complain('it has no profile; choose one in its settings');
    return undefined;
  }
  const bundled = node.profileType === 'path' ? undefined : loadProfile(name);
  return { id: name, value: name, scans: bundled ? scansOf(bundled) : [FIRST_SCAN] };
}

module.exports = { readProfileNode, resolveProfile };
