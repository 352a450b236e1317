/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The messages of the control socket as bytes (docs/socket.md): packing them, and reading them out of
   the chunks in which a socket delivers them. A message is

     0  u32  length of what follows, little-endian: 1 + the body's
     4  u8   type: 1 request, 2 answer, 3 event, 4 frames, 5 put
     5       body

   A message that lies in one chunk is a view into it; of one that does not, each byte is copied
   once, into a buffer of its own. What is handed out is never written to again. */

const { BusbarError } = require('./errors');

const HEADER_BYTES = 5;
const TYPE = { request: 1, answer: 2, event: 3, frames: 4, put: 5 };

/** The longest body of each type. @type {Record<number, number>} */
const MAX_BODY_BYTES = {
  [TYPE.request]: 64 << 20,
  [TYPE.answer]: 64 << 20,
  [TYPE.event]: 64 << 20,
  [TYPE.frames]: 1 << 20,
  [TYPE.put]: 1 << 20,
};

/** Topic, properties and payload of one put message together. */
const MAX_PUT_BYTES = 60000;
const PUT_HEADER_BYTES = 11;
/** What the runtime takes as an id. */
const ID = /^(?![.-])[\w.-]{1,64}$/;

/**
 * @typedef {object} PutMessage
 * @property {number} id 0 to 4294967295, rising within a sink; the runtime names it when it is taken.
 * @property {string} [topic] None for a sink without topics.
 * @property {Uint8Array | string} payload
 * @property {number} [qos] 0, 1 or 2; without it, the sink's own.
 * @property {boolean} [retain]
 * @property {Uint8Array} [properties] What the sink takes; for MQTT those of version 5, as on the wire.
 */

/** @param {string} sentence */
function invalid(sentence) {
  return new BusbarError('BUSBAR_INVALID', sentence);
}

/** @param {number} type @param {Buffer} body */
function packMessage(type, body) {
  const message = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  message.writeUInt32LE(1 + body.length, 0);
  message[4] = type;
  body.copy(message, HEADER_BYTES);
  return message;
}

/** @param {object} request @returns {Buffer} A whole message. */
function packRequest(request) {
  const text = JSON.stringify(request);
  const length = Buffer.byteLength(text);
  if (length > MAX_BODY_BYTES[TYPE.request]) {
    throw invalid(
      `a request of ${length} bytes is longer than the runtime takes ` +
        `(${MAX_BODY_BYTES[TYPE.request]}); the document has too many devices`,
    );
  }
  const message = Buffer.allocUnsafe(HEADER_BYTES + length);
  message.writeUInt32LE(1 + length, 0);
  message[4] = TYPE.request;
  message.write(text, HEADER_BYTES, 'utf8');
  return message;
}

/** @param {string} sink @param {PutMessage} message @returns {number} Bytes that it takes in a put. */
function measurePut(sink, { id, topic = '', payload, qos, properties }) {
  const topicBytes = Buffer.byteLength(topic);
  const propertyBytes = properties?.length ?? 0;
  const bytes = topicBytes + propertyBytes + Buffer.byteLength(payload);
  if (!Number.isInteger(id) || id < 0 || id > 0xffffffff) {
    throw invalid(`${sink}: ${id} is no number of a message; take 0 to 4294967295`);
  }
  if (bytes > MAX_PUT_BYTES || topicBytes > 0xffff) {
    throw invalid(
      `${sink}: a message of ${bytes} bytes, topic and properties included, is longer than the ${MAX_PUT_BYTES} ` +
        'that may be; send it in parts',
    );
  }
  if (topic.includes('\0')) throw invalid(`${sink}: a topic may not hold the character NUL`);
  if (qos !== undefined && qos !== 0 && qos !== 1 && qos !== 2) {
    throw invalid(`${sink}: ${qos} is no QoS; take 0, 1 or 2`);
  }
  return PUT_HEADER_BYTES + (propertyBytes > 0 ? 2 : 0) + bytes;
}

/** @param {Buffer} out @param {number} at @param {PutMessage} message @returns {number} The end. */
function writePut(out, at, { id, topic = '', payload, qos, retain, properties }) {
  const propertyBytes = properties?.length ?? 0;
  const topicAt = at + PUT_HEADER_BYTES + (propertyBytes > 0 ? 2 : 0);
  const topicBytes = out.write(topic, topicAt, 'utf8');
  const payloadAt = topicAt + topicBytes + propertyBytes;
  if (properties && propertyBytes > 0) {
    out.writeUInt16LE(propertyBytes, at + PUT_HEADER_BYTES);
    out.set(properties, topicAt + topicBytes);
  }
  let end = payloadAt;
  if (typeof payload === 'string') {
    end += out.write(payload, payloadAt, 'utf8');
  } else {
    out.set(payload, payloadAt);
    end += payload.length;
  }
  out.writeUInt32LE(end - at - 4, at);
  out.writeUInt32LE(id, at + 4);
  out[at + 8] = (qos === undefined ? 0 : qos + 1) | (retain ? 4 : 0) | (propertyBytes > 0 ? 8 : 0);
  out.writeUInt16LE(topicBytes, at + 9);
  return end;
}

/** One put with messages whose sizes are known. @param {Buffer} sink
 * @param {PutMessage[]} messages @param {number} bytes Of all of them. */
function packOnePut(sink, messages, bytes) {
  const out = Buffer.allocUnsafe(HEADER_BYTES + 1 + sink.length + bytes);
  out.writeUInt32LE(out.length - 4, 0);
  out[4] = TYPE.put;
  out[5] = sink.length;
  let at = 6 + sink.copy(out, 6);
  for (const message of messages) at = writePut(out, at, message);
  return out;
}

/**
 * Puts with all the messages, in as few as may be. Throws before anything is packed if one of them
 * cannot be sent.
 * @param {string} sinkId @param {PutMessage[]} messages @returns {Buffer[]} Whole messages.
 */
function packPuts(sinkId, messages) {
  if (!ID.test(sinkId)) throw invalid(`"${sinkId}" is no sink's id`);
  const sink = Buffer.from(sinkId);
  const sizes = messages.map((message) => measurePut(sinkId, message));
  const room = MAX_BODY_BYTES[TYPE.put] - 1 - sink.length;
  const puts = [];
  let [from, bytes] = [0, 0];
  sizes.forEach((size, index) => {
    if (bytes + size > room) {
      puts.push(packOnePut(sink, messages.slice(from, index), bytes));
      [from, bytes] = [index, 0];
    }
    bytes += size;
  });
  if (bytes > 0) puts.push(packOnePut(sink, messages.slice(from), bytes));
  return puts;
}

/** Takes chunks, hands out whole messages that the runtime may send. */
class MessageReader {
  /** @param {(type: number, body: Buffer) => void} onMessage */
  constructor(onMessage) {
    this.onMessage = onMessage;
    this.stopped = false;
    /** A header that is not whole, or a whole message that is being filled. */
    this.part = Buffer.allocUnsafe(HEADER_BYTES);
    this.have = 0;
    this.want = HEADER_BYTES;
  }

  /** Nothing more is handed out. */
  stop() {
    this.stopped = true;
    this.part = Buffer.alloc(0);
  }

  /** Throws BUSBAR_PROTOCOL at what is no message, after which step is lost.
   * @param {Buffer} chunk */
  feed(chunk) {
    let at = this.have > 0 ? this.fill(chunk, 0) : 0;
    while (!this.stopped && chunk.length - at >= HEADER_BYTES) {
      const length = measureMessage(chunk, at);
      if (chunk.length - at < length) break;
      this.onMessage(chunk[at + 4], chunk.subarray(at + HEADER_BYTES, at + length));
      at += length;
    }
    if (!this.stopped && at < chunk.length) this.fill(chunk, at);
  }

  /** Goes on with the message that is not whole. @param {Buffer} chunk @param {number} at
   * @returns {number} What was used up to. */
  fill(chunk, at) {
    while (at < chunk.length && !this.stopped) {
      const used = Math.min(chunk.length - at, this.want - this.have);
      chunk.copy(this.part, this.have, at, at + used);
      this.have += used;
      at += used;
      if (this.have < this.want) break;
      if (this.want > HEADER_BYTES) {
        this.end();
        break;
      }
      this.want = measureMessage(this.part, 0);
      const whole = Buffer.allocUnsafeSlow(this.want);
      this.part.copy(whole, 0, 0, HEADER_BYTES);
      this.part = whole;
    }
    return at;
  }

  end() {
    const message = this.part;
    this.part = Buffer.allocUnsafe(HEADER_BYTES);
    this.have = 0;
    this.want = HEADER_BYTES;
    this.onMessage(message[4], message.subarray(HEADER_BYTES));
  }
}

/** The whole length of the message whose header lies there. @param {Buffer} bytes
 * @param {number} at */
function measureMessage(bytes, at) {
  const length = bytes.readUInt32LE(at);
  const type = bytes[at + 4];
  const isSent = type === TYPE.answer || type === TYPE.event || type === TYPE.frames;
  if (!isSent || length < 2 || length - 1 > MAX_BODY_BYTES[type]) {
    throw new BusbarError(
      'BUSBAR_PROTOCOL',
      `what came is no message of a runtime: type ${type}, length ${length}`,
    );
  }
  return 4 + length;
}

module.exports = {
  ...{ HEADER_BYTES, ID, MAX_BODY_BYTES, MAX_PUT_BYTES, TYPE },
  ...{ MessageReader, packMessage, packPuts, packRequest },
};
