/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A message of a flow as points for InfluxDB: all forms that the nodes `influxdb out` and `influxdb
   batch` of node-red-contrib-influxdb take, and that of busbar-in.

     payload 5                                    one field `value`
     payload {power: 5, time: 1763688000123}      fields, with a time
     payload [{power: 5}, {line: 'l1'}]           fields and tags
     payload [[{…}, {…}], [{…}, {…}]]             several of these
     payload [{measurement, fields, tags, timestamp}, …]   as batch takes them
     payload {point: value}, with msg.device      what busbar-in sends */

const { BusbarError } = require('./errors');

/** @typedef {object} Point
 * @property {string} measurement
 * @property {Record<string, any>} fields
 * @property {Record<string, string>} tags
 * @property {bigint} timeNs
 */

const NS_PER = { ns: 1n, us: 1000n, u: 1000n, ms: 1000000n, s: 1000000000n };
/* 5i is the integer 5. */
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

/** @param {any} value */
function readField(value) {
  if (typeof value === 'string' && INTEGER.test(value)) return BigInt(value.slice(0, -1));
  if (value instanceof Date) return value.toISOString();
  if (isMap(value) || Array.isArray(value)) return JSON.stringify(value);
  return value;
}

/** Fields without a value are left out. @param {Record<string, any>} fields */
function readFields(fields) {
  const present = Object.entries(fields).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return Object.fromEntries(present.map(([key, value]) => [key, readField(value)]));
}

/** @param {any} tags @returns {Record<string, string>} */
function readTags(tags) {
  if (tags === undefined || tags === null) return {};
  if (!isMap(tags)) throw invalid('the tags are no map of names and values');
  const present = Object.entries(tags).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(present.map(([key, value]) => [key, String(value)]));
}

class Reader {
  /** @param {string} measurement @param {bigint} nsPerUnit */
  constructor(measurement, nsPerUnit) {
    this.measurement = measurement;
    this.nsPerUnit = nsPerUnit;
  }

  /** @param {any} fields @param {any} [tags] @param {{measurement?: any, time?: any}} [own] @returns {Point} */
  point(fields, tags, own = {}) {
    const measurement = own.measurement || this.measurement;
    if (typeof measurement !== 'string' || measurement === '') {
      throw invalid(
        'the message has no measurement; set msg.measurement, or the measurement in this node',
      );
    }
    if (!isMap(fields)) throw invalid('the fields are no map of names and values');
    const { time, ...rest } = fields;
    const values = readFields(rest);
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
    });
  }
}

/** Whether it is what busbar-in sends, in the form of an object.
 * @param {Record<string, any>} msg */
function isBusbarMessage(msg) {
  return (
    isMap(msg.device) &&
    typeof msg.device.id === 'string' &&
    isMap(msg.payload) &&
    typeof msg.timestamp === 'number'
  );
}

/** @param {Record<string, any>} msg @param {{measurement?: string, precision?: string}} node
 * @returns {Point[]} */
function readInfluxPoints(msg, node) {
  const unit = /** @type {keyof typeof NS_PER} */ (msg.precision || node.precision || 'ms');
  const nsPerUnit = Object.hasOwn(NS_PER, unit) ? NS_PER[unit] : undefined;
  if (nsPerUnit === undefined) {
    throw invalid(
      `msg.precision is ${JSON.stringify(unit)}; allowed: ${Object.keys(NS_PER).join(', ')}`,
    );
  }
  return new Reader(msg.measurement || node.measurement || '', nsPerUnit).read(msg.payload);
}

module.exports = { isBusbarMessage, readInfluxPoints };
