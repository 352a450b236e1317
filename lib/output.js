/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A reading as messages, in the forms that flows want:

     object     one message, payload {point: value}
     points     one message a point
     influx     payload [fields, tags], as influxdb out takes it
     registers  payload [word, …] and responseBuffer, as modbus-read of node-red-contrib-modbus sends it */

const { formBits, formWords } = require('./register_form');

/** @typedef {object} Reading
 * @property {{id: string, site?: string, tags: Record<string, string>, profile: string}} device
 * @property {string | undefined} scan None for a snapshot of all.
 * @property {{name: string, unit?: string, type?: string}[]} points
 * @property {number} timestamp Milliseconds since 1970.
 * @property {Record<string, any>} payload
 * @property {Record<string, string>} [quality] Of the points that are not good.
 * @property {'unset'} [clock] The clock was not set: the timestamp is no time of day.
 * @property {string} [aggregate] Of more than one reading: mean, min, max or last.
 */

/** @typedef {Record<string, any>} Message */

/** @param {Reading} reading @returns {Message} */
function head({ device, scan, timestamp, clock, aggregate }) {
  return {
    ...{ timestamp, device },
    ...(scan !== undefined && { scan }),
    ...(clock && { clock }),
    ...(aggregate && { aggregate }),
  };
}

/** What each batch becomes unless told otherwise, so without a spread.
 * @param {Reading} reading @returns {Message[]} */
function asObject({ device, scan, timestamp, clock, aggregate, payload, quality }) {
  /** @type {Message} */
  const message = { topic: device.id, payload, timestamp, device };
  if (scan !== undefined) message.scan = scan;
  if (aggregate) message.aggregate = aggregate;
  if (quality) message.quality = quality;
  if (clock) message.clock = clock;
  return [message];
}

/** A point that is not good is told without a value, so that a flow sees its loss.
 * @param {Reading} reading @returns {Message[]} */
function asPoints(reading) {
  const { device, payload, quality = {}, points } = reading;
  const told = points.filter(
    ({ name }) => Object.hasOwn(payload, name) || Object.hasOwn(quality, name),
  );
  return told.map(({ name, unit }) => ({
    topic: `${device.id}/${name}`,
    ...(Object.hasOwn(payload, name) && { payload: payload[name] }),
    ...head(reading),
    point: name,
    ...(unit && { unit }),
    ...(Object.hasOwn(quality, name) && { quality: quality[name] }),
  }));
}

/** @param {Reading} reading @returns {Message[]} */
function asInflux(reading) {
  const { device, payload, timestamp } = reading;
  if (Object.keys(payload).length === 0) return [];
  const measurement = (device.profile.split('/').pop() || 'busbar').replace(/-/g, '_');
  const site = device.site ? { site: device.site } : {};
  const tags = { ...site, asset: device.id, ...device.tags };
  const fields = { ...payload, time: timestamp };
  return [{ topic: device.id, measurement, payload: [fields, tags], ...head(reading) }];
}

/** Nothing when a register is missing: a list with a hole would shift the others.
 * @param {Reading} reading @returns {Message[]} */
function asRegisters(reading) {
  const values = reading.points.map(({ name }) => reading.payload[name]);
  if (values.some((value) => typeof value !== 'number' && typeof value !== 'boolean')) return [];
  const isBits = typeof values[0] === 'boolean';
  const form = isBits ? formBits(values.map(Boolean)) : formWords(values.map(Number));
  return [{ topic: reading.device.id, ...form, ...head(reading) }];
}

/** @type {Record<string, (reading: Reading) => Message[]>} */
const FORMS = { object: asObject, points: asPoints, influx: asInflux, registers: asRegisters };

/** @param {Reading} reading @param {string} form @returns {Message[]} */
function makeMessages(reading, form) {
  return (Object.hasOwn(FORMS, form) ? FORMS[form] : asObject)(reading);
}

module.exports = { makeMessages };
