/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Sets up everything that `npm start`, `npm test` and `npm run bench` need: system packages, npm
   packages, the native build and the addon. Each step first looks whether there is anything to do. This file
   and what it loads use nothing but Node.js itself. */

const fs = require('node:fs');
const path = require('node:path');
const { buildAddon } = require('./addon');
const { StepError, runStep } = require('./command');
const { build, buildFolder } = require('./native');
const { describeLoss, preparePackages } = require('./packages');
const { clear, duration, say, show, step } = require('./progress');

const REPO = path.resolve(__dirname, '..');
const NODE_MAJOR = 20;

/** @typedef {import('./packages').Purpose} Purpose */

/** @param {string} version */
function checkNode(version) {
  if (Number.parseInt(version, 10) >= NODE_MAJOR) return version;
  throw new StepError(
    `Busbar needs Node.js ${NODE_MAJOR} or newer; this is Node.js ${version} (${process.execPath}).`,
  );
}

/** @param {string} file */
function modifiedMs(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/* What some tests run in a Node.js of its own. */
const NODE_RED_5 = path.join(REPO, 'tests/node-red-5');

/** @param {string} folder @returns {Promise<boolean>} Whether anything had to be installed. */
async function installPackages(folder) {
  /* npm writes the second file last, so it also tells that the installation was complete. */
  const lock = modifiedMs(path.join(folder, 'package-lock.json'));
  const installed = modifiedMs(path.join(folder, 'node_modules/.package-lock.json'));
  if (installed >= lock) return false;
  show('npm ci');
  const args = ['ci', '--ignore-scripts', '--engine-strict=false', '--no-audit', '--no-fund'];
  await runStep('npm', args, {
    cwd: folder,
    what: 'npm packages',
    onLine: show,
    advice: 'npm needs the network the first time; `npm ping` tells whether it is reachable.',
  });
  return true;
}

/** @param {Purpose} purpose */
async function prepareNpm(purpose) {
  const folders = purpose === 'test' ? [REPO, NODE_RED_5] : [REPO];
  const installed = await Promise.all(folders.map(installPackages));
  return installed.includes(true) ? 'installed' : 'present';
}

/** @param {Purpose} purpose */
async function buildNative(purpose) {
  const built = await build('release', purpose === 'bench' ? ['all', 'bench'] : []);
  return built ? 'built' : 'up to date';
}

/**
 * @param {{for: Purpose, build?: boolean}} options Without `build` the native build is left out.
 * @returns {Promise<{absent: string[]}>} Packages that this machine's archive does not have.
 */
async function setUp(options) {
  const purpose = options.for;
  const started = Date.now();
  /** @type {string[]} */
  let absent = [];
  say('Set-up');
  await step('Node.js', () => checkNode(process.versions.node));
  await step('system packages', async () => {
    const found = await preparePackages(purpose, path.join(buildFolder('release'), '.unavailable'));
    absent = found.absent;
    return found.installed > 0 ? `${found.installed} installed` : 'present';
  });
  for (const name of absent) {
    say(`    ${name} is not in this machine's package archive; left out: ${describeLoss(name)}`);
  }
  await step('npm packages', () => prepareNpm(purpose));
  if (options.build !== false) {
    await step('native build', () => buildNative(purpose));
    await step('addon', async () => ((await buildAddon()) ? 'built' : 'up to date'));
  }
  say(`  ready after ${duration((Date.now() - started) / 1000)}`);
  return { absent };
}

/** Says what went wrong, what the failing command printed, and what to do.
 * @param {unknown} error */
function explain(error) {
  clear();
  if (!(error instanceof StepError)) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return;
  }
  if (error.output) process.stderr.write(`${error.output}\n\n`);
  process.stderr.write(`${error.message}\n`);
  if (error.advice) process.stderr.write(`${error.advice}\n`);
}

module.exports = { REPO, setUp, explain, checkNode };

if (require.main === module) {
  const purpose = process.argv[2] || 'start';
  if (purpose !== 'start' && purpose !== 'test' && purpose !== 'bench') {
    process.stderr.write('usage: node scripts/setup.js [start | test | bench]\n');
    process.exit(2);
  }
  setUp({ for: purpose }).catch((error) => {
    explain(error);
    process.exitCode = 1;
  });
}
