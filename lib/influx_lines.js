/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A message of a flow as lines for a sink, by the options of that sink, so that what comes by a flow
   and what the runtime writes itself are the same. */

const { encodeLine } = require('./codec_line');
const { BusbarError } = require('./errors');
const { readTagList } = require('./fields');
const { isBusbarMessage, readInfluxPoints } = require('./input_influx');
const { MAX_BYTES } = require('./input_mqtt');

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {(device: string, scan: string) => {points: {name: string, type: string}[]} | undefined} FindShape */
/** @typedef {import('./codec_line').FieldType} FieldType */

/** @param {string} type Of a point. @returns {FieldType} */
function fieldType(type) {
  if (type === 'bool') return 'boolean';
  if (type === 'text') return 'string';
  if (type.startsWith('uint')) return 'unsigned';
  return type.startsWith('int') ? 'integer' : 'float';
}

/** @param {LiveNode} sink A busbar-influxdb. @returns {import('./codec_line').LineOptions} */
function optionsOf(sink) {
  return {
    precision: sink.precision || 'ms',
    layout: sink.layout || 'wide',
    allFloat: sink.numbers === 'float',
    unsignedType: sink.unsigned === 'unsigned',
    namesAsIs: sink.fieldNames === 'as-is',
  };
}

/** @param {Record<string, any>} msg @param {LiveNode} node */
function measurementOf(msg, node) {
  const profile = String(msg.device.profile || '');
  return (
    msg.measurement || node.measurement || profile.split('/').pop()?.replace(/-/g, '_') || 'busbar'
  );
}

/** The tags of the device, then its site and id, then those of the sink.
 * @param {Record<string, any>} msg @param {LiveNode} sink */
function tagsOf({ device }, sink) {
  const site = device.site ? { site: device.site } : {};
  return { ...readTagList(sink.tags), ...site, asset: device.id, ...device.tags };
}

/** What busbar-in has sent, maybe changed on the way. @param {Record<string, any>} msg
 * @param {LiveNode} node @param {LiveNode} sink @param {FindShape} findShape */
function busbarRecord(msg, node, sink, findShape) {
  const points = findShape(msg.device.id, msg.scan ?? '')?.points ?? [];
  const types = points.filter(({ name }) => Object.hasOwn(msg.payload, name));
  return {
    measurement: measurementOf(msg, { ...node, measurement: node.measurement || sink.measurement }),
    tags: tagsOf(msg, sink),
    fields: msg.payload,
    types: Object.fromEntries(types.map(({ name, type }) => [name, fieldType(type)])),
    timestamp: msg.timestamp,
  };
}

/** As few messages as the runtime takes of that length. @param {string[]} lines @returns {Buffer[]} */
function joinLines(lines) {
  /** @type {Buffer[]} */
  const payloads = [];
  /** @type {string[]} */
  let joined = [];
  let bytes = 0;
  const close = () => {
    if (joined.length > 0) payloads.push(Buffer.from(joined.join('\n')));
    joined = [];
    bytes = 0;
  };
  for (const line of lines) {
    const length = Buffer.byteLength(line) + 1;
    if (length > MAX_BYTES) {
      throw new BusbarError(
        'BUSBAR_INVALID',
        `a line of ${length} bytes is too long; at most ${MAX_BYTES}`,
      );
    }
    if (bytes + length > MAX_BYTES) close();
    joined.push(line);
    bytes += length;
  }
  close();
  return payloads;
}

/**
 * @param {Record<string, any>} msg @param {LiveNode} node A busbar-influx-out. @param {LiveNode} sink
 * @param {FindShape} findShape @returns {Buffer[]} Lines, in messages that are not too long.
 */
function encodeInflux(msg, node, sink, findShape) {
  const options = optionsOf(sink);
  const own = readTagList(sink.tags);
  const records = isBusbarMessage(msg)
    ? [busbarRecord(msg, node, sink, findShape)]
    : readInfluxPoints(msg, {
        measurement: node.measurement || sink.measurement,
        precision: sink.precision,
      }).map(({ measurement, fields, tags, timeNs }) => ({
        ...{ measurement, fields, tags: { ...own, ...tags }, timestamp: timeNs },
      }));
  try {
    const wide = isBusbarMessage(msg)
      ? options
      : { ...options, layout: /** @type {const} */ ('wide'), namesAsIs: true };
    return joinLines(
      records.map((record) => encodeLine(record, wide)).filter((line) => line !== ''),
    );
  } catch (error) {
    throw explain(error);
  }
}

/** @param {unknown} error */
function explain(error) {
  if (!(error instanceof RangeError || error instanceof TypeError)) return error;
  const text = error.message.replace(/^encodeLine: /, '');
  const advice = text.includes('whole number')
    ? '; its point is an integer: round it, or let the sink write all numbers as floats'
    : '';
  return new BusbarError('BUSBAR_INVALID', `${text}${advice}`, { cause: error });
}

module.exports = { encodeInflux };
