/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A range of raw registers as Busbar has it: a profile that names each of them, shared by all nodes
   that ask for the same range, and a device of its own for each node. */

const { text } = require('./flow');
const { placeOf, unitOf } = require('./connection');
const { isSafeId, isVariable, safeId } = require('./words');

/** @typedef {import('./flow').FlowNode} FlowNode */
/** @typedef {import('./flow').Flow} Flow */

const MAX_POINTS = 4096; /* Of one profile: native/base/limits.h. */
const SPACE = 65536; /* Addresses of a table. */

/** @typedef {{fc: number, table: string, short: string, title: string, type?: string}} Table */

/** @type {Table} */
const COILS = { fc: 1, table: 'coil', short: 'coil', title: 'Coil' };
/** @type {Table} */
const DISCRETE = { fc: 2, table: 'discrete', short: 'di', title: 'Discrete input' };
/** @type {Table} */
const HOLDING = {
  fc: 3,
  table: 'holding',
  short: 'hr',
  title: 'Holding register',
  type: 'uint16',
};
/** @type {Table} */
const INPUT = { fc: 4, table: 'input', short: 'ir', title: 'Input register', type: 'uint16' };

/** What dataType names when a node reads. The examples of the palette also say DiscreteInput.
 * @type {Record<string, Table>} */
const READS = {
  Coil: COILS,
  Input: DISCRETE,
  DiscreteInput: DISCRETE,
  HoldingRegister: HOLDING,
  InputRegister: INPUT,
};

/** What it names when a node writes. @type {Record<string, {table: Table, fc: number}>} */
const WRITES = {
  Coil: { table: COILS, fc: 5 },
  HoldingRegister: { table: HOLDING, fc: 6 },
  MCoils: { table: COILS, fc: 15 },
  MHoldingRegisters: { table: HOLDING, fc: 16 },
};

/** @typedef {{table: Table, address: number, quantity: number}} Range */

/** The range that a node asks for, or why there is none. @param {FlowNode} node
 * @param {Table | undefined} table @returns {Range | string} */
function rangeOf(node, table) {
  if (!table) return `its function "${text(node.dataType)}" is not known`;
  if (isVariable(node.adr) || isVariable(node.quantity)) {
    return 'its address or quantity is a variable, and a profile holds numbers';
  }
  const address = Number(text(node.adr) || NaN);
  const quantity = parseInt(text(node.quantity), 10) || 1;
  if (!Number.isInteger(address) || address < 0 || address >= SPACE) {
    return `its address "${text(node.adr)}" is not one of 0 to 65535`;
  }
  if (quantity < 1 || quantity > MAX_POINTS || address + quantity > SPACE) {
    return `its quantity of ${quantity} is more than one device can have`;
  }
  return { table, address, quantity };
}

/** "Holding registers 0 to 9" @param {Range} range */
function titleOf({ table, address, quantity }) {
  const last = address + quantity - 1;
  return quantity > 1 ? `${table.title}s ${address} to ${last}` : `${table.title} ${address}`;
}

/** The profile document: a point a register, named by table and address, such as hr_0.
 * @param {Range} range @param {object} [write] What the point allows to be written. */
function documentOf(range, write) {
  const { table, address, quantity } = range;
  const points = Array.from({ length: quantity }, (_, i) => ({
    name: `${table.short}_${address + i}`,
    ...(table.type && { type: table.type }),
    [table.table]: address + i,
    ...(write && { write }),
  }));
  const id = `raw/${table.short}-${address}-${quantity}${write ? '-write' : ''}`;
  return { profile: 1, id, name: titleOf(range), points };
}

/** The id of the profile of a range. @param {Flow} flow @param {FlowNode} node
 * @param {Range} range @param {object} [write] */
function addProfile(flow, node, range, write) {
  const profile = JSON.stringify(documentOf(range, write));
  const known = flow.shared.get(profile);
  if (known) return known;
  const type = 'busbar-profile';
  const id = flow.derive(node.id, 'profile', type);
  const name = titleOf(range) + (write ? ', writable' : '');
  flow.add(node, { id, type, name, extends: '', profile });
  flow.shared.set(profile, id);
  return id;
}

/** Its topic was what messages carried, its name is what people know; else where it reads.
 * @param {Flow} flow @param {FlowNode} node @param {FlowNode} client @param {Range} range */
function deviceIdOf(flow, node, client, range) {
  const topic = text(node.topic);
  const place = `${text(client.name) || placeOf(client)}-${range.table.short}_${range.address}`;
  const wanted = isSafeId(topic) ? topic : safeId(node.name) || safeId(topic) || safeId(place);
  return flow.claim(wanted || 'device');
}

/**
 * The device that a node reads or writes. It stands on the tab of the node, so that it goes and is
 * disabled with it.
 * @param {Flow} flow @param {FlowNode} node
 * @param {{client: FlowNode, connection: string, range: Range, period: string, write?: object}} more
 *   `period`: of the one scan.
 */
function addDevice(flow, node, { client, connection, range, period, write }) {
  const type = 'busbar-device';
  const device = {
    id: flow.derive(node.id, 'device', type),
    type,
    ...(node.z !== undefined && { z: node.z }),
    name: text(node.name),
    deviceId: deviceIdOf(flow, node, client, range),
    connection,
    profileType: 'node',
    profile: '',
    profileNode: addProfile(flow, node, range, write),
    unit: unitOf(node.unitid, client),
    tags: [],
    scans: [{ scan: 'fast', period }],
    devices: [],
    enabled: node.d !== true,
  };
  flow.add(node, device);
  if (node.d === true) {
    flow.note(node, `Is disabled, so its device "${device.deviceId}" is too: enable both.`);
  }
  return device;
}

module.exports = { READS, WRITES, addDevice, rangeOf };
