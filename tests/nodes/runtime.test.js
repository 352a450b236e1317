/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The runtime as the palette keeps it: started or attached to, left, ended. */

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { promisify } = require('node:util');
const { Runtime } = require('../../lib/runtime');
const { isAlive } = require('../../lib/runtime_process');
const { startBusbar, tempDir, waitFor } = require('../support');
const { startRuntime } = require('../support/runtime');
const { HELLO, greeting, startServer } = require('./support/fake_server');
const {
  listSpawned,
  makeDataDir,
  makeRuntime,
  makeScript,
  waitForState,
} = require('./support/runtimes');

/** @param {{name: string}[]} told @param {string} name */
const count = (told, name) => told.filter((one) => one.name === name).length;

test('a runtime is started, asked, and ended', async (t) => {
  const { runtime, dataDir, told, said } = makeRuntime(t);
  assert.equal(runtime.state, 'stopped');
  await assert.rejects(runtime.request('status'), { code: 'BUSBAR_DOWN' });
  const started = runtime.start();
  assert.equal(runtime.state, 'starting');
  assert.equal(runtime.start(), started);
  const hello = await started;
  assert.ok(hello);
  assert.deepEqual([runtime.state, runtime.hello], ['up', hello]);
  assert.deepEqual([hello.owner, hello.mode, hello.linger_ms], ['editor', 'spawned', 30000]);
  assert.equal(fs.statSync(dataDir).mode & 0o777, 0o700);
  assert.match(
    runtime.sentence,
    new RegExp(`^busbar \\S+ \\(process ${hello.pid}\\) in ${dataDir}`),
  );
  assert.match(runtime.keepsAlive(), /^spawned by Node-RED; /);
  assert.equal((await runtime.request('status')).pid, hello.pid);
  assert.match(fs.readFileSync(path.join(dataDir, 'busbar.log'), 'utf8'), /data in/);
  assert.deepEqual(said.slice(1), [runtime.sentence]);

  assert.equal(await runtime.stop({ end: true }), true);
  assert.equal(isAlive(hello.pid), false);
  assert.deepEqual([runtime.state, runtime.hello], ['stopped', null]);
  assert.throws(() => runtime.put('bus', []), { code: 'BUSBAR_DOWN' });
  assert.deepEqual([count(told, 'up'), count(told, 'down')], [1, 0], JSON.stringify(told));
});

test('a second one attaches, and the runtime outlives both', async (t) => {
  const { runtime, dataDir } = makeRuntime(t);
  const { runtime: second } = makeRuntime(t, { dataDir });
  const [a, b] = [await runtime.start(), await second.start()];
  assert.ok(a && b);
  assert.deepEqual([a.pid, a.boot], [b.pid, b.boot]);
  await runtime.stop();
  await waitFor(async () => (await second.request('status')).clients === 1, { what: 'it to go' });
  await second.stop();
  assert.deepEqual(listSpawned(dataDir), [a.pid]);
  const { runtime: third } = makeRuntime(t, { dataDir });
  assert.equal((await third.start())?.boot, 1);
  assert.equal(await third.stop({ end: true }), true);
  assert.deepEqual(listSpawned(dataDir), []);
});

test('of many that start at once one spawns, and all are up', async (t) => {
  const { runtime: first, dataDir } = makeRuntime(t);
  const all = [first, ...Array.from({ length: 7 }, () => makeRuntime(t, { dataDir }).runtime)];
  const hellos = await Promise.all(all.map((runtime) => runtime.start()));
  const pids = new Set(hellos.map((hello) => hello?.pid));
  assert.equal(pids.size, 1, JSON.stringify([...pids]));
  assert.equal(listSpawned(dataDir).length, 1);
});

test('stop and start again may follow at once', async (t) => {
  const { runtime } = makeRuntime(t);
  const first = await runtime.start();
  void runtime.stop({ end: true });
  const second = await runtime.start();
  assert.ok(first && second);
  assert.notEqual(first.pid, second.pid);
  assert.equal(isAlive(first.pid), false);
  assert.equal((await runtime.request('status')).pid, second.pid);
});

test('a stop while it starts leaves nothing behind', async (t) => {
  const { runtime, dataDir } = makeRuntime(t);
  for (const waitMs of [0, 1, 5, 20]) {
    const started = runtime.start();
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    await runtime.stop({ end: true });
    await started;
    assert.deepEqual(listSpawned(dataDir), [], `stopped after ${waitMs} ms`);
    assert.equal(runtime.state, 'stopped');
  }
});

test('several end in the time of the slowest', async (t) => {
  /* Each takes a second to end, as one that still has something to deliver. */
  const script = `trap 'sleep 1; exit 0' TERM; : >"$0.$$"; while :; do sleep 0.05; done`;
  const executable = makeScript(t, script);
  const runtimes = [1, 2, 3].map(() => makeRuntime(t, { executable }));
  for (const { runtime } of runtimes) runtime.start();
  const listAll = () => runtimes.flatMap(({ dataDir }) => listSpawned(dataDir));
  const listReady = () => listAll().filter((pid) => fs.existsSync(`${executable}.${pid}`));
  await waitFor(() => listReady().length === 3, { what: 'all three' });
  const started = Date.now();
  assert.equal(Runtime.stopAllSync(runtimes.map(({ runtime }) => runtime)), true);
  const tookMs = Date.now() - started;
  assert.ok(tookMs > 900 && tookMs < 2700, `${tookMs} ms`);
  assert.deepEqual(listAll(), []);
});

test('a service is attached to, and never ended', async (t) => {
  const service = await startRuntime(t, {});
  const { runtime } = makeRuntime(t, { dataDir: service.data });
  const { runtime: guest } = makeRuntime(t, { dataDir: service.data, mode: 'attach' });
  for (const one of [runtime, guest]) {
    assert.equal((await one.start())?.pid, service.pid);
    assert.equal(one.hello?.owner, 'file');
  }
  assert.equal(await runtime.stop({ end: true }), true);
  assert.equal(guest.stopSync(), true);
  assert.equal((await service.get('/healthz')).status, 200);
});

test('a service whose directory is not ours to write is attached to', async (t) => {
  const service = await startRuntime(t, {});
  fs.chmodSync(path.join(service.data, 'busbar.sock'), 0o666);
  fs.chmodSync(service.data, 0o555);
  const script = `
    const { Runtime } = require(process.argv[1]);
    if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); }
    const runtime = new Runtime({ dataDir: process.argv[2] });
    runtime.start().then(() => { console.log(runtime.state, runtime.sentence); process.exit(); });`;
  const args = ['-e', script, path.join(__dirname, '../../lib/runtime.js'), service.data];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  fs.chmodSync(service.data, 0o755);
  assert.match(stdout, new RegExp(`^up busbar \\S+ \\(process ${service.pid}\\)`));
});

test('who only attaches waits for a runtime, and says what to do', async (t) => {
  const dataDir = tempDir(t);
  const { runtime, told } = makeRuntime(t, { dataDir, mode: 'attach' });
  assert.equal(await runtime.start(), null);
  assert.equal(runtime.state, 'down');
  assert.match(runtime.sentence, new RegExp(`no runtime runs in ${dataDir}: start its service`));
  await assert.rejects(runtime.request('status'), {
    code: 'BUSBAR_DOWN',
    message: runtime.sentence,
  });
  const service = startBusbar(t, ['run', '--data', dataDir]);
  await waitForState(runtime, 'up');
  assert.equal(runtime.hello?.pid, service.pid);
  assert.deepEqual([count(told, 'up'), count(told, 'down')], [1, 1]);
});

test('events and values are passed on, from each connection', async (t) => {
  const { runtime } = makeRuntime(t);
  /** @type {any[]} */
  const events = [];
  runtime.on('event', (event) => events.push(event));
  runtime.on('up', () => runtime.request('subscribe'));
  for (const boot of [1, 2]) {
    assert.equal((await runtime.start())?.boot, boot);
    const document = JSON.stringify({ busbar: 1, runtime: { owner: 'editor', metrics: 'off' } });
    assert.equal((await runtime.request('apply', { document })).kept, true);
    await waitFor(() => events.filter(({ event }) => event === 'applied').length === boot, {
      what: `the event of runtime ${boot}`,
    });
    await runtime.stop({ end: true });
  }
});

test('a runtime far from its data directory is found', async (t) => {
  const dataDir = path.join(tempDir(t), 'd'.repeat(100), 'data');
  const { runtime } = makeRuntime(t, { dataDir });
  const hello = await runtime.start();
  assert.ok(hello, runtime.sentence);
  assert.equal(fs.existsSync(path.join(dataDir, 'busbar.sock')), false);
  assert.equal(await runtime.stop({ end: true }), true);
});

test('elsewhere than on Linux it says so', async (t) => {
  const { runtime, dataDir } = makeRuntime(t, { platform: 'win32' });
  assert.equal(await runtime.start(), null);
  assert.equal(runtime.state, 'down');
  assert.match(runtime.sentence, /^the runtime needs Linux, and this is win32/);
  assert.equal(fs.existsSync(dataDir), false);
});

test('who is no runtime is left alone, until a runtime is there', async (t) => {
  const { runtime, dataDir } = makeRuntime(t);
  fs.mkdirSync(dataDir);
  const file = path.join(dataDir, 'busbar.sock');
  const server = await startServer(t, () => {}, {
    file,
    onConnect: ({ socket }) => socket.write('220 mail ESMTP\r\n'),
  });
  assert.equal(await runtime.start(), null);
  assert.equal(runtime.error?.code, 'BUSBAR_PROTOCOL');
  assert.match(runtime.sentence, /busbar\.sock is no runtime of busbar: what came is no message/);
  assert.deepEqual(listSpawned(dataDir), []);
  await server.close();
  await waitForState(runtime, 'up');
});

test('one that hangs is told by its process, and taken back', async (t) => {
  const { runtime: first, dataDir } = makeRuntime(t);
  const hello = await first.start();
  assert.ok(hello);
  await first.stop();
  process.kill(hello.pid, 'SIGSTOP');
  const { runtime } = makeRuntime(t, { dataDir });
  assert.equal(await runtime.start(), null);
  assert.equal(runtime.error?.code, 'BUSBAR_TIMEOUT');
  assert.match(
    runtime.sentence,
    new RegExp(`does not answer; .*end it \\(process ${hello.pid}\\)`),
  );
  process.kill(hello.pid, 'SIGCONT');
  await waitForState(runtime, 'up');
  assert.equal(runtime.hello?.pid, hello.pid);
});

test('a lock that another one holds, who does not answer, is told', async (t) => {
  const dataDir = makeDataDir(t);
  const service = startBusbar(t, ['run', '--data', dataDir]);
  const record = path.join(dataDir, 'runtime.json');
  await waitFor(() => fs.existsSync(record), { what: 'it to be there' });
  fs.rmSync(record);
  fs.rmSync(path.join(dataDir, 'busbar.sock'));
  const { runtime, told } = makeRuntime(t, { dataDir });
  assert.equal(await runtime.start(), null);
  assert.match(runtime.sentence, new RegExp(`${dataDir} is in use by process ${service.pid} `));
  await service.stop();
  await waitForState(runtime, 'up');
  assert.deepEqual([count(told, 'up'), count(told, 'down')], [1, 1]);
});

test('listeners that throw are told in the log, and stop nothing', async (t) => {
  const onRequest = greeting((request, peer) => {
    peer.tell({ event: 'one' });
    peer.answer(request);
  });
  const server = await startServer(t, onRequest, { file: path.join(tempDir(t), 'busbar.sock') });
  const dataDir = path.dirname(server.file);
  const { runtime, said } = makeRuntime(t, { dataDir, mode: 'attach' });
  for (const name of ['up', 'event']) {
    runtime.on(name, () => {
      throw new Error(`mine, of ${name}`);
    });
  }
  assert.equal((await runtime.start())?.pid, HELLO.pid);
  assert.deepEqual(await runtime.request('status'), {});
  for (const name of ['up', 'event']) {
    const line = said.find((text) => text.includes(`mine, of ${name}`));
    assert.match(line ?? '', /^a listener for "\w+" of the runtime failed: .*runtime\.test\.js/s);
  }
});

/** What could be left behind. */
function takeStock() {
  const resources = process.getActiveResourcesInfo().filter((name) => name !== 'Immediate');
  return {
    descriptors: fs.readdirSync('/proc/self/fd').length,
    resources: resources.sort().join(' '),
    listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
  };
}

test('fifty lives leave nothing behind', async (t) => {
  const { runtime, dataDir } = makeRuntime(t);
  await runtime.start();
  await runtime.stop({ end: true });
  const before = takeStock();
  for (let i = 0; i < 50; i++) {
    await runtime.start();
    assert.equal(runtime.state, 'up', runtime.sentence);
    assert.equal(await runtime.stop({ end: i % 5 !== 0 }), true);
  }
  assert.equal(await runtime.start().then(() => runtime.stop({ end: true })), true);
  assert.deepEqual(takeStock(), before);
  assert.deepEqual(listSpawned(dataDir), []);
  assert.deepEqual(
    ['up', 'down', 'state'].map((name) => runtime.listenerCount(name)),
    [1, 1, 1],
  );
});
