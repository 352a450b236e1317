/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `npm test`: sets up what is missing, runs every test and ends with the line
   `N passed, N failed`. */

const { readArguments } = require('./arguments');
const { StepError } = require('./command');
const { duration, say } = require('./progress');
const { Report } = require('./report');
const { explain, setUp } = require('./setup');
const { runFuzz } = require('./suites/fuzz');
const { runNode } = require('./suites/node');
const { runStatic } = require('./suites/static');
const { runUnit } = require('./suites/unit');

const USAGE = `usage: npm test [-- --only TEXT] [-- --skip-fuzz]
  --only TEXT   only checks, C tests, fuzz targets and test files with TEXT in their name
  --skip-fuzz   leave the fuzz targets out
BUSBAR_FUZZ_SECONDS sets how long each fuzz target runs (5).`;

/**
 * What each suite is given.
 * @typedef {object} Context
 * @property {Report} report
 * @property {(name: string) => boolean} wants Whether --only leaves the name in.
 * @property {string[]} absent Packages that this machine's archive does not have.
 */

/** @param {Report} report @param {{only: string, 'skip-fuzz': boolean}} options */
async function runSuites(report, options) {
  const { absent } = await setUp({ for: 'test', build: false });
  const context = {
    report,
    absent,
    wants: (/** @type {string} */ name) => name.includes(options.only),
  };
  await runStatic(context);
  await runUnit(context);
  if (!options['skip-fuzz']) await runFuzz(context);
  await runNode(context);
  if (report.passed + report.failed + report.skipped === 0) {
    throw new StepError(`No test has "${options.only}" in its name.`);
  }
}

async function main() {
  const options = readArguments(USAGE, {
    only: { type: 'string', default: '' },
    'skip-fuzz': { type: 'boolean', default: false },
  });
  if (!options) return;
  const started = Date.now();
  const report = new Report();
  try {
    await runSuites(report, options);
  } catch (error) {
    explain(error);
    report.failed += 1;
  }
  say(`\nAll after ${duration((Date.now() - started) / 1000)}`);
  report.finish();
  process.exitCode = report.failed > 0 ? 1 : 0;
}

main();
