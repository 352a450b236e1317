/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Where a test may put its files and its servers. */

const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { freePort } = require('../../scripts/peers/place');
const { atEnd } = require('./end');

/** @typedef {import('node:test').TestContext} TestContext */

/** @type {Set<string>} */
const folders = new Set();

/** @param {string} folder */
function remove(folder) {
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.delete(folder);
}

/** A folder that goes away with the test; its path is short, because sockets may lie in it.
 * @param {TestContext} t @returns {string} */
function tempDir(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bb-'));
  folders.add(folder);
  atEnd(t, () => remove(folder));
  return folder;
}

/* A test file that is stopped from outside ends no test. */
process.on('exit', () => folders.forEach(remove));

/** Lets a server listen on a port of 127.0.0.1 until the test ends, and ends its connections with it.
 * @param {TestContext} t @param {import('node:net').Server} server */
async function openPort(t, server) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
}

/** For `test(name, { skip: lacks('influxd') }, …)`: why the test cannot run here, or false.
 * @param {...string} commands @returns {string | false} */
function lacks(...commands) {
  const folders = [...(process.env.PATH || '').split(':'), '/usr/sbin', '/sbin'];
  const missing = commands.filter(
    (command) => !folders.some((folder) => fs.existsSync(path.join(folder, command))),
  );
  return missing.length > 0 && `${missing.join(', ')} not installed`;
}

module.exports = { tempDir, freePort, lacks, openPort };
