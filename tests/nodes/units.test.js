/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Durations and sizes in sentences. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { formatDuration, formatSize } = require('../../lib/units');

test('a duration that is whole is shown as it is written, else in seconds', () => {
  for (const [ms, expected] of /** @type {[number, string][]} */ ([
    [0, '0 ms'],
    [250, '250 ms'],
    [1000, '1 s'],
    [20013, '20 s'],
    [90000, '90 s'],
    [120000, '2 min'],
    [5400000, '90 min'],
    [7200000, '2 h'],
    [604800000, '7 d'],
  ])) {
    assert.equal(formatDuration(ms), expected);
  }
});

test('a size is shown in the unit that it is of', () => {
  for (const [bytes, expected] of /** @type {[number, string][]} */ ([
    [0, '0 B'],
    [100, '100 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [16777216, '16 MiB'],
    [4928307, '4.7 MiB'],
    [1099511627776, '1 TiB'],
  ])) {
    assert.equal(formatSize(bytes), expected);
  }
});
