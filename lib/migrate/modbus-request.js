/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The nodes that ask when a message comes in. busbar-read takes the requests of modbus-flex-getter as they
   are; for modbus-getter a change node before ours makes the request. What writes one coil or register
   becomes a point of a device; what writes whatever a message names stays, for our writes go to points
   with limits. */

const { text } = require('./flow');
const { READS, WRITES, addDevice, rangeOf } = require('./device');
const { unitOf } = require('./connection');
const { noteRange, noteReading, noteSubflow, unitObstacle } = require('./modbus-read');
const { changeFields, dropSecond, joinOutputs } = require('./ports');
const { isVariable } = require('./words');

/** @typedef {import('./flow').FlowNode} FlowNode */
/** @typedef {import('./flow').Flow} Flow */
/** @typedef {import('./modbus').Mapping} Mapping */

/** A number of a request in JSONata. @param {unknown} value */
function numberOf(value) {
  const given = text(value);
  if (!isVariable(given)) return String(Number(given));
  return `$number($env(${JSON.stringify(given.slice(2, -1))}))`;
}

/** Why a request cannot be made of a node's settings. @param {FlowNode} node
 * @param {import('./device').Table | undefined} table */
function rangeObstacle(node, table) {
  const fixed = Object.fromEntries(
    ['adr', 'quantity'].map((key) => [key, isVariable(node[key]) ? '1' : node[key]]),
  );
  const range = rangeOf({ ...node, ...fixed }, table);
  return typeof range === 'string' ? range : undefined;
}

/** A change node before a node, that makes the request of its settings.
 * @param {Flow} flow @param {FlowNode} node
 * @param {{name: string, fc: number, unit: string}} request */
function addRequest(flow, node, { name, fc, unit }) {
  const fields = [
    `"fc": ${fc}`,
    `"unitid": ${numberOf(unit)}`,
    `"address": ${numberOf(node.adr)}`,
    `"quantity": ${numberOf(text(node.quantity) || '1')}`,
  ];
  const rule = { t: 'set', p: 'payload', pt: 'msg', to: `{${fields.join(', ')}}`, tot: 'jsonata' };
  flow.putBefore(node, flow.addBeside(node, 'before', changeFields(name, [rule], [node.id])));
}

/** @param {Flow} flow @param {FlowNode} node @param {FlowNode} client */
function noteUnit(flow, node, client) {
  const unit = unitOf('', client);
  if (unit !== '1') {
    flow.note(
      node,
      `A request without unitid went to unit ${unit}: name the unit in each request.`,
    );
  }
}

/** @param {Flow} flow @param {FlowNode} node @param {string} connection */
function replaceByRead(flow, node, connection) {
  noteReading(flow, node);
  flow.replace(node, 'busbar-read', {
    name: text(node.name),
    device: '',
    connection,
    scans: '',
    output: 'registers',
    wires: joinOutputs(flow, node),
  });
}

/** @param {Flow} flow @param {FlowNode} node
 * @param {{device: string, point: string}} target */
function replaceByWrite(flow, node, { device, point }) {
  const wires = dropSecond(flow, node);
  if (wires[0].length > 0) {
    flow.note(node, 'Its messages say in `outcome` what became of the write, not in `payload`.');
  }
  if (node.emptyMsgOnFail === true) {
    flow.note(node, 'It sent an empty message after a failure: look at `outcome` instead.');
  }
  const name = text(node.name);
  flow.replace(node, 'busbar-write', { name, device, point, notAfter: '', wires });
}

/** @type {Mapping} */
const GETTER = {
  obstacle: (node, client) =>
    rangeObstacle(node, READS[text(node.dataType)]) ?? unitObstacle(node, client),

  migrate(flow, node, client, connection) {
    const table = READS[text(node.dataType)];
    const range = rangeOf(node, table);
    if (typeof range !== 'string') noteRange(flow, node, range);
    addRequest(flow, node, {
      name: 'what to read',
      fc: table.fc,
      unit: unitOf(node.unitid, client),
    });
    replaceByRead(flow, node, connection);
  },
};

/** @type {Mapping} */
const FLEX_GETTER = {
  obstacle: () => undefined,

  migrate(flow, node, client, connection) {
    noteUnit(flow, node, client);
    replaceByRead(flow, node, connection);
  },
};

const TO_POINTS =
  'make each a point that may be written, with its limits, in a profile, and write it with busbar-write';

/** @param {FlowNode} node */
function singleObstacle(node) {
  const single = ['Coil', 'HoldingRegister'].includes(text(node.dataType));
  if (!single) return `it writes several at once: ${TO_POINTS}`;
  return isVariable(node.adr) ? `its address is a variable: ${TO_POINTS}` : undefined;
}

/** @type {Mapping} */
const WRITE = {
  obstacle: (node, client) =>
    rangeObstacle(node, WRITES[text(node.dataType)]?.table) ??
    singleObstacle(node) ??
    unitObstacle(node, client),

  migrate(flow, node, client, connection) {
    const { table, fc } = WRITES[text(node.dataType)];
    const range = rangeOf({ ...node, quantity: '1' }, table);
    if (typeof range === 'string') return;
    const write = { function: fc };
    const device = addDevice(flow, node, { client, connection, range, period: 'off', write });
    noteSubflow(flow, node, device.deviceId);
    replaceByWrite(flow, node, { device: device.id, point: `${table.short}_${range.address}` });
  },
};

/** @type {Mapping} */
const FLEX_WRITE = {
  obstacle: () => `it writes whatever address a message names: ${TO_POINTS}`,
  migrate: () => {},
};

module.exports = { FLEX_GETTER, FLEX_WRITE, GETTER, WRITE };
