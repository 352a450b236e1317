/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The tests of the editor, the dialogs and the dashboard in a browser, two files at a time: each waits
   for its browser more than it works. BUSBAR_SCREENSHOTS=docs/images makes the pictures of the
   documentation anew. BUSBAR_BROWSER asks for them: `BUSBAR_BROWSER=1 npm test -- --only browser/`. */

const { buildAddon } = require('../addon');
const { listFiles } = require('../files');
const { runAll } = require('../report');
const { runFile, withExecutable } = require('./node');

const AT_ONCE = 2;

/** @param {import('../test').Context} context */
async function runBrowser({ report, wants }) {
  const files = listFiles('tests/browser', /\.test\.js$/).filter(wants);
  if (files.length === 0 || !process.env.BUSBAR_BROWSER) return;
  report.heading('Tests in a browser');
  await buildAddon();
  await runAll(report, await withExecutable(report, files), AT_ONCE, runFile);
}

module.exports = { runBrowser };
