/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Where a test may put its files and its servers. */

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

/** For `test(name, { skip: lacks('influxd') }, …)`: why the test cannot run here, or false.
 * @param {...string} commands @returns {string | false} */
function lacks(...commands) {
  const folders = [...(process.env.PATH || '').split(':'), '/usr/sbin', '/sbin'];
  const missing = commands.filter(
    (command) => !folders.some((folder) => fs.existsSync(path.join(folder, command))),
  );
  return missing.length > 0 && `${missing.join(', ')} not installed`;
}

module.exports = { tempDir, freePort, lacks };
