/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The flows of the demo: reference flows as anybody imports them, with the addresses of this machine
   in place of their examples. */

const fs = require('node:fs');
const path = require('node:path');
const { REPO } = require('../files');

const FLOWS = ['pm500-to-mqtt', 'dashboard'];

/** @typedef {Record<string, any> & {id: string, type: string}} FlowNode */

/** @param {string} name @returns {FlowNode[]} */
function readFlow(name) {
  return JSON.parse(fs.readFileSync(path.join(REPO, 'flows', `${name}.json`), 'utf8'));
}

/** Several flows as one: config nodes that they share come once.
 * @param {string[]} names @returns {FlowNode[]} */
function joinFlows(names) {
  const nodes = new Map(names.flatMap(readFlow).map((node) => [node.id, node]));
  return [...nodes.values()];
}

/** @param {FlowNode[]} nodes @param {{ports: number[], broker?: string, influx?: string, metrics?: string, linger?: string}} place
 * `ports`: of the meters, by their order. @returns {FlowNode[]} */
function placeFlows(nodes, { ports, broker, influx, metrics, linger }) {
  const connections = nodes.filter(({ type }) => type === 'busbar-connection');
  connections.forEach((node, i) =>
    Object.assign(node, { host: '127.0.0.1', port: String(ports[i]) }),
  );
  for (const node of nodes) {
    if (node.type === 'busbar-mqtt' && broker) node.url = broker;
    if (node.type === 'busbar-influxdb' && influx) node.url = influx;
  }
  const runtime = {
    id: 'b05ba70000000001',
    type: 'busbar-runtime',
    name: 'Demo',
    mode: 'spawn',
    metrics,
    linger,
  };
  return [...nodes, runtime];
}

module.exports = { FLOWS, joinFlows, placeFlows, readFlow };
