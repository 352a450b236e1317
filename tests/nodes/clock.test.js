/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What was read before the clock was set says so, in whatever form it leaves. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { encodeJson, encodeLine } = require('../../lib/codec');
const { FrameReader, packBatch, packDevice, packShape } = require('../../lib/frames');
const { readNow } = require('../../lib/read_now');
const { Readers } = require('../../lib/readers');

/** @typedef {import('../../lib/frames').Batch} Batch */
/** @typedef {Record<string, any>} Message */

/* A board without a battery begins at 1970. */
const TIME = 42123000000n;
const SHAPE = packShape({ scan: 'fast', points: [{ name: 'r0', type: 'uint16' }] });

/** @param {boolean} clockUnset @returns {Batch} */
function makeBatch(clockUnset) {
  /** @type {Batch[]} */
  const batches = [];
  const frames = [
    packDevice({ number: 1, id: 'meter-1', profile: 'acme/m-1' }),
    SHAPE.frame,
    packBatch({ device: 1, shape: SHAPE, values: { r0: 7 }, timestamp: TIME, clockUnset }),
  ];
  new FrameReader().read(Buffer.concat(frames), { onBatch: (batch) => batches.push(batch) });
  return batches[0];
}

/** What a busbar-in with these fields sends of it. @param {boolean} clockUnset
 * @param {Record<string, any>} fields @returns {Message[]} */
function messagesOf(clockUnset, fields) {
  const readers = new Readers();
  /** @type {Message[]} */
  const sent = [];
  const node = { type: 'busbar-in', id: 'i1', ...fields };
  readers.set([{ node, devices: ['meter-1'], send: (messages) => sent.push(...messages) }]);
  readers.take(makeBatch(clockUnset));
  return sent;
}

test('read points: each form of the message says so, and nothing where the clock was set', () => {
  /** @type {Record<string, any>[]} */
  const ways = [
    ...['object', 'points', 'influx', 'registers'].map((output) => ({ output })),
    ...[{ mode: 'changes' }, { mode: 'snapshot' }],
  ];
  for (const fields of ways) {
    const [unset] = messagesOf(true, fields);
    assert.deepEqual([unset.clock, unset.timestamp], ['unset', 42123], JSON.stringify(fields));
    const [set] = messagesOf(false, fields);
    assert.equal('clock' in set, false, JSON.stringify(fields));
  }
});

test('read now: as the runtime says it of the scan', async () => {
  const points = [{ name: 'r0', value: 7, quality: 'good' }];
  const scans = [
    { scan: 'fast', timestamp: 42123, clock: 'unset', points },
    { scan: 'slow', timestamp: 1763688000123, points },
  ];
  const plant = { runtime: { request: async () => ({ scans }) } };
  const plan = {
    assembly: { document: {}, devices: new Map([['meter-1', { nodeId: 'd1' }]]) },
    devicesOf: new Map([['n1', ['meter-1']]]),
  };
  const hub = /** @type {any} */ ({ need: () => ({ plant, plan }) });
  const readings = await readNow(hub, 'n1', { device: 'd1' }, {});
  assert.deepEqual(
    readings.map(({ clock }) => clock),
    ['unset', undefined],
  );
});

test('a sink: JSON says so; a line has its time alone, and stays in its series', () => {
  assert.equal(JSON.parse(encodeJson(makeBatch(true))).clock, 'unset');
  assert.equal('clock' in JSON.parse(encodeJson(makeBatch(false))), false);
  assert.equal(encodeLine(makeBatch(true)), 'm_1,asset=meter-1 r0=7i 42123000000');
  assert.equal(encodeLine(makeBatch(false)), encodeLine(makeBatch(true)));
});
