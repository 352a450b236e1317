/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* One read of a device as its dialog describes it, deployed or not, with what its registers would be in
   each word order. The runtime goes through a connection to that address that it has, else through one
   of its own. */

const { decodeRegisters } = require('./codec_registers');
const { makeConnection } = require('./document_connection');
const { rowsOf } = require('./document_device');
const { BusbarError } = require('./errors');
const { leaveOutEmpty, readNumber } = require('./fields');
const { resolveProfile } = require('./profile');
const { loadProfile } = require('./profiles');

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {{connection: Record<string, any>, device: Record<string, any>, profile?: Record<string, any>}} Wish */

const TIMEOUT_MS = 40000;
const ORDERS = /** @type {const} */ (['ABCD', 'CDAB', 'BADC', 'DCBA']);
const PROFILE = 'the profile of the dialog';

/** `${VAR}` in any text, as Node-RED resolves it. @param {any} RED @param {any} value @returns {any} */
function resolveVariables(RED, value) {
  if (typeof value === 'string') {
    return value.includes('${') ? RED.util.evaluateNodeProperty(value, 'env', {}) : value;
  }
  if (Array.isArray(value)) return value.map((item) => resolveVariables(RED, item));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, item]) => [key, resolveVariables(RED, item)]);
  return Object.fromEntries(entries);
}

/** The profile as a bundled id, a path or an object. @param {Wish} wish @param {Map<string, LiveNode>} nodes */
function profileOf({ device, profile }, nodes) {
  /** @type {string[]} */
  const problems = [];
  const own = profile && { id: PROFILE, ...profile };
  const known = own ? new Map([...nodes, [PROFILE, /** @type {LiveNode} */ (own)]]) : nodes;
  const node = {
    ...device,
    id: 'device',
    ...(own && { profileType: 'node', profileNode: PROFILE }),
  };
  const resolved = resolveProfile(node, known, (text) => void problems.push(text));
  if (!resolved) throw new BusbarError('BUSBAR_INVALID', problems[0] ?? 'choose a profile first');
  return resolved.value;
}

/** @param {Wish} wish @param {any} profile */
function documentOf({ connection, device }, profile) {
  const [row] = rowsOf(/** @type {LiveNode} */ (device));
  return {
    busbar: 1,
    connections: [makeConnection(/** @type {LiveNode} */ (connection), 'test')],
    devices: [
      leaveOutEmpty({ id: 'test', connection: 'test', profile, unit: readNumber(row.unit) }),
    ],
  };
}

/** What the words of a point are in each order. @param {any} point Of the answer.
 * @param {Record<string, any> | undefined} described Of the profile. */
function ordersOf(point, described) {
  const words = String(point.raw ?? '')
    .split(' ')
    .filter(Boolean);
  if (words.length < 2 || point.type === 'text') return undefined;
  const registers = words.map((word) => Number.parseInt(word, 16));
  const { scale, add } = described ?? {};
  return ORDERS.map((order) => {
    const spec = { type: point.type, wordOrder: order, scale, offset: add };
    const { values } = decodeRegisters(registers, spec);
    return { order, value: values[0] };
  });
}

/** @param {any} point @param {Map<string, Record<string, any>>} described */
function withOrders(point, described) {
  try {
    const orders = ordersOf(point, described.get(point.name));
    return orders ? { ...point, orders } : point;
  } catch {
    return point; /* Its type has no orders. */
  }
}

/** @param {any} profile @returns {Map<string, Record<string, any>>} */
function describePoints(profile) {
  const loaded = typeof profile === 'string' ? loadProfile(profile) : profile;
  const points = Array.isArray(loaded?.points) ? loaded.points : [];
  return new Map(points.map((/** @type {any} */ point) => [point.name, point]));
}

/**
 * @param {any} RED @param {import('./plant').Plant} plant @param {Wish} wish
 * @param {Map<string, LiveNode>} nodes Config nodes that are deployed.
 */
async function testRead(RED, plant, wish, nodes) {
  const resolved = resolveVariables(RED, wish);
  const profile = profileOf(resolved, nodes);
  const document = JSON.stringify(documentOf(resolved, profile));
  const request = { document, device: 'test', name: 'these settings', learn: true };
  const answer = await plant.runtime.request('probe', request, { timeoutMs: TIMEOUT_MS });
  const described = describePoints(profile);
  const scans = answer.scans.map((/** @type {any} */ scan) => ({
    ...scan,
    points: scan.points.map((/** @type {any} */ point) => withOrders(point, described)),
  }));
  const { connected, took_ms: tookMs, reason } = answer;
  return { connected, took_ms: tookMs, ...(reason && { reason }), scans };
}

module.exports = { resolveVariables, testRead };
