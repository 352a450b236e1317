/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Which profile a node means, as the document takes it. */

const { openProfile } = require('./codec_registers');
const { loadProfile, mergeProfile } = require('./profiles');

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {{id: string, value: any, scans: string[], points: string[] | undefined, nodeId?: string}} Resolved
 * `value`: a bundled id, a path or the profile itself; `points`: their names, where the profile can be read
 * here; `nodeId`: of the busbar-profile that it stands in. */
/** @typedef {(text: string, nodeId?: string) => void} Complain `nodeId`: whose mistake it is, if not of the
 * node that has the profile. */

const FIRST_SCAN = 'fast';

/** The scans that its points have. @param {Record<string, any> | undefined} profile */
function scansOf(profile) {
  const points = Array.isArray(profile?.points) ? profile.points : [];
  return [...new Set(points.map((/** @type {any} */ point) => point?.scan || FIRST_SCAN))];
}

/** @param {Record<string, any>} profile @returns {string[]} */
function pointsOf(profile) {
  const points = Array.isArray(profile.points) ? profile.points : [];
  return points.map((/** @type {any} */ point) => String(point?.name ?? ''));
}

/** @param {any} base @param {any} own @param {(text: string) => void} complain */
function merge(base, own, complain) {
  try {
    return mergeProfile(base, own);
  } catch (error) {
    complain(`the profile cannot be read: ${/** @type {Error} */ (error).message}`);
    return undefined;
  }
}

/** @param {LiveNode} node A busbar-profile. @param {Complain} complain
 * @returns {Record<string, any> | undefined} */
function readProfileNode(node, complain) {
  const say = (/** @type {string} */ text) => complain(text, node.id);
  const name = node.name ? ` ${node.name}` : '';
  let own;
  try {
    own = JSON.parse(node.profile || '{}');
  } catch (error) {
    say(`the profile${name} is no JSON: ${/** @type {Error} */ (error).message}`);
    return undefined;
  }
  if (own === null || typeof own !== 'object' || Array.isArray(own)) {
    say(`the profile${name} is no profile: allowed is a map with points`);
    return undefined;
  }
  if (!node.extends) return { profile: 1, ...own };
  const base = loadProfile(node.extends);
  if (base) return merge(base, own, say);
  say(`the profile${name} extends "${node.extends}", which is not among the bundled ones`);
  return undefined;
}

/** @param {LiveNode} node A busbar-device, or a busbar-decode. @param {Map<string, LiveNode>} nodes
 * @param {Complain} complain @returns {Resolved | undefined} */
function resolveProfile(node, nodes, complain) {
  if (node.profileType === 'node') {
    const profileNode = nodes.get(node.profileNode);
    if (!profileNode) {
      complain('its profile node is missing or disabled; choose a profile in its settings');
      return undefined;
    }
    const value = readProfileNode(profileNode, complain);
    if (!value) return undefined;
    const id = value.id || profileNode.name || 'own';
    return { id, value, scans: scansOf(value), points: pointsOf(value), nodeId: profileNode.id };
  }
  const name = String(node.profile ?? '').trim();
  if (name === '') {
    complain('it has no profile; choose one in its settings');
    return undefined;
  }
  const bundled = node.profileType === 'path' ? undefined : loadProfile(name);
  if (!bundled) return { id: name, value: name, scans: [FIRST_SCAN], points: undefined };
  return { id: name, value: name, scans: scansOf(bundled), points: pointsOf(bundled) };
}

/** The points with the types of their values; nothing where the profile cannot be read here.
 * @param {Resolved} profile @returns {{points: {name: string, type: string}[]} | undefined} */
function describeValues({ value }) {
  try {
    const profile = typeof value === 'string' ? loadProfile(value) : value;
    return profile && openProfile(profile);
  } catch {
    return undefined;
  }
}

module.exports = { describeValues, readProfileNode, resolveProfile };
