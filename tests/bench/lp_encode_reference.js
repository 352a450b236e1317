/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What lp_encode.c measures, by Point of @influxdata/influxdb-client: 60 float32 values with random
   mantissas a line. They are given as the doubles nearest to their shortest decimals, which is what a
   flow has, and less to print than the float32 widened. Prints {"fields_per_s":...}.

   node lp_encode_reference.js [SECONDS] */

const { Point } = require('@influxdata/influxdb-client');

const POINTS = 60;
const BATCHES = 256;
const seconds = Number(process.argv[2] || 2);

const names = Array.from({ length: POINTS }, (_, i) => `voltage_l${(i % 3) + 1}_n_${i}`);
const value = () => Number(Math.fround(128 + Math.random() * 384).toPrecision(8));
const batches = Array.from({ length: BATCHES }, () => Float64Array.from({ length: POINTS }, value));

let time = 0;

/** @param {Float64Array} values */
function encode(values) {
  const point = new Point('powermonitor_500')
    .tag('area', 'utilities')
    .tag('asset', 'meter-1')
    .tag('line', 'l1')
    .tag('site', 'plant-7')
    .timestamp((time += 1));
  for (let i = 0; i < POINTS; i++) point.floatField(names[i], values[i]);
  return String(point.toLineProtocol()).length;
}

let fields = 0;
let bytes = 0;
const start = process.hrtime.bigint();
let spent = 0;
do {
  for (const values of batches) bytes += encode(values);
  fields += POINTS * BATCHES;
  spent = Number(process.hrtime.bigint() - start) / 1e9;
} while (spent < seconds);
console.log(
  JSON.stringify({
    fields_per_s: Math.round(fields / spent),
    bytes_per_field: Number((bytes / fields).toFixed(1)),
  }),
);
