/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Counts tests in what cmocka and Node.js print in the Test Anything Protocol. What a program
   planned and did not report counts as failed: it was never seen to pass. */

/** @typedef {{passed: number, failed: number, skipped: number}} Counts */

/**
 * cmocka prints `1..N` before each group and one `ok` or `not ok` line per test; a skipped test is
 * `not ok N # SKIP name` up to version 1.1.5 and `ok N # SKIP name` later.
 * @param {string} text @param {boolean} endedWell The program ended with exit code 0.
 * @returns {Counts}
 */
function countCmocka(text, endedWell) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let planned = 0;
  for (const line of text.split('\n')) {
    const plan = /^1\.\.(\d+)\s*$/.exec(line);
    if (plan) planned += Number(plan[1]);
    else if (/^(not )?ok \d+ # SKIP/.test(line)) counts.skipped += 1;
    else if (/^ok \d+/.test(line)) counts.passed += 1;
    else if (/^not ok/.test(line)) counts.failed += 1;
  }
  const silent = planned - counts.passed - counts.failed - counts.skipped;
  counts.failed += Math.max(silent, 0);
  if (counts.failed === 0 && (!endedWell || planned === 0)) counts.failed = 1;
  return counts;
}

/**
 * Node.js ends its report with `# tests 3`, `# pass 2`, `# fail 1` and so on.
 * @param {string} text @param {boolean} endedWell
 * @returns {Counts}
 */
function countNode(text, endedWell) {
  const total = (/** @type {string} */ name) => {
    const found = [...text.matchAll(new RegExp(`^# ${name} (\\d+)$`, 'gm'))].pop();
    return found ? Number(found[1]) : 0;
  };
  const passed = total('pass');
  const skipped = total('skipped') + total('todo');
  const failed = Math.max(total('fail') + total('cancelled'), total('tests') - passed - skipped);
  const missing = failed === 0 && (!endedWell || total('tests') === 0);
  return { passed, skipped, failed: missing ? 1 : failed };
}

module.exports = { countCmocka, countNode };
