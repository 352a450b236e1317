/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A port that passes connections on to another one until it is told to refuse them, or to take them
   and say nothing: what a network does to a server that is well. */

const net = require('node:net');
const { atEnd } = require('./end');

class Forwarder {
  /** @param {number} target */
  constructor(target) {
    this.target = target;
    this.port = 0;
    this.hangs = false;
    /** @type {Set<net.Socket>} */
    this.sockets = new Set();
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
    socket.pipe(other).pipe(socket);
    socket.on('close', () => other.destroy());
    other.on('close', () => socket.destroy());
  }

  /** Listens, after a stop on the same port. */
  async start() {
    const server = net.createServer((socket) => this.accept(socket));
    this.server = server;
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', () => resolve(undefined));
    });
    this.port = /** @type {net.AddressInfo} */ (server.address()).port;
  }

  /** Ends all connections. */
  cut() {
    for (const socket of this.sockets) socket.destroy();
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
  const forwarder = new Forwarder(target);
  forwarder.hangs = target === 0;
  await forwarder.start();
  atEnd(t, () => forwarder.stop());
  return forwarder;
}

module.exports = { startForwarder };
