/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A message of a flow as points for InfluxDB: all forms that the nodes `influxdb out` and `influxdb
   batch` of node-red-contrib-influxdb take, and that of busbar-in.

     payload 5                                    one field `value`
     payload {power: 5, time: 1763688000123}      fields, with a time
     payload [{power: 5}, {line: 'l1'}]           fields and tags
     payload [[{…}, {…}], [{…}, {…}]]             several of these
     payload [{measurement, fields, tags, timestamp}, …]   as batch takes them
     payload {point: value}, with msg.device      what busbar-in sends
     payload [{point: value}, {tag: value}]       the same as fields and tags

   A text such as `7i` is what these nodes make of it, since InfluxDB refuses another type than a field has:
   the integer 7 for InfluxDB 2; for InfluxDB 1 the float 7, and in the form of batch the text. */

const { BusbarError } = require('./errors');
const { MAX_BYTES } = require('./input_mqtt');
const { isLonger } = require('./size');

/** @typedef {object} Point
 * @property {string} measurement
 * @property {Record<string, any>} fields
 * @property {Record<string, string>} tags
 * @property {bigint} timeNs
 */

const NS_PER = { ns: 1n, us: 1000n, u: 1000n, ms: 1000000n, s: 1000000000n };
const INTEGER = /^-?\d+i$/;

/** @param {string} text @returns {BusbarError} */
function invalid(text) {
  return new BusbarError('BUSBAR_INVALID', text);
}

/** @param {unknown} value @returns {value is Record<string, any>} */
function isMap(value) {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !Buffer.isBuffer(value) &&
    !(value instanceof Date)
  );
}

/** A Date, a number or a text of one, in the unit given; without one, now.
 * @param {any} time @param {bigint} nsPerUnit @returns {bigint} */
function readTime(time, nsPerUnit) {
  if (time === undefined || time === null || time === '') return BigInt(Date.now()) * NS_PER.ms;
  if (time instanceof Date && !Number.isNaN(time.getTime()))
    return BigInt(time.getTime()) * NS_PER.ms;
  if (typeof time === 'bigint') return time * nsPerUnit;
  if (typeof time === 'number' && Number.isFinite(time))
    return BigInt(Math.floor(time)) * nsPerUnit;
  if (typeof time === 'string' && /^-?\d+$/.test(time)) return BigInt(time) * nsPerUnit;
  const parsed = typeof time === 'string' ? Date.parse(time) : NaN;
  if (!Number.isNaN(parsed)) return BigInt(parsed) * NS_PER.ms;
  throw invalid(
    `the time ${JSON.stringify(time)} is none; allowed: a Date, or a number in the precision of the node`,
  );
}

/** @typedef {(text: string) => any} ReadInteger What `7i` is. */

/** @type {ReadInteger} */
const asInteger = (text) => BigInt(text.slice(0, -1));
/** @type {ReadInteger} */
const asFloat = (text) => Number(text.slice(0, -1));
/** @type {ReadInteger} */
const asText = (text) => text;

/** @param {any} value @param {ReadInteger} readInteger */
function readField(value, readInteger) {
  if (isLonger(value, MAX_BYTES)) {
    throw invalid(`a field of more than ${MAX_BYTES} bytes is too long; send it in parts`);
  }
  if (typeof value === 'string' && INTEGER.test(value)) return readInteger(value);
  if (value instanceof Date) return value.toISOString();
  if (isMap(value) || Array.isArray(value)) return JSON.stringify(value);
  return value;
}

/** Fields without a value are left out. @param {Record<string, any>} fields
 * @param {(name: string) => boolean} [isKnown] What it is, whatever its value looks like.
 * @param {ReadInteger} [readInteger] */
function readFields(fields, isKnown = () => false, readInteger = asInteger) {
  const present = Object.entries(fields).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return Object.fromEntries(
    present.map(([key, value]) => [key, isKnown(key) ? value : readField(value, readInteger)]),
  );
}

/** @param {any} tags @returns {Record<string, string>} */
function readTags(tags) {
  if (tags === undefined || tags === null) return {};
  if (!isMap(tags)) throw invalid('the tags are no map of names and values');
  const present = Object.entries(tags).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(present.map(([key, value]) => [key, String(value)]));
}

class Reader {
  /** @param {string} measurement @param {bigint} nsPerUnit @param {boolean} isVersion1 */
  constructor(measurement, nsPerUnit, isVersion1) {
    this.measurement = measurement;
    this.nsPerUnit = nsPerUnit;
    this.isVersion1 = isVersion1;
  }

  /** @param {any} fields @param {any} [tags]
   * @param {{measurement?: any, time?: any, readInteger?: ReadInteger}} [own] @returns {Point} */
  point(fields, tags, own = {}) {
    const measurement = own.measurement || this.measurement;
    if (typeof measurement !== 'string' || measurement === '') {
      throw invalid(
        'the message has no measurement; set msg.measurement, or the measurement in this node',
      );
    }
    if (!isMap(fields)) throw invalid('the fields are no map of names and values');
    const { time, ...rest } = fields;
    const { readInteger = this.isVersion1 ? asFloat : asInteger } = own;
    const values = readFields(rest, undefined, readInteger);
    if (Object.keys(values).length === 0) {
      throw invalid(
        `a point of ${measurement} without a field that has a value; InfluxDB takes none`,
      );
    }
    return {
      measurement,
      fields: values,
      tags: readTags(tags),
      timeNs: readTime(own.time ?? time, this.nsPerUnit),
    };
  }

  /** @param {any} payload @returns {Point[]} */
  read(payload) {
    if (!Array.isArray(payload)) {
      if (payload === undefined || payload === null) throw invalid('the message has no payload');
      return [this.point(isMap(payload) ? payload : { value: payload })];
    }
    if (payload.length === 0) throw invalid('the payload is an empty list');
    if (Array.isArray(payload[0])) return payload.map((pair) => this.readPair(pair));
    if (isMap(payload[0]) && isMap(payload[0].fields))
      return payload.map((item) => this.readItem(item));
    return [this.readPair(payload)];
  }

  /** @param {any} pair */
  readPair(pair) {
    if (!Array.isArray(pair)) throw invalid('a list of points holds pairs of fields and tags');
    return this.point(pair[0], pair[1]);
  }

  /** @param {any} item */
  readItem(item) {
    if (!isMap(item) || !isMap(item.fields))
      throw invalid('a batch holds {measurement, fields, tags, timestamp}');
    return this.point(item.fields, item.tags, {
      measurement: item.measurement,
      time: item.timestamp ?? item.time,
      readInteger: this.isVersion1 ? asText : asInteger,
    });
  }
}

/** @param {Record<string, any>} msg */
function isFromDevice({ device, timestamp }) {
  return isMap(device) && typeof device.id === 'string' && typeof timestamp === 'number';
}

/** Whether it is what busbar-in sends, in the form of an object.
 * @param {Record<string, any>} msg */
function isBusbarMessage(msg) {
  return isFromDevice(msg) && isMap(msg.payload);
}

/** Whether it is that in the form of fields and tags. @param {Record<string, any>} msg */
function isBusbarPair(msg) {
  const { payload } = msg;
  const isPair = Array.isArray(payload) && payload.length === 2 && payload.every(isMap);
  return isPair && isFromDevice(msg) && !isMap(payload[0].fields);
}

/** @param {Record<string, any>} msg @param {{precision?: string}} node @returns {bigint} */
function readUnit(msg, node) {
  const unit = /** @type {keyof typeof NS_PER} */ (msg.precision || node.precision || 'ms');
  if (Object.hasOwn(NS_PER, unit)) return NS_PER[unit];
  throw invalid(
    `msg.precision is ${JSON.stringify(unit)}; allowed: ${Object.keys(NS_PER).join(', ')}`,
  );
}

/** Fields, tags and time of a pair. The time that busbar-in has put there is in milliseconds, whatever the
 * sink has; one that a flow has put there is as for all other messages.
 * @param {Record<string, any>} msg @param {{precision?: string}} node */
function readPair(msg, node) {
  const [{ time, ...fields }, tags] = msg.payload;
  const isOwn = time === undefined || time === msg.timestamp;
  const timestamp = isOwn ? msg.timestamp : readTime(time, readUnit(msg, node));
  return { fields, tags: readTags(tags), timestamp };
}

/** @param {Record<string, any>} msg
 * @param {{measurement?: string, precision?: string, isVersion1?: boolean}} node `isVersion1`: of InfluxDB.
 * @returns {Point[]} */
function readInfluxPoints(msg, node) {
  const nsPerUnit = readUnit(msg, node);
  const measurement = msg.measurement || node.measurement || '';
  return new Reader(measurement, nsPerUnit, node.isVersion1 === true).read(msg.payload);
}

module.exports = { isBusbarMessage, isBusbarPair, readFields, readInfluxPoints, readPair };
