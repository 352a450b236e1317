/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { countCmocka, countNode } = require('../../scripts/tap');

/** @type {[string, string, boolean, [number, number, number]][]} name, text, ended well, counts */
const CMOCKA = [
  ['all passed', '1..2\nok 1 - a\nok 2 - b\n', true, [2, 0, 0]],
  ['two groups', '1..1\nok 1 - a\n1..1\nok 1 - b\n', true, [2, 0, 0]],
  ['one failed', '1..2\nok 1 - a\nnot ok 2 - b\n# 0 != 1\n', false, [1, 1, 0]],
  ['one skipped', '1..2\nok 1 - a\nnot ok 2 # SKIP b\n', true, [1, 0, 1]],
  ['a crash in the second of three', '1..3\nok 1 - a\n', false, [1, 2, 0]],
  ['a leak found after the last test', '1..1\nok 1 - a\n', false, [1, 1, 0]],
  ['nothing printed', '', true, [0, 1, 0]],
  ['an empty group', '1..0\n', true, [0, 1, 0]],
];

for (const [name, text, endedWell, [passed, failed, skipped]] of CMOCKA) {
  test(`cmocka: ${name}`, () => {
    assert.deepEqual(countCmocka(text, endedWell), { passed, failed, skipped });
  });
}

/** @param {Record<string, number>} totals */
function summary(totals) {
  const all = {
    tests: 0,
    suites: 0,
    pass: 0,
    fail: 0,
    cancelled: 0,
    skipped: 0,
    todo: 0,
    ...totals,
  };
  return Object.entries(all)
    .map(([name, count]) => `# ${name} ${count}\n`)
    .join('');
}

/** @type {[string, string, boolean, [number, number, number]][]} */
const NODE = [
  ['all passed', summary({ tests: 2, pass: 2 }), true, [2, 0, 0]],
  ['failed and cancelled', summary({ tests: 4, pass: 1, fail: 2, cancelled: 1 }), false, [1, 3, 0]],
  ['skipped', summary({ tests: 2, pass: 1, skipped: 1 }), true, [1, 0, 1]],
  ['no summary', 'ok 1 - a\n', false, [0, 1, 0]],
  ['no test', summary({}), true, [0, 1, 0]],
  ['passed, but a bad end', summary({ tests: 1, pass: 1 }), false, [1, 1, 0]],
  ['a test printed a summary', `# tests 9\n${summary({ tests: 1, pass: 1 })}`, true, [1, 0, 0]],
];

for (const [name, text, endedWell, [passed, failed, skipped]] of NODE) {
  test(`node: ${name}`, () => {
    assert.deepEqual(countNode(text, endedWell), { passed, failed, skipped });
  });
}
