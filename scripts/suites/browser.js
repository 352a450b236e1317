/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The tests of the editor, the dialogs and the dashboard in a browser, two files at a time: each waits
   for its browser more than it works. BUSBAR_SCREENSHOTS=docs/images makes the pictures of the
   documentation anew. */

const { listFiles } = require('../files');
const { NO_CHROMIUM, findChromium } = require('../peers/chromium');
const { runAll } = require('../report');
const { prepareAddon } = require('./build');
const { runFile, withExecutable } = require('./node');

const AT_ONCE = 2;
/* The longest takes 50 s on two cores that have nothing else to do. */
const TIMEOUT_MS = 300000;

/** @param {import('../test').Context} context */
async function runBrowser({ report, wants }) {
  const files = listFiles('tests/browser', /\.test\.js$/).filter(wants);
  if (files.length === 0) return;
  report.heading('Tests in a browser');
  if (!findChromium()) {
    report.add({ name: 'all', passed: 0, failed: 0, skipped: files.length, note: NO_CHROMIUM });
    return;
  }
  await prepareAddon(report);
  await runAll(report, await withExecutable(report, files), AT_ONCE, (file) =>
    runFile(file, TIMEOUT_MS),
  );
}

module.exports = { runBrowser };
