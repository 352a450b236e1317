/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A batch of 60 float32 values with random mantissas, from its frame to a plain object of names and
   values: by FrameReader, and beside it JSON.parse of the same values as text. Prints
   {"ns_per_point":...,"json_ns_per_point":...}.

   node js_decode.js [SECONDS] */

const { FrameReader, packBatch, packDevice, packShape } = require('../../lib/frames');

const POINTS = 60;
const BATCHES = 256;
const ROUNDS = 40; // of all batches at once
const seconds = Number(process.argv[2] || 2);

const names = Array.from({ length: POINTS }, (_, i) => `voltage/l${(i % 3) + 1}-n/${i}`);
const shape = packShape({
  scan: 'fast',
  points: names.map((name) => ({ name, type: 'float32', unit: 'V' })),
});
const random = () => Math.fround(128 + Math.random() * 384);
const frames = Array.from({ length: BATCHES }, (_, i) =>
  packBatch({
    ...{ device: 7, shape, timestamp: 1763688000000 + i },
    values: Object.fromEntries(names.map((name) => [name, random()])),
  }),
);

const reader = new FrameReader();
reader.read(Buffer.concat([packDevice({ number: 7, id: 'meter-1' }), shape.frame]));

/** @type {import('../../lib/decoder').Values[]} */
const objects = [];
reader.read(Buffer.concat(frames), {
  onBatch: ({ values }) => void objects.push(/** @type {any} */ (values)),
});
const texts = objects.map((values) => JSON.stringify(values));

let last = 0;
const handlers = {
  onBatch: (/** @type {import('../../lib/frames').Batch} */ batch) => {
    last = /** @type {any} */ (batch.values)[names[0]];
  },
};

/** CPU time a value of one round, that of the garbage collector's threads included.
 * @param {(i: number) => void} work */
function measure(work) {
  const start = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round++) for (let i = 0; i < BATCHES; i++) work(i);
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1000) / (ROUNDS * BATCHES * POINTS);
}

/** @param {number[]} values */
function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

const decode = (/** @type {number} */ i) => reader.read(frames[i], handlers);
const parse = (/** @type {number} */ i) => void (last = JSON.parse(texts[i])[names[0]]);

/* By turns, so that what else the machine does meets both. The first rounds are the compiler's. */
/** @type {number[]} */
const ours = [];
/** @type {number[]} */
const json = [];
const end = performance.now() + seconds * 1000;
for (let round = 0; round < 4 || performance.now() < end; round++) {
  const [decoded, parsed] = [measure(decode), measure(parse)];
  if (round >= 2) {
    ours.push(decoded);
    json.push(parsed);
  }
}
if (!(last >= 128)) throw new Error(`read ${last}`);
console.log(
  JSON.stringify({
    ns_per_point: Number(median(ours).toFixed(2)),
    json_ns_per_point: Number(median(json).toFixed(2)),
  }),
);
