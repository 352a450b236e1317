/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A message of a flow as lines for a sink, by the options of that sink, so that what comes by a flow
   and what the runtime writes itself are the same. */

const { encodeLine } = require('./codec_line');
const { BusbarError } = require('./errors');
const { readTagList } = require('./fields');
const {
  isBusbarMessage,
  isBusbarPair,
  readFields,
  readInfluxPoints,
  readPair,
} = require('./input_influx');
const { MAX_BYTES } = require('./input_mqtt');
const { MAX_BYTES: MAX_TOTAL_BYTES } = require('./pending');

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

/** What a sink calls a device's lines by itself. @param {Record<string, any>} msg */
function ownMeasurement({ device }) {
  const profile = String(device.profile || '');
  return profile.split('/').pop()?.replace(/-/g, '_') || 'busbar';
}

/** What busbar-in has put into the message is what the sink says by itself, unless that is set otherwise.
 * @param {Record<string, any>} msg @param {LiveNode} node @param {LiveNode} sink */
function measurementOf(msg, node, sink) {
  const own = ownMeasurement(msg);
  const said = msg.measurement === own ? undefined : msg.measurement;
  return said || node.measurement || sink.measurement || own;
}

/** The tags of the device, before its site and id. @param {Record<string, any>} msg */
function tagsOf({ device }) {
  const site = device.site ? { site: device.site } : {};
  return { ...site, asset: device.id, ...device.tags };
}

/** Of the fields that are points of the scan; a mean of integers is none.
 * @param {Record<string, any>} msg @param {Record<string, any>} fields @param {FindShape} findShape */
function typesOf(msg, fields, findShape) {
  const points = findShape(msg.device.id, msg.scan ?? '')?.points ?? [];
  const typeIn = (/** @type {string} */ type) => {
    const known = fieldType(type);
    const isWhole = known === 'integer' || known === 'unsigned';
    return isWhole && msg.aggregate === 'mean' ? 'float' : known;
  };
  const there = points.filter(({ name }) => Object.hasOwn(fields, name));
  return Object.fromEntries(there.map(({ name, type }) => [name, typeIn(type)]));
}

/** What busbar-in has sent, in either form, maybe changed on the way. @param {Record<string, any>} msg
 * @param {LiveNode} node @param {LiveNode} sink @param {FindShape} findShape */
function busbarRecord(msg, node, sink, findShape) {
  const measurement = measurementOf(msg, node, sink);
  const said = isBusbarPair(msg)
    ? readPair(msg, { precision: sink.precision })
    : { fields: msg.payload, tags: tagsOf(msg), timestamp: msg.timestamp };
  const types = typesOf(msg, said.fields, findShape);
  const fields = readFields(said.fields, (name) => Object.hasOwn(types, name));
  const tags = { ...readTagList(sink.tags), ...said.tags };
  return { ...said, measurement, tags, fields, types };
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

/** A device that is lost has nothing to store, and says so; that is no fault of the flow.
 * @param {Record<string, any>} msg */
function isLoss({ payload, quality }) {
  return quality !== undefined && Object.keys(payload).length === 0;
}

/** All that there are, or none. @param {import('./codec_line').LineRecord[]} records
 * @param {import('./codec_line').LineOptions} options @returns {string[]} */
function encodeAll(records, options) {
  let bytes = 0;
  return records.map((record) => {
    const line = encodeLine(record, options);
    if (line === '') throw new BusbarError('BUSBAR_INVALID', describeEmpty(record));
    bytes += line.length;
    if (bytes <= MAX_TOTAL_BYTES) return line;
    throw new BusbarError(
      'BUSBAR_INVALID',
      `a message of more than ${MAX_TOTAL_BYTES >> 20} MiB of lines is too long; send it in parts`,
    );
  });
}

/** @param {import('./codec_line').LineRecord} record Of which nothing can be written. */
function describeEmpty({ measurement, fields }) {
  const [name] = Object.keys(fields);
  const why = name === undefined ? '' : ` (${name} is ${String(fields[name])})`;
  return `a point of ${measurement} without a field that has a value${why}; InfluxDB takes none`;
}

/**
 * @param {Record<string, any>} msg @param {LiveNode} node A busbar-influx-out. @param {LiveNode} sink
 * @param {FindShape} findShape @returns {Buffer[]} Lines, in messages that are not too long; none for a loss.
 */
function encodeInflux(msg, node, sink, findShape) {
  const options = optionsOf(sink);
  try {
    if (isBusbarMessage(msg) && isLoss(msg)) return [];
    if (isBusbarMessage(msg) || isBusbarPair(msg)) {
      return joinLines(encodeAll([busbarRecord(msg, node, sink, findShape)], options));
    }
    const own = readTagList(sink.tags);
    const place = {
      measurement: node.measurement || sink.measurement,
      precision: sink.precision,
      isVersion1: sink.type === 'busbar-influxdb' && String(sink.version) !== '2',
    };
    const records = readInfluxPoints(msg, place).map(({ tags, timeNs, ...point }) => ({
      ...{ ...point, tags: { ...own, ...tags }, timestamp: timeNs },
    }));
    return joinLines(encodeAll(records, { ...options, layout: 'wide', namesAsIs: true }));
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
