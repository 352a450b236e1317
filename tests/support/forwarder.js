/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A port that passes connections on to another one until it is told to refuse them, to take them and
   say nothing, to lose what is on the way, or to be slow: what a network does to a server that is well. */

const net = require('node:net');
const { atEnd } = require('./end');
const { freePort } = require('./place');

class Forwarder {
  /** @param {number} target @param {number} port Its own, also while it does not listen. */
  constructor(target, port) {
    this.target = target;
    this.port = port;
    this.hangs = false;
    /** Bytes in a second that go from each client to the target; 0: all. */
    this.rate = 0;
    /** @type {Set<net.Socket>} */
    this.sockets = new Set();
    /** @type {WeakSet<net.Socket>} */
    this.lost = new WeakSet();
    /** @type {net.Server | undefined} */
    this.server = undefined;
  }

  /** @param {net.Socket} socket */
  keep(socket) {
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
  }

  /** @param {net.Socket} socket */
  accept(socket) {
    this.keep(socket);
    if (this.hangs) return;
    const other = net.connect(this.target, '127.0.0.1');
    this.keep(other);
    socket.on('data', (bytes) => this.pass(bytes, socket, other));
    other.on('data', (bytes) => this.pass(bytes, other, socket));
    socket.on('end', () => other.end());
    other.on('end', () => socket.end());
    socket.on('close', () => other.destroy());
    other.on('close', () => socket.destroy());
  }

  /** @param {Buffer} bytes @param {net.Socket} from @param {net.Socket} to */
  pass(bytes, from, to) {
    if (this.lost.has(from)) return;
    const goesOn = to.write(bytes);
    if (goesOn && this.rate === 0) return;
    from.pause();
    if (this.rate > 0) setTimeout(() => from.resume(), (bytes.length / this.rate) * 1000);
    else to.once('drain', () => from.resume());
  }

  /** From now on nothing arrives in either direction, and nobody is told; also of connections that are
   * made meanwhile. */
  lose() {
    this.hangs = true;
    for (const socket of this.sockets) this.lost.add(socket);
  }

  /** New connections are passed on again. The old ones stay lost. */
  find() {
    this.hangs = false;
  }

  /** Listens, after a stop on the same port. */
  async start() {
    const server = net.createServer((socket) => this.accept(socket));
    this.server = server;
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', () => resolve(undefined));
    });
  }

  /** Ends all connections, as a server does that goes. */
  cut() {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Resets all connections (RST), as a router does that has forgotten them. */
  reset() {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** Ends all connections and refuses new ones. */
  async stop() {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    this.cut();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** @param {import('node:test').TestContext} t @param {number} target Port of 127.0.0.1; 0: hang.
 * @returns {Promise<Forwarder>} */
async function startForwarder(t, target) {
  const forwarder = new Forwarder(target, await freePort());
  forwarder.hangs = target === 0;
  await forwarder.start();
  atEnd(t, () => forwarder.stop());
  return forwarder;
}

module.exports = { startForwarder };
