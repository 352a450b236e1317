/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Folders and ports for what runs beside us. */

const dgram = require('node:dgram');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

/** @type {Set<string>} */
const folders = new Set();

/** @param {string} folder */
function remove(folder) {
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.delete(folder);
}

/** A folder that goes away with us at the latest; its path is short, because a socket lies in it. */
function tempFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'busbar-'));
  folders.add(folder);
  return folder;
}

process.on('exit', () => folders.forEach(remove));

/* Below those that the kernel gives to whoever asks for any. */
const FIRST_PORT = 20000;
const PORTS = 10000;

/** Holds the number for as long as this process lives, also against other processes that ask for a
 * free port: whoever has the UDP port of that number may listen on its TCP namesake, now or later.
 * @param {number} port @returns {Promise<boolean>} False: somebody else has it. */
function reserve(port) {
  const lock = dgram.createSocket('udp4').unref();
  return new Promise((resolve) => {
    lock.once('error', () => {
      lock.close();
      resolve(false);
    });
    lock.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
}

/** @param {number} port @returns {Promise<boolean>} Whether nobody listens on it. */
function isFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A TCP port of 127.0.0.1 that is ours from now on: nobody listens there, and nobody else is told of it.
 * @param {number[]} [preferred] The first of them that is free is taken, else any. @returns {Promise<number>} */
async function freePort(preferred = []) {
  const draw = () => FIRST_PORT + Math.floor(Math.random() * PORTS);
  const wishes = [...preferred];
  for (;;) {
    const port = wishes.shift() ?? draw();
    if ((await reserve(port)) && (await isFree(port))) return port;
  }
}

module.exports = { freePort, remove, tempFolder };
