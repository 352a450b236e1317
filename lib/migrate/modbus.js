/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* node-red-contrib-modbus 5: what reads and writes becomes ours, with its client; the rest stays, and
   keeps the client that it needs. */

const { text } = require('./flow');
const { connectionOf, isTcp, obstacleOf, placeOf } = require('./connection');
const { replaceResponses } = require('./ports');
const read = require('./modbus-read');
const request = require('./modbus-request');

/** @typedef {import('./flow').FlowNode} FlowNode */
/** @typedef {import('./flow').Flow} Flow */

/** What can make a node ours: why it cannot be, or how it is.
 * @typedef {object} Mapping
 * @property {(node: FlowNode, client: FlowNode) => string | undefined} obstacle
 * @property {(flow: Flow, node: FlowNode, client: FlowNode, connection: string) => void} migrate */

/** @type {Record<string, Mapping>} */
const MAPPINGS = {
  'modbus-read': read.READ,
  'modbus-getter': request.GETTER,
  'modbus-flex-getter': request.FLEX_GETTER,
  'modbus-write': request.WRITE,
  'modbus-flex-write': request.FLEX_WRITE,
};

const PALETTE = 'It still needs node-red-contrib-modbus.';

/** Why a node has no counterpart. @type {Record<string, string>} */
const STAYS = {
  'modbus-server': '`busbar sim` simulates devices, outside of a flow',
  'modbus-flex-server': '`busbar sim` simulates devices, outside of a flow',
  'modbus-flex-connector':
    'the address of a connection of ours does not change with a message; give each device a ' +
    'connection',
  'modbus-flex-sequencer': 'give each of its ranges a busbar-read, or one device a profile',
  'modbus-flex-fc': 'only the standard functions of reading and writing are spoken',
  'modbus-queue-info':
    'there is no such queue to watch, and busbar-event tells of devices that are lost. It watches ' +
    'the old client, which our nodes do not use: delete it',
  'modbus-response-filter': 'name the points in a profile, and filter by `points` of busbar-in',
  'modbus-io-config': 'names and types stand in a profile',
  'modbus-response': 'what is wired to it stays as well',
};

/** @param {FlowNode[]} nodes */
function nameAll(nodes) {
  const names = nodes.slice(0, 5).map(({ id, type, name }) => `${type} ${text(name) || id}`);
  return names.join(', ') + (nodes.length > 5 ? ` and ${nodes.length - 5} more` : '');
}

/** Why a node has to stay as it is. @param {Flow} flow @param {FlowNode} node */
function obstacle(flow, node) {
  const client = flow.get(node.server);
  if (!text(node.server)) return 'it has no client';
  if (!client) {
    return (
      `its client ${text(node.server)} is not in this file: export it together with its ` +
      'configuration nodes'
    );
  }
  if (client.type !== 'modbus-client') return `its client is a ${client.type}`;
  const why = obstacleOf(client);
  if (why) return `its client ${text(client.name) || client.id} stays`;
  return MAPPINGS[node.type].obstacle(node, client);
}

/** The connection of a client: in its place, or beside it where others still need it.
 * @param {Flow} flow @param {FlowNode} client @param {FlowNode[]} staying */
function addConnection(flow, client, staying) {
  const type = 'busbar-connection';
  const note = (/** @type {string} */ sentence) => flow.note(client, sentence);
  const fields = connectionOf(client, note);
  if (staying.length === 0) return flow.replace(client, type, fields).id;
  const id = flow.derive(client.id, 'connection', type);
  flow.add(client, { id, type, ...(client.z !== undefined && { z: client.z }), ...fields });
  note(
    `Stays beside the new connection, for ${nameAll(staying)}. Both ` +
      (isTcp(client)
        ? `connect to ${placeOf(client)}: a device that takes one connection only serves one of them.`
        : `open ${placeOf(client)}, but a serial port can have one owner only: remove one of them.`),
  );
  return id;
}

/** @param {Flow} flow */
function migrateModbus(flow) {
  /** @type {Set<FlowNode>} */
  const ours = new Set();
  for (const node of flow.list(...Object.keys(MAPPINGS))) {
    const why = obstacle(flow, node);
    if (why) flow.note(node, `Stays, because ${why}. ${PALETTE}`);
    else ours.add(node);
  }
  for (const client of flow.list('modbus-client')) {
    const users = flow.usersOf(client);
    const [mine, staying] = [true, false].map((is) =>
      users.filter((node) => ours.has(node) === is),
    );
    const why = obstacleOf(client);
    if (why) {
      flow.note(client, `Stays, because ${why}. ${PALETTE}`);
    } else if (mine.length > 0 || staying.length === 0) {
      const connection = addConnection(flow, client, staying);
      mine.forEach((node) => MAPPINGS[node.type].migrate(flow, node, client, connection));
    }
  }
  removeIoConfigs(flow, ours);
  replaceResponses(flow, [...ours]);
  for (const node of flow.list(...Object.keys(STAYS))) {
    flow.note(node, `Stays, because Busbar has no such node: ${STAYS[node.type]}. ${PALETTE}`);
  }
}

/** A file of names that only migrated nodes used is not needed any more.
 * @param {Flow} flow @param {Set<FlowNode>} ours */
function removeIoConfigs(flow, ours) {
  for (const node of flow.list('modbus-io-config')) {
    const users = flow.usersOf(node);
    if (users.length > 0 && users.every((user) => ours.has(user))) flow.remove(node);
  }
}

module.exports = { migrateModbus };
