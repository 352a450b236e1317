/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What brokers and databases have in common when they become sinks: they take the place of the old
   configuration node, or stand beside it where other nodes still need that; and secrets, which an
   export leaves out. */

const { text } = require('./flow');
const { hasVariable, isVariable, safeId } = require('./words');

/** @typedef {import('./flow').FlowNode} FlowNode */
/** @typedef {import('./flow').Flow} Flow */

/**
 * @param {Flow} flow @param {FlowNode} old @param {string} type @param {string} role Tells apart
 *   what is made of one node; '' may take its place.
 * @param {Record<string, unknown>} fields With the `sinkId` that is wanted.
 */
function addSink(flow, old, type, role, fields) {
  const own = { ...fields, sinkId: flow.claim(safeId(fields.sinkId) || 'sink') };
  if (role === '') return flow.replace(old, type, own).id;
  const id = flow.derive(old.id, role, type);
  flow.add(old, { id, type, ...(old.z !== undefined && { z: old.z }), ...own });
  return id;
}

/** The credentials that are in the file, which an export has not. @param {FlowNode} node
 * @param {Record<string, string>} names Theirs, by ours. */
function credentialsOf(node, names) {
  const given = node.credentials ?? {};
  const found = Object.entries(names).filter(([, theirs]) => text(given[theirs]) !== '');
  return Object.fromEntries(found.map(([ours, theirs]) => [ours, text(given[theirs])]));
}

/** An address put together of parts. Node-RED fills in variables that are a whole value only.
 * @param {Flow} flow @param {FlowNode} node @param {string} url */
function noteUrl(flow, node, url) {
  if (!hasVariable(url) || isVariable(url)) return;
  flow.note(
    node,
    `Its address is now one text with a variable in it, ${url}, which Node-RED does not fill in: ` +
      'make one variable of the whole address.',
  );
}

/** @param {string} host */
function bracketed(host) {
  return /^[0-9a-f]*:[0-9a-f:.]*$/i.test(host) ? `[${host}]` : host;
}

/** A count of nodes by their type: "2 mqtt in, 1 other". @param {FlowNode[]} nodes */
function countTypes(nodes) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  nodes.forEach(({ type }) => counts.set(type, (counts.get(type) ?? 0) + 1));
  return [...counts].map(([type, count]) => `${count} ${type}`).join(', ');
}

module.exports = { addSink, bracketed, countTypes, credentialsOf, noteUrl };
