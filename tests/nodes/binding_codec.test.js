/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Registers, profiles, line protocol, JSON and rails from JavaScript. Expected values are those that
   the C tests stand on: vectors, and literals of what the standards say. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const YAML = require('yaml');
const { readFile } = require('../../scripts/files');
const codec = require('../../lib/codec');
const { FrameReader, packBatch, packDevice, packShape } = require('../../lib/frames');

const { decodeProfile, decodeRegisters, encodeJson, encodeLine, encodeLineBatch, rails } = codec;

const MAX_SAFE = 2n ** 53n - 1n;

/** A row of the vectors as JavaScript has its value. @param {any} row */
function expectedValue({ type, value, scale, add }) {
  const isWhole = /^(u?int|bcd)/.test(type) && scale === undefined && add === undefined;
  if (!isWhole) return typeof value === 'string' ? Number(value) : value;
  const whole = BigInt(value);
  return whole > MAX_SAFE || whole < -MAX_SAFE ? String(whole) : Number(whole);
}

test('the vectors of the codec', () => {
  const rows = JSON.parse(readFile('tests/vectors/codec/values.json'));
  let checked = 0;
  for (const row of rows) {
    if (row.power !== undefined || row.raw.length % 4 !== 0) continue;
    const { type, order, byte, bit, bits, scale, add, sign } = row;
    const spec = { type, wordOrder: order, byte, bit, bits, scale, offset: add, sign };
    const { values, quality } = decodeRegisters(Buffer.from(row.raw, 'hex'), spec);
    assert.equal(quality, undefined, JSON.stringify(row));
    const expected = expectedValue(row);
    const [value] = values;
    if (type === 'float32' && typeof expected === 'number') {
      assert.equal(Math.fround(Number(value)), Math.fround(expected), JSON.stringify(row));
    } else {
      assert.equal(value, expected, JSON.stringify(row));
    }
    checked++;
  }
  assert.ok(checked > 250, `${checked} rows`);
});

test('registers come as bytes, as words and as numbers, and several values at once', () => {
  const words = [0x4366, 0x199a, 0x4366, 0x199a];
  const bytes = Buffer.from('4366199a4366199a', 'hex');
  for (const registers of [words, Uint16Array.from(words), bytes, new Uint8Array(bytes)]) {
    assert.deepEqual(decodeRegisters(registers, { type: 'float32' }), { values: [230.1, 230.1] });
  }
  assert.deepEqual(decodeRegisters(words, { type: 'float32', index: 2 }).values, [230.1]);
  assert.deepEqual(decodeRegisters(words, { type: 'uint16', count: 1 }).values, [0x4366]);
  assert.deepEqual(decodeRegisters([-1], { type: 'uint16' }).values, [65535]);
  assert.deepEqual(decodeRegisters([], { type: 'int32' }).values, []);
  assert.equal(bytes.toString('hex'), '4366199a4366199a', 'what was given is as it was');
});

test('what is no value is none, and why is told', () => {
  const spec = { type: 'int16', scale: 0.1, sentinels: [-32768], valid: { min: -100, max: 100 } };
  assert.deepEqual(decodeRegisters([5, 0x8000, 3, 2000], spec), {
    values: [0.5, undefined, 0.3, undefined],
    quality: {
      1: 'bad, the device marks the value as not available',
      3: "bad, outside the point's valid range",
    },
  });
  assert.deepEqual(decodeRegisters([0x7fc0, 0], { type: 'float32' }).quality, {
    0: 'bad, not a number',
  });
});

test('all registers of a table at once', () => {
  const registers = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const { values } = decodeRegisters(registers, { type: 'uint16' });
  assert.equal(values.length, 65536);
  assert.ok(values.every((value, i) => value === i));
});

test('what registers are meant to be is checked', () => {
  const read = (/** @type {any} */ registers, /** @type {any} */ spec) =>
    decodeRegisters(registers, spec);
  assert.throws(() => read([1], { type: 'flaot32' }), /points\[0\]\.type: "flaot32" does not fit/);
  assert.throws(() => read([1], {}), TypeError);
  assert.throws(() => read([1], null), /needs a type/);
  assert.throws(() => read('ab', { type: 'int16' }), /must be a Buffer, a Uint16Array or a list/);
  assert.throws(() => read([70000], { type: 'int16' }), /register 0 is 70000/);
  assert.throws(() => read([1.5], { type: 'int16' }), RangeError);
  assert.throws(() => read(Buffer.alloc(3), { type: 'int16' }), /3 bytes are no whole number/);
  assert.throws(() => read([1], { type: 'int16', index: -1 }), /index must be a whole number/);
  assert.throws(() => read([1], { type: 'uint16', bit: 9, bits: 9 }), /ends past the last bit/);
});

const DRIVE = {
  profile: 1,
  id: 'acme/drive',
  points: [
    {
      name: 'power/limit',
      type: 'uint16',
      unit: '%',
      holding: 0,
      write: { min: 0, max: 100, step: 1 },
    },
    { name: 'power/total', type: 'float32', holding: 1 },
    { name: 'voltage', type: 'int16', unit: 'V', scale: 0.1, holding: 3, write: true },
    {
      name: 'mode',
      type: 'uint16',
      holding: 6,
      write: true,
      enum: { 0: 'off', 1: 'on', 4: 'auto' },
    },
    { name: 'relay', type: 'bit', coil: 0, write: true },
    { name: 'relay-2', type: 'bit', coil: 9 },
    { name: 'label', type: 'text', length: 4, holding: 7, write: true },
    { name: 'counter', type: 'int64', holding: 14, write: { min: 0, step: 2 } },
    { name: 'setpoint', type: 'uint16', holding: 20, sentinels: [0xffff], write: true },
    { name: 'current', type: 'int16', input: 0, scale_from: 'current/sf' },
    { name: 'current/sf', type: 'int16', input: 1 },
  ],
};

test('registers by a profile: what lies in them, and nothing else', () => {
  const text = JSON.stringify(DRIVE);
  const registers = [50, 0x4366, 0x199a, 0xff9c, 0, 0, 4];
  assert.deepEqual(decodeProfile(registers, 0, text), {
    values: { 'power/limit': 50, 'power/total': 230.1, voltage: -10, mode: 4 },
  });
  assert.deepEqual(decodeProfile(registers.slice(1), 1, DRIVE).values, {
    ...{ 'power/total': 230.1, voltage: -10, mode: 4 },
  });
  assert.deepEqual(decodeProfile([0x4366], 1, DRIVE).values, {}, 'half a float is none');
  assert.deepEqual(decodeProfile([0xffff], 20, DRIVE), {
    values: {},
    quality: { setpoint: 'bad, the device marks the value as not available' },
  });
  const label = Buffer.from('Pump 3\0\0');
  assert.deepEqual(decodeProfile(label, 7, DRIVE).values, { label: 'Pump 3' });
  assert.deepEqual(decodeProfile(Buffer.alloc(8, 0x7f), 14, DRIVE).values, {
    counter: String(0x7f7f7f7f7f7f7f7fn),
  });
});

test('other tables, and scale factors', () => {
  const input = { table: 'input' };
  assert.deepEqual(decodeProfile([1234, 0xfffe], 0, DRIVE, input).values, {
    ...{ current: 12.34, 'current/sf': -2 },
  });
  assert.deepEqual(decodeProfile([1234], 0, DRIVE, input).quality, {
    current: 'bad, its scale factor is not available',
  });
  const coil = { table: 'coil' };
  const bits = [1, 0, 0, 0, 0, 0, 0, 0, 0, true];
  for (const given of [bits, Buffer.from([0x01, 0x02])]) {
    assert.deepEqual(decodeProfile(given, 0, DRIVE, coil).values, { relay: true, 'relay-2': true });
  }
  assert.deepEqual(decodeProfile([0], 9, DRIVE, coil).values, { 'relay-2': false });
  assert.throws(
    () => decodeProfile([0], 0, DRIVE, { table: 'coils' }),
    /no table coils; allowed: coil/,
  );
  assert.throws(() => decodeProfile([0], 70000, DRIVE), /the address is out of range/);
});

test('a bundled profile', () => {
  const profile = YAML.parse(readFile('profiles/generic/modbus-60.yaml'));
  const registers = Buffer.alloc(120 * 2);
  for (let i = 0; i < 60; i++) registers.writeFloatBE(i + 0.1, 4 * i);
  const { values, quality } = decodeProfile(registers, 0, profile);
  assert.equal(quality, undefined);
  assert.deepEqual(
    Object.entries(values),
    Array.from({ length: 60 }, (_, i) => [`value/${i + 1}`, Number((i + 0.1).toFixed(1))]),
  );
});

test('mistakes of a profile are told with their lines', () => {
  const text =
    '{"profile":1,"id":"a",\n"points":[\n{"name":"x","type":"int17","holding":0},\n{"name":"x y"}]}';
  assert.throws(
    () => decodeProfile([1], 0, text),
    (/** @type {any} */ error) => {
      assert.match(error.message, /line 3: points\[0\]\.type: "int17" does not fit/);
      assert.ok(error.mistakes.length >= 2, error.message);
      assert.deepEqual([error.mistakes[0].line, error.mistakes[0].path], [3, 'points[0].type']);
      return true;
    },
  );
  assert.throws(
    () => decodeProfile([1], 0, 'profile: 1'),
    /is not JSON, which is all that is read/,
  );
  assert.throws(() => decodeProfile([1], 0, /** @type {any} */ (7)), TypeError);
});

const METER = 'powermonitor_500,asset=meter-1,line=l1,site=plant-7';
const TIME = 1763688000123456789n;
const series = {
  measurement: 'powermonitor_500',
  tags: { site: 'plant-7', line: 'l1', asset: 'meter-1', none: '' },
};

/** @type {[string, Record<string, unknown>, import('../../lib/codec_line').LineOptions, string][]} */
const LINES = [
  [
    'types are kept',
    {
      ...{ 'voltage/l1-n': 230.1, energy: 1234567.0625, starts: 7n, balance: -5n },
      ...{ closed: true, open: false, state: 'run "fast" \\ now\r\nagain' },
    },
    { precision: 'ms' },
    `${METER} voltage_l1_n=230.1,energy=1234567.0625,starts=7i,balance=-5i,closed=true,open=false,` +
      'state="run \\"fast\\" \\\\ now  again" 1763688000123',
  ],
  [
    'all numbers as floats',
    { starts: 7n, balance: -5n, total: '18446744073709551615u', closed: true },
    { precision: 's', allFloat: true, integerStrings: true },
    `${METER} starts=7,balance=-5,total=18446744073709551615,closed=true 1763688000`,
  ],
  [
    'integers at their limits',
    { a: -(2n ** 63n), b: 2n ** 63n - 1n, d: '9223372036854775808u', e: '-5i' },
    { precision: 'ns', integerStrings: true },
    `${METER} a=-9223372036854775808i,b=9223372036854775807i,e=-5i 1763688000123456789`,
  ],
  [
    'unsigned type',
    { d: '18446744073709551615u', e: 3n },
    { precision: 'us', unsignedType: true, integerStrings: true },
    `${METER} d=18446744073709551615u,e=3i 1763688000123456`,
  ],
  [
    'no number, no field',
    { x: NaN, y: 1.5, z: -Infinity },
    { precision: 's' },
    `${METER} y=1.5 1763688000`,
  ],
  ['only NaN', { x: NaN }, {}, ''],
  ['nothing', { x: null, y: undefined }, {}, ''],
  [
    'names as they are',
    { 'voltage/l1-n': 1 },
    { precision: 's', namesAsIs: true },
    `${METER} voltage/l1-n=1 1763688000`,
  ],
  [
    'names that become the same',
    { 'a/b': 1, 'a-b': 2, a_b: 3, time: 4 },
    { precision: 's' },
    `${METER} a/b=1,a-b=2,a_b=3,time_=4 1763688000`,
  ],
  [
    'per phase',
    { 'voltage/l1-n': 230.1, 'voltage/l2-n': 229.8, frequency: 50 },
    { precision: 's', layout: 'per-phase' },
    `${METER} frequency=50 1763688000\n` +
      'powermonitor_500,asset=meter-1,line=l1,phase=l1,site=plant-7 voltage=230.1 1763688000\n' +
      'powermonitor_500,asset=meter-1,line=l1,phase=l2,site=plant-7 voltage=229.8 1763688000',
  ],
  [
    'per point',
    { a: true, b: 5n, c: 'on' },
    { precision: 's', layout: 'per-point' },
    'powermonitor_500,asset=meter-1,line=l1,point=a,site=plant-7 value=1 1763688000\n' +
      'powermonitor_500,asset=meter-1,line=l1,point=b,site=plant-7 value=5 1763688000\n' +
      'powermonitor_500,asset=meter-1,line=l1,point=c,site=plant-7 text="on" 1763688000',
  ],
];

test('line protocol', () => {
  for (const [name, fields, options, expected] of LINES) {
    assert.equal(encodeLine({ ...series, fields, timestamp: TIME }, options), expected, name);
  }
});

test('times, types and lines of many', () => {
  const line = (/** @type {any} */ record) =>
    encodeLine({ measurement: 'm', fields: { a: 1 }, ...record });
  assert.equal(line({ timestamp: 1763688000123 }), 'm a=1 1763688000123000000');
  assert.equal(line({ timestamp: 0.5, precision: 'us' }), 'm a=1 500');
  assert.equal(line({ timestamp: -1n, precision: 's' }), 'm a=1 -1');
  assert.equal(line({ timestamp: new Date(5), precision: 'ms' }), 'm a=1 5');
  assert.match(line({}), /^m a=1 \d{19}$/);
  const types = /** @type {const} */ ({
    a: 'integer',
    b: 'unsigned',
    c: 'string',
    d: 'float',
    e: 'boolean',
  });
  const fields = { a: 5, b: '7', c: 1.5, d: 2n, e: 1 };
  assert.equal(line({ fields, types, timestamp: 0n }), 'm a=5i,b=7i,c="1.5",d=2,e=true 0');
  const records = [1, 2].map((a) => ({ measurement: 'm', fields: { a }, timestamp: BigInt(a) }));
  assert.equal(encodeLineBatch([...records, { measurement: 'm', fields: {} }]), 'm a=1 1\nm a=2 2');
  const long = 'ü'.repeat(1000);
  assert.equal(line({ fields: { s: long }, timestamp: 0n }), `m s="${long}" 0`);
});

test('what cannot be a line is told', () => {
  const line = (/** @type {any[]} */ ...args) => encodeLine(args[0], args[1]);
  const m = { measurement: 'm', fields: { a: 1 } };
  assert.throws(() => line({ fields: { a: 1 } }), /the measurement must be a text/);
  assert.throws(() => line({ measurement: 'm' }), /the fields must be an object/);
  assert.throws(() => line({ ...m, fields: { a: {} } }), /field "a" must be a number, a bigint/);
  assert.throws(
    () => line({ ...m, types: { a: 'int' } }),
    /field "a" has the type int; allowed: float/,
  );
  assert.throws(
    () => line({ ...m, fields: { a: 1.5 }, types: { a: 'integer' } }),
    /no whole number/,
  );
  assert.throws(() => line({ ...m, fields: { a: 2n ** 64n } }), /more than 64 bits hold/);
  assert.throws(() => line(m, { layout: 'tall' }), /no layout tall; allowed: wide/);
  assert.throws(() => line({ ...m, timestamp: 'now' }), /the timestamp must be milliseconds/);
  assert.throws(() => line({ ...m, timestamp: 1e300 }), /the time is out of range/);
  assert.throws(() => line({ ...m, fields: { 'a\0': 1 } }), TypeError);
  assert.throws(() => line(null), TypeError);
});

test('more plans and series than are kept', () => {
  for (let i = 0; i < 5000; i++) {
    const record = { measurement: `m${i}`, fields: { [`f${i % 1500}`]: i }, timestamp: 0n };
    assert.equal(encodeLine(record), `m${i} f${i % 1500}=${i} 0`);
  }
});

test('a batch becomes the line that its values become, and the JSON of a sink', () => {
  const points = [
    { name: 'voltage/l1-n', type: 'float32' },
    { name: 'starts', type: 'uint32' },
    { name: 'closed', type: 'bool' },
    { name: 'state', type: 'text' },
    { name: 'total', type: 'uint64' },
    { name: 'gone', type: 'int8' },
  ];
  const shape = packShape({ scan: 'fast', points });
  const values = {
    'voltage/l1-n': 230.1,
    starts: 7,
    closed: true,
    state: 'a"ü',
    total: '9007199254740993',
  };
  const device = { number: 1, id: 'meter-1', site: 'plant-7', tags: { line: 'l1' } };
  /** @type {import('../../lib/frames').Batch[]} */
  const batches = [];
  new FrameReader().read(
    Buffer.concat([
      packDevice({ ...device, profile: 'rockwell/powermonitor-500' }),
      shape.frame,
      packBatch({
        device: 1,
        shape,
        values,
        quality: { gone: 'bad, no answer' },
        timestamp: TIME,
        seq: 118,
      }),
    ]),
    { onBatch: (batch) => batches.push(batch) },
  );
  const [batch] = batches;
  const fields = /** @type {Record<string, unknown>} */ (batch.values);
  const types = /** @type {const} */ ({ starts: 'integer', total: 'integer' });
  const line = `${METER} voltage_l1_n=230.1,starts=7i,closed=true,state="a\\"ü",total=9007199254740993i ${TIME}`;
  assert.equal(encodeLine(batch), line);
  assert.equal(encodeLine({ ...series, fields, types, timestamp: batch.timeNs }), line);
  const json = JSON.parse(encodeJson(batch, { tags: true, historical: true }));
  assert.deepEqual(json, {
    ...{ timestamp: 1763688000123, boot: 0, seq: batch.seq },
    ...{ device: 'meter-1', scan: 'fast', site: 'plant-7' },
    ...{ tags: { line: 'l1' }, historical: true, values, quality: { gone: 'bad, no answer' } },
  });
  assert.deepEqual(json.values, batch.values);
  assert.deepEqual(json.quality, batch.quality);
  assert.throws(() => encodeJson(/** @type {any} */ ({})), /needs a batch of a FrameReader/);
});

test('rails of a profile', () => {
  const check = (/** @type {string} */ name, /** @type {unknown} */ value) =>
    rails({ profile: DRIVE, name }, value);
  const refused = /** @type {[string, unknown, string, string][]} */ ([
    [
      'power/limit',
      NaN,
      'RANGE',
      'power/limit: NaN is no number; allowed: 0 to 100 % in steps of 1',
    ],
    [
      'power/limit',
      120,
      'RANGE',
      'power/limit: 120 is above 100; allowed: 0 to 100 % in steps of 1',
    ],
    [
      'power/limit',
      '50',
      'TYPE',
      'power/limit: "50" is not a number; allowed: 0 to 100 % in steps of 1',
    ],
    ['power/total', 1, 'DENIED', 'power/total: cannot be written; its profile makes it read-only'],
    ['voltage', 3276.8, 'RANGE', 'voltage: 3276.8 is above 3276.7; allowed: -3276.8 to 3276.7 V'],
    ['mode', 2, 'RANGE', 'mode: 2 is none of its values; allowed: 0 off, 1 on, 4 auto'],
    ['mode', 'of', 'TYPE', 'mode: "of" is none of its values; allowed: 0 off, 1 on, 4 auto'],
    ['relay', 2, 'RANGE', 'relay: 2 is neither true nor false; allowed: true or false'],
    [
      'label',
      '123456789',
      'RANGE',
      'label: "123456789" is too long; allowed: a text of up to 8 bytes',
    ],
    [
      ...['counter', 9007199254740993n, 'RANGE'],
      'counter: 9007199254740993 lies between two steps; allowed: from 0 up in steps of 2',
    ],
    [
      'setpoint',
      65535,
      'INVALID',
      'setpoint: 65535 would be read as "not available"; allowed: 0 to 65535',
    ],
  ]);
  for (const [name, value, code, reason] of refused) {
    assert.deepEqual(check(name, value), { ok: false, code, reason });
  }
  const passing = /** @type {[string, unknown, unknown][]} */ ([
    ['power/limit', 100, 100],
    ['power/limit', true, 1],
    ['voltage', 230.1, 230.1],
    ['mode', 'auto', 4],
    ['relay', 'true', true],
    ['label', 'Pump', 'Pump'],
    ['counter', 9007199254740994n, '9007199254740994'],
  ]);
  for (const [name, given, value] of passing) {
    assert.deepEqual(check(name, given), { ok: true, value });
  }
  assert.throws(() => check('nothing', 1), /acme\/drive has no point "nothing"/);
  assert.throws(
    () => check('mode', {}),
    /the value must be a number, a bigint, a boolean or a text/,
  );
  assert.throws(() => check('label', 'x'.repeat(300)), /the value is too large/);
});

test('rails of a point that stands for itself', () => {
  assert.deepEqual(rails({ name: 'limit', unit: 'kW', min: 0, max: 10, step: 0.5 }, 0.25), {
    ...{ ok: false, code: 'RANGE' },
    reason: 'limit: 0.25 lies between two steps; allowed: 0 to 10 kW in steps of 0.5',
  });
  assert.deepEqual(rails({ max: 0 }, 1).ok, false);
  assert.deepEqual(rails({ type: 'float32' }, 0.1), { ok: true, value: 0.1 });
  assert.equal(rails({ writable: false }, 1).code, 'DENIED');
  const mode = { type: 'uint8', labelsKind: 'enum', labels: [{ value: 3, name: 'auto' }] };
  assert.deepEqual(rails(mode, 'auto'), { ok: true, value: 3 });
  assert.equal(rails(mode, 4).code, 'RANGE');
  assert.deepEqual(rails({ type: 'bool' }, 'false'), { ok: true, value: false });
  assert.deepEqual(rails({ type: 'text', size: 4 }, 'abc'), { ok: true, value: 'abc' });
  assert.throws(() => rails({ type: 'number' }, 1), /points\[0\]\.type: "number" does not fit/);
  assert.throws(() => rails({ min: 2, max: 1 }, 1), TypeError);
});
