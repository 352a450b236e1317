/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

const { buildAddon } = require('../addon');
const { StepError } = require('../command');
const { build, isBuilt } = require('../native');

/**
 * Builds what a suite runs. A test whose program cannot be built counts as failed: one left over
 * from an earlier build says nothing about these sources.
 * @param {import('../report').Report} report @param {import('../native').Preset} preset
 * @param {string[]} tests
 * @param {(test: string) => string} [targetOf] The target that a test needs; its own name.
 * @returns {Promise<string[]>} The tests that can be run.
 */
async function buildPrograms(report, preset, tests, targetOf = (test) => test) {
  const started = Date.now();
  const targets = [...new Set(tests.map(targetOf))];
  try {
    await build(preset, targets);
    return tests;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    /** @type {Set<string>} */
    const built = new Set();
    for (const target of targets) if (await isBuilt(preset, target)) built.add(target);
    const runs = (/** @type {string} */ test) => built.has(targetOf(test));
    const lost = tests.filter((test) => !runs(test));
    report.add({
      name: `build (${preset})`,
      passed: 0,
      failed: Math.max(lost.length, 1),
      seconds: (Date.now() - started) / 1000,
      output: `${error.output}\n${error.message}\nNot run: ${lost.join(', ')}`,
    });
    return tests.filter(runs);
  }
}

/** Without the addon the files are run all the same: each says what it misses.
 * @param {import('../report').Report} report */
async function prepareAddon(report) {
  const started = Date.now();
  try {
    await buildAddon();
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    report.add({
      name: 'build (addon)',
      passed: 0,
      failed: 1,
      seconds: (Date.now() - started) / 1000,
      output: `${error.output}\n${error.message}`,
    });
  }
}

module.exports = { buildPrograms, prepareAddon };
