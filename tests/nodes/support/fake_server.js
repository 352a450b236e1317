/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Somebody who listens on a control socket and answers as a test wishes:
   const server = await startServer(t, path, (request, peer) => peer.answer(request, {})); */

const net = require('node:net');
const path = require('node:path');
const { packMessage, TYPE } = require('../../../lib/runtime_message');
const { atEnd, tempDir } = require('../../support');

const HELLO = {
  ...{ protocol: 1, version: '0.1.0', pid: 4711, boot: 3, owner: 'editor', started: 1700000000000 },
  ...{ data: '/data', mode: 'service', killed_with: 'nothing' },
};

class Peer {
  /** @param {net.Socket} socket @param {(request: any, peer: Peer) => void} onRequest */
  constructor(socket, onRequest) {
    this.socket = socket;
    this.rest = /** @type {Buffer} */ (Buffer.alloc(0));
    /** Bodies of puts and frames, as they came. @type {{type: number, body: Buffer}[]} */
    this.others = [];
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      this.rest = Buffer.concat([this.rest, bytes]);
      while (this.rest.length >= 5 && this.rest.length >= 4 + this.rest.readUInt32LE(0)) {
        const end = 4 + this.rest.readUInt32LE(0);
        const [type, body] = [this.rest[4], this.rest.subarray(5, end)];
        this.rest = this.rest.subarray(end);
        if (type === TYPE.request) onRequest(JSON.parse(body.toString()), this);
        else this.others.push({ type, body });
      }
    });
  }

  /** @param {number} type @param {object | Buffer} content */
  send(type, content) {
    const body = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    this.socket.write(packMessage(type, body));
  }

  /** @param {any} request @param {object} [content] */
  answer({ id }, content = {}) {
    this.send(TYPE.answer, { id, ok: true, ...content });
  }

  /** @param {object} event */
  tell(event) {
    this.send(TYPE.event, event);
  }
}

/**
 * @param {import('node:test').TestContext} t
 * @param {(request: any, peer: Peer) => void} onRequest Also of hello.
 * @param {{file?: string, onConnect?: (peer: Peer) => void}} [options]
 */
async function startServer(t, onRequest, { file, onConnect } = {}) {
  const place = file ?? path.join(tempDir(t), 'busbar.sock');
  /** @type {Peer[]} */
  const peers = [];
  const server = net.createServer((socket) => {
    const peer = new Peer(socket, onRequest);
    peers.push(peer);
    onConnect?.(peer);
  });
  await new Promise((resolve) => server.listen(place, () => resolve(null)));
  const close = () => {
    for (const { socket } of peers) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  atEnd(t, close);
  return { file: place, peers, close };
}

/** Greets, and leaves all else to `onRequest`. @param {(request: any, peer: Peer) => void} onRequest */
function greeting(onRequest = () => {}, hello = HELLO) {
  return (/** @type {any} */ request, /** @type {Peer} */ peer) => {
    if (request.op === 'hello') peer.answer(request, hello);
    else onRequest(request, peer);
  };
}

module.exports = { HELLO, Peer, greeting, startServer };
