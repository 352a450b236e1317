/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The values of a meter as a line of text. Pure. */

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

/** The points that are waited for. */
const POINTS = COLUMNS.map(([, point]) => point);

/** @param {Meter} meter */
function writeLine(meter) {
  const parts = COLUMNS.map(([head, point, divisor, digits]) => {
    const value = meter.number(point);
    return `${head} ${value === undefined ? '-' : (value / divisor).toFixed(digits)}`;
  });
  return `${meter.id}: ${meter.state}, ${parts.join(', ')}`;
}

module.exports = { POINTS, writeLine };
