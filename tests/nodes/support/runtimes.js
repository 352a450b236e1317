/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The palette's Runtime beside a test, on the real executable unless another one is named:
   const { runtime, told } = makeRuntime(t); await runtime.start(); */

const fs = require('node:fs');
const path = require('node:path');
const { Runtime } = require('../../../lib/runtime');
const { isAlive, isSpawnedFor } = require('../../../lib/runtime_process');
const { BUSBAR, atEnd, tempDir, waitFor } = require('../../support');

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {import('../../../lib/runtime').RuntimeOptions} RuntimeOptions */

/** Whatever the test does, no runtime outlives it for longer. */
const LINGER = '30s';

/** The runtimes that were spawned for that directory and live. @param {string} dataDir */
function listSpawned(dataDir) {
  return fs
    .readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && isSpawnedFor(pid, dataDir) && isAlive(pid));
}

/** @param {string} dataDir */
async function endSpawned(dataDir) {
  for (const pid of listSpawned(dataDir)) process.kill(pid, 'SIGKILL');
  await waitFor(() => listSpawned(dataDir).length === 0, { what: 'the runtimes to be gone' });
}

/** A data directory that no runtime outlives. @param {TestContext} t */
function makeDataDir(t) {
  const dataDir = path.join(tempDir(t), 'data');
  atEnd(t, () => endSpawned(dataDir));
  return dataDir;
}

/** @param {TestContext} t @param {Partial<RuntimeOptions>} [options] */
function makeRuntime(t, options = {}) {
  const dataDir = options.dataDir ?? makeDataDir(t);
  /** @type {{name: string, what: any, atMs: number}[]} */
  const told = [];
  /** @type {string[]} */
  const said = [];
  const say = (/** @type {string} */ text) => void said.push(text);
  const runtime = new Runtime({
    ...{ dataDir, executable: BUSBAR, linger: LINGER, name: 'test' },
    ...{ log: { info: say, warn: say, error: say } },
    ...options,
  });
  for (const name of ['up', 'down', 'state']) {
    runtime.on(name, (what) => told.push({ name, what, atMs: Date.now() }));
  }
  atEnd(t, () => runtime.stop());
  return { runtime, dataDir, told, said };
}

/** @param {import('../../../lib/runtime').Runtime} runtime @param {string} state
 * @param {{timeoutMs?: number}} [options] */
function waitForState(runtime, state, { timeoutMs } = {}) {
  const look = () => {
    if (runtime.state === state) return true;
    throw new Error(`it is ${runtime.state}: ${runtime.sentence}`);
  };
  return waitFor(look, { timeoutMs, what: `the runtime to be ${state}` });
}

/** A program that stands in for the executable. @param {TestContext} t @param {string} script */
function makeScript(t, script) {
  const file = path.join(tempDir(t), 'busbar');
  fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

module.exports = { LINGER, listSpawned, makeDataDir, makeRuntime, makeScript, waitForState };
