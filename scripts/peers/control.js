/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A client of the runtime's control socket, requests and answers only: docs/socket.md. */

const net = require('node:net');
const { once } = require('node:events');

const HEADER = 5;
const REQUEST = 1;
const ANSWER = 2;

class Control {
  /** @param {net.Socket} socket */
  constructor(socket) {
    this.socket = socket;
    this.lastId = 0;
    /** @type {Map<number, (answer: any) => void>} */
    this.waiting = new Map();
    /** @type {Uint8Array} */
    this.rest = Buffer.alloc(0);
    socket.on('data', (bytes) => this.feed(bytes));
    socket.on('close', () => {
      for (const answer of this.waiting.values()) answer({ error: 'the runtime has closed' });
    });
  }

  /** @param {Uint8Array} bytes */
  feed(bytes) {
    let rest = Buffer.concat([this.rest, bytes]);
    while (rest.length >= HEADER && rest.length >= 4 + rest.readUInt32LE(0)) {
      const length = 4 + rest.readUInt32LE(0);
      if (rest[4] === ANSWER) this.take(rest.subarray(HEADER, length).toString('utf8'));
      rest = rest.subarray(length);
    }
    this.rest = rest;
  }

  /** @param {string} text */
  take(text) {
    const answer = JSON.parse(text);
    this.waiting.get(answer.id)?.(answer);
    this.waiting.delete(answer.id);
  }

  /** @param {string} op @param {object} args @returns {Promise<any>} The answer, whatever it says. */
  ask(op, args) {
    const id = (this.lastId += 1);
    const body = Buffer.from(JSON.stringify({ id, op, ...args }));
    const head = Buffer.alloc(HEADER);
    head.writeUInt32LE(1 + body.length, 0);
    head[4] = REQUEST;
    this.socket.write(Buffer.concat([head, body]));
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  close() {
    this.socket.destroy();
  }
}

/** @param {string} path Of the socket. @param {string} client What it calls itself. */
async function openControl(path, client) {
  const socket = net.connect(path);
  await once(socket, 'connect');
  const control = new Control(socket);
  await control.ask('hello', { protocol: [1, 1], client });
  return control;
}

module.exports = { Control, openControl };
