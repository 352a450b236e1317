/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A client of the control socket: const client = await connectSocket(t, runtime.data);
   await client.ask('read', { device: 'meter-1' }). Events, devices, shapes and batches are kept in
   the order in which they came. */

const net = require('node:net');
const { findSocket } = require('../../lib/data_dir');
const { atEnd } = require('./end');
const frames = require('./frame');
const { waitFor } = require('./wait');

const HEADER = 5;
const TYPE = { request: 1, answer: 2, event: 3, frames: 4, put: 5 };

/** @param {number} type @param {Buffer} body */
function packMessage(type, body) {
  const message = Buffer.alloc(HEADER + body.length);
  message.writeUInt32LE(1 + body.length, 0);
  message[4] = type;
  body.copy(message, HEADER);
  return message;
}

class SocketClient {
  /** @param {net.Socket} socket */
  constructor(socket) {
    this.socket = socket;
    /** @type {Map<number, (answer: any) => void>} */
    this.waiting = new Map();
    /** @type {any[]} */
    this.events = [];
    /** @type {Map<number, import('./frame').Device>} */
    this.devices = new Map();
    /** @type {Map<string, import('./frame').Shape>} */
    this.shapes = new Map();
    /** @type {import('./frame').Batch[]} */
    this.batches = [];
    this.messages = 0;
    this.lastId = 0;
    this.closed = false;
    this.rest = /** @type {Buffer} */ (Buffer.alloc(0));
    socket.on('data', (bytes) => this.feed(bytes));
    socket.on('error', () => {});
    socket.on('close', () => (this.closed = true));
  }

  /** @param {Buffer} bytes */
  feed(bytes) {
    this.rest = this.rest.length > 0 ? Buffer.concat([this.rest, bytes]) : bytes;
    while (this.rest.length >= HEADER) {
      const length = 4 + this.rest.readUInt32LE(0);
      if (this.rest.length < length) return;
      this.take(this.rest[4], this.rest.subarray(HEADER, length));
      this.rest = this.rest.subarray(length);
    }
  }

  /** @param {number} type @param {Buffer} body */
  take(type, body) {
    this.messages++;
    if (type === TYPE.frames)
      return frames.splitFrames(body).forEach((frame) => this.takeFrame(frame));
    const content = JSON.parse(body.toString('utf8'));
    if (type === TYPE.event) return void this.events.push(content);
    if (type !== TYPE.answer) throw new Error(`a message of type ${type}`);
    this.waiting.get(content.id)?.(content);
    this.waiting.delete(content.id);
  }

  /** @param {Buffer} frame */
  takeFrame(frame) {
    if (frame[5] === frames.DEVICE) {
      const device = frames.unpackDevice(frame);
      this.devices.set(device.number, device);
    } else if (frame[5] === frames.SHAPE) {
      const shape = frames.unpackShape(frame);
      this.shapes.set(shape.hash, shape);
    } else if (frame[5] === frames.BATCH) {
      this.batches.push(frames.unpackBatch(frame, this.devices, this.shapes));
    }
  }

  /** Sends a request; the answer, whatever it says.
   * @param {string} op @param {Record<string, unknown>} [args] @returns {Promise<any>} */
  ask(op, args = {}) {
    const id = ++this.lastId;
    const answer = new Promise((resolve) => this.waiting.set(id, resolve));
    this.send(TYPE.request, Buffer.from(JSON.stringify({ id, op, ...args })));
    return answer;
  }

  /** The same for a request that must go well.
   * @param {string} op @param {Record<string, unknown>} [args] */
  async must(op, args) {
    const answer = await this.ask(op, args);
    if (!answer.ok) throw new Error(`${op}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** @param {number} type @param {Buffer} body */
  send(type, body) {
    this.socket.write(packMessage(type, body));
  }

  /** @param {...Buffer} frames */
  sendFrames(...frames) {
    this.send(TYPE.frames, Buffer.concat(frames));
  }

  /** @param {(event: any) => boolean} condition @param {string} what */
  waitForEvent(condition, what) {
    return waitFor(() => this.events.find(condition), { what });
  }

  /** @param {(batch: import('./frame').Batch) => boolean} condition @param {string} what */
  waitForBatch(condition, what) {
    return waitFor(() => this.batches.find(condition), { what });
  }

  waitForClose() {
    return waitFor(() => this.closed, { what: 'the runtime to close the connection' });
  }

  close() {
    this.socket.destroy();
  }
}

/**
 * Connects as soon as the runtime listens, and says hello.
 * @param {import('node:test').TestContext} t @param {string} data The data directory.
 * @param {{hello?: boolean, name?: string}} [options]
 */
async function connectSocket(t, data, { hello = true, name = 'test' } = {}) {
  const socket = await waitFor(
    () =>
      new Promise((resolve, reject) => {
        const attempt = net.connect(findSocket(data) || '');
        attempt.once('connect', () => resolve(attempt)).once('error', reject);
      }),
    { what: `the socket of ${data}` },
  );
  const client = new SocketClient(/** @type {net.Socket} */ (socket));
  atEnd(t, () => client.close());
  if (hello) await client.must('hello', { protocol: [1, 1], client: name });
  return client;
}

module.exports = { SocketClient, TYPE, connectSocket, packMessage };
