/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Which certificates the runtime reads itself. What Node-RED has read, or what was uploaded in the editor,
   is handed over through the socket as a secret. A runtime of another user is told the files that a
   tls-config node names: they were made for that user, and Node-RED need not be able to read them. */

const fs = require('node:fs');
const { findSocket } = require('./data_dir');

/** @param {string | null} file */
function ownerOf(file) {
  try {
    return file === null ? undefined : fs.statSync(file);
  } catch {
    return undefined;
  }
}

/** Whether we may make files there. @param {string} dir */
function isWritable(dir) {
  try {
    fs.accessSync(dir, fs.constants.W_OK | fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Who runs the runtime of that directory, as far as that is to be seen: the owner of its socket, else
 * of what is closed to us; else it will be us. @param {string} dataDir @param {number} me */
function readerOf(dataDir, me) {
  const socket = ownerOf(findSocket(dataDir));
  if (socket) return socket.uid;
  const folder = ownerOf(dataDir);
  return folder && !isWritable(dataDir) ? folder.uid : me;
}

/** Whether its runtime runs as another user than we do. @param {string} dataDir @param {number} [me] */
function isForeign(dataDir, me = process.getuid?.() ?? 0) {
  return me !== 0 && readerOf(dataDir, me) !== me;
}

module.exports = { isForeign };
