/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The JavaScript tests, file by file: each in a process group of its own with a time limit. Those
   of the runtime run one at a time, because many of them measure time. With BUSBAR_LONG=1 some have
   many more rounds. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { run } = require('../command');
const { REPO, listFiles } = require('../files');
const { runAll } = require('../report');
const { countNode } = require('../tap');
const { buildPrograms, prepareAddon } = require('./build');

const TIMEOUT_MS = process.env.BUSBAR_LONG ? 3600000 : 180000;

/** @param {string} file @param {number} [timeoutMs] @returns {Promise<import('../report').Outcome>} */
async function runFile(file, timeoutMs = TIMEOUT_MS) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'busbar-report-'));
  const tap = path.join(folder, 'tap');
  try {
    const reporters = ['tap', tap, 'spec', 'stdout'].map(
      (value, index) => `--test-reporter${index % 2 ? '-destination' : ''}=${value}`,
    );
    const result = await run(process.execPath, [...reporters, path.join(REPO, file)], {
      cwd: REPO,
      timeoutMs,
    });
    const text = fs.existsSync(tap) ? fs.readFileSync(tap, 'utf8') : '';
    const late = result.timedOut ? `\nnot finished within ${timeoutMs / 1000} s` : '';
    return {
      name: file.replace(/^tests\/|\.test\.js$/g, ''),
      ...countNode(text, result.code === 0),
      seconds: result.seconds,
      output: result.output.replace(/^ *[✔ℹ].*\n/gm, '') + late,
    };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** The runtime tests start the executable, so it is built before them, unless BUSBAR_BIN names a
 * build of the caller's own choice.
 * @param {import('../report').Report} report @param {string[]} files */
async function withExecutable(report, files) {
  if (files.length === 0 || process.env.BUSBAR_BIN) return files;
  return buildPrograms(report, 'release', files, () => 'all');
}

/** @param {import('../test').Context} context */
async function runNode({ report, wants }) {
  const list = (/** @type {string} */ folder) =>
    listFiles(`tests/${folder}`, /\.test\.js$/).filter(wants);
  const scripts = list('scripts');
  const runtime = list('runtime');
  if (scripts.length + runtime.length === 0) return;
  report.heading('JavaScript tests');
  await runAll(report, scripts, 2, runFile);
  /* `npm start` is among them. */
  if (runtime.length > 0) await prepareAddon(report);
  await runAll(report, await withExecutable(report, runtime), 1, runFile);
}

module.exports = { runNode, runFile, withExecutable };
