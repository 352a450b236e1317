/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Registers or bits as modbus-read and modbus-flex-getter of node-red-contrib-modbus give them:
   `payload`, and `responseBuffer` with the same beside the bytes of the answer. Bits come in whole bytes,
   so three coils are eight values, of which the last five are false. */

/** @param {boolean[]} bits Whole bytes of them. @returns {Buffer} */
function packBits(bits) {
  const bytes = Buffer.alloc(bits.length / 8);
  bits.forEach((bit, i) => bit && (bytes[i >> 3] |= 1 << (i & 7)));
  return bytes;
}

/** @param {number[]} words @returns {Buffer} */
function packWords(words) {
  const bytes = Buffer.alloc(2 * words.length);
  words.forEach((word, i) => bytes.writeUInt16BE(word & 0xffff, 2 * i));
  return bytes;
}

/** @param {boolean[]} bits */
function formBits(bits) {
  const padding = Array(Math.ceil(bits.length / 8) * 8 - bits.length).fill(false);
  const data = [...bits, ...padding];
  return { payload: data, responseBuffer: { data, buffer: packBits(data) } };
}

/** @param {number[]} words */
function formWords(words) {
  return { payload: words, responseBuffer: { data: words, buffer: packWords(words) } };
}

module.exports = { formBits, formWords };
