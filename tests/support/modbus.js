/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Modbus TCP by hand: bytes out, bytes in, so that a test sees what a library would hide. */

const net = require('node:net');
const { once } = require('node:events');
const { atEnd } = require('./end');
const { waitFor } = require('./wait');

/** @param {number} transaction @param {number} unit @param {string} pdu Hex */
function frame(transaction, unit, pdu) {
  const body = Buffer.from(pdu.replace(/\s+/g, ''), 'hex');
  const head = Buffer.alloc(7);
  head.writeUInt16BE(transaction, 0);
  head.writeUInt16BE(body.length + 1, 4);
  head[6] = unit;
  return Buffer.concat([head, body]);
}

class RawClient {
  /** @param {net.Socket} socket */
  constructor(socket) {
    this.socket = socket;
    this.bytes = Buffer.alloc(0);
    /** Sizes of the pieces in which the bytes came. @type {number[]} */
    this.pieces = [];
    this.closed = false;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.bytes = Buffer.concat([this.bytes, bytes]);
      this.pieces.push(bytes.length);
    });
    socket.on('error', () => {});
    socket.on('close', () => (this.closed = true));
  }

  /** @param {number} transaction @param {number} unit @param {string} pdu Hex */
  ask(transaction, unit, pdu) {
    this.socket.write(frame(transaction, unit, pdu));
  }

  /** The next `n` bytes in hex. @param {number} n */
  async take(n) {
    const what = `${n} bytes, having ${this.bytes.toString('hex')}`;
    await waitFor(() => this.bytes.length >= n || this.closed, { what });
    if (this.bytes.length < n) throw new Error(`closed before ${what}`);
    const taken = this.bytes.subarray(0, n).toString('hex');
    this.bytes = this.bytes.subarray(n);
    return taken;
  }

  /** The next whole frame. */
  async takeFrame() {
    const head = Buffer.from(await this.take(7), 'hex');
    const pdu = await this.take(head.readUInt16BE(4) - 1);
    return { transaction: head.readUInt16BE(0), unit: head[6], pdu };
  }

  async waitClosed() {
    await waitFor(() => this.closed, { what: 'the connection to be closed' });
  }
}

/** @param {import('node:test').TestContext} t @param {number} port */
async function connectRaw(t, port) {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  atEnd(t, () => socket.destroy());
  return new RawClient(socket);
}

module.exports = { RawClient, connectRaw, frame };
