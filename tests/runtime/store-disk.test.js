/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A disk that is full, a folder that cannot be written, and a store that is damaged or not ours. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
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
const { atEnd } = require('../support/end');
const { startForwarder } = require('../support/forwarder');
const { listen } = require('../support/listener');
const { startRuntime } = require('../support/runtime');

/** @typedef {import('node:test').TestContext} TestContext */

const MOSQUITTO = lacks('mosquitto');

/** Why no file system can be mounted here, or false. */
function lacksMounts() {
  if (process.getuid?.() !== 0) return 'only root may mount a small file system';
  const folder = fs.mkdtempSync('/tmp/bb-mount-');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return false;
  } catch {
    return 'no file system can be mounted in here';
  } finally {
    fs.rmdirSync(folder);
  }
}

const MOUNTS = lacksMounts();

/** A file system of its own, gone with the test. @param {TestContext} t @param {string} size */
function mountSmall(t, size) {
  const folder = tempDir(t);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  atEnd(t, () => execFileSync('umount', ['-l', folder]));
  return folder;
}

/** How often the log says it. @param {import('../support/runtime').Runtime} runtime
 * @param {RegExp} pattern */
function count(runtime, pattern) {
  return runtime.log.split('\n').filter((line) => pattern.test(line)).length;
}

/** A broker behind a way that is closed at first. @param {TestContext} t */
async function openPlant(t) {
  const broker = await startMosquitto(t, {
    config: ['max_queued_messages 0', 'max_inflight_messages 0'],
  });
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const way = await startForwarder(t, broker.port);
  await way.stop();
  const config = {
    ...describeCounters('m'),
    sinks: [{ id: 'bus', mqtt: { url: `mqtt://127.0.0.1:${way.port}` }, devices: ['*'] }],
    runtime: { store: { sync: '100ms' } },
  };
  return { broker, listener, way, config };
}

/** @param {string} folder */
function fillUp(folder) {
  const file = path.join(folder, 'ballast');
  const fd = fs.openSync(file, 'w');
  const piece = Buffer.alloc(4096);
  try {
    for (;;) fs.writeSync(fd, piece);
  } catch (error) {
    assert.equal(/** @type {any} */ (error).code, 'ENOSPC');
  } finally {
    fs.closeSync(fd);
  }
  return file;
}

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

/** Why a data directory cannot be used, and how it comes to be so. */
const UNUSABLE = [
  {
    name: 'without room',
    reason: /no space left on device/,
    spoil: fillUp,
    mend: (/** @type {string} */ folder) => fs.rmSync(path.join(folder, 'ballast')),
  },
  {
    name: 'that is read-only',
    reason: /read-only file system/,
    spoil: (/** @type {string} */ folder) => execFileSync('mount', ['-o', 'remount,ro', folder]),
    mend: (/** @type {string} */ folder) => execFileSync('mount', ['-o', 'remount,rw', folder]),
  },
];

for (const { name, reason, spoil, mend } of UNUSABLE) {
  const skip = MOSQUITTO || MOUNTS;
  test(`a data directory ${name} is told, and what it holds comes later`, { skip }, async (t) => {
    const { listener, way, config } = await openPlant(t);
    const data = mountSmall(t, '2m');
    const first = await startRuntime(t, config, { data });
    const before = await startCounter(t, first);
    await before.send(50);
    await before.committed('bus');
    await first.stop();
    spoil(data);
    await way.start();
    const without = await startRuntime(t, config, { data });
    const ready = async () => (await without.get('/readyz')).status === 200;
    await waitFor(ready, { what: 'it to be ready all the same' });
    assert.equal(count(without, /the data directory .* cannot be written/), 1, without.log);
    assert.match(without.log, reason);
    await without.stop();
    mend(data);
    const again = await startRuntime(t, config, { data });
    const after = await startCounter(t, again, { last: before.last });
    await after.send(5);
    await waitForAll(() => arrivalsOf(listener), after.last);
    checkArrivals(arrivalsOf(listener), after);
  });
}

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
