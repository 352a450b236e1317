/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Counts tests and prints one line per suite; what failed is shown in full. */

const { readFile } = require('./files');
const { clear, duration, say, show } = require('./progress');

/**
 * @typedef {object} Outcome
 * @property {string} name
 * @property {number} passed
 * @property {number} failed
 * @property {number} [skipped]
 * @property {number} [seconds]
 * @property {string} [note] Added to the line.
 * @property {string} [output] Shown when something failed.
 * @property {boolean} [again] It failed beside others and is to run once more alone: that counts.
 */

/** @param {Outcome} outcome */
function countTests(outcome) {
  const parts = [];
  if (outcome.passed > 0) parts.push(`${outcome.passed} passed`);
  if (outcome.failed > 0) parts.push(`${outcome.failed} failed`);
  if (outcome.skipped) parts.push(`${outcome.skipped} skipped`);
  return parts.join(', ');
}

class Report {
  constructor() {
    this.passed = 0;
    this.failed = 0;
    this.skipped = 0;
  }

  /** @param {string} text */
  heading(text) {
    clear();
    say(`\n${text}`);
  }

  /** @param {Outcome} outcome */
  add(outcome) {
    if (!outcome.again) this.count(outcome);
    const failed = outcome.again ? 'late' : 'FAIL';
    const mark = outcome.failed > 0 ? failed : outcome.passed > 0 ? 'ok  ' : 'skip';
    const time = outcome.seconds === undefined ? '' : `  ${duration(outcome.seconds)}`;
    const note = outcome.note ? `  ${outcome.note}` : '';
    clear();
    say(`  ${mark} ${outcome.name.padEnd(28)} ${countTests(outcome)}${time}${note}`);
    if (outcome.failed > 0 && outcome.output) {
      say(outcome.output.trimEnd().replace(/^/gm, '       | '));
    }
  }

  /** @param {Outcome} outcome */
  count({ passed, failed, skipped = 0 }) {
    this.passed += passed;
    this.failed += failed;
    this.skipped += skipped;
  }

  /** Prints the last line. */
  finish() {
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : '';
    clear();
    say(`${this.passed} passed, ${this.failed} failed${skipped}`);
  }
}

/**
 * Runs the work for each item, a few at a time, and gives the outcomes to the report as they come.
 * @template T
 * @param {Report} report @param {T[]} items @param {number} atOnce
 * @param {(item: T) => Promise<Outcome>} work
 */
async function runAll(report, items, atOnce, work) {
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      next += 1;
      show(`${next} of ${items.length}`);
      report.add(await work(items[next - 1]));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
}

/* At the head of a file that measures what others beside it would spoil. */
const ALONE_MARK = '/* alone: yes */';

/**
 * Which tests may run beside each other, and which run one after the other when those are done.
 * @template T
 * @param {T[]} tests @param {(test: T) => string} fileOf
 * @returns {{beside: T[], alone: T[]}}
 */
function sortOut(tests, fileOf) {
  const isAlone = (/** @type {T} */ test) => readFile(fileOf(test)).includes(ALONE_MARK);
  return { beside: tests.filter((test) => !isAlone(test)), alone: tests.filter(isAlone) };
}

module.exports = { Report, runAll, sortOut };
