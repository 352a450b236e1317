/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The properties of MQTT 5 of a message, read as the core node mqtt out reads them, and packed as the
   runtime takes them (native/io/mqtt_property.h). A topic alias is none of a message: it shortens what one
   connection sends, and whoever receives it sees the topic. */

const { BusbarError } = require('./errors');

const MAX_BYTES = 8192;
const MAX_TEXT_BYTES = 65535;
const MAX_SECONDS = 0xffffffff;

/* Codes of the standard, 2.2.2.2. */
const IS_TEXT = 1;
const EXPIRY = 2;
const CONTENT_TYPE = 3;
const RESPONSE_TOPIC = 8;
const CORRELATION = 9;
const USER = 38;

/** What a message may have, and what the node calls its own; none can be set there for the last. */
const NAMES = {
  userProperties: 'userProps',
  contentType: 'contentType',
  responseTopic: 'respTopic',
  correlationData: 'correl',
  messageExpiryInterval: 'expiry',
  payloadFormatIndicator: '',
};

/* Brokers close the connection at these, and all that waits would wait behind such a message. */
const UNSOUND = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/** @param {string} sentence */
function invalid(sentence) {
  return new BusbarError('BUSBAR_INVALID', sentence);
}

/** Whether MQTT carries the text. @param {string} text */
function isSound(text) {
  return !UNSOUND.test(text);
}

/** @param {string} what @param {string} text */
function packText(what, text) {
  if (!isSound(text)) throw invalid(`${what} holds a control character, which MQTT does not carry`);
  return packBytes(what, Buffer.from(text));
}

/** @param {string} what @param {Buffer} bytes */
function packBytes(what, bytes) {
  if (bytes.length > MAX_TEXT_BYTES) throw invalid(`${what} is too long`);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** @param {any} value @returns {Buffer} */
function readCorrelation(value) {
  try {
    return Buffer.from(value);
  } catch {
    throw invalid(`msg.correlationData is a ${typeof value}; send a Buffer or text`);
  }
}

/** Those of the node, which stand as JSON. @param {unknown} text */
function readOwnUser(text) {
  if (typeof text !== 'string' || !/^ *{/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {unknown} value @returns {string | undefined} undefined: there is no such property. */
function readUserValue(value) {
  if (typeof value === 'string' || value === undefined || value === null) return value ?? undefined;
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** @param {unknown} value @returns {Buffer[]} */
function packUser(value) {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, given]) => {
    const text = readUserValue(given);
    if (text === undefined) return [];
    const what = `msg.userProperties ${JSON.stringify(key.slice(0, 80))}`;
    return [Buffer.from([USER]), packText(what, key), packText(what, text)];
  });
}

/** @param {unknown} value @returns {Buffer[]} */
function packExpiry(value) {
  const seconds = parseInt(String(value), 10);
  if (Number.isNaN(seconds) || seconds < 0) return [];
  if (seconds > MAX_SECONDS) {
    throw invalid(`msg.messageExpiryInterval is ${seconds}; allowed: 0 to ${MAX_SECONDS} seconds`);
  }
  const packed = Buffer.alloc(5);
  packed[0] = EXPIRY;
  packed.writeUInt32BE(seconds, 1);
  return [packed];
}

/** @param {unknown} value @returns {Buffer[]} */
function packIsText(value) {
  if (value === true || value === 'true') return [Buffer.from([IS_TEXT, 1])];
  return value === false || value === 'false' ? [Buffer.from([IS_TEXT, 0])] : [];
}

/** @param {string} what @param {number} code @param {unknown} text @returns {Buffer[]} */
function packPlain(what, code, text) {
  if (typeof text !== 'string' || text === '') return [];
  return [Buffer.from([code]), packText(what, text)];
}

/** @param {unknown} topic */
function packResponseTopic(topic) {
  if (typeof topic === 'string' && /[+#]/.test(topic)) {
    throw invalid(`msg.responseTopic "${topic.slice(0, 80)}" cannot be published to: no + and #`);
  }
  return packPlain('msg.responseTopic', RESPONSE_TOPIC, topic);
}

/** What holds of each: that of the node, where it has one, else that of the message.
 * @param {Record<string, any>} msg @param {Record<string, any>} node @returns {Record<string, any>} */
function collect(msg, node) {
  /** @type {Record<string, any>} */
  const own = { ...node, userProps: readOwnUser(node.userProps) };
  return Object.fromEntries(
    Object.entries(NAMES).map(([name, ownName]) => [name, own[ownName] || msg[name]]),
  );
}

/** The names of those that a message and its node have. @param {Record<string, any>} msg
 * @param {Record<string, any>} node */
function listProperties(msg, node) {
  return Object.entries(collect(msg, node))
    .filter(([, value]) => {
      const isEmpty = typeof value === 'object' && value && Object.keys(value).length === 0;
      return value !== undefined && value !== null && value !== '' && !isEmpty;
    })
    .map(([name]) => name);
}

/** As bytes; undefined where there are none.
 * @param {Record<string, any>} msg @param {Record<string, any>} node @returns {Buffer | undefined} */
function packProperties(msg, node) {
  const has = collect(msg, node);
  const parts = [
    ...packIsText(has.payloadFormatIndicator),
    ...packExpiry(has.messageExpiryInterval),
    ...packPlain('msg.contentType', CONTENT_TYPE, has.contentType),
    ...packResponseTopic(has.responseTopic),
    ...packUser(has.userProperties),
  ];
  if (has.correlationData) {
    const bytes = readCorrelation(has.correlationData);
    parts.push(Buffer.from([CORRELATION]), packBytes('msg.correlationData', bytes));
  }
  if (parts.length === 0) return undefined;
  const packed = Buffer.concat(parts);
  if (packed.length <= MAX_BYTES) return packed;
  throw invalid(
    `the properties of a message have ${packed.length} bytes; at most ${MAX_BYTES} may be: put what is ` +
      'long into the payload',
  );
}

/** Why a broker gets none of them; undefined: it does.
 * @param {Record<string, any>} sink Its node's settings. @param {{protocol: number} | null} hello Of its runtime. */
function whyNone(sink, hello) {
  if (sink.version !== '5') return "the broker's settings say MQTT 3.1.1, so choose 5 there";
  if (hello && hello.protocol < 2)
    return 'the runtime that runs is older than they are, so update it';
  return undefined;
}

/** What a node says of those that are left out. @param {string[]} names @param {string} why */
function describeLeftOut(names, why) {
  const list = names.map((name) => `msg.${name}`).join(', ');
  return `properties of MQTT 5 are not sent (${list}): ${why}`;
}

module.exports = { describeLeftOut, isSound, listProperties, packProperties, whyNone };
