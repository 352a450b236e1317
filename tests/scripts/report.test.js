/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What counts of tests that ran. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Report } = require('../../scripts/report');

test('what runs once more does not count before', (t) => {
  /** @type {string[]} */
  const lines = [];
  t.mock.method(process.stdout, 'write', (/** @type {string} */ text) => lines.push(text) > 0);
  const report = new Report();
  const failed = { name: 'a', passed: 3, failed: 1, skipped: 1, output: 'why' };
  report.add({ ...failed, again: true, note: 'runs again alone' });
  assert.deepEqual([report.passed, report.failed, report.skipped], [0, 0, 0]);
  report.add({ name: 'a', passed: 4, failed: 0, skipped: 1 });
  assert.deepEqual([report.passed, report.failed, report.skipped], [4, 0, 1]);
  report.add({ ...failed, name: 'b' });
  assert.deepEqual([report.passed, report.failed, report.skipped], [7, 1, 2]);
  t.mock.restoreAll();
  const text = lines.join('');
  assert.match(text, /late a +3 passed, 1 failed, 1 skipped {2}runs again alone\n +\| why\n/);
  assert.match(text, /ok {3}a +4 passed, 1 skipped\n/);
  assert.match(text, /FAIL b +3 passed, 1 failed, 1 skipped\n +\| why\n/);
});
