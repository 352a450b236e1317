/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* From the columns that the addon fills (native/addon/columns.h) to `{point: value}`.

   For each shape a function is generated that makes the whole object by one literal, so that all
   objects of a shape have one hidden class. The same is done for the points that are there when
   others have been missing several times in a row. Where other points are missing each time, as in
   reports of changes, a hidden class for each object would cost more than it gives: these objects are
   hash tables from the start.

   The names of points come from elsewhere: in generated code they stand as JSON texts only. */

const { need } = require('./binding');

/**
 * @typedef {number | string | boolean} Value
 * @typedef {Record<string, Value>} Values
 *
 * What a decoder has to know of a point.
 * @typedef {object} DecoderPoint
 * @property {string} name
 * @property {string} type
 * @property {number} size Of its slot, in bytes.
 *
 * What the addon has filled.
 * @typedef {object} Columns
 * @property {Float64Array} doubles
 * @property {Uint8Array} quality
 */

/* What is longer is no longer optimised as a whole, and its objects have no hidden class anyway. */
const MAX_GENERATED = 900;

/* So often the same points have to be missing before a literal is generated for the others, and twice
   as often the next time. */
const REPEATS = 8;

/** From here on a quality byte says that there is no value of now: bad, stale, absent. */
const NO_VALUE = 0x80;
const CLASS = 0xc0;
const ABSENT = 0xff;

/** @param {Buffer} bytes @param {number} place 256 × where it begins + its length. */
function readText(bytes, place) {
  const at = Math.floor(place / 256);
  return bytes.toString('utf8', at, at + (place % 256));
}

/** An integer that is no Number. @param {Buffer} bytes @param {number} at @param {string} type */
function readWhole(bytes, at, type) {
  return String(type === 'int64' ? bytes.readBigInt64LE(at) : bytes.readBigUInt64LE(at));
}

/** @param {string} type @param {number} number @param {Buffer} bytes @param {number} at Of its slot.
 * @returns {Value} */
function readValue(type, number, bytes, at) {
  if (type === 'bool') return number !== 0;
  if (type === 'text') return readText(bytes, number);
  return number === number ? number : readWhole(bytes, at, type);
}

/** The value of a point as an expression. @param {DecoderPoint} point @param {number} at In the
 * doubles. @param {number} offset Of its slot. */
function writeValue({ type }, at, offset) {
  const number = `d[${at}]`;
  if (type === 'bool') return `${number}!==0`;
  if (type === 'text') return `text(b,${number})`;
  if (type !== 'int64' && type !== 'uint64') return number;
  return `${number}===${number}?${number}:whole(b,v+${offset},'${type}')`;
}

/** `__proto__` in quotes would set the prototype; in brackets it is a property like any other.
 * @param {string} name */
function writeKey(name) {
  const text = JSON.stringify(name);
  return name === '__proto__' ? `[${text}]` : text;
}

/** @param {DecoderPoint[]} points */
function listOffsets(points) {
  let offset = 0;
  return points.map(({ size }) => (offset += size) - size);
}

/** A property like any other, whatever its name. @param {Values} object @param {string} name
 * @param {Value} value */
function setOwn(object, name, value) {
  if (name !== '__proto__') {
    object[name] = value;
    return;
  }
  Object.defineProperty(object, name, {
    ...{ value, enumerable: true, writable: true, configurable: true },
  });
}

/**
 * Makes an object of columns: all numbers, the qualities, the bytes that were read and where the
 * slots begin in them.
 * @typedef {(d: Float64Array, q: Uint8Array, b: Buffer, v: number) => Values} Make
 */

/** @param {string} body @returns {Make | undefined} Undefined where code may not be generated. */
function compile(body) {
  try {
    const source = `'use strict';return function(d,q,b,v){${body}}`;
    return new Function('text', 'whole', 'set', source)(readText, readWhole, setOwn);
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

/** A literal of the points that `has` says are there.
 * @param {DecoderPoint[]} points @param {number} first @param {(i: number) => boolean} has */
function compileLiteral(points, first, has) {
  const offsets = listOffsets(points);
  const properties = points.flatMap((point, i) =>
    has(i) ? [`${writeKey(point.name)}:${writeValue(point, first + i, offsets[i])}`] : [],
  );
  return compile(`return{${properties.join(',')}}`);
}

/** A hash table of the points that have a value: what properties were deleted from is one.
 * @param {DecoderPoint[]} points @param {number} first */
function compileTable(points, first) {
  const offsets = listOffsets(points);
  const steps = points.map((point, i) => {
    const name = JSON.stringify(point.name);
    const value = writeValue(point, first + i, offsets[i]);
    const put = point.name === '__proto__' ? `set(o,${name},${value})` : `o[${name}]=${value}`;
    return `if(q[${i}]<${NO_VALUE})${put};`;
  });
  return compile(`const o={a:0,b:0};delete o.a;delete o.b;${steps.join('')}return o`);
}

/** Without generated code: point by point. @param {DecoderPoint[]} points @param {number} first
 * @returns {Make} */
function makeLoop(points, first) {
  const offsets = listOffsets(points);
  return (doubles, quality, bytes, valuesAt) => {
    /** @type {Values} */
    const values = {};
    for (let i = 0; i < points.length; i++) {
      if (quality[i] >= NO_VALUE) continue;
      const { name, type } = points[i];
      setOwn(values, name, readValue(type, doubles[first + i], bytes, valuesAt + offsets[i]));
    }
    return values;
  };
}

class Decoder {
  /** @param {DecoderPoint[]} points */
  constructor(points) {
    const { columns, qualities } = need();
    this.points = points;
    this.qualities = qualities;
    this.numbers = columns.numbers;
    this.plain = columns.plain;
    this.values = columns.values;
    this.canGenerate = points.length <= MAX_GENERATED;
    /** For what is all good, for what has been missing before, for all else.
     * @type {Make | undefined} */
    this.makeAll = undefined;
    /** @type {Make | undefined} */
    this.makeSame = undefined;
    /** @type {Make | undefined} */
    this.makeSome = undefined;
    /** Which points had no value in the last batch of which that is true: 1. */
    this.missing = new Uint8Array(points.length);
    this.repeats = 0;
    this.patience = REPEATS;
  }

  /** Values of all points that have one of now.
   * @param {Columns} columns @param {Buffer} bytes What was read. @returns {Values} */
  decode({ doubles, quality }, bytes) {
    const valuesAt = doubles[this.values];
    if (doubles[this.plain] === 1) {
      this.makeAll ??= this.generate((points, first) => compileLiteral(points, first, () => true));
      return this.makeAll(doubles, quality, bytes, valuesAt);
    }
    if (this.isSame(quality)) {
      if (this.makeSame) return this.makeSame(doubles, quality, bytes, valuesAt);
      if (++this.repeats >= this.patience) this.generateSame();
    } else {
      this.remember(quality);
    }
    this.makeSome ??= this.generate(compileTable);
    return this.makeSome(doubles, quality, bytes, valuesAt);
  }

  /** @param {(points: DecoderPoint[], first: number) => Make | undefined} compileThis
   * @returns {Make} */
  generate(compileThis) {
    const { points, numbers } = this;
    const make = this.canGenerate ? compileThis(points, numbers) : undefined;
    return make ?? makeLoop(points, numbers);
  }

  generateSame() {
    const { missing } = this;
    this.makeSame = this.generate((points, first) =>
      compileLiteral(points, first, (i) => missing[i] === 0),
    );
    this.patience *= 2;
  }

  /** Whether the same points have no value as the last time. @param {Uint8Array} quality */
  isSame(quality) {
    const { missing } = this;
    for (let i = 0; i < missing.length; i++) {
      if (quality[i] >>> 7 !== missing[i]) return false;
    }
    return true;
  }

  /** @param {Uint8Array} quality */
  remember(quality) {
    const { missing } = this;
    for (let i = 0; i < missing.length; i++) missing[i] = quality[i] >>> 7;
    this.makeSame = undefined;
    this.repeats = 0;
  }

  /** Class and cause of the points that are not good, such as "bad, no answer"; undefined when there
   * are none. @param {Columns} columns @returns {Record<string, string> | undefined} */
  describe({ doubles, quality }) {
    if (doubles[this.plain] === 1) return undefined;
    /** @type {Record<string, string> | undefined} */
    let texts;
    for (let i = 0; i < this.points.length; i++) {
      if ((quality[i] & CLASS) === 0 || quality[i] === ABSENT) continue;
      texts ??= {};
      setOwn(texts, this.points[i].name, this.qualities[quality[i]]);
    }
    return texts;
  }
}

/** Columns for that many points and bytes of slots. @param {number} points @param {number} [bytes] */
function makeColumns(points, bytes = 0) {
  const { columns } = need();
  const doubles = new Float64Array(columns.numbers + points + Math.ceil(bytes / 8));
  const quality = new Uint8Array(doubles.buffer, columns.qualities, columns.maxPoints);
  return { doubles, quality };
}

module.exports = { Decoder, makeColumns, readValue, NO_VALUE, ABSENT };
