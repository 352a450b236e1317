/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Executables and data directories that cannot be used, and what is said about them. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { dataDir: findDataDir, findSocket, readRecord } = require('../../lib/data_dir');
const { lastLine } = require('../../lib/spawn');
const { BUSBAR, tempDir } = require('../support');
const { makeRuntime, makeScript, waitForState } = require('./support/runtimes');

/** @param {import('node:test').TestContext} t @param {string} executable */
async function startWith(t, executable) {
  const { runtime } = makeRuntime(t, { executable });
  assert.equal(await runtime.start(), null);
  assert.equal(runtime.state, 'down');
  return runtime;
}

/** @param {import('node:test').TestContext} t @param {Buffer | string} content @param {number} [mode] */
function makeFile(t, content, mode = 0o755) {
  const file = path.join(tempDir(t), 'busbar');
  fs.writeFileSync(file, content, { mode });
  return file;
}

test('an executable that cannot be one is told', async (t) => {
  const elf = fs.readFileSync(BUSBAR).subarray(0, 4096);
  const other = Buffer.from(elf);
  other.writeUInt16LE(process.arch === 'riscv64' ? 62 : 243, 18);
  /** @type {[string, RegExp][]} */
  const files = [
    [path.join(tempDir(t), 'none'), /none is not there: install it again/],
    [tempDir(t), /is no file/],
    [makeFile(t, elf, 0o644), /busbar may not be executed: `chmod \+x .*busbar` allows it/],
    [makeFile(t, 'MZ and so on'), /busbar is no program: install it again/],
    [makeFile(t, ''), /busbar is no program/],
    [makeFile(t, other), /busbar is for \w+, and this machine is \w+: install the package/],
  ];
  for (const [file, pattern] of files) {
    const runtime = await startWith(t, file);
    assert.equal(runtime.error?.code, 'BUSBAR_NO_BINARY', runtime.sentence);
    assert.match(runtime.sentence, pattern);
    assert.match(runtime.sentence, /^the runtime's executable \//);
    await runtime.stop();
  }
});

test('a program that cannot run here is told by what it said', async (t) => {
  const shell = await startWith(t, makeScript(t, 'echo "libcurl.so.4: cannot open" >&2; exit 127'));
  assert.match(shell.sentence, /ended with exit code 127: libcurl\.so\.4: cannot open/);
  const silent = await startWith(t, makeScript(t, 'exit 7'));
  assert.match(silent.sentence, /ended with exit code 7, and nothing in .*busbar\.log/);
  const loader = await startWith(t, makeFile(t, '#!/no/such/loader\n'));
  assert.match(loader.sentence, /busbar needs a loader that is not there/);
  const killed = await startWith(t, makeScript(t, 'kill -SEGV $$'));
  assert.match(killed.sentence, /ended with signal SIGSEGV, and nothing in/);
});

test('an executable that is there at last is taken', async (t) => {
  const file = path.join(tempDir(t), 'busbar');
  const runtime = await startWith(t, file);
  fs.symlinkSync(BUSBAR, file);
  await waitForState(runtime, 'up');
  await runtime.stop({ end: true });
});

test('a data directory that cannot be one is told', async (t) => {
  const file = makeFile(t, 'text');
  for (const dataDir of [file, path.join(file, 'data')]) {
    const { runtime } = makeRuntime(t, { dataDir });
    assert.equal(await runtime.start(), null);
    assert.equal(runtime.error?.code, 'BUSBAR_PATH');
    assert.match(runtime.sentence, /cannot be made: there is a file in its place; .*BUSBAR_DATA/);
    await runtime.stop();
  }
});

test('a data directory that may not be written is told by whom', async (t) => {
  const folder = tempDir(t);
  fs.chmodSync(folder, 0o555);
  const script = `
    const { makeDataDir } = require(process.argv[1]);
    if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); }
    for (const dir of process.argv.slice(2)) {
      try { makeDataDir(dir); } catch ({ code, message }) { console.log(code, message); }
    }`;
  const lib = path.join(__dirname, '../../lib/data_dir.js');
  const args = ['-e', script, lib, folder, path.join(folder, 'data')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  await once(child, 'close');
  const lines = output.trim().split('\n');
  assert.equal(lines.length, 2, output);
  for (const line of lines) {
    assert.match(
      line,
      /^BUSBAR_PERMISSION the data directory \S+ cannot be written by user \S+ \(/,
    );
  }
});

test('the data directory is what the environment, the settings or the user directory say', () => {
  const settings = { userDir: '/home/pi/.node-red', busbar: { dataDir: 'meters' } };
  assert.equal(findDataDir(settings, { BUSBAR_DATA: '/var/lib/busbar' }), '/var/lib/busbar');
  assert.equal(findDataDir(settings, {}), '/home/pi/.node-red/meters');
  assert.equal(findDataDir({ ...settings, busbar: { dataDir: '/data' } }, {}), '/data');
  assert.equal(findDataDir({ userDir: '/home/pi/.node-red' }, {}), '/home/pi/.node-red/busbar');
  assert.match(findDataDir({}, {}), /\/\.node-red\/busbar$/);
});

test('the socket is where it lies, else where the record says', (t) => {
  const folder = tempDir(t);
  const own = path.join(folder, 'busbar.sock');
  assert.equal(findSocket(folder), own);
  assert.equal(findSocket('/no/such/place'), '/no/such/place/busbar.sock');
  const record = path.join(folder, 'runtime.json');
  const texts = ['', 'null', '[]', '{"socket":null}', '{"socket":7}', '{"socket":"a/b"}', '"'];
  for (const text of [...texts, ' '.repeat(20000)]) {
    fs.writeFileSync(record, text);
    assert.equal(findSocket(folder), own, text.slice(0, 20));
  }
  fs.writeFileSync(record, '{"socket":"/tmp/busbar-0-1/busbar.sock","pid":7}');
  assert.equal(findSocket(folder), '/tmp/busbar-0-1/busbar.sock');
  assert.equal(readRecord(folder).pid, 7);
  fs.writeFileSync(own, '');
  assert.equal(findSocket(folder), own);
  assert.equal(findSocket(path.join(folder, 'd'.repeat(100))), null);
});

test('the last line of a log is read without reading the log', (t) => {
  const file = path.join(tempDir(t), 'busbar.log');
  assert.equal(lastLine(file), '');
  fs.writeFileSync(file, '2026-01-31T08:15:00.123Z info  old\n');
  const from = fs.statSync(file).size;
  assert.deepEqual([lastLine(file), lastLine(file, from)], ['old', '']);
  fs.appendFileSync(file, '2026-01-31T08:15:00.123Z error meter-1: no answer\n\n');
  assert.equal(lastLine(file, from), 'meter-1: no answer');
  fs.appendFileSync(file, '{"time":"…","level":"error","subject":"","text":"said \\"so\\""}\n');
  assert.equal(lastLine(file, from), 'said "so"');
  fs.appendFileSync(file, `${'x'.repeat(1 << 20)}end of it`);
  assert.equal(lastLine(file).length, 400);
  fs.writeFileSync(file, 'new\n');
  assert.equal(lastLine(file, from), 'new');
});
