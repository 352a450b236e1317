/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Finding and loading the addon: in threads, in processes of other versions of Node.js, and where
   there is none for this machine. */

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { REPO, readFile } = require('../../scripts/files');
const { tempDir } = require('../support/place');

const LIB = path.join(REPO, 'lib');
const ADDON = path.join(REPO, 'build/Release/busbar.node');
const TARGET = path.join('prebuilds', `linux-${process.arch}-glibc`);
const { version } = JSON.parse(readFile('package.json'));

const { load, executable } = require('../../lib/binding');

/** A package of its own with the sources of lib/ and nothing built.
 * @param {import('node:test').TestContext} t */
function makePackage(t) {
  const root = tempDir(t);
  fs.cpSync(LIB, path.join(root, 'lib'), { recursive: true });
  fs.writeFileSync(path.join(root, 'package.json'), JSON.stringify({ version }));
  return root;
}

/** @param {string} file @param {string} to */
function copy(file, to) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(file, to);
}

/** @param {string} root @param {string} code @param {string} [node] @param {string[]} [flags] */
function runIn(root, code, node = process.execPath, flags = []) {
  return execFileSync(node, [...flags, '-e', code], { cwd: root, encoding: 'utf8' }).trim();
}

test('the addon of a checkout is found', () => {
  const { binding, error } = load();
  assert.equal(error, undefined);
  assert.equal(binding?.version, version);
});

test('a binary inside the package comes first', (t) => {
  const root = makePackage(t);
  copy(ADDON, path.join(root, TARGET, 'busbar.node'));
  fs.mkdirSync(path.join(root, 'build/Release'), { recursive: true });
  fs.writeFileSync(path.join(root, 'build/Release/busbar.node'), 'no binary');
  assert.equal(load({ root, libc: 'glibc' }).binding?.version, version);
  assert.match(String(load({ root, libc: 'musl' }).error), /cannot be loaded/);
});

test('without a binary everything loads, and says what is missing when it is used', (t) => {
  const root = makePackage(t);
  const code = `
    const { encodeLine, rails } = require('./lib/codec');
    const { FrameReader } = require('./lib/frames');
    const { binding, error } = require('./lib/binding');
    const said = [() => new FrameReader(), () => rails({}, 1),
      () => encodeLine({ measurement: 'm', fields: { a: 1 } })].map((use) => {
        try { use(); return ''; } catch (e) { return e.code + ' ' + (e.message === error); } });
    console.log(JSON.stringify([binding === undefined, error, said]));`;
  const [missing, error, said] = JSON.parse(runIn(root, code));
  assert.equal(missing, true);
  assert.match(error, /busbar\.node is not there \(looked at .*\); in a checkout, .*setup\.js/);
  assert.deepEqual(said, Array(3).fill('BUSBAR_NO_BINDING true'));
});

test('a binary that is none is told in one sentence', (t) => {
  const root = makePackage(t);
  const file = path.join(root, TARGET, 'busbar.node');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const whole = fs.readFileSync(ADDON);
  const foreign = Buffer.from(whole);
  foreign[18] ^= 0xff;
  const contents = ['', 'no binary', foreign, whole.subarray(0, 3000), whole.subarray(0, -1)];
  for (const content of contents) {
    fs.writeFileSync(file, content);
    const { binding, error } = load({ root, libc: 'glibc' });
    assert.equal(binding, undefined);
    assert.match(String(error), /cannot be loaded; it is for another kind of machine .*\)\.$/);
    assert.equal(String(error).includes('\n'), false, String(error));
  }
});

test('a binary of another version is refused', (t) => {
  const root = makePackage(t);
  fs.writeFileSync(path.join(root, 'package.json'), '{"version":"99.0.0"}');
  copy(ADDON, path.join(root, TARGET, 'busbar.node'));
  assert.match(String(load({ root, libc: 'glibc' }).error), /this package of 99\.0\.0/);
});

test('machines that there is nothing for are named', () => {
  assert.match(
    String(load({ platform: 'win32', arch: 'x64' }).error),
    /runs on Linux; this is win32 \(x64\)/,
  );
  assert.match(String(load({ arch: 'arm' }).error), /needs a 64-bit Node\.js.*this one is arm/);
  assert.match(String(load({ root: '/nowhere', arch: 'riscv64' }).error), /is not there/);
});

test('the executable is found, and what keeps it from running is told', (t) => {
  const former = process.env.BUSBAR_EXECUTABLE;
  t.after(() => {
    if (former === undefined) delete process.env.BUSBAR_EXECUTABLE;
    else process.env.BUSBAR_EXECUTABLE = former;
  });
  delete process.env.BUSBAR_EXECUTABLE;
  const root = makePackage(t);
  assert.match(String(executable({ root }).error), /busbar is not there \(looked at .*setup\.js/);
  const file = path.join(root, TARGET, 'busbar');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, '#!/bin/sh\n', { mode: 0o644 });
  /* Root may read and write whatever the bits say, but not execute without any. */
  assert.match(
    String(executable({ root, libc: 'glibc' }).error),
    /may not be executed; `chmod \+x/,
  );
  fs.chmodSync(file, 0o755);
  assert.deepEqual(executable({ root, libc: 'glibc' }), { path: file });
  process.env.BUSBAR_EXECUTABLE = path.join(root, 'other');
  assert.match(String(executable({ root }).error), /^BUSBAR_EXECUTABLE: .*other is not there/);
  process.env.BUSBAR_EXECUTABLE = root;
  assert.match(String(executable({ root }).error), /is no file/);
  process.env.BUSBAR_EXECUTABLE = process.execPath;
  assert.deepEqual(executable({ root }), { path: process.execPath });
});

/* Reads registers until it is told to end; `forever` never is. */
const WORK = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { decodeRegisters } = require(workerData.lib + '/codec');
  const { FrameReader, packBatch, packDevice, packShape } = require(workerData.lib + '/frames');
  const shape = packShape({ scan: 's', points: [{ name: 'a', type: 'float32' }] });
  const reader = new FrameReader();
  reader.read(Buffer.concat([packDevice({ number: 1, id: 'd' }), shape.frame]));
  const frame = packBatch({ device: 1, shape, values: { a: 230.1 } });
  let sum = 0;
  const step = () => {
    sum += decodeRegisters([17254, 6554], { type: 'float32' }).values[0];
    reader.read(frame, { onBatch: (batch) => (sum += batch.values.a) });
  };
  for (let i = 0; i < 200; i++) step();
  parentPort.postMessage(sum);
  while (workerData.forever) step();`;

/** @param {boolean} forever */
async function startWorker(forever) {
  const worker = new Worker(WORK, { eval: true, workerData: { lib: LIB, forever } });
  const sum = await new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
  return { worker, sum };
}

test('worker threads load it side by side, end and are terminated in the middle of work', async () => {
  const expected = 230.1 * 400;
  for (let round = 0; round < 5; round++) {
    const workers = await Promise.all([false, true, true].map(startWorker));
    for (const { sum } of workers) {
      assert.ok(Math.abs(Number(sum) - expected) < 1e-6, `${sum} instead of ${expected}`);
    }
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  }
});

test('it can be loaded again under another name', (t) => {
  const root = tempDir(t);
  const names = ['one', 'two'].map((name) => path.join(root, `${name}.node`));
  names.forEach((file) => copy(ADDON, file));
  const [one, two] = names.map((file) => require(file));
  assert.notEqual(one.Frames, two.Frames);
  assert.throws(() => one.Frames.prototype.read.call(new two.Frames()), TypeError);
  delete require.cache[names[0]];
  assert.equal(typeof require(names[0]).Frames, 'function');
});

/** Other versions of Node.js, where somebody names their executables: BUSBAR_TEST_NODES=a:b */
const nodes = (process.env.BUSBAR_TEST_NODES || '').split(':').filter(Boolean);

test('the same binary works in other versions of Node.js', { skip: nodes.length === 0 }, () => {
  for (const node of [process.execPath, ...nodes]) {
    const code = `
      const { decodeRegisters } = require('./lib/codec');
      console.log(decodeRegisters([17254, 6554], { type: 'float32' }).values[0]);`;
    assert.equal(runIn(REPO, code, node), '230.1', node);
    const files = ['binding_frames', 'binding_codec'].map((name) => `tests/nodes/${name}.test.js`);
    /* Without it the runner takes itself for a part of this one, and runs nothing. */
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
    const result = spawnSync(node, ['--test', ...files], { cwd: REPO, env, encoding: 'utf8' });
    assert.equal(result.status, 0, `${node}: ${result.stdout}${result.stderr}`);
    assert.match(result.stdout, /pass [1-9]/, node);
  }
});
