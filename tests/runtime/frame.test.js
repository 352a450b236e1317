/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The frames of the tests' own client against the vectors that the runtime is held to. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const frame = require('../support/frame');

const FOLDER = path.join(__dirname, '../vectors/frame');

/** @param {string} name */
function readVector(name) {
  const hex = fs.readFileSync(path.join(FOLDER, `${name}.hex`), 'utf8');
  const json = fs.readFileSync(path.join(FOLDER, `${name}.json`), 'utf8');
  return { bytes: Buffer.from(hex.replace(/\s/g, ''), 'hex'), expected: JSON.parse(json) };
}

test('a device frame is read', () => {
  const { bytes, expected } = readVector('device');
  const { number, id, site, profile, tags } = expected;
  assert.deepEqual(frame.unpackDevice(bytes), {
    ...{ number, id, site, profile, tags: Object.fromEntries(tags) },
  });
});

test('a shape frame is read', () => {
  for (const name of ['shape-types', 'shape-labels', 'shape-limits', 'shape-one', 'shape-none']) {
    const { bytes, expected } = readVector(name);
    const shape = frame.unpackShape(bytes);
    assert.equal(shape.scan, expected.scan);
    assert.deepEqual(
      shape.points.map((point) => [point.name, point.type, point.size, point.unit, point.writable]),
      expected.points.map((/** @type {any} */ point) => [
        ...[point.name, point.type, point.size, point.unit, point.writable],
      ]),
    );
  }
});

test('a batch frame is read, and has values where the vector has good ones', () => {
  const { bytes, expected } = readVector('batch-quality');
  const shape = frame.unpackShape(readVector(expected.shape).bytes);
  const device = frame.unpackDevice(readVector('device').bytes);
  const batch = frame.unpackBatch(
    bytes,
    new Map([[device.number, device]]),
    new Map([[shape.hash, shape]]),
  );
  assert.equal(batch.timeNs, BigInt(expected.time_ns));
  assert.equal(batch.seq, BigInt(expected.seq));
  assert.equal(batch.values.uint64, BigInt(expected.values[8]));
  assert.equal(batch.values.float32, Math.fround(expected.values[9]));
  assert.equal('uint16' in batch.values, false, 'absent');
  assert.equal('text' in batch.values, false, 'bad');
  assert.deepEqual(batch.quality, {
    ...{ int8: 'uncertain', uint8: 'bad', int16: 'stale', text: 'bad' },
  });
});

test('a shape is written as its vector', () => {
  const { bytes, expected } = readVector('shape-one');
  const points = expected.points.map((/** @type {any} */ point) => [
    ...[point.name, point.type, point.unit],
  ]);
  const plain = expected.points.every((/** @type {any} */ p) => !p.description && !p.writable);
  assert.ok(plain, 'the vector is one that packShape can write');
  assert.equal(frame.packShape(expected.scan, points).frame.toString('hex'), bytes.toString('hex'));
});
