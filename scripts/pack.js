/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `npm run pack`: builds the binaries for the machine that it runs on and packs them with the palette
   into a tarball that npm installs without running anything. A package for several kinds of machines is
   packed on one of them, with --add for what was built on the others. */

const fs = require('node:fs');
const path = require('node:path');
const { nameTarget } = require('../lib/binding');
const { readArguments } = require('./arguments');
const { StepError, runStep } = require('./command');
const { REPO, readFile } = require('./files');
const { BUILD, SOURCES, buildBinaries, fetchCurl } = require('./pack/build');
const { checkBinaries } = require('./pack/check');
const { fetchSource } = require('./pack/source');
const { stageFiles } = require('./pack/stage');
const { say, step } = require('./progress');
const { explain, setUp } = require('./setup');

const USAGE = `usage: npm run pack [-- --to FOLDER] [--add FOLDER]...
  --to FOLDER    where the tarball goes (this folder)
  --add FOLDER   binaries that were built on another kind of machine: a folder such as
                 native/build-pack/package/prebuilds/linux-arm64-glibc of a checkout there`;

/** The package before it is packed. */
const PACKAGE = path.join(BUILD, 'package');
/** Beside the binaries; lib/binding.js reads it. */
const NEEDS = 'needs.json';

/**
 * @typedef {object} Packed
 * @property {string} file The tarball.
 * @property {number} bytes Of the tarball.
 * @property {number} unpackedBytes
 * @property {{path: string, size: number, mode: number}[]} files
 */

/** @returns {string} */
function readVersion() {
  return JSON.parse(readFile('package.json')).version;
}

/** Of libcurl, which is built from it, and of libmodbus, which goes into the package as its licence asks. */
async function fetchSources() {
  return {
    curl: await fetchCurl(),
    modbus: await fetchSource('libmodbus5', SOURCES, { exact: true }),
  };
}

/** @param {string} folder Of the binaries. */
async function finishBinaries(folder) {
  const version = readVersion();
  const { glibc, wants } = await checkBinaries(folder, version);
  fs.writeFileSync(path.join(folder, NEEDS), `${JSON.stringify({ version, glibc })}\n`);
  const each = ['busbar', 'busbar.node'].map((name) => `${name} ${wants[name].glibc}`);
  return `from glibc ${glibc} on (${each.join(', ')})`;
}

/** @param {string} from */
function addBinaries(from) {
  const name = path.basename(path.resolve(from));
  const needs = path.join(from, NEEDS);
  if (!/^linux-\w+-(glibc|musl)$/.test(name) || !fs.existsSync(needs)) {
    throw new StepError(`${from} is no folder of binaries, such as linux-arm64-glibc.`);
  }
  const { version } = JSON.parse(fs.readFileSync(needs, 'utf8'));
  if (version !== readVersion()) {
    throw new StepError(`${from} is of version ${version}, this package of ${readVersion()}.`);
  }
  fs.cpSync(from, path.join(PACKAGE, 'prebuilds', name), { recursive: true });
}

/** @param {string} to @returns {Promise<Packed>} */
async function packFolder(to) {
  fs.mkdirSync(to, { recursive: true });
  const args = ['pack', '--json', '--loglevel=error', '--ignore-scripts', '--pack-destination', to];
  const output = await runStep('npm', args, { cwd: PACKAGE, what: 'npm pack', advice: '' });
  const [packed] = JSON.parse(output.slice(output.search(/^\[$/m)));
  return {
    file: path.join(to, packed.filename.replace(/^@/, '').replace('/', '-')),
    bytes: packed.size,
    unpackedBytes: packed.unpackedSize,
    files: packed.files,
  };
}

/**
 * @param {{to: string, add?: string[]}} options
 * @returns {Promise<Packed>}
 */
async function pack({ to, add = [] }) {
  const target = nameTarget();
  const folder = path.join(PACKAGE, 'prebuilds', target);
  const sources = await fetchSources();
  await step('files', async () => {
    await stageFiles(PACKAGE, sources);
    return 'copied';
  });
  await step(target, async () => {
    await buildBinaries(folder, sources.curl);
    return finishBinaries(folder);
  });
  for (const other of add) addBinaries(other);
  return packFolder(path.resolve(to));
}

/** @param {Packed} packed */
function describe({ file, bytes, unpackedBytes, files }) {
  const mb = (/** @type {number} */ size) => `${(size / 1e6).toFixed(2)} MB`;
  return `${file}\n  ${mb(bytes)}, ${files.length} files, ${mb(unpackedBytes)} unpacked`;
}

async function main() {
  const options = readArguments(USAGE, {
    to: { type: 'string', default: REPO },
    add: { type: 'string', multiple: true, default: [] },
  });
  if (!options) return;
  try {
    await setUp({ for: 'start', build: false });
    say('\nPackage');
    say(`\n${describe(await pack(options))}`);
  } catch (error) {
    explain(error);
    process.exitCode = 1;
  }
}

module.exports = { PACKAGE, pack };

if (require.main === module) main();
