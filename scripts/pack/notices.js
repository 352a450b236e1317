/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What of others is inside the package's binaries, under which licence, and what that asks for: its
   text, and for libmodbus the source. */

const fs = require('node:fs');
const path = require('node:path');
const { REPO, readFile } = require('../files');
const { findSource } = require('./source');

/**
 * Name, licence, the binary that it is in, its text in LICENSES/ ('' where the licence asks for none),
 * and the system package that it comes from.
 * @type {[string, string, string, string, string][]}
 */
const PARTS = [
  ['libmodbus', 'LGPL-2.1-or-later', 'lib/libmodbus.so.5', 'libmodbus.txt', 'libmodbus5'],
  ['libcurl', 'curl', 'busbar', 'curl.txt', 'libcurl4-openssl-dev'],
  ['OpenSSL', 'Apache-2.0', 'busbar', 'openssl.txt', 'libssl-dev'],
  ['paho.mqtt.c', 'BSD-3-Clause (EDL-1.0)', 'busbar', 'paho.mqtt.c.txt', 'libpaho-mqtt-dev'],
  ['libuv', 'MIT, BSD-2-Clause, ISC', 'busbar', 'libuv.txt', 'libuv1-dev'],
  ['libyaml', 'MIT', 'busbar', 'libyaml.txt', 'libyaml-dev'],
  ['zlib', 'Zlib', 'busbar', 'zlib.txt', 'zlib1g-dev'],
  ['SQLite', 'public domain', 'busbar', 'sqlite.txt', 'libsqlite3-dev'],
  ['node-addon-api', 'MIT', 'busbar.node', 'node-addon-api.txt', ''],
  ['libstdc++, libgcc', 'GPL-3.0-or-later WITH GCC-exception-3.1', 'busbar.node', '', 'libgcc-s1'],
];

/** The shared libraries that may be in the package, because what they ask for is there too. */
const SHARED = PARTS.map(([, , inside]) => inside)
  .filter((inside) => inside.startsWith('lib/'))
  .map((inside) => path.basename(inside));

const HEAD = `# What of others is in this package

Busbar itself is under the Apache License 2.0, the file LICENSE. Its binaries in \`prebuilds/\` contain:

| | version | licence | where |
|---|---|---|---|
`;

const TAIL = `
libmodbus is a library beside the executable, so that another build of it can be used in its place: put
that there under the same name, or name its folder in \`LD_LIBRARY_PATH\`. Its complete source, as it was
built, is in \`LICENSES/libmodbus/\`; Debian's \`dpkg-source -x\` and \`dpkg-buildpackage\` build it.

What comes from a distribution is in its version, with its patches; libcurl was built from that source
without what Busbar does not use. Which authorities are trusted, the system says: none are in this package.
`;

/** @typedef {{curl: import('./source').Source, modbus: import('./source').Source}} Sources */

/** @param {typeof PARTS[0]} part @param {Sources} sources */
async function findVersion([name, , , , binary], sources) {
  if (name === 'libcurl') return sources.curl.version;
  if (binary) return (await findSource(binary)).version;
  return JSON.parse(readFile(`node_modules/${name}/package.json`)).version;
}

/** @param {typeof PARTS[0]} part @param {Sources} sources */
async function describe(part, sources) {
  const [name, licence, inside, text] = part;
  const version = await findVersion(part, sources);
  const link = text ? `[${licence}](LICENSES/${text})` : licence;
  return `| ${name} | ${version} | ${link} | \`${inside}\` |\n`;
}

/**
 * Writes the notices, the texts of the licences, and the source that one of them wants.
 * @param {string} folder Of the package. @param {Sources} sources
 */
async function writeNotices(folder, sources) {
  const licences = path.join(folder, 'LICENSES');
  fs.cpSync(path.join(REPO, 'LICENSES'), licences, { recursive: true });
  fs.cpSync(sources.modbus.place, path.join(licences, 'libmodbus'), { recursive: true });
  const rows = await Promise.all(PARTS.map((part) => describe(part, sources)));
  fs.writeFileSync(path.join(folder, 'THIRD-PARTY.md'), HEAD + rows.join('') + TAIL);
}

module.exports = { PARTS, SHARED, writeNotices };
