/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Settings of other palettes in our words: ids, durations, and variables of the environment, which
   Node-RED fills in where they are the whole value. */

const { text } = require('./flow');

const MAX_ID = 64;
const UNITS = [
  { name: 'h', ms: 3600000 },
  { name: 'min', ms: 60000 },
  { name: 's', ms: 1000 },
  { name: 'ms', ms: 1 },
];

/** @param {unknown} value */
function isVariable(value) {
  return /^\$(\{\S+\}|\(\S+\))$/.test(text(value));
}

/** Whether a text has a variable in it that Node-RED will not fill in. @param {string} value */
function hasVariable(value) {
  return /\$[{(]/.test(value);
}

/** 1500 → "1500ms", 60000 → "1min". @param {number} ms */
function duration(ms) {
  const unit = UNITS.find((unit) => ms > 0 && ms % unit.ms === 0);
  return unit ? `${ms / unit.ms}${unit.name}` : '0ms';
}

/** What a name becomes as an id of a device or sink; "" if nothing of it can stay.
 * @param {unknown} name */
function safeId(name) {
  const plain = text(name)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/-{2,}/g, '-');
  return plain
    .replace(/^[-.]+/, '')
    .slice(0, MAX_ID)
    .replace(/[-.]+$/, '');
}

/** @param {string} value */
function isSafeId(value) {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(value);
}

/**
 * A time in milliseconds as a duration within bounds. A variable stays, with a word about its unit.
 * @param {unknown} value @param {{min: number, max: number, what: string, scale?: number}} bounds
 *   `scale`: milliseconds in one of the value.
 * @param {(sentence: string) => void} note
 * @returns {string | undefined} Nothing where the value is no number.
 */
function boundedDuration(value, { min, max, what, scale = 1 }, note) {
  if (isVariable(value)) {
    const example = duration(scale === 1 ? 500 : 5 * scale);
    note(`${what} is ${text(value)}: the variable has to name its unit now, such as ${example}.`);
    return text(value);
  }
  const ms = text(value) === '' ? NaN : Math.round(Number(value) * scale);
  if (!Number.isFinite(ms)) return undefined;
  const kept = Math.min(Math.max(ms, min), max);
  if (kept !== ms)
    note(`${what} of ${duration(ms)} is now ${duration(kept)}, the nearest allowed.`);
  return duration(kept);
}

module.exports = { boundedDuration, duration, hasVariable, isSafeId, isVariable, safeId };
