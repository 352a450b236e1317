/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A message of a flow as one for the broker, with the fields that the core node mqtt out takes. Other than
   there, bytes of any kind go out as bytes, and a QoS that is none is an error. */

const { BusbarError } = require('./errors');
const { isSound, packProperties } = require('./mqtt_properties');
const { isLonger } = require('./size');

/* Topic, properties and payload together, as the runtime takes them. */
const MAX_BYTES = 60000;

/** Text stays text: it becomes bytes once, where it is sent.
 * @param {unknown} payload @returns {Uint8Array | string} */
function readPayload(payload) {
  if (typeof payload === 'string' || payload instanceof Uint8Array) return payload;
  if (payload === undefined || payload === null) return '';
  if (typeof payload === 'object') return stringify(payload);
  if (typeof payload === 'function' || typeof payload === 'symbol') {
    throw new BusbarError(
      'BUSBAR_INVALID',
      `msg.payload is a ${typeof payload}; send text, a Buffer, or what JSON can hold`,
    );
  }
  return String(payload);
}

/** @param {object} payload */
function stringify(payload) {
  try {
    return JSON.stringify(payload) ?? '';
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : error;
    throw new BusbarError('BUSBAR_INVALID', `msg.payload cannot be written as JSON: ${why}`);
  }
}

/** @param {unknown} value @returns {0 | 1 | 2 | undefined} */
function readQos(value) {
  if (value === undefined || value === null || value === '') return undefined;
  const qos = Number(value);
  if (qos === 0 || qos === 1 || qos === 2) return qos;
  throw new BusbarError('BUSBAR_INVALID', `msg.qos is ${JSON.stringify(value)}; allowed: 0, 1, 2`);
}

/** @param {unknown} value */
function readRetain(value) {
  return value === true || value === 'true';
}

/** @param {unknown} value @returns {string} */
function readTopic(value) {
  if (typeof value !== 'string' || value === '') {
    throw new BusbarError(
      'BUSBAR_INVALID',
      'the message has no topic; set msg.topic, or the topic in this node',
    );
  }
  if (/[+#]/.test(value) || !isSound(value)) {
    throw new BusbarError(
      'BUSBAR_INVALID',
      `the topic "${value.slice(0, 80)}" cannot be published to; it must not hold +, # or a control ` +
        'character',
    );
  }
  return value;
}

/** @param {string} size */
function tooLong(size) {
  return new BusbarError(
    'BUSBAR_INVALID',
    `a message ${size} bytes is too long; topic, properties and payload may have ${MAX_BYTES} bytes`,
  );
}

/** Whether anything goes out: as with the core node, not for a message without the property payload, since
 * an empty one would erase what is retained. What the core node takes for its connection is refused.
 * @param {Record<string, any>} msg */
function isPublished(msg) {
  if (msg.action !== 'connect' && msg.action !== 'disconnect') return Object.hasOwn(msg, 'payload');
  throw new BusbarError(
    'BUSBAR_INVALID',
    `msg.action is "${msg.action}": the connection is the runtime's and serves all flows, so it stays as it is`,
  );
}

/** What the node says holds before what the message says. Without a topic a message goes where its answer
 * is to go, as with the core node.
 * @param {Record<string, any>} msg @param {Record<string, any>} node Its settings.
 * @param {boolean} [withProperties] The broker gets those of MQTT 5.
 * @returns {import('./pending').Content} */
function readMqttMessage(msg, node, withProperties = false) {
  const properties = withProperties ? packProperties(msg, node) : undefined;
  const answer = withProperties ? node.respTopic || msg.responseTopic : undefined;
  const topic = readTopic(node.topic || msg.topic || answer);
  if (isLonger(msg.payload, MAX_BYTES)) throw tooLong(`of more than ${MAX_BYTES}`);
  const payload = readPayload(msg.payload);
  const bytes = Buffer.byteLength(topic) + (properties?.length ?? 0) + Buffer.byteLength(payload);
  if (bytes > MAX_BYTES) throw tooLong(`of ${bytes}`);
  const retain = node.retain ? readRetain(node.retain) : readRetain(msg.retain);
  return { topic, payload, qos: readQos(node.qos || msg.qos), retain, properties };
}

module.exports = { MAX_BYTES, isPublished, readMqttMessage };
