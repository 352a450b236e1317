/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Certificates and keys that were uploaded in the editor, as files that the runtime can read. */

const fs = require('node:fs');
const path = require('node:path');

/** Writes the file anew when it differs, for its owner alone; its path.
 * @param {string} dataDir @param {{node: {id: string}, file: string, data: string}} pem */
function writePem(dataDir, { node, file, data }) {
  const folder = path.join(dataDir, 'tls');
  const name = path.join(folder, `${node.id.replace(/[^A-Za-z0-9_-]/g, '_')}-${file}`);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (fs.existsSync(name) && fs.readFileSync(name, 'utf8') === data) return name;
  fs.writeFileSync(`${name}.new`, data, { mode: 0o600 });
  fs.renameSync(`${name}.new`, name);
  return name;
}

module.exports = { writePem };
