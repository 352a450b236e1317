/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Device, shape and batch frames (native/model/frame.h), as they fill the messages of type 4 on the
   control socket, become objects; frames_pack.js is the reverse.

     const reader = new FrameReader();
     reader.read(body, { onBatch: (batch) => node.send({ payload: batch.values }) });

   The addon checks each frame before anything is made of it, so that what is read here once more
   (names, texts) can be taken as it stands. */

const { need } = require('./binding');
const { Decoder, makeColumns } = require('./decoder');

/** @typedef {import('./decoder').Values} Values */

/**
 * @typedef {object} Device
 * @property {number} number By which batches name it.
 * @property {string} id
 * @property {string} site
 * @property {string} profile
 * @property {Record<string, string>} tags
 *
 * @typedef {object} Label
 * @property {number} value Of an enum, or the number of a bit.
 * @property {string} name
 *
 * @typedef {object} Point
 * @property {string} name
 * @property {string} type bool, int8 ... uint64, float32, float64, text.
 * @property {string} unit
 * @property {string} description
 * @property {number} size Of its slot, in bytes; of a text one more than its longest.
 * @property {boolean} writable
 * @property {number} [min] Of what may be written.
 * @property {number} [max]
 * @property {number} step 0: any.
 * @property {number} deadband
 * @property {'none' | 'enum' | 'bits'} labelsKind
 * @property {Label[]} labels
 *
 * @typedef {object} Shape
 * @property {string} hash 16 hex digits.
 * @property {string} scan
 * @property {Point[]} points
 *
 * @typedef {object} Handlers
 * @property {(device: Device) => void} [onDevice] Also when a device comes again, changed.
 * @property {(shape: Shape) => void} [onShape]
 * @property {(batch: Batch) => void} [onBatch]
 */

const KINDS = /** @type {const} */ (['samples', 'event', 'outcome']);
const LABELS = /** @type {const} */ (['none', 'enum', 'bits']);

const DEVICE = 1;
const SHAPE = 2;

const CLOCK_UNSET = 1;
const REPEAT = 2;

const WRITABLE = 1;
const HAS_MIN = 2;
const HAS_MAX = 4;

const BATCH_HEADER = 56;
const CONTENT = 50;
const QUALITY = 1;
const CODES = 2;

/** Reads what the addon has found in order. */
class Walk {
  /** @param {Buffer} bytes @param {number} at */
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
  }

  /** @param {number} n */
  skip(n) {
    this.at += n;
    return this.at - n;
  }

  u8() {
    return this.bytes.readUInt8(this.skip(1));
  }

  u16() {
    return this.bytes.readUInt16LE(this.skip(2));
  }

  u32() {
    return this.bytes.readUInt32LE(this.skip(4));
  }

  double() {
    return this.bytes.readDoubleLE(this.skip(8));
  }

  text() {
    const length = this.u16();
    const from = this.skip(length);
    return this.bytes.toString('utf8', from, from + length);
  }
}

/** @param {Buffer} bytes @param {number} at @returns {Device} */
function readDevice(bytes, at) {
  const walk = new Walk(bytes, at + 8);
  const number = walk.u32();
  const count = walk.u16();
  const device = { number, id: walk.text(), site: walk.text(), profile: walk.text() };
  /* By entries, because a tag may have any name, __proto__ too. */
  const tags = Array.from({ length: count }, () => [walk.text(), walk.text()]);
  return { ...device, tags: Object.fromEntries(tags) };
}

/** @param {Walk} walk @param {string[]} types @returns {Point} */
function readPoint(walk, types) {
  const type = types[walk.u8()];
  const labelsKind = LABELS[walk.u8()];
  const size = walk.u16();
  const count = walk.u16();
  const flags = walk.u8();
  walk.skip(1);
  const deadband = walk.double();
  const min = walk.double();
  const max = walk.double();
  const step = walk.double();
  const texts = { name: walk.text(), unit: walk.text(), description: walk.text() };
  const labels = Array.from({ length: count }, () => ({ value: walk.u32(), name: walk.text() }));
  return {
    ...texts,
    ...{ type, size, writable: (flags & WRITABLE) !== 0 },
    ...(flags & HAS_MIN && { min }),
    ...(flags & HAS_MAX && { max }),
    ...{ step, deadband, labelsKind, labels },
  };
}

/** @param {Buffer} bytes @param {number} at @param {string[]} types @returns {Shape} */
function readShape(bytes, at, types) {
  const walk = new Walk(bytes, at + 8);
  const hash = bytes.readBigUInt64LE(walk.skip(8)).toString(16).padStart(16, '0');
  const count = walk.u16();
  const scan = walk.text();
  return { hash, scan, points: Array.from({ length: count }, () => readPoint(walk, types)) };
}

/** One acquisition of one shape, or an event of a device, or what became of a command. */
class Batch {
  /** @type {FrameReader} */ #reader;
  /** @type {Buffer} */ #bytes;
  /** @type {number} */ #at;
  /** @type {number} */ #ns;

  /** @param {FrameReader} reader Its columns hold this batch. @param {Buffer} bytes
   * @param {number} at */
  constructor(reader, bytes, at) {
    const { head, columns } = reader;
    const { doubles } = columns;
    const shape = doubles[head.shape];
    const flags = doubles[head.flags];
    this.#reader = reader;
    this.#bytes = bytes;
    this.#at = at;
    this.#ns = doubles[head.ns];
    /** @type {Device} */
    this.device = reader.devices[doubles[head.device]];
    /** Undefined for events and outcomes. @type {Shape | undefined} */
    this.shape = undefined;
    /** Milliseconds since 1970 (UTC), at the source. @type {number} */
    this.timestamp = doubles[head.ms];
    /** @type {'samples' | 'event' | 'outcome'} */
    this.kind = KINDS[doubles[head.kind]];
    /** Nothing new: a snapshot, or values announced stale. @type {boolean} */
    this.repeat = (flags & REPEAT) !== 0;
    /** The clock was not set when this was taken. @type {boolean} */
    this.clockUnset = (flags & CLOCK_UNSET) !== 0;
    /** Counts the batches of a run of the runtime. @type {number} */
    this.seq = doubles[head.seq];
    /** Points that have a value of now, which is good or uncertain. @type {Values | undefined} */
    this.values = undefined;
    /** Points that are not good: "bad, no answer". @type {Record<string, string> | undefined} */
    this.quality = undefined;
    /** Of an event or outcome. @type {string} */
    this.text = '';
    if (shape >= 0) {
      const decoder = reader.decoders[shape];
      this.shape = reader.shapes[shape];
      this.values = decoder.decode(columns, bytes);
      this.quality = decoder.describe(columns);
    }
    if (doubles[head.textLen] > 0) {
      const from = doubles[head.text];
      this.text = bytes.toString('utf8', from, from + doubles[head.textLen]);
    }
  }

  get scan() {
    return this.shape ? this.shape.scan : '';
  }

  /** Nanoseconds since 1970 (UTC). */
  get timeNs() {
    return BigInt(this.timestamp) * 1000000n + BigInt(this.#ns);
  }

  /** The device's own refusal codes, by point; empty where there are none. Like `frame` and the
   * encoders it reads the bytes that were given to the reader, so these must be as they were.
   * @returns {Record<string, number>} */
  get codes() {
    const content = this.#bytes[this.#at + CONTENT];
    const points = this.shape?.points ?? [];
    if ((content & CODES) === 0) return {};
    const from = this.#at + BATCH_HEADER + (content & QUALITY ? points.length : 0);
    const codes = points.map(({ name }, i) => /** @type {const} */ ([name, this.#bytes[from + i]]));
    return Object.fromEntries(codes.filter(([, code]) => code !== 0));
  }

  /** The frame itself, as it came. */
  get frame() {
    return this.#bytes.subarray(this.#at, this.#at + this.#bytes.readUInt32LE(this.#at));
  }

  /** @param {boolean} tags @param {boolean} historical */
  toJsonText(tags, historical) {
    return this.#reader.native.json(this.#bytes, this.#at, tags, historical);
  }

  toLineText() {
    return this.#reader.native.line(this.#bytes, this.#at);
  }
}

/** What a failure of the addon means for somebody who reads frames.
 * @type {Record<string, string>} */
const FAILURES = {
  NOMEM: 'there is no memory left',
  LIMIT: 'it is too large, or one device or shape too many',
  FORMAT: 'it is malformed',
  SHORT: 'it ends too early',
  NOTFOUND: 'its device or its shape did not come before it',
  VERSION: 'it is of another version',
};

/** The frames of one connection: devices and shapes come before the batches that name them. */
class FrameReader {
  constructor() {
    const { Frames, columns, types } = need();
    this.native = new Frames();
    this.head = columns;
    this.types = types;
    this.columns = makeColumns(columns.maxPoints);
    /** In the order in which they came. @type {Device[]} */
    this.devices = [];
    /** @type {Shape[]} */
    this.shapes = [];
    /** @type {Decoder[]} */
    this.decoders = [];
  }

  /**
   * Reads whole frames, one behind the other. A frame that is wrong throws a RangeError; what came
   * before it has been handed over, and the reader can go on with another message.
   * @param {Uint8Array} body @param {Handlers} [handlers]
   * @returns {number} How many frames.
   */
  read(body, handlers = {}) {
    if (!(body instanceof Uint8Array)) throw new TypeError('read: the frames must be a Buffer');
    const bytes = Buffer.isBuffer(body)
      ? body
      : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const { native, columns } = this;
    let count = 0;
    for (let at = 0; at < bytes.length; count++) {
      const length = native.read(bytes, at, columns.doubles);
      if (length <= 0) {
        const why = FAILURES[need().errors[length]] ?? 'it cannot be read';
        throw new RangeError(`the frame at byte ${at} was refused: ${why}`);
      }
      this.take(bytes, at, handlers);
      at += length;
    }
    return count;
  }

  /** @param {Buffer} bytes @param {number} at @param {Handlers} handlers */
  take(bytes, at, handlers) {
    const { doubles } = this.columns;
    const kind = doubles[this.head.frame];
    if (kind === DEVICE) {
      const device = readDevice(bytes, at);
      this.devices[doubles[this.head.device]] = device;
      handlers.onDevice?.(device);
    } else if (kind === SHAPE) {
      const shape = this.takeShape(bytes, at, doubles[this.head.shape]);
      handlers.onShape?.(shape);
    } else if (handlers.onBatch) {
      handlers.onBatch(new Batch(this, bytes, at));
    }
  }

  /** @param {Buffer} bytes @param {number} at @param {number} place */
  takeShape(bytes, at, place) {
    if (place >= this.shapes.length) {
      this.shapes[place] = readShape(bytes, at, this.types);
      this.decoders[place] = new Decoder(this.shapes[place].points);
    }
    return this.shapes[place];
  }
}

module.exports = { FrameReader, Batch, ...require('./frames_pack') };
