/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Frames to objects and back, against the vectors that the runtime is held to. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { REPO } = require('../../scripts/files');
const { FrameReader, packBatch, packDevice, packShape } = require('../../lib/frames');

/** @typedef {import('../../lib/frames').Batch} Batch */

const FOLDER = path.join(REPO, 'tests/vectors/frame');
const QUALITIES = ['good', 'uncertain', 'bad', 'stale'];
const MAX_SAFE = 2n ** 53n - 1n;

/** @param {string} name */
function readBytes(name) {
  const hex = fs.readFileSync(path.join(FOLDER, `${name}.hex`), 'utf8');
  return Buffer.from(hex.replace(/#.*$/gm, '').replace(/\s/g, ''), 'hex');
}

/** @param {string} name */
function readVector(name) {
  const json = fs.readFileSync(path.join(FOLDER, `${name}.json`), 'utf8');
  return { name, bytes: readBytes(name), expected: JSON.parse(json) };
}

/** @param {string} kind */
function listVectors(kind) {
  return fs
    .readdirSync(FOLDER)
    .filter((file) => file.endsWith('.hex'))
    .map((file) => readVector(path.basename(file, '.hex')))
    .filter(({ expected }) => expected.kind === kind);
}

/** The batches of frames behind each other. @param {...Buffer} frames */
function readBatches(...frames) {
  /** @type {Batch[]} */
  const batches = [];
  new FrameReader().read(Buffer.concat(frames), { onBatch: (batch) => batches.push(batch) });
  return batches;
}

/** What stands in a vector as JavaScript has it. @param {any} value @param {string} type */
function expectedValue(value, type) {
  if (type === 'int64' || type === 'uint64') {
    const whole = BigInt(value);
    return whole > MAX_SAFE || whole < -MAX_SAFE ? String(whole) : Number(whole);
  }
  return type.startsWith('float') ? Number(value) + 0 : value;
}

test('device frames', () => {
  for (const { name, bytes, expected } of listVectors('device')) {
    /** @type {any[]} */
    const devices = [];
    assert.equal(new FrameReader().read(bytes, { onDevice: (device) => devices.push(device) }), 1);
    const { number, id, site, profile, tags } = expected;
    const device = { number, id, site, profile, tags: Object.fromEntries(tags) };
    assert.deepEqual(devices, [device], name);
    assert.equal(packDevice(device).toString('hex'), bytes.toString('hex'), name);
  }
});

test('shape frames', () => {
  const vectors = listVectors('shape');
  assert.ok(vectors.length >= 5, `${vectors.length} vectors`);
  for (const { name, bytes, expected } of vectors) {
    /** @type {any[]} */
    const shapes = [];
    new FrameReader().read(bytes, { onShape: (shape) => shapes.push(shape) });
    const points = expected.points.map((/** @type {any} */ point) => ({
      ...{ name: point.name, type: point.type, size: point.size, unit: point.unit },
      ...{ description: point.description, writable: point.writable },
      ...(point.min !== null && { min: point.min }),
      ...(point.max !== null && { max: point.max }),
      ...{ step: point.step, deadband: point.deadband, labelsKind: point.labels_kind },
      labels: point.labels.map((/** @type {any} */ [value, label]) => ({ value, name: label })),
    }));
    assert.deepEqual(shapes[0].points, points, name);
    assert.equal(shapes[0].scan, expected.scan, name);
    const packed = packShape(shapes[0]);
    assert.equal(packed.frame.toString('hex'), bytes.toString('hex'), name);
    assert.equal(packed.hash, shapes[0].hash, name);
  }
});

test('batch frames', () => {
  const vectors = listVectors('batch');
  assert.ok(vectors.length >= 8, `${vectors.length} vectors`);
  for (const { name, bytes, expected } of vectors) {
    const frames = expected.shape ? [readBytes(expected.shape)] : [];
    const device = packDevice({ number: expected.device, id: 'meter-1' });
    const [batch] = readBatches(device, ...frames, bytes);
    assert.equal(batch.timeNs, BigInt(expected.time_ns), name);
    assert.equal(batch.kind, expected.batch_kind, name);
    assert.equal(batch.text, expected.text, name);
    assert.deepEqual(batch.frame, bytes, name);
    if (!expected.shape) {
      assert.equal(batch.values, undefined, name);
      continue;
    }
    const { points } = /** @type {import('../../lib/frames').Shape} */ (batch.shape);
    const values = /** @type {Record<string, any>} */ (batch.values);
    points.forEach((point, i) => {
      const quality = expected.quality?.[i] ?? 0;
      const value = expectedValue(expected.values[i], point.type);
      const isNumber = typeof value !== 'number' || Number.isFinite(value);
      const has = quality < 0x80 && isNumber;
      const what = `${name}, ${point.name}`;
      assert.equal(Object.hasOwn(values, point.name), has, what);
      if (has) assert.equal(values[point.name], value, what);
      const listed = batch.quality?.[point.name];
      if (!isNumber && quality < 0x80) assert.equal(listed, 'bad, not a number', what);
      else if (quality === 0xff || quality < 0x40) assert.equal(listed, undefined, what);
      else assert.equal(listed?.split(',')[0], QUALITIES[quality >> 6], what);
      assert.equal(batch.codes[point.name] ?? 0, expected.codes?.[i] ?? 0, what);
    });
  }
});

test('a batch that JavaScript packs is read as it was', () => {
  const { expected } = readVector('batch-extremes');
  /** @type {any} */
  let shape;
  new FrameReader().read(readBytes(expected.shape), { onShape: (read) => (shape = read) });
  const all = shape.points.map((/** @type {any} */ { name, type }, /** @type {number} */ i) => [
    ...[name, expectedValue(expected.values[i], type)],
  ]);
  const values = Object.fromEntries(
    all.filter(
      (/** @type {[string, any]} */ [, value]) =>
        typeof value !== 'number' || Number.isFinite(value),
    ),
  );
  const packed = packShape(shape);
  const [batch] = readBatches(
    packDevice({ number: 1, id: 'a' }),
    packed.frame,
    packBatch({ device: 1, shape: packed, values, timestamp: -1n, seq: 5, repeat: true }),
  );
  assert.deepEqual(batch.values, values);
  assert.deepEqual([batch.timeNs, batch.timestamp], [-1n, -1]);
  assert.deepEqual([batch.seq, batch.repeat, batch.clockUnset], [5, true, false]);
});

test('frames that the runtime refuses are refused, and the reader goes on', () => {
  const rows = JSON.parse(fs.readFileSync(path.join(FOLDER, 'refused.json'), 'utf8'));
  assert.ok(rows.length > 50, `${rows.length} rows`);
  const reader = new FrameReader();
  const first = packDevice({ number: 7, id: 'meter-1' });
  for (const { name, kind, shape, hex, why } of rows) {
    const shapes = kind === 'batch' && shape ? readBytes(shape) : Buffer.alloc(0);
    reader.read(Buffer.concat([first, shapes]));
    assert.throws(
      () => reader.read(Buffer.from(hex, 'hex')),
      (error) =>
        error instanceof RangeError && /^the frame at byte 0 was refused: /.test(error.message),
      `${name}: ${why}`,
    );
  }
  assert.equal(reader.read(first), 1);
});

/** The decimal of that many digits that is nearest to a float; of two the one with an even digit,
 * while toPrecision takes the larger one. @param {number} value @param {number} digits */
function nearest(value, digits) {
  const text = value.toPrecision(digits);
  const exact = value.toPrecision(100).replace(/^[-0.]*|\.|e.*$/g, '');
  const isTie = /^50*$/.test(exact.slice(digits)) && Number(exact[digits - 1]) % 2 === 0;
  if (!isTie) return Number(text);
  const [mantissa, exponent = '0'] = value.toPrecision(100).split('e');
  const cut = mantissa.replace(/^(-?)([0.]*)(.*)$/, (_, sign, zeros, rest) => {
    let left = digits;
    return sign + zeros + rest.replace(/\d/g, (/** @type {string} */ d) => (left-- > 0 ? d : '0'));
  });
  return Number(`${cut}e${exponent}`);
}

/** Of the decimals that read back as a float the shortest that is nearest: by trying one number of
 * digits after the other. @param {number} value */
function shortest(value) {
  for (let digits = 1; digits <= 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === value) return nearest(value, digits);
  }
  return value;
}

test('a float32 is the double of its shortest decimal', () => {
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  const shape = packShape({ scan: 's', points: [{ name: 'a', type: 'float32' }] });
  const device = packDevice({ number: 1, id: 'd' });
  const frame = packBatch({ device: 1, shape, values: { a: 0 } });
  const reader = new FrameReader();
  reader.read(Buffer.concat([device, shape.frame]));
  let got = 0;
  const handlers = { onBatch: (/** @type {Batch} */ batch) => (got = Number(batch.values?.a)) };
  const read = (/** @type {number} */ word) => {
    bits[0] = word;
    frame.writeUInt32LE(bits[0], frame.length - 4);
    reader.read(frame, handlers);
    assert.equal(got, shortest(float[0]) + 0, `${float[0]} (0x${bits[0].toString(16)})`);
  };
  /* Around every power of two, where the bounds are uneven but for the power itself. */
  for (let exponent = 1; exponent < 255; exponent++) {
    for (const fraction of [1, 2, 3, 0x400000, 0x7ffffe, 0x7fffff]) {
      read(((exponent << 23) | fraction) >>> 0);
      read(((exponent << 23) | fraction | 0x80000000) >>> 0);
    }
  }
  for (const value of [0, -0, 1, 0.5, 230.1, 16777216, 1e10, 0.1, 3.4028234663852886e38]) {
    float[0] = value;
    read(bits[0]);
  }
  let seed = 1;
  for (let i = 0; i < 100000; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const inRange = ((111 + (seed >>> 8) / 2 ** 24 / 0.024) & 0xff) << 23;
    read((inRange | (seed >>> 9)) >>> 0);
  }
});

test('names that mean something to JavaScript are names like any other', () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '0',
    '12',
    'a[b]:c',
    'x',
  ];
  const shape = packShape({
    scan: 's',
    points: names.map((name) => ({ name, type: name === 'x' ? 'text' : 'int16' })),
  });
  const values = Object.fromEntries(
    names.map((name, i) => [name, name === 'x' ? '\'"`\u2028\\' : i]),
  );
  const bad = Object.fromEntries(names.map((name) => [name, 'bad, no answer']));
  const batches = readBatches(
    packDevice({ number: 1, id: 'd', tags: JSON.parse('{"__proto__":"t"}') }),
    shape.frame,
    packBatch({ device: 1, shape, values }),
    packBatch({ device: 1, shape, values: { ...values, x: undefined } }),
    packBatch({ device: 1, shape, values: {}, quality: bad }),
  );
  const [whole, part, none] = batches.map((batch) => /** @type {any} */ (batch.values));
  for (const object of [whole, part, none]) {
    assert.equal(Object.getPrototypeOf(object), Object.prototype);
  }
  assert.deepEqual(Object.entries(whole).sort(), Object.entries(values).sort());
  assert.deepEqual(Object.keys(part).sort(), names.filter((name) => name !== 'x').sort());
  assert.deepEqual(Object.keys(none), []);
  assert.deepEqual(Object.entries(batches[2].quality ?? {}).sort(), Object.entries(bad).sort());
  assert.deepEqual(Object.entries(batches[0].device.tags), [['__proto__', 't']]);
  assert.equal(/** @type {any} */ ({}).t, undefined);
});

test('whatever points are missing, and as often as they are, the others are right', () => {
  const types = ['float32', 'int64', 'bool', 'text', 'uint16', 'float64'];
  const points = Array.from({ length: 40 }, (_, i) => ({ name: `p${i}`, type: types[i % 6] }));
  const shape = packShape({ scan: 's', points });
  const make = (/** @type {number} */ i, /** @type {number} */ n) =>
    [n + 0.5, String(2n ** 60n + BigInt(n)), n % 2 === 0, `t${n}`, n, n / 3][i % 6];
  const reader = new FrameReader();
  reader.read(Buffer.concat([packDevice({ number: 1, id: 'd' }), shape.frame]));
  for (let n = 0; n < 200; n++) {
    const missing = n < 60 ? [] : n < 120 ? [3, 17] : [n % 40, (n * 7) % 40];
    const values = Object.fromEntries(
      points.flatMap(({ name }, i) => (missing.includes(i) ? [] : [[name, make(i, n)]])),
    );
    const quality = Object.fromEntries(missing.slice(1).map((i) => [`p${i}`, 'bad, no answer']));
    reader.read(packBatch({ device: 1, shape, values, quality }), {
      onBatch: (batch) => {
        assert.deepEqual(batch.values, values);
        assert.deepEqual(batch.quality ?? {}, quality);
      },
    });
  }
});

test('shapes of the largest size, and of none', () => {
  for (const count of [0, 1, 899, 901, 4096]) {
    const points = Array.from({ length: count }, (_, i) => ({ name: `p${i}`, type: 'float32' }));
    const shape = packShape({ scan: 's', points });
    const values = Object.fromEntries(points.map(({ name }, i) => [name, i + 0.25]));
    const frame = packBatch({ device: 1, shape, values });
    const [batch] = readBatches(packDevice({ number: 1, id: 'd' }), shape.frame, frame);
    assert.deepEqual(batch.values, values);
  }
  const points = Array.from({ length: 4097 }, (_, i) => ({ name: `p${i}`, type: 'bool' }));
  assert.throws(() => packShape({ scan: 's', points }), /4097 points are too many; allowed: 4096/);
});

test('where code may not be generated, objects are made without', () => {
  const code = `
    const { FrameReader, packBatch, packDevice, packShape } = require('./lib/frames');
    const points = [{ name: 'a', type: 'float32' }, { name: 'b', type: 'uint64' }];
    const shape = packShape({ scan: 's', points });
    const reader = new FrameReader();
    reader.read(Buffer.concat([packDevice({ number: 1, id: 'd' }), shape.frame]));
    const all = packBatch({ device: 1, shape, values: { a: 230.1, b: 7n } });
    const part = packBatch({ device: 1, shape, values: { b: 2n ** 64n - 1n } });
    const said = [];
    reader.read(Buffer.concat([all, part]), { onBatch: ({ values }) => said.push(values) });
    console.log(JSON.stringify(said));`;
  const flags = ['--disallow-code-generation-from-strings', '-e', code];
  const said = execFileSync(process.execPath, flags, { cwd: REPO, encoding: 'utf8' });
  assert.deepEqual(JSON.parse(said), [{ a: 230.1, b: 7 }, { b: '18446744073709551615' }]);
});

test('a device and a shape that come again are what they were, or changed', () => {
  const shape = packShape({ scan: 's', points: [{ name: 'a', type: 'uint8' }] });
  const reader = new FrameReader();
  reader.read(Buffer.concat([packDevice({ number: 1, id: 'old' }), shape.frame, shape.frame]));
  /** @type {string[]} */
  const ids = [];
  const onBatch = (/** @type {Batch} */ batch) => void ids.push(batch.device.id);
  const frame = packBatch({ device: 1, shape, values: { a: 1 } });
  reader.read(Buffer.concat([frame, packDevice({ number: 1, id: 'new' }), frame]), { onBatch });
  assert.deepEqual(ids, ['old', 'new']);
  assert.deepEqual([reader.devices.length, reader.shapes.length], [1, 1]);
});

test('what cannot be packed is told by name', () => {
  const shape = packShape({
    scan: 's',
    points: [
      { name: 'n', type: 'int8' },
      { name: 't', type: 'text', size: 4 },
      { name: 'w', type: 'int64' },
    ],
  });
  const pack = (/** @type {any} */ values, quality = {}) =>
    packBatch({ device: 1, shape, values, quality });
  assert.throws(() => pack({ n: 1.5 }), /packBatch: n is not what int8 can hold/);
  assert.throws(() => pack({ n: 128 }), /packBatch: n is not what int8 can hold/);
  assert.throws(() => pack({ n: 'a' }), /packBatch: n is not a number/);
  assert.throws(() => pack({ n: {} }), /packBatch: n must be a number, a bigint/);
  assert.throws(() => pack({ t: 5 }), /packBatch: t is not a text/);
  assert.throws(() => pack({ t: 'abcd' }), /packBatch: t is too long/);
  assert.throws(() => pack({ w: '1e3' }), /packBatch: w is not a whole number/);
  assert.throws(() => pack({ w: 2n ** 64n }), /packBatch: w is more than int64 can hold/);
  assert.throws(() => pack({ z: 1 }), /values: the shape has no point "z"/);
  assert.throws(() => pack({}, { n: 'awful' }), /there is no quality "awful"; allowed: good/);
  assert.throws(() => packDevice({ number: 1, id: 'a b' }), /packDevice: id: "a b" does not fit/);
  assert.throws(() => packDevice({ number: -1, id: 'a' }), /packDevice: number: /);
  assert.throws(
    () => packShape({ scan: 's', points: [{ name: 'a', type: 'float' }] }),
    /packShape: points\[0\]\.type: "float" does not fit; allowed: bool, int8/,
  );
  assert.throws(
    () => packShape({ scan: 's', points: Array(2).fill({ name: 'a', type: 'bool' }) }),
    /two points have one name/,
  );
});
