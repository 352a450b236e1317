/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What busbar-decode does with a message: its registers become values, by one type or by a profile. */

const { decodeProfile, decodeRegisters } = require('./codec_registers');
const { BusbarError } = require('./errors');
const { readNumber } = require('./fields');
const { resolveProfile } = require('./profile');
const { loadProfile } = require('./profiles');

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {(msg: Record<string, any>) => Record<string, any>[]} Decode */

/** Registers or bytes; also what modbus-read of node-red-contrib-modbus sends.
 * @param {Record<string, any>} msg */
function registersOf({ payload }) {
  const isList =
    Array.isArray(payload) || Buffer.isBuffer(payload) || payload instanceof Uint16Array;
  if (isList) return payload;
  if (Array.isArray(payload?.data)) return payload.data;
  if (Buffer.isBuffer(payload?.buffer)) return payload.buffer;
  throw new BusbarError(
    'BUSBAR_INVALID',
    'msg.payload is neither a list of registers nor a Buffer',
  );
}

/** @param {unknown} error */
function explain(error) {
  if (!(error instanceof RangeError || error instanceof TypeError)) return error;
  return new BusbarError('BUSBAR_INVALID', error.message, { cause: error });
}

/** @param {Record<string, any>} config @returns {Decode} */
function decodeByType(config) {
  const spec = {
    type: config.valueType,
    wordOrder: config.wordOrder || 'ABCD',
    scale: config.scale || undefined,
  };
  return (msg) => {
    const { values, quality } = decodeRegisters(registersOf(msg), spec);
    return [{ payload: values.length === 1 ? values[0] : values, ...(quality && { quality }) }];
  };
}

/** @param {Record<string, any>} config @param {Record<string, any>} profile @returns {Decode} */
function decodeByProfile(config, profile) {
  const base = Number(readNumber(config.address) ?? 0);
  return (msg) => {
    const address = Number.isInteger(msg.address) ? msg.address : base;
    const options = config.table ? { table: config.table } : {};
    const { values, quality } = decodeProfile(registersOf(msg), address, profile, options);
    if (config.output !== 'points') return [{ payload: values, ...(quality && { quality }) }];
    return Object.entries(values).map(([point, payload]) => ({ topic: point, point, payload }));
  };
}

/** @param {Record<string, any>} config Of a busbar-decode.
 * @param {(id: string) => LiveNode | undefined} getNode @returns {Decode} */
function makeDecoder(config, getNode) {
  /** @type {Decode | undefined} */
  let decode;
  const make = () => {
    if (config.valueType) return decodeByType(config);
    const found = getNode(config.profileNode);
    const nodes = new Map(found ? [[config.profileNode, found]] : []);
    /** @type {string[]} */
    const problems = [];
    const node = /** @type {LiveNode} */ (config);
    const profile = resolveProfile(node, nodes, (text) => void problems.push(text));
    const value = typeof profile?.value === 'string' ? loadProfile(profile.value) : profile?.value;
    if (!value)
      throw new BusbarError(
        'BUSBAR_CONFIG',
        problems[0] ?? `there is no profile "${config.profile}"`,
      );
    return decodeByProfile(config, value);
  };
  /* Made with the first message, because its profile node may come to life later. */
  return (msg) => {
    try {
      decode ??= make();
      return decode(msg);
    } catch (error) {
      throw explain(error);
    }
  };
}

module.exports = { makeDecoder };
