/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Finds the project's own files, as paths from its root with forward slashes. */

const fs = require('node:fs');
const path = require('node:path');

const REPO = path.resolve(__dirname, '..');

/** @param {string} folder From the root. @param {RegExp} pattern Of the whole path. */
function listFiles(folder, pattern) {
  /** @type {string[]} */
  const found = [];
  const visit = (/** @type {string} */ place) => {
    for (const entry of fs.readdirSync(path.join(REPO, place), { withFileTypes: true })) {
      const file = `${place}/${entry.name}`;
      if (entry.isFile() && pattern.test(file)) found.push(file);
      else if (entry.isDirectory() && isOurs(entry.name)) visit(file);
    }
  };
  if (fs.existsSync(path.join(REPO, folder))) visit(folder);
  return found.sort();
}

/** @param {string} name */
function isOurs(name) {
  return name !== 'node_modules' && !/^build(-|$)/.test(name) && !name.startsWith('.');
}

/** @param {string} file */
function readFile(file) {
  return fs.readFileSync(path.join(REPO, file), 'utf8');
}

module.exports = { REPO, listFiles, readFile };
