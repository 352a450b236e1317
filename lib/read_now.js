/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What busbar-read does with a message: the device's points, or registers by their address. */

const { chooseDevice } = require('./choose_device');
const { makeConnection } = require('./document_connection');
const { BusbarError } = require('./errors');
const { splitList } = require('./patterns');
const { formBits, formWords } = require('./register_form');

/** @typedef {import('./output').Reading} Reading */

const READ_TIMEOUT_MS = 60000;
/* By function code, as Modbus numbers them. */
const TABLES = ['', 'coil', 'discrete', 'holding', 'input'];
const MAX_BITS = 2000;
const MAX_REGISTERS = 125;

/** Whether it asks for registers in the way of modbus-flex-getter.
 * @param {Record<string, any>} msg @param {Record<string, any>} config */
function isRawRequest({ payload }, config) {
  const isObject = payload !== null && typeof payload === 'object';
  return (
    isObject &&
    !config.device &&
    Number.isInteger(Number(payload.fc)) &&
    payload.quantity !== undefined
  );
}

/** @param {any} scan Of an answer. @param {Reading['device']} device @returns {Reading} */
function toReading({ scan, points, timestamp, clock }, device) {
  /** @type {Record<string, any>} */
  const payload = {};
  /** @type {Record<string, string>} */
  const quality = {};
  for (const { name, value, quality: word, cause } of points) {
    const hasValue = value !== undefined && value !== null && word !== 'bad' && word !== 'stale';
    if (hasValue) payload[name] = value;
    if (word !== 'good') quality[name] = cause && cause !== 'none' ? `${word}, ${cause}` : word;
  }
  const some = Object.keys(quality).length > 0;
  return {
    device,
    scan,
    points,
    timestamp: timestamp ?? Date.now(),
    clock,
    payload,
    ...(some && { quality }),
  };
}

/**
 * @param {import('./hub').Hub} hub @param {string} nodeId @param {Record<string, any>} config
 * @param {Record<string, any>} msg @returns {Promise<Reading[]>} One a scan.
 */
async function readNow(hub, nodeId, config, msg) {
  const { plant, plan } = hub.need(nodeId);
  const id = chooseDevice(plan, nodeId, config, msg);
  const scans = splitList(config.scans);
  const request = { device: id, ...(scans.length > 0 && { scans }) };
  const answer = await plant.runtime.request('read', request, { timeoutMs: READ_TIMEOUT_MS });
  const known = plan.assembly.devices.get(id);
  const { id: site, tags } = plan.assembly.document.site ?? {};
  const device = {
    ...{ id, ...(site && { site }) },
    ...{ tags: { ...tags, ...known?.tags }, profile: known?.profile ?? '' },
  };
  return answer.scans.map((/** @type {any} */ scan) => toReading(scan, device));
}

/** @param {any} value @param {string} name @param {number} min @param {number} max */
function readWhole(value, name, min, max) {
  const number = Number(value);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new BusbarError(
    'BUSBAR_INVALID',
    `payload.${name} is ${JSON.stringify(value)}; allowed: ${min} to ${max}`,
  );
}

/** A profile of nothing but these registers or bits. @param {string} table @param {number} address @param {number} quantity */
function rawProfile(table, address, quantity) {
  const isBit = table === 'coil' || table === 'discrete';
  const points = Array.from({ length: quantity }, (_, i) => ({
    ...{ name: `r${address + i}`, type: isBit ? 'bit' : 'uint16', [table]: address + i },
  }));
  return { profile: 1, id: 'registers', points };
}

/** The answer in the form of modbus-flex-getter.
 * @param {import('./hub').Hub} hub @param {string} nodeId @param {Record<string, any>} config
 * @param {Record<string, any>} payload @returns {Promise<Record<string, any>>} */
async function readRaw(hub, nodeId, config, payload) {
  const { plant } = hub.need(nodeId);
  const connectionNode = hub.added.get(config.connection)?.config;
  if (!connectionNode) {
    throw new BusbarError(
      'BUSBAR_INVALID',
      'to read registers by address this node needs a connection',
    );
  }
  const table = TABLES[readWhole(payload.fc, 'fc', 1, 4)];
  const isBit = table === 'coil' || table === 'discrete';
  const quantity = readWhole(payload.quantity, 'quantity', 1, isBit ? MAX_BITS : MAX_REGISTERS);
  const address = readWhole(payload.address, 'address', 0, 65536 - quantity);
  const unit = readWhole(payload.unitid ?? 1, 'unitid', 0, 255);
  const document = {
    busbar: 1,
    connections: [makeConnection(connectionNode, 'raw')],
    devices: [
      { id: 'raw', connection: 'raw', unit, profile: rawProfile(table, address, quantity) },
    ],
  };
  const request = { document: JSON.stringify(document), device: 'raw', name: 'read' };
  const answer = await plant.runtime.request('probe', request, { timeoutMs: READ_TIMEOUT_MS });
  return formRaw(answer.scans[0], isBit);
}

/** @param {any} scan @param {boolean} isBit */
function formRaw(scan, isBit) {
  const bad = scan.points.find((/** @type {any} */ point) => point.quality !== 'good');
  if (bad) {
    const why = bad.cause && bad.cause !== 'none' ? bad.cause : bad.quality;
    throw new BusbarError('BUSBAR_REFUSED', `the device did not give ${bad.name}: ${why}`);
  }
  const values = scan.points.map((/** @type {any} */ { value }) => value);
  return isBit ? formBits(values.map(Boolean)) : formWords(values);
}

module.exports = { isRawRequest, rawProfile, readNow, readRaw };
