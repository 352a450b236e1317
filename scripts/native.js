/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Builds the C side in one of its presets (native/CMakePresets.json). */

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { run, runStep } = require('./command');
const { show } = require('./progress');

const NATIVE = path.resolve(__dirname, '../native');

/** @typedef {'release' | 'debug' | 'asan' | 'tsan' | 'fuzz'} Preset */

/** @param {Preset} preset */
function buildFolder(preset) {
  return path.join(NATIVE, preset === 'release' ? 'build' : `build-${preset}`);
}

/** CMake sees a changed CMakeLists.txt itself, but neither changed presets nor a moved checkout. */
function currentStamp() {
  const presets = fs.readFileSync(path.join(NATIVE, 'CMakePresets.json'));
  return `${NATIVE}\n${crypto.createHash('sha256').update(presets).digest('hex')}\n`;
}

/** @param {string} file */
function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** @param {Preset} preset */
async function configure(preset) {
  const folder = buildFolder(preset);
  const stampFile = path.join(folder, '.configured');
  const stamp = currentStamp();
  const found = readText(stampFile);
  if (found === stamp) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(
    readText(path.join(folder, 'CMakeCache.txt')),
  )?.[1];
  if (home !== undefined && home !== NATIVE) fs.rmSync(folder, { recursive: true });
  await runStep('cmake', ['--preset', preset], {
    cwd: NATIVE,
    what: 'Native build, configuration',
    onLine: show,
    advice: `If nothing else helps, remove ${folder} and start again.`,
  });
  fs.writeFileSync(stampFile, stamp);
}

/**
 * Builds as much as can be built; when something cannot, the StepError comes after the rest is done.
 * @param {Preset} preset @param {string[]} [targets] Everything when left out.
 * @returns {Promise<boolean>} Whether anything had to be built.
 */
async function build(preset, targets = []) {
  await configure(preset);
  const output = await runStep('ninja', ['-k', '0', '-C', buildFolder(preset), ...targets], {
    what: 'Native build',
    onLine: show,
    boring: /^-- |^\[\d+\/\d+\] |^\S*(ccache|cc|gcc|clang) .* -c |^ninja: /,
    advice: 'The compiler says above which file and line it stumbled over.',
  });
  return !output.includes('ninja: no work to do');
}

/** Whether the target is there and as new as its sources. (A dry run would not tell: it takes the
 * list of source files for changed.) @param {Preset} preset @param {string} target */
async function isBuilt(preset, target) {
  return (await run('ninja', ['-C', buildFolder(preset), target])).code === 0;
}

module.exports = { build, buildFolder, isBuilt };
