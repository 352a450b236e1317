/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The two binaries of the package for the machine that this runs on, in a build of its own: what the
   release build links as shared libraries, this one contains. */

const fs = require('node:fs');
const path = require('node:path');
const { ADDON, buildAddon } = require('../addon');
const { runStep } = require('../command');
const { REPO } = require('../files');
const { show } = require('../progress');
const { buildCurl } = require('./curl');
const { fetchSource } = require('./source');

const BUILD = path.join(REPO, 'native/build-pack');
const SOURCES = path.join(BUILD, 'sources');

/** @param {string} command @param {string[]} args */
function runBuild(command, args) {
  return runStep(command, args, {
    what: 'The build of the executable',
    onLine: show,
    boring: /^-- |^\[\d+\/\d+\] /,
    advice: 'The compiler or the linker says above what it stumbled over.',
  });
}

/** Its version is that of the tests. */
function fetchCurl() {
  return fetchSource('libcurl4-openssl-dev', SOURCES, { exact: false });
}

/** @param {import('./source').Source} source Of libcurl. @returns {Promise<string>} The executable. */
async function buildExecutable(source) {
  const curl = await buildCurl(path.join(BUILD, 'curl'), source);
  const folder = path.join(BUILD, 'busbar');
  await runBuild('cmake', [
    ...['-G', 'Ninja', '-S', path.join(REPO, 'native'), '-B', folder],
    ...['-DCMAKE_BUILD_TYPE=Release', '-DBB_PORTABLE=ON', `-DCMAKE_PREFIX_PATH=${curl}`],
    /* A user need not know where it was built. */
    `-DCMAKE_C_FLAGS=-ffile-prefix-map=${REPO}/=`,
  ]);
  await runBuild('ninja', ['-C', folder, 'busbar']);
  return path.join(folder, 'busbar');
}

/** @param {string} from @param {string} to */
async function copyStripped(from, to) {
  await runStep('strip', ['--strip-unneeded', '-o', to, from], {
    what: `Stripping ${from}`,
    advice: 'strip belongs to the package binutils.',
  });
}

/** Shared libraries that it loads, directly or not, without those of libc.
 * @param {string} file @returns {Promise<string[]>} Paths. */
async function listShared(file) {
  const output = await runStep('ldd', [file], { what: `The libraries of ${file}`, advice: '' });
  return [...output.matchAll(/^\s*(\S+) => (\S+) \(/gm)]
    .filter(([, name]) => !/^(lib(c|m|dl|rt|pthread|resolv)|ld-linux.*)\.so\.\d+$/.test(name))
    .map(([, , place]) => place);
}

/** Builds what changed, and puts it into the folder.
 * @param {string} folder @param {import('./source').Source} curl */
async function buildBinaries(folder, curl) {
  await buildAddon();
  const executable = await buildExecutable(curl);
  fs.mkdirSync(path.join(folder, 'lib'), { recursive: true });
  await copyStripped(ADDON, path.join(folder, 'busbar.node'));
  await copyStripped(executable, path.join(folder, 'busbar'));
  for (const file of await listShared(executable)) {
    fs.copyFileSync(file, path.join(folder, 'lib', path.basename(file)));
  }
  fs.chmodSync(path.join(folder, 'busbar'), 0o755);
  fs.chmodSync(path.join(folder, 'busbar.node'), 0o644);
}

module.exports = { BUILD, SOURCES, buildBinaries, buildExecutable, fetchCurl };
