/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Writes native/encode/number_table.h, the powers of ten that number.c multiplies with, and proves
   over their whole range the integer logarithms that number.c uses to find its power.

   node scripts/generate-powers.js           writes the file
   node scripts/generate-powers.js --check   only says whether the file is what would be written */

const fs = require('node:fs');
const path = require('node:path');

const FILE = path.resolve(__dirname, '../native/encode/number_table.h');

/* Exponents q of c × 2^q, subnormal numbers included. */
const MIN_Q = -1074;
const MAX_Q = 971;

/** @param {bigint} value */
const bitLength = (value) => value.toString(2).length;

/** floor(log2(10^e)) by counting bits. @param {number} e */
function log2OfPower(e) {
  if (e >= 0) return bitLength(10n ** BigInt(e)) - 1;
  return -bitLength(10n ** BigInt(-e) - 1n);
}

/** floor(log10(factor / 4 × 2^q)) by comparing integers. @param {number} q @param {bigint} factor */
function log10OfPower(q, factor) {
  const up = q > 0 ? factor << BigInt(q) : factor;
  const down = q < 0 ? 4n << BigInt(-q) : 4n;
  const fits = (/** @type {number} */ k) =>
    k >= 0 ? down * 10n ** BigInt(k) <= up : down <= up * 10n ** BigInt(-k);
  let k = Math.floor(q * Math.log10(2)) + 2;
  while (!fits(k)) k--;
  return k;
}

/** floor(10^e × 2^shift) + 1. @param {number} e @param {number} shift */
function power(e, shift) {
  const up = (10n ** BigInt(Math.max(e, 0))) << BigInt(Math.max(shift, 0));
  const down = (10n ** BigInt(Math.max(-e, 0))) << BigInt(Math.max(-shift, 0));
  return up / down + 1n;
}

/** The constants in number.c. */
function proveLogarithms() {
  for (let q = MIN_Q; q <= MAX_Q; q++) {
    const product = BigInt(q) * 1262611n;
    if (Number(product >> 22n) !== log10OfPower(q, 4n)) throw new Error(`log10(2^${q})`);
    if (Number((product - 524031n) >> 22n) !== log10OfPower(q, 3n)) {
      throw new Error(`log10(3/4 × 2^${q})`);
    }
    const e = -log10OfPower(q, 4n);
    if (Number((BigInt(e) * 1741647n) >> 19n) !== log2OfPower(e)) throw new Error(`log2(10^${e})`);
  }
}

/** @param {bigint} word */
const hex = (word) => `0x${word.toString(16).padStart(16, '0')}`;

/** @param {string[]} entries @param {number} perLine */
function printLines(entries, perLine) {
  const lines = [];
  for (let i = 0; i < entries.length; i += perLine) {
    lines.push(`  ${entries.slice(i, i + perLine).join(', ')},`);
  }
  return lines.join('\n');
}

function printScales() {
  const entries = ['0'];
  for (let exponent = 1; exponent < 255; exponent++) {
    const q = exponent - 150;
    entries.push(hex(power(-log10OfPower(q, 4n), 60 + q)));
  }
  return printLines(entries, 4);
}

function printPowers() {
  const entries = [];
  for (let e = -log10OfPower(MAX_Q, 4n); e <= -log10OfPower(MIN_Q, 4n); e++) {
    const g = power(e, 127 - log2OfPower(e));
    entries.push(`{${hex(g >> 64n)}, ${hex(g & ((1n << 64n) - 1n))}}`);
  }
  return printLines(entries, 2);
}

function printFile() {
  return `/* SPDX-License-Identifier: Apache-2.0 */
/* Powers of ten for number.c, written by scripts/generate-powers.js: do not edit. */
#ifndef BB_ENCODE_NUMBER_TABLE_H
#define BB_ENCODE_NUMBER_TABLE_H

#include <stdint.h>

struct power {
  uint64_t high, low;
};

#define FIRST_POWER (${-log10OfPower(MAX_Q, 4n)})

/* clang-format off */

/* By the exponent field of a float, so for q = exponent - 150 and k = floor(log10(2^q)):
 * floor(2^q / 10^k * 2^60) + 1. */
static const uint64_t scales[] = {
${printScales()}
};

/* By e - FIRST_POWER: floor(10^e * 2^r) + 1, with the r that makes it 128 bits long. */
static const struct power powers[] = {
${printPowers()}
};

/* clang-format on */

#endif
`;
}

proveLogarithms();
if (!process.argv.includes('--check')) {
  fs.writeFileSync(FILE, printFile());
} else if (fs.readFileSync(FILE, 'utf8') !== printFile()) {
  console.error(`${FILE} is not what scripts/generate-powers.js writes; run it.`);
  process.exitCode = 1;
}
