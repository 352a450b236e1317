/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Frames of devices whose values come from here, to be sent to the runtime: the device and the shape
   first, once, then batches that name both.

     const shape = packShape({ scan: 'values', points: [{ name: 'power', type: 'float64' }] });
     const first = Buffer.concat([packDevice({ number: 1, id: 'pump-3' }), shape.frame]);
     const frame = packBatch({ device: 1, shape, values: { power: 230.1 } }); */

const { need } = require('./binding');
const { NO_VALUE, ABSENT } = require('./decoder');

/** @typedef {import('./frames').Point} Point */
/** @typedef {import('./frames').Label} Label */

const CLOCK_UNSET = 1;
const REPEAT = 2;
const STALE = 0xc0;

const MAX_LABELS = 65535;

/**
 * A device as a frame, whose values will come from here.
 * @param {{number: number, id: string, site?: string, profile?: string,
 *   tags?: Record<string, unknown>}} device
 * @returns {Buffer}
 */
function packDevice(device) {
  if (device === null || typeof device !== 'object') {
    throw new TypeError('packDevice: the device must be an object with number and id');
  }
  const { number, id, site, profile, tags } = device;
  const texts = Object.entries(tags ?? {}).map(([key, value]) => [key, String(value)]);
  const document = {
    ...{ number, id, site: site || undefined, profile: profile || undefined },
    tags: Object.fromEntries(texts),
  };
  return need().packDevice(JSON.stringify(document));
}

/** A point as the addon takes it: what is empty is left out. @param {any} point */
function describePoint(point) {
  if (point === null || typeof point !== 'object') {
    throw new TypeError('packShape: a point must be an object with name and type');
  }
  const { name, type, unit, description, size, writable, min, max, step, deadband } = point;
  const { labelsKind, labels } = point;
  if (labels !== undefined && !(Array.isArray(labels) && labels.length <= MAX_LABELS)) {
    throw new TypeError(`packShape: labels must be a list of at most ${MAX_LABELS}`);
  }
  return {
    ...{ name, type, unit: unit || undefined, description: description || undefined },
    ...{ size, writable, min, max, step, deadband, labelsKind },
    labels: labels?.map((/** @type {Label} */ label) => ({
      ...{ value: label?.value, name: label?.name || undefined },
    })),
  };
}

/** What packShape returns, and packBatch takes. */
class PackedShape {
  /** @param {{scan: string, points: Partial<Point>[]}} shape */
  constructor(shape) {
    const { Shape, columns } = need();
    const { maxPoints } = columns;
    if (shape.points.length > maxPoints) {
      const count = shape.points.length;
      throw new RangeError(`packShape: ${count} points are too many; allowed: ${maxPoints}`);
    }
    const points = Array.from(shape.points, describePoint);
    this.native = new Shape(JSON.stringify({ scan: shape.scan, points }));
    this.scan = shape.scan;
    /** 16 hex digits. */
    this.hash = this.native.hash();
    this.frame = this.native.frame();
    /** @type {Map<string, number>} */
    this.places = new Map(points.map(({ name }, i) => [name, i]));
  }

  /** @param {string} name @param {string} what */
  placeOf(name, what) {
    const place = this.places.get(name);
    if (place !== undefined) return place;
    throw new RangeError(`packBatch: ${what}: the shape has no point ${JSON.stringify(name)}`);
  }
}

/**
 * A shape as a frame: `frame` of what is returned. A point has name and type, and may have all that a
 * point of a shape has that was read.
 * @param {{scan: string, points: Partial<Point>[]}} shape
 * @returns {PackedShape}
 */
function packShape(shape) {
  if (shape === null || typeof shape !== 'object' || !Array.isArray(shape.points)) {
    throw new TypeError('packShape: the shape must be an object with scan and a list of points');
  }
  return new PackedShape(shape);
}

/** @type {Map<string, number> | undefined} */
let qualityBytes;

/** "bad" or "bad, no answer" as a byte. @param {unknown} text */
function findQuality(text) {
  const { qualities } = need();
  qualityBytes ??= new Map(
    qualities.map((name, byte) => /** @type {const} */ ([name, byte])).reverse(),
  );
  const byte = qualityBytes.get(/** @type {string} */ (text));
  if (byte !== undefined) return byte;
  throw new RangeError(
    `packBatch: there is no quality ${JSON.stringify(text)}; allowed: good, uncertain, bad or stale, ` +
      'with a cause such as "bad, no answer"',
  );
}

/** Milliseconds since 1970 and the rest in nanoseconds.
 * @param {number | bigint | Date | undefined} time ms as a number, ns as a bigint; now when left out.
 * @param {string} who */
function splitTime(time, who) {
  if (typeof time === 'bigint') {
    const ns = ((time % 1000000n) + 1000000n) % 1000000n;
    return { ms: Number((time - ns) / 1000000n), ns: Number(ns) };
  }
  const number = time === undefined ? Date.now() : time instanceof Date ? time.getTime() : time;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw new TypeError(
      `${who}: the timestamp must be milliseconds as a number, nanoseconds as a bigint, or a Date`,
    );
  }
  const ms = Math.floor(number);
  return { ms, ns: Math.floor((number - ms) * 1e6) };
}

/**
 * A batch as a frame. A point without a value is absent, unless `quality` says that it is bad.
 * @param {object} batch
 * @param {number} batch.device The device's number.
 * @param {PackedShape} batch.shape
 * @param {Record<string, unknown>} batch.values Numbers, bigints, booleans and texts by point.
 * @param {Record<string, string>} [batch.quality] Of points that are not good.
 * @param {number | bigint | Date} [batch.timestamp] ms as a number, ns as a bigint; now.
 * @param {number} [batch.seq]
 * @param {boolean} [batch.repeat]
 * @param {boolean} [batch.clockUnset]
 * @returns {Buffer}
 */
function packBatch({ device, shape, values, quality, timestamp, seq = 0, repeat, clockUnset }) {
  if (!(shape instanceof PackedShape)) {
    throw new TypeError('packBatch: the shape must be one that packShape returned');
  }
  if (values === null || typeof values !== 'object') {
    throw new TypeError('packBatch: the values must be an object of values by point');
  }
  const list = new Array(shape.places.size).fill(undefined);
  const bytes = new Uint8Array(list.length).fill(ABSENT);
  for (const [name, value] of Object.entries(values)) {
    const place = shape.placeOf(name, 'values');
    if (value === undefined || value === null) continue;
    list[place] = value;
    bytes[place] = 0;
  }
  for (const [name, text] of Object.entries(quality ?? {})) {
    const place = shape.placeOf(name, 'quality');
    const byte = findQuality(text);
    if (list[place] !== undefined || (byte >= NO_VALUE && byte < STALE)) bytes[place] = byte;
  }
  const { ms, ns } = splitTime(timestamp, 'packBatch');
  const flags = (repeat ? REPEAT : 0) | (clockUnset ? CLOCK_UNSET : 0);
  return shape.native.batch(device, ms, ns, seq, flags, list, bytes);
}

module.exports = { PackedShape, packDevice, packShape, packBatch, splitTime };
