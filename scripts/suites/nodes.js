/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The tests of the palette and of what its nodes stand on. The addon and the executable are built
   before them; those files that start a runtime run one at a time. */

const { listFiles, readFile } = require('../files');
const { runAll } = require('../report');
const { prepareAddon } = require('./build');
const { runFile, withExecutable } = require('./node');

/** @param {import('../test').Context} context */
async function runNodes({ report, wants }) {
  const files = listFiles('tests/nodes', /\.test\.js$/).filter(wants);
  if (files.length === 0) return;
  report.heading('Tests of the nodes');
  await prepareAddon(report);
  const starts = (/** @type {string} */ file) => /support\/runtime'/.test(readFile(file));
  await runAll(
    report,
    files.filter((file) => !starts(file)),
    2,
    runFile,
  );
  await runAll(report, await withExecutable(report, files.filter(starts)), 1, runFile);
}

module.exports = { runNodes };
