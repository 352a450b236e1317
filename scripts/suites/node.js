/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The JavaScript tests, file by file: each in a process group of its own with a time limit. They wait
   for peers and timers more than they work, so several run at a time; those in a browser work more, so
   fewer of them. With BUSBAR_LONG=1 some have many more rounds; BUSBAR_SCREENSHOTS=docs/images makes the
   pictures of the documentation anew. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { run } = require('../command');
const { REPO, listFiles } = require('../files');
const { NO_CHROMIUM, findChromium } = require('../peers/chromium');
const { runAll, sortOut } = require('../report');
const { countNode } = require('../tap');
const { buildPrograms, prepareAddon } = require('./build');

/* Chosen for two cores, of which the tests leave more than half of the time unused. */
const AT_ONCE = 4;
const BROWSERS_AT_ONCE = 2;
/* So many files may have failed for want of a processor; more have another reason. */
const MOST_AGAIN = 3;
/* The longest takes 80 s on two cores that have nothing else to do. */
const TIMEOUT_MS = process.env.BUSBAR_LONG ? 3600000 : 300000;

/** @param {string} file @returns {Promise<import('../report').Outcome>} */
async function runFile(file) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'busbar-report-'));
  const tap = path.join(folder, 'tap');
  try {
    const reporters = ['tap', tap, 'spec', 'stdout'].map(
      (value, index) => `--test-reporter${index % 2 ? '-destination' : ''}=${value}`,
    );
    const result = await run(process.execPath, [...reporters, path.join(REPO, file)], {
      cwd: REPO,
      timeoutMs: TIMEOUT_MS,
    });
    const text = fs.existsSync(tap) ? fs.readFileSync(tap, 'utf8') : '';
    const late = result.timedOut ? `\nnot finished within ${TIMEOUT_MS / 1000} s` : '';
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

/** Builds the addon, and the executable unless BUSBAR_BIN names one of the caller's own choice.
 * @param {import('../report').Report} report @param {string[]} files That start one of them.
 * @returns {Promise<string[]>} The files that can be run. */
async function prepare(report, files) {
  if (files.length === 0) return files;
  await prepareAddon(report);
  if (process.env.BUSBAR_BIN) return files;
  return buildPrograms(report, 'release', files, () => 'all');
}

/** @param {import('../report').Report} report @param {string[]} files In a browser. */
function leaveOutWithoutBrowser(report, files) {
  if (files.length === 0 || findChromium()) return files;
  const note = NO_CHROMIUM;
  report.add({ name: 'browser', passed: 0, failed: 0, skipped: files.length, note });
  return [];
}

/** Runs files beside each other. Who does not get a processor for seconds may fail with nothing wrong:
 * what fails is shown, and runs once more alone, at the end. Returns what does.
 * @param {import('../report').Report} report @param {[string[], number][]} lanes Files, and how many of
 *   them at once. @returns {Promise<string[]>} */
async function runBeside(report, lanes) {
  /** @type {string[]} */
  const again = [];
  const work = async (/** @type {string} */ file) => {
    const outcome = await runFile(file);
    if (outcome.failed === 0 || again.length >= MOST_AGAIN) return outcome;
    again.push(file);
    return { ...outcome, again: true, note: 'runs again alone' };
  };
  await Promise.all(lanes.map(([files, atOnce]) => runAll(report, files, atOnce, work)));
  return again;
}

/** @param {import('../test').Context} context */
async function runNode({ report, wants }) {
  const list = (/** @type {string} */ folder) =>
    listFiles(`tests/${folder}`, /\.test\.js$/).filter(wants);
  const scripts = list('scripts');
  const ours = [...list('runtime'), ...list('nodes')];
  const browser = list('browser');
  if (scripts.length + ours.length + browser.length === 0) return;
  report.heading('JavaScript tests');
  const withBrowser = new Set(leaveOutWithoutBrowser(report, browser));
  /* Those that take longest come first, so that the lanes end together. */
  const files = [...(await prepare(report, [...ours, ...withBrowser])), ...scripts];
  const { beside, alone } = sortOut(files, (file) => file);
  const isShown = (/** @type {string} */ file) => withBrowser.has(file);
  const again = await runBeside(report, [
    [beside.filter(isShown), BROWSERS_AT_ONCE],
    [beside.filter((file) => !isShown(file)), AT_ONCE],
  ]);
  await runAll(report, [...alone, ...again], 1, runFile);
}

module.exports = { runNode };
