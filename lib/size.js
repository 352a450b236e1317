/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Whether a value is longer than may be, found out without writing it: what is too long by far would hold
   up Node-RED while it is made a text that is thrown away. */

/** At least so many bytes as JSON; those of lists and maps without what they hold.
 * @param {unknown} value */
function leastBytes(value) {
  if (typeof value === 'string') return value.length;
  if (typeof value === 'object' && value !== null) return 2;
  return value === undefined || typeof value === 'function' ? 0 : 1;
}

/** @param {object} value @returns {boolean} It says by itself how it is written, or is counted at once. */
function isClosed(value) {
  return ArrayBuffer.isView(value) || typeof (/** @type {any} */ (value).toJSON) === 'function';
}

/** Whether it surely has more bytes than that, as JSON or, if it is one, as a text or Buffer. What is
 * there twice is counted once, so that a circle ends.
 * @param {unknown} value @param {number} limit @returns {boolean} */
function isLonger(value, limit) {
  if (ArrayBuffer.isView(value)) return value.byteLength > limit;
  let bytes = leastBytes(value);
  if (typeof value !== 'object' || value === null || isClosed(value)) return bytes > limit;
  const seen = new Set([value]);
  /** @type {object[]} */
  const left = [value];
  const count = (/** @type {unknown} */ part) => {
    bytes += leastBytes(part);
    if (typeof part !== 'object' || part === null) return;
    if (ArrayBuffer.isView(part)) bytes += part.byteLength;
    if (isClosed(part) || seen.has(part)) return;
    seen.add(part);
    left.push(part);
  };
  for (let part = left.pop(); part && bytes <= limit; part = left.pop()) {
    if (Array.isArray(part)) {
      for (let i = 0; i < part.length && bytes <= limit; i++) {
        if (i > 0) bytes++;
        count(part[i]);
      }
      continue;
    }
    for (const key in part) {
      if (bytes > limit) break;
      const inner = /** @type {any} */ (part)[key];
      if (inner === undefined || typeof inner === 'function') continue;
      bytes += key.length + 3;
      count(inner);
    }
  }
  return bytes > limit;
}

module.exports = { isLonger };
