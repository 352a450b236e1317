/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Values as InfluxDB line protocol. What a measurement with its tags, and a set of fields look like is
   worked out by the addon once and kept there; after that a line costs the conversion of its values. */

const { need } = require('./binding');
const { Batch } = require('./frames');
const { splitTime } = require('./frames_pack');

/** @typedef {'float' | 'integer' | 'unsigned' | 'boolean' | 'string'} FieldType */

/**
 * One line, before it is one.
 * @typedef {object} LineRecord
 * @property {string} measurement
 * @property {Record<string, unknown>} [tags] What is empty or missing is left out.
 * @property {Record<string, unknown>} fields Numbers are floats, bigints integers, and booleans and
 *   texts what they are; what is null or undefined is left out.
 * @property {Record<string, FieldType>} [types] Of fields that are not what their values say.
 * @property {number | bigint | Date} [timestamp] ms as a number, ns as a bigint; now.
 * @property {'ns' | 'us' | 'ms' | 's'} [precision] Of the time in the line; that of the options.
 *
 * As the options of an InfluxDB sink.
 * @typedef {object} LineOptions
 * @property {'ns' | 'us' | 'ms' | 's'} [precision] ns.
 * @property {'wide' | 'per-phase' | 'per-point'} [layout] wide.
 * @property {boolean} [allFloat] Integers are written as floats.
 * @property {boolean} [unsignedType] Unsigned integers end in `u`, not in `i`.
 * @property {boolean} [namesAsIs] Field keys keep / and -, which else become _.
 * @property {boolean} [integerStrings] Texts such as "7i" and "7u" are integers.
 */

const PRECISIONS = ['ns', 'us', 'ms', 's'];
const LAYOUTS = ['wide', 'per-phase', 'per-point'];
const MAX_PLANS = 1024;
const MAX_SERIES = 4096;
const MAX_FIELDS = 4096;
const MAX_RECORDS = 100000;
const FIELD_TYPES = ['float', 'integer', 'unsigned', 'boolean', 'string'];

/** How plans and series are kept in the addon: made once, named by their place. */
class LineCache {
  constructor() {
    const { Lines } = need();
    this.native = new Lines();
    /** @type {Map<string, number>} */
    this.plans = new Map();
    /** @type {Map<string, number>} */
    this.series = new Map();
    this.doubles = new Float64Array(64);
    this.signed = new BigInt64Array(this.doubles.buffer);
    this.unsigned = new BigUint64Array(this.doubles.buffer);
  }

  get isFull() {
    return this.plans.size >= MAX_PLANS || this.series.size >= MAX_SERIES;
  }

  /** Room for that many fields, whose values are then gone. @param {number} fields */
  reserve(fields) {
    if (fields <= this.doubles.length) return;
    this.doubles = new Float64Array(2 * fields);
    this.signed = new BigInt64Array(this.doubles.buffer);
    this.unsigned = new BigUint64Array(this.doubles.buffer);
  }
}

/** @type {LineCache | undefined} */
let lineCache;

/** @param {string} name @param {unknown} given */
function shown(name, given) {
  return `encodeLine: field ${JSON.stringify(name)} is ${typeof given === 'bigint' ? `${given}n` : JSON.stringify(given)}`;
}

/** The type of a field by its value. @param {string} name @param {unknown} value
 * @returns {FieldType} */
function typeOf(name, value) {
  switch (typeof value) {
    case 'number':
      return 'float';
    case 'bigint':
      return 'integer';
    case 'boolean':
      return 'boolean';
    case 'string':
      return 'string';
    default:
      throw new TypeError(
        `encodeLine: field ${JSON.stringify(name)} must be a number, a bigint, a boolean or a text`,
      );
  }
}

/** @param {string} name @param {unknown} given @param {FieldType} type @returns {bigint} */
function toInteger(name, given, type) {
  const isWhole = typeof given === 'string' ? /^-?\d+$/.test(given) : Number.isInteger(given);
  if (typeof given !== 'bigint' && !isWhole) {
    throw new RangeError(`${shown(name, given)}, which is no whole number`);
  }
  const value = BigInt(/** @type {any} */ (given));
  const fits = type === 'integer' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  if (fits === value) return value;
  throw new RangeError(`${shown(name, given)}, which is more than 64 bits hold`);
}

/** Puts a value where the addon reads it. @param {LineCache} cache @param {number} i
 * @param {string[]} texts @param {string} name @param {unknown} value @param {FieldType} type */
function putField(cache, i, texts, name, value, type) {
  switch (type) {
    case 'float':
      cache.doubles[i] = Number(value);
      break;
    case 'integer':
      cache.signed[i] = toInteger(name, value, type);
      break;
    case 'unsigned':
      cache.unsigned[i] = toInteger(name, value, type);
      break;
    case 'boolean':
      cache.doubles[i] = value ? 1 : 0;
      break;
    case 'string':
      cache.doubles[i] = texts.push(String(value)) - 1;
      break;
    default:
      throw new RangeError(
        `encodeLine: field ${JSON.stringify(name)} has the type ${String(type)}; allowed: ${FIELD_TYPES.join(', ')}`,
      );
  }
}

/** "7i" and "7u" as integers. @param {unknown} value
 * @returns {{value: string, type: FieldType} | undefined} */
function readIntegerString(value) {
  const found = typeof value === 'string' && /^(-?\d+)([iu])$/.exec(value);
  return found ? { value: found[1], type: found[2] === 'i' ? 'integer' : 'unsigned' } : undefined;
}

/**
 * The fields into the cache; what they are, as a key and as a document.
 * @param {LineCache} cache @param {LineRecord} record @param {LineOptions} options
 */
function takeFields(cache, { fields, types }, options) {
  const names = Object.keys(fields);
  if (names.length > MAX_FIELDS) {
    throw new RangeError(`encodeLine: ${names.length} fields are too many; allowed: ${MAX_FIELDS}`);
  }
  cache.reserve(names.length);
  /** @type {{name: string, type: FieldType}[]} */
  const list = [];
  /** @type {string[]} */
  const texts = [];
  let key = '';
  for (const name of names) {
    let value = fields[name];
    if (value === null || value === undefined || name === '') continue;
    const integer = options.integerStrings ? readIntegerString(value) : undefined;
    const named = types && Object.hasOwn(types, name) ? types[name] : undefined;
    const type = named ?? integer?.type ?? typeOf(name, value);
    if (integer && type !== 'string') value = integer.value;
    if (typeof value === 'object') typeOf(name, value);
    putField(cache, list.length, texts, name, value, type);
    list.push({ name, type });
    key += `${name.length}${type}${name}`;
  }
  return { list, texts, key };
}

/** @param {Record<string, unknown> | undefined} tags */
function listTags(tags) {
  if (tags === undefined || tags === null) return [];
  if (typeof tags !== 'object') throw new TypeError('encodeLine: the tags must be an object');
  return Object.entries(tags)
    .filter(([key, value]) => key !== '' && value !== undefined && value !== null && value !== '')
    .map(([key, value]) => /** @type {[string, string]} */ ([key, String(value)]));
}

/** @param {unknown} value @param {string[]} allowed @param {string} what */
function choose(value, allowed, what) {
  if (value === undefined) return allowed[0];
  if (allowed.includes(/** @type {string} */ (value))) return /** @type {string} */ (value);
  throw new RangeError(
    `encodeLine: there is no ${what} ${String(value)}; allowed: ${allowed.join(', ')}`,
  );
}

/** @param {LineCache} cache @param {LineRecord} record @param {string} layout */
function findSeries(cache, { measurement, tags }, layout) {
  if (typeof measurement !== 'string' || measurement === '') {
    throw new TypeError('encodeLine: the measurement must be a text that is not empty');
  }
  const list = listTags(tags);
  const key = `${layout} ${JSON.stringify([measurement, list])}`;
  let place = cache.series.get(key);
  if (place === undefined) {
    const document = { measurement, tags: Object.fromEntries(list), layout };
    place = cache.native.series(JSON.stringify(document));
    cache.series.set(key, place);
  }
  return place;
}

/** @param {LineCache} cache @param {{list: object[], key: string}} fields
 * @param {LineOptions} options @param {string} layout @param {string} precision */
function findPlan(cache, fields, options, layout, precision) {
  const { allFloat = false, unsignedType = false, namesAsIs = false } = options;
  const flags = { allFloat: !!allFloat, unsignedType: !!unsignedType, namesAsIs: !!namesAsIs };
  const key = `${layout} ${precision} ${Object.values(flags).join(' ')} ${fields.key}`;
  let place = cache.plans.get(key);
  if (place === undefined) {
    const document = { fields: fields.list, layout, precision, ...flags };
    place = cache.native.plan(JSON.stringify(document));
    cache.plans.set(key, place);
  }
  return place;
}

/** With its line ends. @param {LineRecord} record @param {LineOptions} options */
function encodeRecord(record, options) {
  if (record === null || typeof record !== 'object') {
    throw new TypeError('encodeLine: needs an object with measurement and fields');
  }
  if (record.fields === null || typeof record.fields !== 'object') {
    throw new TypeError('encodeLine: the fields must be an object');
  }
  const layout = choose(options.layout, LAYOUTS, 'layout');
  const precision = choose(record.precision ?? options.precision, PRECISIONS, 'precision');
  const { ms, ns } = splitTime(record.timestamp, 'encodeLine');
  if (!lineCache || lineCache.isFull) lineCache = new LineCache();
  const fields = takeFields(lineCache, record, options);
  if (fields.list.length === 0) return '';
  const series = findSeries(lineCache, record, layout);
  const plan = findPlan(lineCache, fields, options, layout, precision);
  return lineCache.native.encode(plan, series, lineCache.doubles, fields.texts, ms, ns);
}

/**
 * Values as line protocol, in the very bytes that an InfluxDB sink writes for them: keys, escapes,
 * order of tags and digits. Numbers that line protocol has not (NaN, infinities) are left out.
 * @param {LineRecord | import('./frames').Batch} record A batch that was read is written as a sink without options does.
 * @param {LineOptions} [options]
 * @returns {string} Without a line end behind it; empty when there is no field.
 */
function encodeLine(record, options = {}) {
  const text = record instanceof Batch ? record.toLineText() : encodeRecord(record, options);
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

/**
 * The same of many, line by line.
 * @param {(LineRecord | import('./frames').Batch)[]} records @param {LineOptions} [options]
 * @returns {string}
 */
function encodeLineBatch(records, options = {}) {
  if (!Array.isArray(records) || records.length > MAX_RECORDS) {
    throw new TypeError(`encodeLineBatch: needs a list of at most ${MAX_RECORDS} records`);
  }
  return records
    .map((record) => encodeLine(record, options))
    .filter((line) => line !== '')
    .join('\n');
}

module.exports = { encodeLine, encodeLineBatch };
