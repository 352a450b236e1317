/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Whatever the addon is given, it answers or throws a TypeError or RangeError; it never ends the
   process. All of it runs in a process of its own, whose end would tell. BUSBAR_FUZZ_SECONDS sets how
   long (2), BUSBAR_FUZZ_SEED with what it begins. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { REPO } = require('../../scripts/files');
const codec = require('../../lib/codec');
const frames = require('../../lib/frames');
const { need } = require('../../lib/binding');

const ROLE = 'BUSBAR_FUZZ_ROLE';
const FOLDER = path.join(REPO, 'tests/vectors/frame');
const seconds = Math.min(Number(process.env.BUSBAR_FUZZ_SECONDS ?? 2), 60);

/** Numbers from a seed, 0 to below 2^32 (xorshift). */
class Dice {
  /** @param {number} seed */
  constructor(seed) {
    this.state = seed >>> 0 || 1;
  }

  next() {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state;
  }

  /** @param {number} n 0 to below n. */
  below(n) {
    return this.next() % n;
  }

  /** @template T @param {T[]} list @returns {T} */
  pick(list) {
    return list[this.below(list.length)];
  }
}

const dice = new Dice(Number(process.env.BUSBAR_FUZZ_SEED ?? 1));

/** The errors that are meant. @param {() => unknown} work */
function attempt(work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError || error === 'trap')
      return undefined;
    throw error;
  }
}

/** @param {() => void} work */
function repeat(work) {
  const end = Date.now() + (seconds * 1000) / 4;
  do {
    for (let i = 0; i < 200; i++) work();
  } while (Date.now() < end);
}

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  7,
  3.5,
  255,
  256,
  4096,
  4097,
  65535,
  65536,
  2 ** 31,
  2 ** 32,
  2 ** 53,
];
const EXTREMES = [1e300, -1e300, NaN, Infinity, -Infinity, Number.MIN_VALUE];
const TEXTS = [
  '',
  'a',
  'a\0b',
  '\ud800',
  'x'.repeat(300),
  'y'.repeat(70000),
  '{}',
  '[]',
  'null',
  'ü"\\,= ',
];
const WORDS = ['float32', 'value', 'ABCD', 'holding', 'm', '{"number":1,"id":"a"}', '-5', '7i'];
const BIGINTS = [0n, -1n, 2n ** 63n, 2n ** 64n, -(2n ** 63n), 2n ** 70n];

function makeMemory() {
  const size = dice.pick([0, 1, 7, 8, 64, 128, 4224, 8192]);
  const Type = dice.pick(
    /** @type {any[]} */ ([
      ...[Uint8Array, Float64Array, Uint16Array, BigInt64Array, Float32Array, Int8Array, DataView],
      ArrayBuffer,
    ]),
  );
  const shared = dice.below(8) === 0;
  const memory = shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size);
  if (Type === ArrayBuffer) return memory;
  const view = attempt(() => new Type(memory)) ?? new Uint8Array(memory);
  if (!shared && dice.below(8) === 0)
    structuredClone(memory, { transfer: [/** @type {ArrayBuffer} */ (memory)] });
  return view;
}

function makeTrap() {
  const trap = () => {
    throw 'trap';
  };
  return dice.pick([
    new Proxy([], { get: trap, has: trap, ownKeys: trap }),
    new Proxy({}, { get: trap, ownKeys: trap }),
    Object.defineProperty([1, 2, 3], 1, { get: trap }),
    { toString: trap, valueOf: trap, [Symbol.toPrimitive]: trap },
    new Proxy(() => {}, {}),
  ]);
}

/** @param {number} [depth] @returns {any} */
function makeAnything(depth = 0) {
  switch (dice.below(depth > 2 ? 8 : 12)) {
    case 0:
      return dice.pick([undefined, null, true, false, Symbol('s'), () => {}]);
    case 1:
      return dice.pick(NUMBERS);
    case 2:
      return dice.pick(EXTREMES);
    case 3:
      return dice.pick(TEXTS);
    case 4:
      return dice.pick(WORDS);
    case 5:
      return dice.pick(BIGINTS);
    case 6:
      return makeMemory();
    case 7:
      return dice.pick(natives);
    case 8:
      return Array.from({ length: dice.below(6) }, () => makeAnything(depth + 1));
    case 9:
      return Object.fromEntries(
        Array.from({ length: dice.below(5) }, () => [
          dice.pick([
            'type',
            'fields',
            'measurement',
            'tags',
            'a',
            'points',
            'name',
            'min',
            'profile',
          ]),
          makeAnything(depth + 1),
        ]),
      );
    case 10:
      return makeTrap();
    default:
      return Object.assign([], { length: depth > 0 ? 5000 : 2 ** 32 - 1 });
  }
}

const makeArguments = () => Array.from({ length: dice.below(9) }, () => makeAnything());

const PROFILE = {
  profile: 1,
  id: 'acme/drive',
  points: [
    { name: 'limit', type: 'uint16', holding: 0, write: { min: 0, max: 100, step: 1 } },
    { name: 'text', type: 'text', length: 4, holding: 1, write: true },
    { name: 'bits', type: 'uint16', bit: 3, bits: 4, holding: 5, enum: { 1: 'a' }, write: true },
    { name: 'scaled', type: 'int32', order: 'CDAB', scale: 0.1, add: 5, holding: 6 },
    { name: 'power', type: 'int16', holding: 8, scale_from: 'sf' },
    { name: 'sf', type: 'int16', holding: 9, sentinels: [-32768] },
    { name: 'relay', type: 'bit', coil: 3, write: true },
  ],
};
const LAYOUT = '{"fields":[{"name":"a","type":"float"},{"name":"s","type":"string"}]}';

/** @type {any[]} */
const natives = [];

function makeNatives() {
  const { Frames, Shape, Profile, Lines } = need();
  const lines = new Lines();
  lines.plan(LAYOUT);
  lines.series('{"measurement":"m","tags":{"a":"b"}}');
  natives.push(
    new Frames(),
    new Shape('{"scan":"s","points":[{"name":"a","type":"float32"},{"name":"t","type":"text"}]}'),
    new Profile(JSON.stringify(PROFILE), 'p'),
    lines,
  );
}

/** The functions of the addon itself, on what they belong to and on what they do not. */
function fuzzAddon() {
  const binding = /** @type {any} */ (need());
  const classes = [binding.Frames, binding.Shape, binding.Profile, binding.Lines];
  const methods = classes.flatMap((type) =>
    Object.getOwnPropertyNames(type.prototype).map((name) => [type, name]),
  );
  repeat(() => {
    const [type, name] = dice.pick(methods);
    const own = natives.find((native) => native instanceof type);
    const object = dice.below(4) === 0 ? makeAnything() : own;
    const { value, get } = /** @type {PropertyDescriptor} */ (
      Object.getOwnPropertyDescriptor(type.prototype, name)
    );
    const args = makeArguments();
    if (name === 'constructor') attempt(() => Reflect.construct(type, args));
    else attempt(() => Reflect.apply(value ?? get, object, args));
    attempt(() => Reflect.apply(type, makeAnything(), args));
    attempt(() => binding.packDevice(...args));
  });
}

function fuzzWrappers() {
  const functions = /** @type {[string, any][]} */ (Object.entries({ ...codec, ...frames })).filter(
    ([name]) => /^[a-z]/.test(name),
  );
  const reader = new frames.FrameReader();
  repeat(() => {
    const [, work] = dice.pick(functions);
    attempt(() => work(...makeArguments()));
    attempt(() => reader.read(makeAnything(), dice.below(2) ? undefined : makeAnything()));
    attempt(() =>
      codec.rails({ profile: PROFILE, name: dice.pick(['limit', 'text', 'bits']) }, makeAnything()),
    );
    const registers = Array.from({ length: dice.below(14) }, () => dice.below(65536));
    const table = dice.pick(['holding', 'coil']);
    attempt(() => codec.decodeProfile(registers, dice.below(12), PROFILE, { table }));
  });
}

/** Some bytes changed, taken away or put in. @param {Buffer} bytes */
function mutate(bytes) {
  let changed = Buffer.from(bytes);
  for (let n = dice.below(4); n >= 0; n--) {
    const at = dice.below(changed.length + 1);
    const kind = dice.below(8);
    if (kind === 0) changed = changed.subarray(0, at);
    else if (kind === 1)
      changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at + dice.below(9))]);
    else if (kind === 2)
      changed = Buffer.concat([changed.subarray(0, at), Buffer.alloc(dice.below(9), dice.next())]);
    else if (at < changed.length)
      changed[at] = dice.pick([dice.next() & 255, 0, 255, changed[at] ^ 1]);
  }
  if (dice.below(2) === 0 && changed.length >= 4) changed.writeUInt32LE(changed.length, 0);
  return changed;
}

function readVectors() {
  return fs
    .readdirSync(FOLDER)
    .filter((file) => file.endsWith('.hex'))
    .map((file) => {
      const text = fs.readFileSync(path.join(FOLDER, file), 'utf8');
      return { name: file, bytes: Buffer.from(text.replace(/\s/g, ''), 'hex') };
    });
}

function fuzzFrames() {
  const vectors = readVectors();
  const known = vectors
    .filter(({ name }) => /^(device|shape)/.test(name))
    .map(({ bytes }) => bytes);
  const first = Buffer.concat([...known, frames.packDevice({ number: 7, id: 'meter-1' })]);
  let read = 0;
  const handlers = {
    onBatch: (/** @type {import('../../lib/frames').Batch} */ batch) => {
      read++;
      JSON.stringify([batch.values, batch.quality, batch.codes, batch.text, batch.timestamp]);
      JSON.parse(codec.encodeJson(batch, { tags: true }));
      codec.encodeLine(batch);
      assert.ok(batch.frame.length >= 56, `${batch.frame.length}`);
    },
  };
  let reader = new frames.FrameReader();
  let round = 0;
  repeat(() => {
    if (round++ % 2000 === 0) {
      reader = new frames.FrameReader();
      reader.read(first);
    }
    const { bytes } = dice.pick(vectors);
    attempt(() => reader.read(mutate(bytes), handlers));
    attempt(() => reader.read(Buffer.concat([bytes, mutate(bytes)]), handlers));
  });
  assert.ok(read > 100, `${read} batches were read`);
}

function fuzzDocuments() {
  const { Lines, Shape, Profile, packDevice } = need();
  const texts = [
    JSON.stringify(PROFILE),
    LAYOUT,
    '{"measurement":"m","tags":{"a":"b","c":"d"},"layout":"per-phase"}',
    '{"number":1,"id":"a","site":"s","profile":"p","tags":{"a":"b"}}',
    '{"scan":"s","points":[{"name":"a","type":"uint8","labelsKind":"bits","labels":[{"value":3,"name":"x"}],"min":0,"max":5}]}',
  ];
  repeat(() => {
    const text = mutate(Buffer.from(dice.pick(texts))).toString('utf8');
    const lines = new Lines();
    attempt(() => lines.plan(text));
    attempt(() => lines.series(text));
    attempt(() => packDevice(text));
    attempt(() => new Shape(text).frame());
    attempt(() => {
      const profile = new Profile(text, 'p');
      profile.describe();
      const columns = new Float64Array(528 + 4096 + 1024);
      profile.decode(Buffer.alloc(64, dice.next()), dice.below(4), dice.below(10), 32, columns);
      profile.repeat(Buffer.alloc(64, dice.next()), dice.below(10), 40, columns);
      profile.check(0, makeAnything());
    });
  });
}

if (process.env[ROLE] === 'work') {
  makeNatives();
  fuzzAddon();
  fuzzWrappers();
  fuzzFrames();
  fuzzDocuments();
  console.log('done');
} else {
  test('nothing that it is given ends the process', { skip: !(seconds > 0) }, () => {
    const seed = process.env.BUSBAR_FUZZ_SEED ?? String(Date.now() % 2 ** 31);
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [__filename], {
      env: { ...process.env, [ROLE]: 'work', BUSBAR_FUZZ_SEED: seed, NODE_TEST_CONTEXT: undefined },
      encoding: 'utf8',
      timeout: 120000,
    });
    assert.equal(
      stdout.trim(),
      'done',
      `seed ${seed}, ${status ?? signal}: ${stderr.slice(-4000)}`,
    );
  });
}
