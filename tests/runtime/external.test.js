/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Values that a client of the control socket brings: devices on a connection of kind external. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { waitFor } = require('../support');
const { tempDir } = require('../support/place');
const { packBatch, packDevice, packShape } = require('../support/frame');
const { startRuntime } = require('../support/runtime');
const { connectSocket } = require('../support/socket');

/** @typedef {import('node:test').TestContext} TestContext */

const TIME = 1763688000123000000n;

/** @param {TestContext} t @param {Record<string, unknown>} [device] */
async function startExternal(t, device = {}) {
  const runtime = await startRuntime(t, {
    connections: [{ id: 'outside', external: {} }],
    devices: [{ id: 'weather', connection: 'outside', ...device }],
  });
  const [source, reader] = [
    await connectSocket(t, runtime.data, { name: 'source' }),
    await connectSocket(t, runtime.data, { name: 'reader' }),
  ];
  await reader.must('subscribe', {});
  return { runtime, source, reader };
}

const SHAPE = packShape('values', [
  ['temperature', 'float32', 'C'],
  ['wind', 'uint16'],
  ['door', 'bool'],
]);

test('a source without a profile brings its own points', async (t) => {
  const { source, reader } = await startExternal(t);
  source.sendFrames(
    packDevice(1, 'weather'),
    SHAPE.frame,
    packBatch(1, SHAPE, [21.5, 7, true], TIME),
  );
  const batch = await reader.waitForBatch(({ device }) => device === 'weather', 'its batch');
  assert.deepEqual(batch.values, { temperature: 21.5, wind: 7, door: true });
  assert.deepEqual([batch.scan, batch.timeNs], ['values', TIME]);
  const status = await reader.must('status');
  assert.deepEqual([status.devices[0].up, status.connections[0].up], [true, true]);
  const read = await reader.must('read', { device: 'weather' });
  assert.equal(read.scans[0].points[1].value, 7);
  assert.equal(read.scans[0].points[0].unit, 'C');
});

test('the loss of its source is the loss of the device', async (t) => {
  const { runtime, source, reader } = await startExternal(t);
  source.sendFrames(packDevice(1, 'weather'), SHAPE.frame, packBatch(1, SHAPE, [1, 2, 0], TIME));
  await reader.waitForBatch(() => true, 'its batch');
  source.close();
  const lost = await reader.waitForEvent(({ up }) => up === false, 'the loss');
  assert.deepEqual([lost.device, lost.reason], ['weather', 'its source disconnected']);
  await reader.waitForBatch(({ quality }) => quality.wind === 'stale', 'stale values');
  const next = await connectSocket(t, runtime.data);
  next.sendFrames(packDevice(9, 'weather'), SHAPE.frame, packBatch(9, SHAPE, [1, 3, 0], TIME));
  await reader.waitForBatch(({ values, quality }) => values.wind === 3 && !quality.wind, 'value 3');
});

test('with a profile, values are put into its points', async (t) => {
  const profile = path.join(tempDir(t), 'weather.yaml');
  fs.writeFileSync(
    profile,
    'profile: 1\nexternal: true\npoints:\n' +
      '  - { name: temperature, type: float32, unit: C }\n  - { name: wind, type: int32 }\n',
  );
  const { source, reader } = await startExternal(t, { profile });
  const shape = packShape('fast', [['wind', 'uint16']]);
  source.sendFrames(packDevice(1, 'weather'), shape.frame, packBatch(1, shape, [12], 0n));
  const batch = await reader.waitForBatch(({ device }) => device === 'weather', 'its batch');
  assert.deepEqual([batch.values, batch.quality], [{ wind: 12 }, {}]);
  const age = Date.now() - Number(batch.timeNs / 1000000n);
  assert.ok(Math.abs(age) < 60000, `time 0 is now, not ${age} ms ago`);
});

test('what cannot be taken is refused in words, once', async (t) => {
  const { runtime, source, reader } = await startExternal(t);
  const batch = packBatch(1, SHAPE, [1, 2, 0], TIME);
  source.sendFrames(batch);
  const early = await source.waitForEvent(({ event }) => event === 'refused', 'a refusal');
  assert.match(early.reason, /was not sent before it/);
  source.sendFrames(packDevice(1, 'nobody'), SHAPE.frame, batch, batch, batch);
  await source.waitForEvent(({ device }) => device === 'nobody', 'the second');
  source.sendFrames(packDevice(1, 'weather'), batch);
  await reader.waitForBatch(({ device }) => device === 'weather', 'its batch');
  const other = await connectSocket(t, runtime.data);
  other.sendFrames(packDevice(1, 'weather'), SHAPE.frame, batch);
  const busy = await other.waitForEvent(({ event }) => event === 'refused', 'the other to be told');
  assert.match(busy.reason, /another client/);
  assert.equal(source.events.filter(({ event }) => event === 'refused').length, 2);
  assert.equal(source.closed, false);
});

test('batches that follow each other closely come together, one that is alone at once', async (t) => {
  const { source, reader } = await startExternal(t);
  source.sendFrames(packDevice(1, 'weather'), SHAPE.frame);
  const COUNT = 200;
  let chunks = 0;
  reader.socket.on('data', () => chunks++);
  const started = performance.now();
  for (let i = 1; i <= COUNT; i++) {
    source.sendFrames(packBatch(1, SHAPE, [1, i, 0], TIME));
    await source.must('unsubscribe');
    if (i > 1) continue;
    await reader.waitForBatch(({ values }) => values.wind === 1, 'the first one');
  }
  await reader.waitForBatch(({ values }) => values.wind === COUNT, 'the last one');
  const beats = (performance.now() - started) / 10;
  assert.ok(chunks <= beats + 3, `${chunks} times for ${COUNT} batches in ${beats} beats`);
  assert.deepEqual(
    reader.batches.map(({ values }) => values.wind),
    Array.from({ length: COUNT }, (_, i) => i + 1),
  );
});

test('a slow client loses the oldest batches, is told, and holds nobody', async (t) => {
  const { runtime, source, reader } = await startExternal(t);
  const points = Array.from({ length: 500 }, (_, i) => [`p${i}`, 'float64']);
  const wide = packShape('values', /** @type {any} */ (points));
  const slow = await connectSocket(t, runtime.data, { name: 'slow' });
  await slow.must('subscribe', {});
  slow.socket.pause();
  source.sendFrames(packDevice(1, 'weather'), wide.frame);
  const LAST = 3000; /* of 4 kB each: more than the queue and the kernel hold */
  for (let i = 1; i <= LAST; i++) {
    source.sendFrames(packBatch(1, wide, new Array(points.length).fill(i), TIME));
  }
  await reader.waitForBatch(({ values }) => values.p0 === LAST, 'the last batch at the quick one');
  assert.equal((await reader.must('status')).clients, 3);
  slow.socket.resume();
  await slow.waitForBatch(({ values }) => values.p0 === LAST, 'the last batch at the slow one');
  const dropped = slow.events.filter(({ event }) => event === 'dropped');
  const total = dropped.reduce((sum, { batches }) => sum + batches, 0);
  assert.ok(total > 0, 'some were dropped');
  assert.equal(slow.batches.length + total, LAST);
  await waitFor(() => slow.batches.every(({ device }) => device === 'weather'), { what: 'order' });
});
