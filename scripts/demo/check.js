/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The demo without a person: whether every meter's values arrive. */

const { setTimeout: delay } = require('node:timers/promises');
const { StepError } = require('../command');
const { POINTS, writeLine } = require('./table');

const LOOK_MS = 50;

/** @param {import('./values').Meter} meter @returns {string[]} */
function listMissing(meter) {
  return POINTS.filter((point) => !Number.isFinite(meter.number(point)));
}

/** @param {import('./values').Meter} meter @param {number} seconds */
function describeMissing(meter, seconds) {
  const missing = listMissing(meter);
  const what = missing.length === POINTS.length ? 'values' : missing.join(', ');
  const why = missing.map((point) => meter.quality[point]).find(Boolean);
  return `${meter.id}: no ${what} on MQTT within ${seconds} s${why ? ` (${why})` : ''}`;
}

/** Prints a line a meter once all have arrived; else a StepError that says what is missing.
 * @param {import('./values').Values} values @param {import('./site').Site} site
 * @param {number} seconds */
async function checkValues(values, site, seconds) {
  const end = Date.now() + seconds * 1000;
  while (values.meters.some((meter) => listMissing(meter).length > 0)) {
    if (Date.now() >= end) {
      const late = values.meters.filter((meter) => listMissing(meter).length > 0);
      throw new StepError(late.map((meter) => describeMissing(meter, seconds)).join('\n'), {
        output: site.log.join('\n'),
      });
    }
    await delay(LOOK_MS);
  }
  for (const meter of values.meters) console.log(writeLine(meter));
}

module.exports = { checkValues };
