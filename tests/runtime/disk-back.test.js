/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A disk that is bad at the start, or gets so, and is mended while the runtime runs. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { lacks, waitFor } = require('../support');
const { runBusbar } = require('../support/busbar');
const { arrivalsOf, checkArrivals, startCounter, waitForAll } = require('../support/counter');
const disk = require('../support/disk');
const { listen } = require('../support/listener');
const { startRuntime } = require('../support/runtime');

/** @typedef {import('node:test').TestContext} TestContext */

const SKIP = { skip: lacks('mosquitto') || disk.lacksMounts() };
const TOLD = /goes on with what its memory holds and tries again/;
const UNWRITABLE = /the data directory .* cannot be written .*: nothing is kept across a restart/;

/** Two sinks: `bus`, whose way is closed, and `live`. @param {TestContext} t */
async function openBoth(t) {
  const plant = await disk.openPlant(t);
  const live = { id: 'live', mqtt: { url: plant.broker.url, topic: 'other' }, devices: ['*'] };
  const others = await listen(t, plant.broker.url, { topic: 'other' });
  return { ...plant, others, config: { ...plant.config, sinks: [...plant.config.sinks, live] } };
}

/** What waited comes after a kill, too: it was saved. @param {TestContext} t
 * @param {import('../support/runtime').Runtime} runtime
 * @param {{data: string, config: any, counter: any, listener: any, way: any}} plant */
async function checkAfterKill(t, runtime, { data, config, counter, listener, way }) {
  await runtime.stop('SIGKILL');
  await way.start();
  const next = await startRuntime(t, config, { data });
  const after = await startCounter(t, next, { last: counter.last });
  await after.send(5);
  await waitForAll(() => arrivalsOf(listener), after.last);
  checkArrivals(arrivalsOf(listener), after);
}

/** Why a data directory is bad at the start: how it comes to be so, how that ends, and what the log says
 * of the directory and of the store. */
const BAD = [
  {
    name: 'a full disk',
    spoil: (/** @type {string} */ data) => {
      const ballast = disk.fillUp(data);
      return () => fs.rmSync(ballast);
    },
    directory: /no space left on device\): .*; free space there/,
    store: /store\.db: .*(full|no space|room)/,
    back: / store: works again\n/,
  },
  {
    name: 'a read-only disk',
    spoil: disk.makeReadOnly,
    directory: /read-only file system\)/,
    store: /store\.db: it may not be written/,
    back: / store: works again; 51 batches that earlier runs left follow as history\n/,
  },
  {
    name: 'a read-only store',
    spoil: (/** @type {string} */ data) => disk.coverReadOnly(path.join(data, 'store.db')),
    directory: null,
    store: /store\.db: it may not be (written|opened)/,
    back: / store: works again; 51 batches that earlier runs left follow as history\n/,
  },
];

for (const { name, spoil, directory, store, back } of BAD) {
  test(`${name} at the start: live goes on, and the backlog comes back`, SKIP, async (t) => {
    const { listener, way, config, others } = await openBoth(t);
    const data = disk.mountSmall(t, '2m');
    const first = await startRuntime(t, config, { data });
    const before = await startCounter(t, first);
    await before.isReady('live', true);
    await before.send(50);
    await before.committed('bus');
    await first.stop();
    const mend = spoil(data);
    const runtime = await startRuntime(t, config, { data });
    const counter = await startCounter(t, runtime, { last: before.last });
    await counter.isReady('live', true);
    await counter.send(20);
    await waitForAll(() => arrivalsOf(others), counter.last);
    checkArrivals(arrivalsOf(others), counter);
    await runtime.program.waitForOutput(TOLD);
    const asked = await runBusbar(['store', 'status', '--data', data]);
    assert.equal(asked.code, 0, asked.stderr);
    const toldOf = runtime.log.split('\n').filter((line) => TOLD.test(line));
    assert.equal(toldOf.length, 1, runtime.log);
    assert.match(toldOf[0], store);
    assert.equal(disk.count(runtime, UNWRITABLE), directory ? 1 : 0, runtime.log);
    if (directory) assert.match(runtime.log, directory);
    mend();
    await runtime.program.waitForOutput(back, { timeoutMs: 60000 });
    if (directory) {
      await runtime.program.waitForOutput(/the data directory .* can be written again/);
      assert.ok(fs.existsSync(path.join(data, 'runtime.json')), 'who looks for it finds it');
    }
    await counter.committed('bus');
    assert.equal(disk.count(runtime, / store: works again/), 1, runtime.log);
    assert.equal(disk.count(runtime, TOLD), 1, runtime.log);
    assert.equal((await counter.sinks()).bus.dropped, 0);
    await checkAfterKill(t, runtime, { data, config, counter, listener, way });
  });
}

test('a disk that becomes full, then read-only, is told once and used again', SKIP, async (t) => {
  const { listener, way, config, others } = await openBoth(t);
  const data = disk.mountSmall(t, '2m');
  const alias = disk.mountAgain(t, data);
  const runtime = await startRuntime(t, config, { data });
  const counter = await startCounter(t, runtime);
  await counter.isReady('live', true);
  await counter.send(50);
  await counter.committed('bus');
  disk.fillUp(data);
  await counter.send(200);
  await runtime.program.waitForOutput(TOLD);
  const uncover = disk.coverReadOnly(data);
  fs.rmSync(path.join(alias, 'ballast'));
  const isReadOnly = async () =>
    /it may not be (written|opened)/.test((await counter.client.must('status')).store.reason);
  await waitFor(isReadOnly, { timeoutMs: 30000, what: 'the store to be read-only' });
  await counter.send(50);
  await waitForAll(() => arrivalsOf(others), counter.last);
  checkArrivals(arrivalsOf(others), counter);
  uncover();
  await runtime.program.waitForOutput(/ store: works again\n/, { timeoutMs: 30000 });
  await counter.committed('bus');
  assert.equal(disk.count(runtime, TOLD), 1, runtime.log);
  assert.equal((await counter.sinks()).bus.dropped, 0);
  await checkAfterKill(t, runtime, { data, config, counter, listener, way });
});
