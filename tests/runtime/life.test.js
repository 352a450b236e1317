/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A runtime that a client has spawned: how long it lives without one, where its log goes, what it
   says about itself, and what SIGHUP changes. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { lacks, runBusbar, startBusbar, startProgram, tempDir, waitFor } = require('../support');
const { startRuntime } = require('../support/runtime');
const { connectSocket } = require('../support/socket');

/** @typedef {import('node:test').TestContext} TestContext */

const DOCUMENT = JSON.stringify({ busbar: 1, runtime: { owner: 'editor', metrics: 'off' } });
const LOG_BYTES = 5 << 20;

/** @param {TestContext} t @param {string} linger */
function spawn(t, linger) {
  const data = tempDir(t);
  return { data, program: startBusbar(t, ['run', '--data', data, '--linger', linger]) };
}

/** As the kernel says it: T is stopped. @param {number} pid */
function stateOf(pid) {
  return /^State:\t(\w)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
}

/** @param {import('../support').Program} program @param {RegExp} said */
async function endsByItself(program, said) {
  assert.deepEqual(await program.end(), { code: 0, signal: null });
  assert.match(program.stderr, said);
  assert.match(program.stderr, /stopped\n$/);
}

test('a runtime that nobody connects to ends after its time', async (t) => {
  const { program } = spawn(t, '200ms');
  await endsByItself(program, /no client has connected for 200 ms \(--linger\): it ends/);
});

test('it ends when the client that applied has been gone for so long', async (t) => {
  const { data, program } = spawn(t, '1s');
  const watcher = await connectSocket(t, data, { name: 'watcher' });
  const owner = await connectSocket(t, data, { name: 'owner' });
  await owner.must('apply', { document: DOCUMENT });
  const left = Date.now();
  owner.close();
  await watcher.waitForClose();
  assert.ok(Date.now() - left > 900, `after ${Date.now() - left} ms`);
  await endsByItself(program, /no client has come back for 1 s \(--linger\): it ends/);
});

test('a client that comes back in time stops the clock', async (t) => {
  const { data, program } = spawn(t, '1s');
  const first = await connectSocket(t, data);
  await first.must('apply', { document: DOCUMENT });
  first.close();
  const second = await connectSocket(t, data);
  const over = Date.now() + 2000;
  await waitFor(async () => (await second.ask('status')).ok && Date.now() > over, {
    what: 'two seconds to pass',
  });
  assert.ok(program.running);
  second.close();
  await endsByItself(program, /no client has come back/);
});

test('a client that applies while the clock runs stops it', async (t) => {
  const { data } = spawn(t, '1s');
  const first = await connectSocket(t, data);
  const second = await connectSocket(t, data);
  await first.must('apply', { document: DOCUMENT });
  first.close();
  await waitFor(async () => (await second.ask('apply', { document: DOCUMENT })).ok, {
    what: 'the first owner to be gone',
  });
  const over = Date.now() + 2000;
  await waitFor(async () => (await second.ask('status')).ok && Date.now() > over, {
    what: 'two seconds to pass',
  });
});

test('who only watches holds it, where nobody has applied', async (t) => {
  const { data, program } = spawn(t, '0');
  const first = await connectSocket(t, data);
  const second = await connectSocket(t, data);
  const mute = await connectSocket(t, data, { hello: false });
  first.close();
  await waitFor(async () => (await second.must('status')).clients === 2, {
    what: 'the first to be gone',
  });
  second.close();
  await mute.waitForClose();
  await endsByItself(program, /its client has left \(--linger 0\): it ends/);
});

test('a signal ends it in order while the clock runs', async (t) => {
  const { data, program } = spawn(t, '15min');
  const client = await connectSocket(t, data);
  client.close();
  assert.deepEqual(await program.stop(), { code: 0, signal: null });
});

test('hello tells what its life hangs on', async (t) => {
  const { data } = spawn(t, '15min');
  const client = await connectSocket(t, data, { hello: false });
  const answer = await client.must('hello', { protocol: [1, 1] });
  assert.deepEqual([answer.data, answer.linger_ms, answer.mode], [data, 900000, 'spawned']);
  assert.ok(['nothing', 'unit', 'container'].includes(answer.killed_with), answer.killed_with);

  const runtime = await startRuntime(t, {});
  const other = await connectSocket(t, runtime.data, { hello: false });
  const { linger_ms: linger, mode } = await other.must('hello', { protocol: [1, 1] });
  assert.equal(linger, undefined);
  assert.ok(['spawned', 'service', 'container'].includes(mode), mode);
});

test('a wrong duration and a missing file name are told', async () => {
  const wrong = await runBusbar(['run', '--linger', 'soon']);
  assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
  assert.match(wrong.stderr, /--linger soon is no duration; write it as 15min, 90s or 0/);
  const missing = await runBusbar(['run', '--log']);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /--log needs a file/);
});

/** @param {TestContext} t @param {string} file @param {string[]} [more] */
function spawnWithLog(t, file, more = []) {
  const data = tempDir(t);
  return { data, program: startBusbar(t, ['run', '--data', data, '--log', file, ...more]) };
}

test('the log goes to a file of its own, which is bounded', async (t) => {
  const file = path.join(tempDir(t), 'busbar.log');
  fs.writeFileSync(file, 'x'.repeat(LOG_BYTES));
  const { data, program } = spawnWithLog(t, file);
  await connectSocket(t, data);
  await program.stop();
  assert.equal(fs.statSync(`${file}.1`).size, LOG_BYTES);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  const text = fs.readFileSync(file, 'utf8');
  assert.match(text, /info {2}busbar \S+, data in/);
  assert.match(text, /stopped\n$/);
  assert.equal(program.stderr, '');
});

test('a log that cannot be written goes to stderr, and one that is removed begins anew', async (t) => {
  const folder = tempDir(t);
  const file = path.join(folder, 'missing', 'busbar.log');
  const { data, program } = spawnWithLog(t, file);
  const client = await connectSocket(t, data);
  await program.waitForOutput(/error the log \S+ cannot be written \(No such file or directory\)/);
  await program.waitForOutput(/info {2}busbar \S+, data in/);
  fs.mkdirSync(path.dirname(file));
  await client.must('apply', { document: DOCUMENT });
  assert.match(fs.readFileSync(file, 'utf8'), /client test applied a document/);
  assert.doesNotMatch(program.stderr, /applied a document/);
  fs.rmSync(file);
  await program.stop();
  assert.match(fs.readFileSync(file, 'utf8'), /stopping\n.*stopped\n$/s);
  assert.equal(program.stderr.match(/cannot be written/g)?.length, 1);
});

/** @param {Awaited<ReturnType<typeof startRuntime>>} runtime @param {RegExp} said */
async function hangUp(runtime, said) {
  process.kill(runtime.pid, 'SIGHUP');
  await runtime.program.waitForOutput(said);
}

test('SIGHUP says what the config changed, or why there is none', async (t) => {
  const runtime = await startRuntime(t, {});
  const config = JSON.parse(fs.readFileSync(runtime.file, 'utf8'));
  await hangUp(runtime, /site\.json was read again: unchanged\n/);
  const external = { id: 'ext', external: {} };
  const devices = [{ id: 'a', connection: 'ext' }];
  fs.writeFileSync(runtime.file, JSON.stringify({ ...config, connections: [external], devices }));
  await hangUp(runtime, /read again: connections: 1 new; devices: 1 new\n/);
  const tagged = [
    { id: 'a', connection: 'ext', tags: { line: 'l1' } },
    { id: 'b', connection: 'ext' },
  ];
  fs.writeFileSync(
    runtime.file,
    JSON.stringify({ ...config, connections: [external], devices: tagged }),
  );
  await hangUp(runtime, /read again: devices: 1 new, 1 changed\n/);
  fs.writeFileSync(runtime.file, '{"busbar":1,"devises":[]}');
  await hangUp(runtime, /site\.json has mistakes; the former config goes on/);
  fs.rmSync(runtime.file);
  await hangUp(runtime, /cannot be read: No such file or directory; the former config goes on/);
  fs.mkdirSync(runtime.file);
  await hangUp(runtime, /cannot be read: Is a directory; the former config goes on/);
  assert.equal(runtime.log.match(/has mistakes/g)?.length, 1);
  const client = await connectSocket(t, runtime.data);
  assert.equal((await client.must('status')).devices.length, 2);
});

test('apply answers what it changed', async (t) => {
  const data = tempDir(t);
  startBusbar(t, ['run', '--data', data]);
  const client = await connectSocket(t, data);
  const none = { new: 0, changed: 0, gone: 0 };
  const first = await client.must('apply', { document: DOCUMENT });
  assert.deepEqual(first.changed, {
    ...{ connections: none, devices: none, sinks: none },
    ...{ routes: false, site: false, runtime: true },
  });
  const document = JSON.stringify({
    ...JSON.parse(DOCUMENT),
    connections: [{ id: 'ext', external: {} }],
    devices: [{ id: 'a', connection: 'ext' }],
  });
  const second = await client.must('apply', { document });
  const one = { ...none, new: 1 };
  assert.deepEqual([second.changed.connections, second.changed.devices], [one, one]);
  const third = await client.must('apply', { document });
  assert.deepEqual(third.changed, { ...first.changed, runtime: false });
});

test('a kept document that cannot be used does not keep the runtime from starting', async (t) => {
  const data = tempDir(t);
  for (const text of [
    '{"busbar":1,"devices":[{"id":"m","connection":"gone"}]}',
    'no document at all: [',
  ]) {
    fs.writeFileSync(path.join(data, 'document'), text);
    const program = startBusbar(t, ['run', '--data', data]);
    await program.waitForOutput(/cannot be used; starting without one until another is applied/);
    const client = await connectSocket(t, data);
    assert.equal((await client.must('status')).applied, 0);
    client.close();
    await program.stop();
  }
});

/* Prints what comes to a datagram socket, which Node.js has none of. */
const HEAR = `
import socket, sys
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind(sys.argv[1])
print('listening', flush=True)
while True: print(heard.recv(200).decode(), flush=True)
`;

test('systemd hears of start, life and end', { skip: lacks('python3') }, async (t) => {
  const socket = path.join(tempDir(t), 'notify');
  const systemd = startProgram(t, { command: 'python3', args: ['-c', HEAR, socket] });
  await systemd.waitForOutput(/listening/);
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000' };
  const spawned = startBusbar(t, ['run', '--data', tempDir(t), '--linger', '0'], { env });
  await connectSocket(t, spawned.options.args[2]);
  const data = tempDir(t);
  const service = startBusbar(t, ['run', '--data', data], { env });
  await systemd.waitForOutput(/(WATCHDOG=1\s+){4}/);
  await connectSocket(t, data);
  assert.match(
    systemd.stdout,
    /^listening\nREADY=1\nWATCHDOG=1\n/,
    'and nothing of the spawned one',
  );
  process.kill(service.pid, 'SIGSTOP');
  await waitFor(() => stateOf(service.pid) === 'T', { what: 'it to hang' });
  const stopped = Date.now();
  await waitFor(() => Date.now() > stopped + 300, { what: 'what it has said to be heard' });
  const before = systemd.stdout;
  await waitFor(() => Date.now() > stopped + 800, { what: 'five times to pass' });
  assert.equal(systemd.stdout, before, 'a process that hangs says nothing');
  process.kill(service.pid, 'SIGCONT');
  await service.stop();
  await systemd.waitForOutput(/WATCHDOG=1\s+STOPPING=1\n/);
});

test('keys that an earlier version has left in the data directory go at the start', async (t) => {
  const data = tempDir(t);
  fs.mkdirSync(path.join(data, 'tls'), { mode: 0o700 });
  fs.writeFileSync(path.join(data, 'tls', '0123456789abcdef-key.pem'), 'KEY', { mode: 0o600 });
  const runtime = await startRuntime(t, {}, { data });
  assert.match(runtime.log, / info +1 file was removed, with certificates and keys .*\/tls\n/);
  assert.equal(fs.existsSync(path.join(data, 'tls')), false);
});
