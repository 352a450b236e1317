/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Builds the addon busbar.node by node-gyp, as binding.gyp says. `--sources core` and `--sources glue`
   print what it is made of: node-gyp asks for them. */

const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { runStep } = require('./command');
const { REPO, listFiles, readFile } = require('./files');
const { show } = require('./progress');

const BUILD = path.join(REPO, 'build');
const ADDON = path.join(BUILD, 'Release/busbar.node');
const STAMP = path.join(BUILD, '.configured');
const ROOMS = ['base', 'model', 'encode', 'control', 'addon'];

/** C of the rooms that do no I/O; what reads YAML stays out, because it needs libyaml. */
function listCore() {
  return ROOMS.flatMap((room) => listFiles(`native/${room}`, /\.c$/)).filter(
    (file) => !/^\s*#\s*include\s*<yaml\.h>/m.test(readFile(file)),
  );
}

/** C++ between Node-API and the core. */
function listGlue() {
  return listFiles('native/addon', /\.cc$/);
}

/** The headers of the Node.js that runs this, in the folder above include/node; undefined where they
 * are not installed, and node-gyp has to fetch them. */
function findHeaders() {
  const prefix = path.resolve(fs.realpathSync(process.execPath), '../..');
  const found = fs.existsSync(path.join(prefix, 'include/node/node_api.h'));
  return found ? prefix : undefined;
}

/** What a build stands on besides the sources' text, which make looks after. */
function currentStamp() {
  const parts = [
    ...[REPO, process.execPath, process.version, findHeaders() ?? ''],
    ...['binding.gyp', 'package.json'].map(readFile),
    ...listCore(),
    ...listGlue(),
  ];
  return `${crypto.createHash('sha256').update(parts.join('\n')).digest('hex')}\n`;
}

/** @param {string} file */
function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** @param {string} file */
function modifiedMs(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** @param {string[]} args @param {boolean} werror */
async function runGyp(args, werror) {
  const gyp = path.join(REPO, 'node_modules/node-gyp/bin/node-gyp.js');
  const headers = findHeaders();
  const place = headers ? [`--nodedir=${headers}`] : [];
  const flags = werror ? ['--', '-Dbusbar_werror=1'] : [];
  await runStep(process.execPath, [gyp, ...args, ...place, ...flags], {
    cwd: REPO,
    what: 'Addon build',
    onLine: show,
    boring: /^gyp (info|http)|^ {2}(cc|CC|CXX|AR|SOLINK|COPY|TOUCH|c\+\+)\(|^make: /,
    advice: headers
      ? 'The compiler says above which file and line it stumbled over.'
      : 'There are no headers of Node.js here; node-gyp needs the network to fetch them.',
  });
}

/** Warnings are errors with the compiler we develop with: what a newer one finds must not stop a
 * user's build. */
async function isOurCompiler() {
  const version = await runStep(process.env.CXX || 'g++', ['-dumpversion'], {
    what: 'Addon build',
    advice: 'A C++ compiler is needed: apt-get install g++',
  });
  return /^12\b/.test(version);
}

/** @returns {Promise<boolean>} Whether anything had to be built. */
async function buildAddon() {
  const stamp = currentStamp();
  const before = modifiedMs(ADDON);
  if (readText(STAMP) !== stamp) {
    await runGyp(['configure'], await isOurCompiler());
    fs.writeFileSync(STAMP, stamp);
  }
  await runGyp(['build', `--jobs=${os.availableParallelism()}`], false);
  return modifiedMs(ADDON) !== before;
}

module.exports = { ADDON, buildAddon };

if (require.main === module) {
  const [option, kind] = process.argv.slice(2);
  if (option !== '--sources' || (kind !== 'core' && kind !== 'glue')) {
    process.stderr.write('usage: node scripts/addon.js --sources core|glue\n');
    process.exit(2);
  }
  process.stdout.write(`${(kind === 'core' ? listCore() : listGlue()).join(' ')}\n`);
}
