/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Which config nodes a node of a flow stands on: what is wrong with these shows at its dot, and reaches
   the Catch nodes of its flow. */

/** @typedef {import('./document').LiveNode} LiveNode */

/** The config nodes that a node names, but for what its dialog has hidden and kept.
 * @param {LiveNode} node @returns {string[]} */
function namesOf(node) {
  const { source = 'device', profileType } = node;
  const named = [
    source === 'device' && node.device,
    profileType === 'node' && node.profileNode,
    ...[node.connection, node.sink, node.tls],
  ];
  return named.filter(Boolean);
}

/** @param {string[]} ids Where to begin. @param {Map<string, LiveNode>} nodes By id.
 * @returns {Set<string>} These, and all that is below them. */
function findBelow(ids, nodes) {
  /** @type {Set<string>} */
  const found = new Set();
  const open = [...ids];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    const node = nodes.get(id);
    if (node) open.push(...namesOf(node));
  }
  return found;
}

/** Who stands on what, the other way round.
 * @param {[string, Set<string>][]} all Nodes of flows, and what each stands on.
 * @returns {Map<string, string[]>} */
function listUsers(all) {
  /** @type {Map<string, string[]>} */
  const users = new Map();
  for (const [user, below] of all) {
    for (const id of below) {
      if (id === user) continue;
      users.set(id, [...(users.get(id) ?? []), user]);
    }
  }
  return users;
}

module.exports = { findBelow, listUsers };
