/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Messages for a sink as a client puts them, written after native/runtime/put_frame.h. */

const SINK_QOS = 0;
const HAS_PROPERTIES = 8;

/** @typedef {{id: number, topic?: string, payload?: string | Buffer, flags?: number,
 *   properties?: Buffer}} Message */

/** @param {Message} message */
function packMessage({ id, topic = '', payload = '', flags = SINK_QOS, properties }) {
  const head = Buffer.alloc(properties ? 13 : 11);
  const body = Buffer.concat([
    Buffer.from(topic),
    properties ?? Buffer.alloc(0),
    Buffer.from(payload),
  ]);
  head.writeUInt32LE(head.length - 4 + body.length, 0);
  head.writeUInt32LE(id, 4);
  head[8] = flags | (properties ? HAS_PROPERTIES : 0);
  head.writeUInt16LE(Buffer.byteLength(topic), 9);
  if (properties) head.writeUInt16LE(properties.length, 11);
  return Buffer.concat([head, body]);
}

/** @param {string} sink @param {Message[]} messages */
function packPut(sink, messages) {
  return Buffer.concat([
    Buffer.from([sink.length]),
    Buffer.from(sink),
    ...messages.map(packMessage),
  ]);
}

module.exports = { packPut };
