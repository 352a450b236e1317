/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What busbar-write does with a message: one command to one device, answered with its outcome. */

const { chooseDevice } = require('./choose_device');
const { BusbarError, codeOf, textOf } = require('./errors');
const { readDuration } = require('./reporting');

const NOT_AFTER = '5s';
/* The answer may take that much longer than the command. */
const GRACE_MS = 5000;

/** Also {value: 5}, which modbus-write of node-red-contrib-modbus takes. @param {any} payload */
function valueOf(payload) {
  const isObject = payload !== null && typeof payload === 'object';
  return isObject && Object.hasOwn(payload, 'value') ? payload.value : payload;
}

/** @param {Record<string, any>} config @param {Record<string, any>} msg
 * @returns {{name: string, value: any}[]} */
function pointsOf(config, msg) {
  const point = config.point || msg.point;
  const { payload } = msg;
  if (point) return [{ name: point, value: valueOf(payload) }];
  if (
    payload === null ||
    typeof payload !== 'object' ||
    Array.isArray(payload) ||
    Buffer.isBuffer(payload)
  ) {
    throw new BusbarError(
      'BUSBAR_INVALID',
      'msg.payload is no object of points and values, and no point is set; allowed: {point: value}, or a ' +
        'point in this node or in msg.point',
    );
  }
  const points = Object.entries(payload).map(([name, value]) => ({ name, value }));
  if (points.length === 0)
    throw new BusbarError('BUSBAR_INVALID', 'msg.payload holds no point to be written');
  return points;
}

/** @param {{name: string, value: any}} point */
function checkValue({ name, value }) {
  const isPlain = ['number', 'boolean', 'string', 'bigint'].includes(typeof value);
  const isFinite = typeof value !== 'number' || Number.isFinite(value);
  if (isPlain && isFinite)
    return { name, value: typeof value === 'bigint' ? String(value) : value };
  const shown = typeof value === 'number' ? String(value) : typeof value;
  throw new BusbarError(
    'BUSBAR_INVALID',
    `the value for ${name} is ${shown}; allowed: a number, true, false, or a text`,
  );
}

/** What was read back, by point. @param {{name: string, value: any}[] | undefined} points */
function listMeasured(points) {
  if (!points || points.length === 0) return {};
  return { measured: Object.fromEntries(points.map(({ name, value }) => [name, value])) };
}

/** A command that has left and whose answer never came has an outcome, too: nobody knows it.
 * @param {import('./runtime').Runtime} runtime @param {Record<string, any>} request
 * @param {{timeoutMs: number}} options @returns {Promise<Record<string, any>>} */
async function ask(runtime, request, options) {
  const wasUp = runtime.state === 'up';
  try {
    return await runtime.request('write', request, options);
  } catch (error) {
    const code = codeOf(error);
    if (!wasUp || (code !== 'BUSBAR_DOWN' && code !== 'BUSBAR_TIMEOUT')) throw error;
    return { outcome: 'unknown', reason: `no answer from the runtime: ${textOf(error)}` };
  }
}

/**
 * @param {import('./hub').Hub} hub @param {string} nodeId @param {Record<string, any>} config
 * @param {Record<string, any>} msg
 * @returns {Promise<{state: string, reason?: string, measured?: Record<string, any>, device: string}>}
 */
async function writePoints(hub, nodeId, config, msg) {
  const { plant, plan } = hub.need(nodeId);
  const device = chooseDevice(plan, nodeId, config, msg);
  const points = pointsOf(config, msg).map(checkValue);
  const notAfterMs = readDuration(config.notAfter || NOT_AFTER) || readDuration(NOT_AFTER);
  const request = { device, points, not_after_ms: notAfterMs };
  const options = { timeoutMs: notAfterMs + GRACE_MS };
  const { outcome, reason, measured } = await ask(plant.runtime, request, options);
  return { state: outcome, device, ...(reason && { reason }), ...listMeasured(measured) };
}

module.exports = { writePoints };
