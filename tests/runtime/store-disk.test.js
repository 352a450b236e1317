/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A disk that is full, a folder that cannot be written, and a store that is damaged or not ours. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { lacks, startMosquitto, tempDir, waitFor } = require('../support');
const {
  arrivalsOf,
  checkArrivals,
  describeCounters,
  startCounter,
  waitForAll,
} = require('../support/counter');
const { count, fillUp, lacksMounts, mountSmall, openPlant } = require('../support/disk');
const { startForwarder } = require('../support/forwarder');
const { listen } = require('../support/listener');
const { startRuntime } = require('../support/runtime');

/** @typedef {import('node:test').TestContext} TestContext */

const MOSQUITTO = lacks('mosquitto');

const MOUNTS = lacksMounts();

test(
  'a full disk is told once, and what waited is saved when there is room',
  {
    skip: MOSQUITTO || MOUNTS,
  },
  async (t) => {
    const { broker, listener, way, config } = await openPlant(t);
    const data = mountSmall(t, '2m');
    const other = { id: 'live', mqtt: { url: broker.url, topic: 'other' }, devices: ['*'] };
    const both = { ...config, sinks: [...config.sinks, other] };
    const runtime = await startRuntime(t, both, { data });
    const counter = await startCounter(t, runtime);
    const others = await listen(t, broker.url, { topic: 'other' });
    await counter.isReady('live', true);
    await counter.send(100);
    await counter.committed('bus');
    const ballast = fillUp(data);
    await counter.send(200);
    await runtime.program.waitForOutput(
      / store: .*(full|no room|space).*goes on with what its memory/,
    );
    await counter.send(200);
    await waitForAll(() => arrivalsOf(others), counter.last);
    checkArrivals(arrivalsOf(others), counter);
    const tries = 3;
    for (let i = 0; i < tries; i++) await counter.send(10);
    assert.equal(count(runtime, /goes on with what its memory holds/), 1, runtime.log);
    fs.rmSync(ballast);
    await runtime.program.waitForOutput(/ store: works again/, { timeoutMs: 30000 });
    await counter.committed('bus');
    await runtime.stop('SIGKILL');
    await way.start();
    const next = await startRuntime(t, both, { data });
    const after = await startCounter(t, next, { last: counter.last });
    await after.send(5);
    await waitForAll(() => arrivalsOf(listener), after.last);
    checkArrivals(arrivalsOf(listener), after);
  },
);

/** What may have happened to the store's file. */
const DAMAGES = [
  {
    name: 'bytes in the middle',
    damage: (/** @type {string} */ file) => {
      const bytes = fs.readFileSync(file);
      for (let at = 4096; at < bytes.length; at += 4096) bytes.fill(0xa5, at + 8, at + 300);
      fs.writeFileSync(file, bytes);
    },
  },
  {
    name: 'its end missing',
    damage: (/** @type {string} */ file) =>
      fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2) - 1000),
  },
  {
    name: 'garbage',
    damage: (/** @type {string} */ file) =>
      fs.writeFileSync(
        file,
        Buffer.from(Array.from({ length: 20000 }, (_, i) => (i * 7919) & 255)),
      ),
  },
];

for (const { name, damage } of DAMAGES) {
  test(`a store with ${name} is set aside, and all goes on`, { skip: MOSQUITTO }, async (t) => {
    const { listener, way, config } = await openPlant(t);
    const data = tempDir(t);
    const first = await startRuntime(t, config, { data });
    const before = await startCounter(t, first, { noise: 20 });
    await before.send(1000);
    await before.committed('bus');
    await first.stop();
    damage(path.join(data, 'store.db'));
    const runtime = await startRuntime(t, config, { data });
    const counter = await startCounter(t, runtime);
    await way.start();
    await counter.send(500);
    const heard = () => arrivalsOf(listener).filter(({ history }) => !history);
    await waitForAll(heard, counter.last);
    checkArrivals(heard(), counter);
    await runtime.program.waitForOutput(/ store: damaged: .*it was set aside as/);
    assert.equal(count(runtime, /set aside/), 1, runtime.log);
    const aside = fs.readdirSync(data).filter((file) => /^store\.db\.damaged-\w+$/.test(file));
    assert.equal(aside.length, 1, fs.readdirSync(data).join(' '));
    /* And the fresh one works: what waits outlives a kill. */
    await counter.drained('bus');
    await way.stop();
    await counter.isReady('bus', false);
    await counter.send(100);
    await counter.committed('bus');
    await runtime.stop('SIGKILL');
    await way.start();
    const next = await startRuntime(t, config, { data });
    await waitFor(() => arrivalsOf(listener).filter(({ n }) => n > 500 && n <= 600).length >= 100, {
      what: 'what the fresh store held',
    });
    assert.equal(count(next, /damaged/), 0, next.log);
  });
}

test(
  'a byte that has changed costs the records of its pack only',
  { skip: MOSQUITTO },
  async (t) => {
    const { listener, way, config } = await openPlant(t);
    const data = tempDir(t);
    const first = await startRuntime(t, config, { data });
    const before = await startCounter(t, first, { noise: 20 });
    while (before.last < 2000) {
      await before.send(200);
      await before.committed('bus');
    }
    await first.stop();
    const file = path.join(data, 'store.db');
    const bytes = fs.readFileSync(file);
    bytes[Math.floor(bytes.length / 8192) * 4096 + 2000] ^= 1;
    fs.writeFileSync(file, bytes);
    await way.start();
    const runtime = await startRuntime(t, config, { data });
    const counter = await startCounter(t, runtime, { last: before.last });
    await counter.send(1);
    await counter.drained('bus');
    const [, lost] = await runtime.program.waitForOutput(
      / store: (\d+) records of bus are damaged/,
    );
    assert.equal(count(runtime, /damaged/), 1, runtime.log);
    const least = counter.last - Number(lost);
    await waitFor(() => arrivalsOf(listener).length >= least, { what: `${least} of them` });
    const numbers = arrivalsOf(listener).map(({ n }) => n);
    /* The marks are records, too. */
    assert.ok(numbers.length <= least + before.marks, `${numbers.length} came, ${lost} are lost`);
    assert.ok(Number(lost) < 1000, `${lost} of 2000 are lost`);
    assert.equal(new Set(numbers).size, numbers.length);
  },
);

test('a store of a later version is refused in one sentence', async (t) => {
  const data = tempDir(t);
  const config = { runtime: { store: { sync: '100ms' } } };
  const first = await startRuntime(t, config, { data });
  await first.stop();
  const file = path.join(data, 'store.db');
  const bytes = fs.readFileSync(file);
  /* user_version, a big-endian number: https://www.sqlite.org/fileformat2.html#the_database_header */
  assert.equal(bytes.readUInt32BE(60), 1);
  bytes.writeUInt32BE(7, 60);
  fs.writeFileSync(file, bytes);
  const runtime = await startRuntime(t, config, { data, awake: false });
  const { code } = await runtime.program.end();
  assert.equal(code, 1);
  assert.match(runtime.log, /written by a later version of Busbar \(7, this one knows 1\)/);
  assert.equal(count(runtime, /version of Busbar/), 1, runtime.log);
  assert.deepEqual(fs.readFileSync(file), bytes, 'it is left as it is');
});
