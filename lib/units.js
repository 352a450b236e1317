/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Durations and sizes for sentences, as the runtime writes them: what is whole as in a setting, else
   rounded. */

/** @typedef {[number, string][]} Units From the largest to the smallest. */

/** @type {Units} */
const DURATIONS = [
  [86400000, 'd'],
  [3600000, 'h'],
  [60000, 'min'],
  [1000, 's'],
];

/** @type {Units} */
const SIZES = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
];

/** "15 min", "90 s", "7 d". @param {number} ms */
function formatDuration(ms) {
  const [size, unit] = DURATIONS.find(([size]) => ms >= size && ms % size === 0) ?? [1000, 's'];
  return ms >= 1000 ? `${Math.round(ms / size)} ${unit}` : `${ms} ms`;
}

/** "640 B", "4.7 MiB", "16 MiB". @param {number} bytes */
function formatSize(bytes) {
  const [size, unit] = SIZES.find(([size]) => bytes >= size) ?? [1, 'B'];
  return `${Math.round((bytes / size) * 10) / 10} ${unit}`;
}

module.exports = { formatDuration, formatSize };
