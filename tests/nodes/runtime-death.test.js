/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Deaths: of the runtime, which is started again, and of the process that has spawned it. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { isAlive } = require('../../lib/runtime_process');
const { BUSBAR, atEnd, waitFor } = require('../support');
const { LINGER, listSpawned, makeDataDir } = require('./support/runtimes');
const { makeRuntime, makeScript, waitForState } = require('./support/runtimes');

const PARENT = path.join(__dirname, 'support/parent.js');

test('a runtime that was killed is up again soon, with one down', async (t) => {
  const { runtime, told } = makeRuntime(t);
  const first = await runtime.start();
  assert.ok(first);
  const asked = assert.rejects(runtime.request('read', { device: 'none' }).then(() => {}));
  const killedMs = Date.now();
  process.kill(first.pid, 'SIGKILL');
  await asked;
  await waitFor(() => runtime.hello && runtime.hello.pid !== first.pid, { what: 'the next one' });
  const took = Date.now() - killedMs;
  assert.ok(took < 2000, `${took} ms`);
  assert.equal(runtime.hello?.boot, 2);
  const names = told.map(({ name }) => name).filter((name) => name !== 'state');
  assert.deepEqual(names, ['up', 'down', 'up']);
  const states = told.filter(({ name }) => name === 'state').map(({ what }) => what);
  assert.deepEqual(
    [...new Set(states.map(({ state }) => state))],
    ['starting', 'up', 'down'],
    JSON.stringify(states),
  );
  assert.match(states.at(-2).sentence, /ended with signal SIGKILL, after the line: /);
});

test('a runtime that another one spawned is started again, too', async (t) => {
  const { runtime: first, dataDir } = makeRuntime(t);
  const { runtime: second } = makeRuntime(t, { dataDir });
  const hello = await first.start();
  assert.ok(hello);
  await second.start();
  process.kill(hello.pid, 'SIGKILL');
  for (const one of [first, second]) {
    await waitFor(() => one.hello && one.hello.boot === 2, { what: 'both to be up again' });
  }
  assert.equal(first.hello?.pid, second.hello?.pid);
  assert.equal(listSpawned(dataDir).length, 1);
});

test('one that ends again and again is given rest, and its last line is told', async (t) => {
  const runs = path.join(makeDataDir(t), '../runs');
  const executable = makeScript(
    t,
    `echo run >>${runs}; echo "2026-01-31T08:15:00.123Z error no luck" >&2; exit 3`,
  );
  const { runtime, dataDir, told, said } = makeRuntime(t, { executable });
  assert.equal(await runtime.start(), null);
  assert.match(runtime.sentence, /^the runtime in \S+ ended with exit code 3: no luck/);
  const told5 =
    /ended 5 times soon after its start, last with exit code 3: no luck; next try in 30 s$/;
  await waitFor(() => told5.test(runtime.sentence), { what: 'the rest', timeoutMs: 15000 });
  assert.equal(fs.readFileSync(runs, 'utf8'), 'run\n'.repeat(5));
  assert.equal(told.filter(({ name }) => name === 'down').length, 1);
  assert.equal(said.filter((text) => /ended/.test(text)).length, 2, said.join('\n'));
  await runtime.stop();
  assert.deepEqual(listSpawned(dataDir), []);
});

test('the count of quick ends goes with a runtime that lives', async (t) => {
  const { runtime, dataDir } = makeRuntime(t);
  await runtime.start();
  for (let boot = 1; boot <= 4; boot++) {
    await waitFor(() => runtime.hello?.boot === boot, { what: `runtime ${boot}` });
    process.kill(listSpawned(dataDir)[0], 'SIGKILL');
  }
  await waitFor(() => runtime.hello?.boot === 5, { what: 'the fifth' });
  assert.equal(runtime.starter.quickEnds, 4);
});

/** Node-RED, as far as a runtime sees of it. @param {import('node:test').TestContext} t
 * @param {string} dataDir */
async function startParent(t, dataDir) {
  const child = spawn(process.execPath, [PARENT, dataDir, BUSBAR, LINGER], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  atEnd(t, () => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  const hello = JSON.parse(String(line));
  return { child, hello, pid: /** @type {number} */ (child.pid) };
}

test('a parent that is killed leaves its runtime, which is attached to again', async (t) => {
  const dataDir = makeDataDir(t);
  const { child, hello } = await startParent(t, dataDir);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { runtime } = makeRuntime(t, { dataDir });
  const again = await runtime.start();
  assert.ok(again);
  assert.deepEqual([again.pid, again.boot], [hello.pid, hello.boot]);
  assert.equal(await runtime.stop({ end: true }), true);
  assert.equal(isAlive(hello.pid), false);
});

test('a whole process group that is killed leaves its runtime', async (t) => {
  const dataDir = makeDataDir(t);
  const { child, hello, pid } = await startParent(t, dataDir);
  process.kill(-pid, 'SIGKILL');
  await once(child, 'exit');
  const { runtime } = makeRuntime(t, { dataDir, mode: 'attach' });
  const again = await runtime.start();
  assert.deepEqual([again?.pid, again?.boot], [hello.pid, 1]);
});

test('a clean exit ends the runtime, another one does not', async (t) => {
  const dataDir = makeDataDir(t);
  const first = await startParent(t, dataDir);
  first.child.stdin.write('1');
  assert.deepEqual(await once(first.child, 'exit'), [1, null]);
  assert.equal(isAlive(first.hello.pid), true);

  /* This one has attached, so that the runtime is no child of it. */
  const second = await startParent(t, dataDir);
  assert.equal(second.hello.pid, first.hello.pid);
  second.child.stdin.write('0');
  assert.deepEqual(await once(second.child, 'exit'), [0, null]);
  assert.equal(isAlive(first.hello.pid), false);

  /* And of this one it is. */
  const third = await startParent(t, dataDir);
  const started = Date.now();
  third.child.stdin.write('0');
  assert.deepEqual(await once(third.child, 'exit'), [0, null]);
  assert.equal(isAlive(third.hello.pid), false);
  assert.ok(Date.now() - started < 3000, `${Date.now() - started} ms`);
});

test('a runtime that nobody comes back to ends by itself', async (t) => {
  const { runtime, dataDir } = makeRuntime(t, { linger: '1s' });
  const hello = await runtime.start();
  assert.ok(hello);
  await runtime.stop();
  assert.equal(isAlive(hello.pid), true);
  await waitFor(() => listSpawned(dataDir).length === 0, { what: 'its end' });
});

test('a runtime that ends in order is started again', async (t) => {
  const { runtime, said } = makeRuntime(t);
  await runtime.start();
  await runtime.request('stop');
  await waitForState(runtime, 'down');
  await waitForState(runtime, 'up');
  assert.equal(runtime.hello?.boot, 2, said.join('\n'));
});
