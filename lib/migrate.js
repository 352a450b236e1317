/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Makes a flow of other palettes one of ours: node-red-contrib-modbus, node-red-contrib-influxdb and
   the `mqtt out` of Node-RED itself. Pure: the flow that is given stays as it is, and the same flow
   gives the same result each time. What could not be carried over is said in notes, each at the node
   it is about. Nodes that are not known here stay untouched; so does a flow that is ours already. */

const { Flow, append } = require('./migrate/flow');
const { migrateInfluxdb } = require('./migrate/influxdb');
const { migrateModbus } = require('./migrate/modbus');
const { migrateMqtt } = require('./migrate/mqtt');

/** @typedef {import('./migrate/flow').FlowNode} FlowNode */
/** @typedef {import('./migrate/flow').Note} Note */

/** What is given is not a flow; the message is a sentence for a person. */
class FlowError extends Error {}

const EXPORT = 'export it in Node-RED with the menu, Export, JSON';

/** A copy that shares nothing with what was given. @param {unknown} flows @returns {unknown[]} */
function copy(flows) {
  if (!Array.isArray(flows)) {
    throw new FlowError(`This is no flow, because it is not a list of nodes: ${EXPORT}.`);
  }
  try {
    return JSON.parse(JSON.stringify(flows));
  } catch (error) {
    const why = error instanceof RangeError ? 'is nested too deep' : 'contains itself';
    throw new FlowError(`This is no flow, because something in it ${why}: ${EXPORT}.`);
  }
}

/** @param {unknown} node @param {number} index @returns {FlowNode} */
function checkNode(node, index) {
  const { id, type } = Object(node);
  if (typeof id === 'string' && id && typeof type === 'string' && type) return Object(node);
  throw new FlowError(`This is no flow, because its entry ${index + 1} is no node: ${EXPORT}.`);
}

/** Which subflows stand in which. @param {FlowNode[]} nodes */
function findNested(nodes) {
  const subflows = new Set(nodes.filter(({ type }) => type === 'subflow').map(({ id }) => id));
  /** @type {Map<string, string[]>} */
  const nested = new Map();
  for (const { type, z } of nodes) {
    const [, id] = /^subflow:(.*)$/.exec(type) ?? [];
    if (subflows.has(z) && id) append(nested, z, id);
  }
  return nested;
}

/** Subflows one by one from the inside: what is left when none is without another contains itself.
 * @param {FlowNode[]} nodes */
function checkNesting(nodes) {
  const nested = findNested(nodes);
  for (let before = -1; before !== nested.size;) {
    before = nested.size;
    for (const [id, inner] of nested) {
      if (!inner.some((other) => nested.has(other))) nested.delete(id);
    }
  }
  const [id] = nested.keys();
  if (id) throw new FlowError(`The subflow ${id} contains itself: Node-RED cannot run it.`);
}

/** @param {unknown} flows @returns {FlowNode[]} */
function readNodes(flows) {
  const nodes = copy(flows).map(checkNode);
  const seen = new Set();
  for (const { id } of nodes) {
    if (seen.has(id)) throw new FlowError(`Two nodes of this flow have the id ${id}: ${EXPORT}.`);
    seen.add(id);
  }
  checkNesting(nodes);
  return nodes;
}

/**
 * @param {unknown} flows The list of nodes that Node-RED exports.
 * @returns {{flows: FlowNode[], notes: Note[]}}
 * @throws {FlowError} When it is no flow.
 */
function migrate(flows) {
  const flow = new Flow(readNodes(flows));
  migrateModbus(flow);
  migrateMqtt(flow);
  migrateInfluxdb(flow);
  return flow.finish();
}

module.exports = { FlowError, migrate };
