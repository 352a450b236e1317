/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Certificates and keys of a tls-config node, as files that the runtime can read. They go into its data
   directory, for the user alone who runs it. One that runs as another user than Node-RED is only told
   which files to read itself: what is uploaded in the editor never gets there, since a file for two users
   would be one for others, too. */

const fs = require('node:fs');
const path = require('node:path');
const { findSocket, whoAmI } = require('./data_dir');
const { BusbarError } = require('./errors');

/** @typedef {{node: {id: string}, file: string, data: string, source?: string}} Pem `source`: the file that
 *   the node names, where it names one. */

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
  if (socket) return socket;
  const folder = ownerOf(dataDir);
  return folder && !isWritable(dataDir) ? folder : { uid: me, gid: -1 };
}

/** @param {number} uid */
function refuse(uid) {
  const sentence =
    `the runtime runs as another user (${uid}) than Node-RED and cannot read what is uploaded: in ` +
    `"Certificates" name files that user ${uid} can read, or run the service as ${whoAmI()}`;
  return new BusbarError('BUSBAR_PERMISSION', sentence);
}

/** Writes the file anew when it differs; its path, '' if there is nothing to be written.
 * @param {string} dataDir @param {Pem} pem @param {number} [me] Our user. */
function writePem(dataDir, { node, file, data, source }, me = process.getuid?.() ?? 0) {
  const reader = readerOf(dataDir, me);
  const isForeign = reader.uid !== me && me !== 0;
  if (isForeign && source) return source;
  if (data === '') return '';
  if (isForeign) throw refuse(reader.uid);
  const folder = path.join(dataDir, 'tls');
  const name = path.join(folder, `${node.id.replace(/[^A-Za-z0-9_-]/g, '_')}-${file}`);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!fs.existsSync(name) || fs.readFileSync(name, 'utf8') !== data) {
    fs.writeFileSync(`${name}.new`, data, { mode: 0o600 });
    fs.renameSync(`${name}.new`, name);
  }
  if (reader.uid !== me)
    for (const own of [folder, name]) fs.chownSync(own, reader.uid, reader.gid);
  return name;
}

module.exports = { writePem };
