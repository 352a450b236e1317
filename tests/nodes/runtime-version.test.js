/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Runtimes of other versions, and what a greeting says of a runtime's life. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { describeLife, isOlder } = require('../../lib/runtime_life');
const { findUnit, isAlive, isSpawnedFor } = require('../../lib/runtime_process');
const { startProgram } = require('../support/program');
const { HELLO } = require('./support/fake_server');
const { listSpawned, makeDataDir, makeRuntime, waitForState } = require('./support/runtimes');

const FAKE = path.join(__dirname, 'support/fake_runtime.js');
const { version: VERSION } = JSON.parse(
  fs.readFileSync(path.join(__dirname, '../../package.json'), 'utf8'),
);

/** @param {import('node:test').TestContext} t @param {object} hello @param {string[]} [more] */
async function startFake(t, hello, more = ['--linger', '1min']) {
  const dataDir = makeDataDir(t);
  fs.mkdirSync(dataDir);
  const fake = startProgram(t, {
    command: process.execPath,
    args: [FAKE, 'run', '--data', dataDir, ...more, '--hello', JSON.stringify(hello)],
  });
  await fake.waitForOutput(/listening/);
  fake.asked = true;
  return { fake, dataDir };
}

const spawned = { mode: 'spawned', killed_with: 'nothing', linger_ms: 60000, owner: 'editor' };
const service = { mode: 'service', killed_with: 'nothing', owner: 'editor' };

test('an older runtime that was spawned is replaced', async (t) => {
  const { fake, dataDir } = await startFake(t, { ...spawned, version: '0.0.9' });
  const { runtime, said } = makeRuntime(t, { dataDir });
  const hello = await runtime.start();
  assert.equal(hello?.version, VERSION, runtime.sentence);
  assert.equal(fake.running, false);
  assert.match(said.join('\n'), /is busbar 0\.0\.9, older than \S+: it is replaced/);
  await runtime.stop({ end: true });
});

test('one whose protocol is not spoken any more, too', async (t) => {
  const refuse = 'busbar 0.0.1 speaks protocol 0 to 0; use a client of its version';
  const { fake, dataDir } = await startFake(t, { ...spawned, version: '0.0.1', refuse });
  const { runtime } = makeRuntime(t, { dataDir });
  const hello = await runtime.start();
  assert.equal(hello?.version, VERSION, runtime.sentence);
  assert.equal(fake.running, false);
});

test('it is replaced once: what comes then is taken', async (t) => {
  const { dataDir } = await startFake(t, { ...spawned, version: '0.0.9' });
  const hello = JSON.stringify({ ...spawned, version: '0.0.8' });
  const executable = path.join(path.dirname(dataDir), 'older');
  const script = `#!/bin/sh\nexec ${process.execPath} ${FAKE} "$@" --hello '${hello}'\n`;
  fs.writeFileSync(executable, script, { mode: 0o755 });
  const { runtime } = makeRuntime(t, { dataDir, executable });
  assert.equal((await runtime.start())?.version, '0.0.8');
  assert.match(runtime.sentence, /it is older than this palette/);
  await runtime.stop({ end: true });
  assert.deepEqual(listSpawned(dataDir), []);
});

test('an older service is used, and it is said that it is older', async (t) => {
  const { fake, dataDir } = await startFake(t, { ...service, version: '0.0.9' }, []);
  const { runtime } = makeRuntime(t, { dataDir });
  assert.equal((await runtime.start())?.version, '0.0.9');
  assert.match(runtime.sentence, /older than this palette \(\S+\): restart it once/);
  assert.equal(await runtime.stop({ end: true }), true);
  assert.equal(fake.running, true);
});

test('a newer runtime that was spawned is used', async (t) => {
  const { fake, dataDir } = await startFake(t, { ...spawned, version: '99.0.0' });
  const { runtime } = makeRuntime(t, { dataDir });
  assert.equal((await runtime.start())?.version, '99.0.0');
  assert.doesNotMatch(runtime.sentence, /older/);
  assert.equal(runtime.stopSync(), true);
  assert.equal(isAlive(fake.pid), false);
});

test('one that nobody understands is told, and left alone', async (t) => {
  const refuse = 'busbar 99.0.0 speaks protocol 7 to 8; use a client of its version';
  for (const hello of [
    { ...service, version: '0.0.1', refuse },
    { ...spawned, version: '99.0.0', refuse },
  ]) {
    const more = hello.mode === 'spawned' ? ['--linger', '1min'] : [];
    const { fake, dataDir } = await startFake(t, hello, more);
    const { runtime } = makeRuntime(t, { dataDir });
    assert.equal(await runtime.start(), null);
    assert.equal(runtime.error?.code, 'BUSBAR_VERSION');
    assert.match(
      runtime.sentence,
      /this palette \(\S+\) do not understand each other: .*protocol 7 to 8.*update the older one/,
    );
    assert.equal(fake.running, true);
    await fake.stop();
    await waitForState(runtime, 'up');
    await runtime.stop({ end: true });
  }
});

test('versions have an order', () => {
  /** @type {[string, string, boolean][]} */
  const cases = [
    ['0.0.9', '0.1.0', true],
    ['0.9.0', '0.10.0', true],
    ['1.2.3', '1.2.3', false],
    ['1.2.3-rc1', '1.2.3', false],
    ['2.0.0', '1.9.9', false],
    ['nonsense', '1.0.0', false],
    ['1.0.0', 'nonsense', false],
  ];
  for (const [a, b, expected] of cases) assert.equal(isOlder(a, b), expected, `${a} < ${b}`);
});

test('it is said what a runtime survives', () => {
  /** @type {[Partial<import('../../lib/client').Hello>, RegExp][]} */
  const cases = [
    [{ mode: 'service' }, /^kept alive by systemd; Node-RED may stop and start as it likes$/],
    [{ mode: 'container' }, /^kept alive as a container of its own; /],
    [
      { mode: 'container', killed_with: 'container' },
      /^runs beside Node-RED in this container, and /,
    ],
    [{ mode: 'spawned' }, /^started by hand \(busbar run\); nobody starts it again/],
    [
      { mode: 'spawned', linger_ms: 900000 },
      /^spawned by Node-RED; survives a restart of Node-RED for 15 min$/,
    ],
    [
      { mode: 'spawned', linger_ms: 900000, killed_with: 'container' },
      /^spawned by Node-RED; ends with this container$/,
    ],
    [
      { mode: 'spawned', linger_ms: 900000, killed_with: 'unit' },
      /^spawned by Node-RED; ends with (\S+\.service|Node-RED's systemd service)$/,
    ],
  ];
  for (const [hello, expected] of cases) {
    const whole = /** @type {any} */ ({ ...HELLO, pid: 2 ** 22 + 1, ...hello });
    assert.match(describeLife(whole), expected);
  }
});

test('a process is known by more than its number', async (t) => {
  const { fake, dataDir } = await startFake(t, { ...spawned, version: VERSION });
  const link = path.join(path.dirname(dataDir), 'link');
  fs.symlinkSync(dataDir, link);
  assert.equal(isSpawnedFor(fake.pid, dataDir), true);
  assert.equal(isSpawnedFor(fake.pid, link), true);
  assert.equal(isSpawnedFor(fake.pid, path.dirname(dataDir)), false);
  for (const pid of [0, 1, -1, 1.5, process.pid, 2 ** 22 + 1]) {
    assert.equal(isSpawnedFor(pid, dataDir), false, `${pid}`);
  }
  assert.equal(isAlive(process.pid), true);
  assert.equal(isAlive(2 ** 22 + 1), false);
  assert.equal(findUnit(fake.pid), '');
});
