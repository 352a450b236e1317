/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Registers that somebody else has read become values, by a type or by a device profile. */

const { need } = require('./binding');
const { Decoder, makeColumns, readValue, NO_VALUE } = require('./decoder');

/** @typedef {import('./decoder').Value} Value */
/** @typedef {import('./decoder').Values} Values */

/** Registers as modbus-read gives them, or bytes as they stand on the wire: two a register, the high
 * one first. @typedef {Uint16Array | Uint8Array | number[]} Registers */

/** The tables of Modbus, by the number that the addon knows them by. */
const TABLES = ['coil', 'discrete', 'input', 'holding'];

const MAX_REGISTERS = 65536;
const MAX_PROFILES = 64;

/** @param {Registers} registers @param {string} who @returns {Buffer} */
function toBytes(registers, who) {
  if (registers instanceof Uint16Array) {
    return Buffer.from(Uint16Array.from(registers).buffer).swap16();
  }
  if (registers instanceof Uint8Array) {
    if (registers.length % 2 === 0) return Buffer.from(registers);
    throw new RangeError(`${who}: ${registers.length} bytes are no whole number of registers`);
  }
  if (!Array.isArray(registers)) {
    throw new TypeError(
      `${who}: the registers must be a Buffer, a Uint16Array or a list of numbers`,
    );
  }
  if (registers.length > MAX_REGISTERS) {
    throw new RangeError(`${who}: more than ${MAX_REGISTERS} registers are too many`);
  }
  const bytes = Buffer.alloc(2 * registers.length);
  registers.forEach((register, i) => {
    if (!Number.isInteger(register) || register < -32768 || register > 65535) {
      throw new RangeError(
        `${who}: register ${i} is ${String(register)}; allowed: -32768 to 65535`,
      );
    }
    bytes.writeUInt16BE(register & 0xffff, 2 * i);
  });
  return bytes;
}

/** Bits as they stand on the wire, the first one lowest. @param {Uint8Array | unknown[]} bits
 * @param {string} who */
function toBits(bits, who) {
  if (bits instanceof Uint8Array) return { bytes: Buffer.from(bits), count: 8 * bits.length };
  if (!Array.isArray(bits) || bits.length > MAX_REGISTERS) {
    throw new TypeError(`${who}: the bits must be a Buffer or a list of at most ${MAX_REGISTERS}`);
  }
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => {
    if (bit) bytes[i >> 3] |= 1 << (i & 7);
  });
  return { bytes, count: bits.length };
}

/**
 * A point of a profile.
 * @typedef {object} ProfilePoint
 * @property {string} name
 * @property {string} type Of its value.
 * @property {number} size
 * @property {string} unit
 * @property {string} description
 * @property {string} scan
 * @property {string} table coil, discrete, input, holding, assembly or none.
 * @property {number} address
 * @property {number} length Coils or registers.
 * @property {boolean} writable
 * @property {number} [min] Of what may be written.
 * @property {number} [max]
 * @property {number} [step]
 * @property {string} [allowed] The same in words.
 * @property {'none' | 'enum' | 'bits'} labelsKind
 * @property {import('./frames').Label[]} labels
 */

/** A device profile that has been read. Mistakes in it are thrown as one TypeError, whose `mistakes`
 * is a list of `line`, `path` and `text`. */
class Profile {
  /** @param {string} text JSON. @param {string} [name] For mistakes. */
  constructor(text, name = 'profile') {
    const { Profile: NativeProfile } = need();
    this.native = new NativeProfile(text, name);
    const description = JSON.parse(this.native.describe());
    /** @type {string} */
    this.id = description.id;
    /** @type {string} */
    this.name = description.name;
    /** Of line protocol. @type {string} */
    this.measurement = description.measurement;
    /** @type {ProfilePoint[]} */
    this.points = description.points;
    this.decoder = new Decoder(this.points);
    this.columns = makeColumns(this.points.length, this.native.bytes());
    this.bytes = Buffer.from(this.columns.doubles.buffer);
    this.places = new Map(this.points.map((point, i) => [point.name, i]));
  }

  /** The table that all of its points lie in; holding where they lie in several. */
  get table() {
    const tables = new Set(this.points.map(({ table }) => table));
    const [only] = tables;
    return tables.size === 1 && TABLES.includes(only) ? only : 'holding';
  }
}

/** The newest ones, by their text. @type {Map<string, Profile>} */
const profiles = new Map();

/**
 * Reads a profile, or finds it among those read before.
 * @param {string | object} profile JSON text, or the same as an object, or what this has returned.
 * @param {string} [name] What mistakes are told under.
 * @returns {Profile}
 */
function openProfile(profile, name = 'profile') {
  if (profile instanceof Profile) return profile;
  const isText = typeof profile === 'string';
  if (!isText && (profile === null || typeof profile !== 'object' || Array.isArray(profile))) {
    throw new TypeError('the profile must be a JSON text or an object');
  }
  const text = isText ? profile : JSON.stringify(profile);
  const known = profiles.get(text);
  const opened = known ?? new Profile(text, name);
  profiles.delete(text);
  profiles.set(text, opened);
  if (profiles.size > MAX_PROFILES)
    profiles.delete(/** @type {string} */ (profiles.keys().next().value));
  return opened;
}

/**
 * Values of the points of a profile whose registers are all among those given; the others are in
 * neither of the two objects.
 * @param {Registers | unknown[]} registers Of a table of bits: a list, or bytes with the first bit
 *   lowest.
 * @param {number} address Of the first one, from 0.
 * @param {string | object} profile See openProfile.
 * @param {{table?: string}} [options] Which table was read; the one that all points are in, or
 *   holding.
 * @returns {{values: Values, quality?: Record<string, string>}}
 */
function decodeProfile(registers, address, profile, { table } = {}) {
  const opened = openProfile(profile);
  const name = table ?? opened.table;
  const space = TABLES.indexOf(name);
  if (space < 0) {
    throw new RangeError(
      `decodeProfile: there is no table ${String(name)}; allowed: ${TABLES.join(', ')}`,
    );
  }
  const { bytes, count } =
    space < 2
      ? toBits(/** @type {unknown[]} */ (registers), 'decodeProfile')
      : { bytes: toBytes(/** @type {Registers} */ (registers), 'decodeProfile'), count: -1 };
  const { native, columns, decoder } = opened;
  native.decode(bytes, space, address, count < 0 ? bytes.length / 2 : count, columns.doubles);
  const values = decoder.decode(columns, opened.bytes);
  const quality = decoder.describe(columns);
  return quality ? { values, quality } : { values };
}

/**
 * How values lie in registers: the keys of a point of a profile, but for its name and address.
 * @typedef {object} RegisterSpec
 * @property {string} type bit, int8 ... uint64, float32, float64, bcd16, bcd32, bcd64, text.
 * @property {'ABCD' | 'CDAB' | 'BADC' | 'DCBA'} [wordOrder] ABCD.
 * @property {number | string} [scale] Exact in decimal: 3 times 0.1 is 0.3.
 * @property {number | string} [offset] Added after scaling.
 * @property {1 | -1} [sign]
 * @property {'low' | 'high'} [byte] Of an int8 or uint8.
 * @property {number} [bit] Which bit, or the first of a bit field.
 * @property {number} [bits] Width of a bit field.
 * @property {number} [length] Of a text, in registers.
 * @property {(number | string)[]} [sentinels] Raw values that mean "not available".
 * @property {{min?: number, max?: number}} [valid]
 * @property {number} [index] The register to begin with; 0.
 * @property {number} [count] How many values at most; as many as there are.
 */

/** @type {Map<string, {profile: Profile, columns: import('./decoder').Columns, bytes: Buffer}>} */
const specs = new Map();

/** @param {RegisterSpec} spec */
function openSpec(spec) {
  const { type, wordOrder, scale, offset, sign, byte, bit, bits, length, sentinels, valid } = spec;
  const point = {
    ...{ name: 'value', holding: 0, type, order: wordOrder, scale, add: offset, sign, byte },
    ...{ bit, bits, length, sentinels, valid },
  };
  const text = JSON.stringify({ profile: 1, id: 'registers', points: [point] });
  let opened = specs.get(text);
  if (!opened) {
    const profile = new Profile(text, 'decodeRegisters');
    const { maxPoints } = need().columns;
    const columns = makeColumns(maxPoints, maxPoints * profile.points[0].size);
    opened = { profile, columns, bytes: Buffer.from(columns.doubles.buffer) };
    specs.set(text, opened);
    if (specs.size > MAX_PROFILES) specs.delete(/** @type {string} */ (specs.keys().next().value));
  }
  return opened;
}

/** @param {unknown} value @param {string} what @param {number} fallback @param {string} who */
function readCount(value, what, fallback, who) {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && Number(value) >= 0) return Number(value);
  throw new RangeError(`${who}: ${what} must be a whole number from 0 on`);
}

/**
 * All values of one type that lie behind each other in registers.
 * @param {Registers} registers @param {RegisterSpec} spec
 * @returns {{values: (Value | undefined)[], quality?: Record<number, string>}} `values` has undefined
 *   where there is none, and `quality` by place why.
 */
function decodeRegisters(registers, spec) {
  const who = 'decodeRegisters';
  if (spec === null || typeof spec !== 'object') throw new TypeError(`${who}: needs a type`);
  const source = toBytes(registers, who);
  const { profile, columns, bytes } = openSpec(spec);
  const { columns: layout, qualities } = need();
  const [{ type, size, length }] = profile.points;
  let at = 2 * readCount(spec.index, 'index', 0, who);
  let left = readCount(spec.count, 'count', MAX_REGISTERS, who);
  /** @type {(Value | undefined)[]} */
  const values = [];
  /** @type {Record<number, string> | undefined} */
  let quality;
  for (;;) {
    const most = Math.min(left, layout.maxPoints);
    const n = most > 0 ? profile.native.repeat(source, at, most, columns.doubles) : 0;
    if (n === 0) return quality ? { values, quality } : { values };
    const slots = columns.doubles[layout.values];
    for (let i = 0; i < n; i++) {
      const byte = columns.quality[i];
      if (byte >= 0x40) (quality ??= {})[values.length] = qualities[byte];
      const number = columns.doubles[layout.numbers + i];
      values.push(byte < NO_VALUE ? readValue(type, number, bytes, slots + i * size) : undefined);
    }
    left -= n;
    at += 2 * n * length;
  }
}

module.exports = { Profile, openProfile, decodeProfile, decodeRegisters };
