/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Messages for a sink as a client puts them, written after native/runtime/put_frame.h. */

const SINK_QOS = 0;

/** @typedef {{id: number, topic?: string, payload?: string | Buffer, flags?: number}} Message */

/** @param {Message} message */
function packMessage({ id, topic = '', payload = '', flags = SINK_QOS }) {
  const head = Buffer.alloc(11);
  const body = Buffer.concat([Buffer.from(topic), Buffer.from(payload)]);
  head.writeUInt32LE(7 + body.length, 0);
  head.writeUInt32LE(id, 4);
  head[8] = flags;
  head.writeUInt16LE(Buffer.byteLength(topic), 9);
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
