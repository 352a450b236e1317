/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Folders and ports for what runs beside us. */

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

/** A TCP port of 127.0.0.1 that nobody listens on.
 * @param {number} [preferred] Taken if it is free. @returns {Promise<number>} */
function freePort(preferred = 0) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error) => (preferred ? resolve(freePort()) : reject(error)));
    server.listen(preferred, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

module.exports = { freePort, remove, tempFolder };
