/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The values of the meters as text. Pure. */

/** @typedef {import('./values').Meter} Meter */

/** Head, point, divisor, digits behind the point. @type {[string, string, number, number][]} */
const COLUMNS = [
  ['V L1-N', 'voltage/l1-n', 1, 1],
  ['V L2-N', 'voltage/l2-n', 1, 1],
  ['V L3-N', 'voltage/l3-n', 1, 1],
  ['A L1', 'current/l1', 1, 1],
  ['kW', 'power/active/total', 1000, 2],
  ['Hz', 'frequency', 1, 2],
  ['kWh', 'energy/active/import', 1000, 1],
];

/** The points that the table shows. */
const POINTS = COLUMNS.map(([, point]) => point);

const WIDTH = 9;

/** @param {string[]} cells */
function joinCells([id, state, ...cells]) {
  const numbers = cells.map((cell) => cell.padStart(WIDTH));
  return `  ${id.padEnd(10)}${state.padEnd(16)}${numbers.join('')}`;
}

function writeHead() {
  return joinCells(['meter', 'state', ...COLUMNS.map(([head]) => head), 'age']);
}

/** @param {Meter} meter @param {number} now Milliseconds since 1970. */
function writeRow(meter, now) {
  const cells = COLUMNS.map(([, point, divisor, digits]) => {
    const value = meter.number(point);
    return value === undefined ? '-' : (value / divisor).toFixed(digits);
  });
  const age = meter.timestamp === 0 ? '-' : `${((now - meter.timestamp) / 1000).toFixed(1)} s`;
  return joinCells([meter.id, meter.state, ...cells, age]);
}

/** One line without columns. @param {Meter} meter */
function writeLine(meter) {
  const parts = COLUMNS.map(([head, point, divisor, digits]) => {
    const value = meter.number(point);
    return `${head} ${value === undefined ? '-' : (value / divisor).toFixed(digits)}`;
  });
  return `${meter.id}: ${meter.state}, ${parts.join(', ')}`;
}

module.exports = { POINTS, writeHead, writeLine, writeRow };
