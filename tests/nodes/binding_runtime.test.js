/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The codecs against a real runtime: frames that it sends, and values that it is brought. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');
const { TYPE, connectSocket } = require('../support/socket');
const { waitFor } = require('../support/wait');
const { FrameReader, packBatch, packDevice, packShape } = require('../../lib/frames');
const { encodeJson } = require('../../lib/codec');

/** @typedef {import('../../lib/frames').Batch} Batch */

/** A client whose frames FrameReader reads beside the tests' own reader.
 * @param {import('node:test').TestContext} t @param {string} data */
async function connectReader(t, data) {
  const client = await connectSocket(t, data);
  const reader = new FrameReader();
  /** @type {Batch[]} */
  const batches = [];
  const take = client.take.bind(client);
  client.take = (type, body) => {
    if (type === TYPE.frames) reader.read(body, { onBatch: (batch) => batches.push(batch) });
    take(type, body);
  };
  return { client, batches };
}

test('batches of a meter are read as the tests read them', async (t) => {
  const sim = await startSim(t, ['generic/modbus-60']);
  const meter = describeMeter('meter-1', sim.port, {
    scan: { fast: '100ms' },
    tags: { line: 'l1' },
  });
  const runtime = await startRuntime(t, meter);
  const { client, batches } = await connectReader(t, runtime.data);
  await client.must('subscribe', {});
  await waitFor(() => batches.length >= 5 && batches, { what: 'five batches' });
  batches.forEach((batch, i) => {
    const theirs = client.batches[i];
    assert.equal(batch.device.id, 'meter-1');
    assert.equal(batch.device.tags.line, 'l1');
    assert.equal(batch.scan, theirs.scan);
    assert.equal(batch.timeNs, theirs.timeNs);
    const values = Object.entries(batch.values ?? {});
    const rounded = values.map(([name, value]) => [
      ...[name, typeof value === 'number' ? Math.fround(value) : value],
    ]);
    assert.deepEqual(Object.fromEntries(rounded), theirs.values);
    assert.deepEqual(Object.keys(batch.quality ?? {}), Object.keys(theirs.quality));
    const json = JSON.parse(encodeJson(batch));
    assert.deepEqual(json.values, batch.values);
  });
});

test('values that are packed here become those of a device', async (t) => {
  const runtime = await startRuntime(t, {
    connections: [{ id: 'outside', external: {} }],
    devices: [{ id: 'weather', connection: 'outside' }],
  });
  const source = await connectSocket(t, runtime.data, { name: 'source' });
  const { client, batches } = await connectReader(t, runtime.data);
  await client.must('subscribe', {});
  const shape = packShape({
    scan: 'values',
    points: [
      { name: 'temperature', type: 'float32', unit: 'C', min: -50, max: 60, writable: true },
      { name: 'state', type: 'uint8', labelsKind: 'enum', labels: [{ value: 1, name: 'rain' }] },
      { name: 'note', type: 'text', size: 20 },
      { name: 'count', type: 'int64' },
    ],
  });
  const values = { temperature: 21.3, note: 'föhn', count: '9007199254740993' };
  const quality = { state: 'bad, no answer' };
  const timestamp = 1763688000123456789n;
  source.sendFrames(
    packDevice({ number: 4, id: 'weather' }),
    shape.frame,
    packBatch({ device: 4, shape, values, quality, timestamp }),
  );
  const batch = await waitFor(() => batches.find(({ values: got }) => got?.count), {
    what: 'the batch',
  });
  assert.deepEqual(batch.values, values);
  assert.deepEqual(batch.quality, quality);
  assert.equal(batch.timeNs, timestamp);
  assert.deepEqual(batch.shape?.points[1].labels, [{ value: 1, name: 'rain' }]);
  assert.deepEqual([batch.shape?.points[0].min, batch.shape?.points[0].max], [-50, 60]);
  assert.equal(batch.shape?.hash, shape.hash);
});
