/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* One measured goal, and the table of them. */

/**
 * @typedef {object} Result
 * @property {string} name The row, or the row and what of it: "scale/cpu".
 * @property {number} ours
 * @property {number | null} reference
 * @property {string | null} reference_name
 * @property {string} unit Of ours and the reference.
 * @property {number | null} ratio Of the two, as the goal compares them.
 * @property {string} goal
 * @property {boolean} met
 */

/** Four digits tell enough. @param {number} value */
function round(value) {
  return Number(value.toPrecision(4));
}

/** At most that much, by itself.
 * @param {string} name @param {string} unit @param {number} ours @param {number} most
 * @param {{name: string, value: number}} [reference] For comparison.
 * @returns {Result} */
function atMost(name, unit, ours, most, reference) {
  return {
    name,
    ours: round(ours),
    reference: reference ? round(reference.value) : null,
    reference_name: reference ? reference.name : null,
    unit,
    ratio: reference ? round(ours / reference.value) : null,
    goal: `<= ${most} ${unit}`,
    met: ours <= most,
  };
}

/** @param {string} name @param {string} unit @param {number} ours @param {number} least
 * @param {{name: string, value: number}} reference @returns {Result} */
function atLeast(name, unit, ours, least, reference) {
  return {
    ...atMost(name, unit, ours, least, reference),
    goal: `>= ${least} ${unit}`,
    met: ours >= least,
  };
}

/** Ours costs at most that many times the reference.
 * @param {string} name @param {string} unit @param {number} ours @param {number} times
 * @param {{name: string, value: number}} reference @returns {Result} */
function atMostTimes(name, unit, ours, times, reference) {
  return {
    ...atMost(name, unit, ours, 0, reference),
    goal: `<= ${times} x ${reference.name}`,
    met: ours <= times * reference.value,
  };
}

/** The reference costs at least that many times ours; the ratio is how many.
 * @param {string} name @param {string} unit @param {number} ours @param {number} times
 * @param {{name: string, value: number}} reference @returns {Result} */
function timesLess(name, unit, ours, times, reference) {
  return {
    ...atMost(name, unit, ours, 0, reference),
    ratio: round(reference.value / ours),
    goal: `>= ${times} x less than ${reference.name}`,
    met: reference.value >= times * ours,
  };
}

/** @param {Result[]} results */
function writeRows(results) {
  const head = ['', 'ours', 'reference', '', 'unit', 'ratio', 'goal', ''];
  const rows = results.map((result) => [
    result.name,
    String(result.ours),
    result.reference === null ? '-' : String(result.reference),
    result.reference_name ?? '',
    result.unit,
    result.ratio === null ? '-' : String(result.ratio),
    result.goal,
    result.met ? 'met' : 'NOT MET',
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i].length)));
  return [head, ...rows]
    .map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i])).join('  ')}`.trimEnd())
    .join('\n');
}

module.exports = { atLeast, atMost, atMostTimes, timesLess, writeRows };
