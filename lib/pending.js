/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Messages on their way into a sink, each with the `done` of its input: it is called once the runtime
   answers for the message, or with the reason why not. While the sink is there that is when it has
   confirmed it, while it is away after the sync interval of the store. Bounded, so that a flow which is
   faster than that learns it instead of filling the memory. */

const { BusbarError } = require('./errors');
const { formatSize } = require('./units');

const MAX_MESSAGES = 10000;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_ID = 0xffffffff;

/** @typedef {(error?: Error) => void} Done */
/** @typedef {{topic: string, payload: Uint8Array | string, qos?: 0 | 1 | 2, retain?: boolean,
 *   properties?: Uint8Array}} Content */
/** @typedef {{left: number, error: Error | undefined, done: Done}} Ticket Of one input. */
/** @typedef {Content & {id: number, ticket: Ticket}} Message */

/** @param {Content} content */
function bytesOf({ topic, payload, properties }) {
  return topic.length + payload.length + (properties?.length ?? 0);
}

class Pending {
  /** @param {string} sink @param {{maxMessages?: number, maxBytes?: number}} [limits] */
  constructor(sink, { maxMessages = MAX_MESSAGES, maxBytes = MAX_BYTES } = {}) {
    this.sink = sink;
    this.maxMessages = maxMessages;
    this.maxBytes = maxBytes;
    this.bytes = 0;
    this.lastId = 0;
    /** @type {Map<number, Message>} in their order */
    this.open = new Map();
  }

  get size() {
    return this.open.size;
  }

  /** Accepts all messages of one input, or none; `done` follows once all of them have their end.
   * @param {Content[]} contents @param {Done} done @returns {Message[]} to be sent */
  add(contents, done) {
    let bytes = 0;
    for (const content of contents) bytes += bytesOf(content);
    if (contents.length === 0) {
      done();
      return [];
    }
    if (this.size + contents.length > this.maxMessages || this.bytes + bytes > this.maxBytes) {
      done(this.full());
      return [];
    }
    this.bytes += bytes;
    const ticket = { left: contents.length, error: undefined, done };
    return contents.map(({ topic, payload, qos, retain, properties }) => {
      this.lastId = (this.lastId % MAX_ID) + 1;
      const message = { id: this.lastId, topic, payload, qos, retain, properties, ticket };
      this.open.set(message.id, message);
      return message;
    });
  }

  full() {
    return new BusbarError(
      'BUSBAR_FULL',
      `the sink ${this.sink} has ${this.size} message${this.size === 1 ? '' : 's'} ` +
        `(${formatSize(this.bytes)}) neither delivered nor on the disk yet; at most ${this.maxMessages} or ${formatSize(this.maxBytes)} may be ` +
        'on their way: send slower, or see in the sidebar what holds them up',
    );
  }

  /** @param {number} id @param {Error} [error] */
  end(id, error) {
    const message = this.open.get(id);
    if (!message) return;
    this.open.delete(id);
    this.bytes -= bytesOf(message);
    const { ticket } = message;
    ticket.error ??= error;
    if (--ticket.left === 0) ticket.done(ticket.error);
  }

  /** All up to that number, in the order of their numbering, are safe: delivered, or kept by the runtime.
   * @param {number} id */
  takenUpTo(id) {
    for (const open of this.open.keys()) {
      /* Numbers begin anew at 1 behind the greatest. */
      if ((id - open) >>> 0 > MAX_ID / 2) return;
      this.end(open);
    }
  }

  /** Those without an end, to be sent once more after the connection was lost. */
  unsent() {
    return [...this.open.values()];
  }

  /** @param {Error} error */
  endAll(error) {
    for (const id of [...this.open.keys()]) this.end(id, error);
  }
}

module.exports = { MAX_BYTES, MAX_MESSAGES, Pending };
