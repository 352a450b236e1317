/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { StepError, run, runStep } = require('../../scripts/command');
const { findChromium } = require('../../scripts/peers/chromium');
const { isSupported, writeInstallScript } = require('../../scripts/packages');
const { checkNode } = require('../../scripts/setup');
const { decodeHex } = require('../../scripts/suites/fuzz');
const { tempDir } = require('../support/place');

/** @type {[string, boolean][]} */
const RELEASES = [
  ['ID=debian\nVERSION_ID="12"\n', true],
  ['ID=debian\nVERSION_ID="11"\n', false],
  ['PRETTY_NAME="Debian GNU/Linux trixie/sid"\nID=debian\n', true],
  ['ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\n', true],
  ['ID=ubuntu\nID_LIKE=debian\nVERSION_ID="20.04"\n', false],
  ['ID=fedora\nVERSION_ID=40\n', false],
  ['', false],
];

for (const [text, supported] of RELEASES) {
  test(`os-release ${JSON.stringify(text)} is ${supported ? '' : 'not '}supported`, () => {
    assert.equal(isSupported(text), supported);
  });
}

test('an old Node.js is refused in one sentence', () => {
  assert.equal(checkNode('22.1.0'), '22.1.0');
  assert.throws(
    () => checkNode('18.19.0'),
    /needs Node\.js 20 or newer; this is Node\.js 18\.19\.0/,
  );
});

test('a Chromium that cannot run is none', (t) => {
  const { PATH } = process.env;
  const [broken, right] = [1, 0].map((code) => {
    const folder = tempDir(t);
    fs.writeFileSync(`${folder}/chromium`, `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
    return folder;
  });
  t.after(() => void (process.env.PATH = PATH));
  process.env.PATH = broken;
  assert.notEqual(findChromium(), `${broken}/chromium`);
  process.env.PATH = `${broken}:${right}`;
  assert.equal(findChromium(), `${right}/chromium`);
});

test('the install script is a script that sh accepts', async () => {
  for (const names of [['cmake'], ['cmake', 'mosquitto', 'influxdb']]) {
    const { code, output } = await run('sh', ['-n', '-c', writeInstallScript(names)]);
    assert.deepEqual({ code, output }, { code: 0, output: '' });
  }
});

test('only services of packages being installed are switched off', () => {
  assert.doesNotMatch(writeInstallScript(['cmake']), /systemctl/);
  assert.match(writeInstallScript(['cmake', 'mosquitto']), /disable -q mosquitto\.service \|\|/);
});

test('a failing step tells its last 40 lines and what to do', async () => {
  const script = 'i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo line $i; done; exit 3';
  const failing = runStep('sh', ['-c', script], { what: 'Counting', advice: 'Count less.' });
  await assert.rejects(failing, (error) => {
    assert.ok(error instanceof StepError);
    const lines = error.output.split('\n');
    assert.deepEqual([lines.length, lines[0], lines[39]], [40, 'line 11', 'line 50']);
    assert.match(error.message, /^Counting: .* failed with exit code 3\.$/);
    assert.equal(error.advice, 'Count less.');
    return true;
  });
});

test('a command that does not exist is named', async () => {
  const failing = runStep('no-such-command', [], { what: 'Step', advice: '' });
  await assert.rejects(failing, /Step: no-such-command could not be started/);
});

/** The state letter in /proc: Z and X are dead. @param {number} pid */
function stateOf(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0];
  } catch {
    return 'X';
  }
}

test('a time limit ends the program and what it started', async () => {
  const result = await run('sh', ['-c', 'sleep 100 & echo $!; wait'], { timeoutMs: 300 });
  assert.equal(result.timedOut, true);
  const child = Number(result.output);
  assert.ok(child > 1, `output: ${result.output}`);
  assert.match(stateOf(child), /^[ZX]$/);
});

test('a vector in hex may have blanks and comments', () => {
  assert.deepEqual([...decodeHex('# read\n00 01  0a\nFF # end\n')], [0, 1, 10, 255]);
});
