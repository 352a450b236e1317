/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Decodes tests/vectors/codec/values.json without our codec: bytes by DataView, decimals by BigInt
   and the engine's own reading of numbers. What the C tests expect stands on this. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { readFile } = require('../../scripts/files');

/** @typedef {{ type: string, order: string, raw: string, value: unknown, byte?: string, bit?: number,
 *   bits?: number, scale?: string, add?: string, power?: number, sign?: number }} Row */

/** The bytes in order ABCD. @param {Row} row */
function straighten({ raw, order }) {
  const words = raw.match(/.{1,4}/g) ?? [];
  if (order === 'CDAB' || order === 'DCBA') words.reverse();
  const swap = order === 'BADC' || order === 'DCBA';
  return Buffer.from(words.map((w) => (swap ? w.slice(2) + w.slice(0, 2) : w)).join(''), 'hex');
}

/** The bit field, as an unsigned number. @param {Row} row @param {Buffer} bytes */
function field({ bit = 0, bits = 1 }, bytes) {
  return BigInt.asUintN(bits, BigInt(`0x${bytes.toString('hex')}`) >> BigInt(bit));
}

/** A whole number as BigInt, a float as Number. @param {Row} row */
function readRaw(row) {
  const bytes = straighten(row);
  if (row.bit !== undefined) return field(row, bytes);
  const half = bytes.subarray(row.byte === 'high' ? 0 : 1);
  /** @type {Record<string, () => bigint | number>} */
  const readers = {
    int8: () => BigInt(half.readInt8()),
    uint8: () => BigInt(half.readUInt8()),
    int16: () => BigInt(bytes.readInt16BE()),
    uint16: () => BigInt(bytes.readUInt16BE()),
    int32: () => BigInt(bytes.readInt32BE()),
    uint32: () => BigInt(bytes.readUInt32BE()),
    int64: () => bytes.readBigInt64BE(),
    uint64: () => bytes.readBigUInt64BE(),
    float32: () => bytes.readFloatBE(),
    float64: () => bytes.readDoubleBE(),
    bcd16: () => BigInt(bytes.toString('hex')),
    bcd32: () => BigInt(bytes.toString('hex')),
    bcd64: () => BigInt(bytes.toString('hex')),
  };
  return readers[row.type]();
}

/** digits × 10^exponent. @param {string} text @returns {[bigint, number]} */
function decimal(text) {
  const [mantissa, exponent = '0'] = text.split('e');
  const [whole, fraction = ''] = mantissa.split('.');
  return [BigInt(whole + fraction), Number(exponent) - fraction.length];
}

/** raw × scale × 10^power + add, exact until the one reading at the end. @param {Row} row
 *  @param {bigint} raw */
function scaleWhole({ scale = '1', add = '0', power = 0 }, raw) {
  const [factor, exponent] = decimal(scale);
  const [digits, place] = decimal(add);
  const low = Math.min(exponent + power, place);
  const sum =
    raw * factor * 10n ** BigInt(exponent + power - low) + digits * 10n ** BigInt(place - low);
  return Number(`${sum}e${low}`);
}

/** @param {Row} row */
function compute(row) {
  const raw = readRaw(row);
  if (row.type === 'bit') return raw === 1n;
  const scaled = row.scale !== undefined || row.add !== undefined || row.power !== undefined;
  if (typeof raw === 'bigint') {
    const signed = row.sign === -1 ? -raw : raw;
    return scaled ? scaleWhole(row, signed) : signed;
  }
  const value = (row.sign ?? 1) * raw * Number(row.scale ?? 1) + Number(row.add ?? 0);
  return row.type === 'float32' ? Math.fround(value) : value;
}

/** The expected value as the type that was computed. @param {Row} row @param {unknown} computed */
function expected({ type, value }, computed) {
  if (typeof computed === 'bigint') return BigInt(/** @type {number | string} */ (value));
  return type === 'float32' ? Math.fround(Number(value)) : value;
}

test('the vectors of the codec', () => {
  /** @type {Row[]} */
  const rows = JSON.parse(readFile('tests/vectors/codec/values.json'));
  assert.ok(rows.length > 300, `${rows.length} rows`);
  for (const row of rows) {
    const computed = compute(row);
    assert.deepEqual(computed, expected(row, computed), JSON.stringify(row));
  }
});
