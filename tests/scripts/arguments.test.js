/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the scripts say of their command lines. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

/** @param {string} name @param {...string} words */
function runScript(name, ...words) {
  const file = path.join(__dirname, '../../scripts', `${name}.js`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...words]);
  return { status, stdout: String(stdout), stderr: String(stderr) };
}

for (const name of ['test', 'start', 'pack', 'bench']) {
  test(`${name} shows its usage`, () => {
    const { status, stdout, stderr } = runScript(name, '--help');
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^usage: npm /);
  });
  test(`${name} tells an option that it does not know, and does nothing`, () => {
    const { status, stdout, stderr } = runScript(name, '--nothing');
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /^Unknown option '--nothing'[^]*\nusage: npm /);
  });
}

test('a value that cannot be is told as well', () => {
  for (const [name, option, why] of [
    ['start', '--within=soon', /^--within takes whole seconds\nusage: /],
    ['bench', '--only=nothing', /^there is no row nothing\nusage: /],
  ]) {
    const { status, stderr } = runScript(
      /** @type {string} */ (name),
      /** @type {string} */ (option),
    );
    assert.equal(status, 2);
    assert.match(stderr, /** @type {RegExp} */ (why));
  }
});
