/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Whether the binaries of a package can run on a machine that has Node.js and glibc and nothing else,
   and from which glibc on. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { StepError, runStep } = require('../command');
const { REPO } = require('../files');
const { compareVersions, readWants } = require('./elf');
const { SHARED } = require('./notices');

/** Parts of glibc itself. */
const OF_GLIBC = /^(lib(c|m|dl|rt|pthread)\.so\.\d|ld-linux[\w-]*\.so\.\d)$/;

/** Where each looks for libraries first. @param {string} name */
function expectedRunpath(name) {
  return name === 'busbar' ? '$ORIGIN/lib' : '';
}

/** @param {string} folder @param {string} name @param {import('./elf').Wants} wants */
function listProblems(folder, name, { libraries, runpath }) {
  const present = fs.readdirSync(path.join(folder, 'lib'));
  const missing = libraries.filter((lib) => !OF_GLIBC.test(lib) && !present.includes(lib));
  const expected = expectedRunpath(name);
  const bytes = fs.readFileSync(path.join(folder, name));
  const told = [REPO, os.homedir()].filter(
    (place) => place.length > 1 && bytes.includes(`${place}/`),
  );
  return [
    ...missing.map((lib) => `${name} wants ${lib}, which is not in the package`),
    ...(runpath === expected ? [] : [`${name} has the run path "${runpath}", not "${expected}"`]),
    ...told.map((place) => `${name} contains the path ${place} of this machine`),
  ];
}

/** @param {string} folder @param {string} version */
async function checkVersions(folder, version) {
  const advice = 'Remove native/build-pack and build, then start again.';
  const options = { what: 'A start of the binaries', advice, env: { LD_LIBRARY_PATH: '' } };
  const code = 'console.log(require(process.argv[1]).version)';
  const addon = path.join(folder, 'busbar.node');
  const said = [
    await runStep(path.join(folder, 'busbar'), ['version'], options),
    await runStep(process.execPath, ['-e', code, addon], options),
  ];
  return said
    .map((text, i) => [['busbar', 'busbar.node'][i], text.trim()])
    .filter(([, found]) => found !== version)
    .map(([name, found]) => `${name} is of version ${found}, the package of ${version}`);
}

/**
 * @param {string} folder With busbar, busbar.node and lib/. @param {string} version Of the package.
 * @returns {Promise<{glibc: string, wants: Record<string, import('./elf').Wants>}>} The oldest glibc
 *   that will do, and what each binary wants.
 */
async function checkBinaries(folder, version) {
  const shared = fs.readdirSync(path.join(folder, 'lib'));
  const problems = shared
    .filter((name) => !SHARED.includes(name))
    .map((name) => `${name} is not among the parts whose licence scripts/pack/notices.js knows`);
  /** @type {Record<string, import('./elf').Wants>} */
  const wants = {};
  for (const name of ['busbar', 'busbar.node', ...shared.map((lib) => `lib/${lib}`)]) {
    wants[name] = await readWants(path.join(folder, name));
    problems.push(...listProblems(folder, name, wants[name]));
  }
  problems.push(...(await checkVersions(folder, version)));
  if (problems.length > 0) {
    throw new StepError('The binaries are not fit for a package.', { output: problems.join('\n') });
  }
  const versions = Object.values(wants).map(({ glibc }) => glibc);
  return { glibc: versions.sort(compareVersions).at(-1) ?? '', wants };
}

module.exports = { checkBinaries, listProblems };
