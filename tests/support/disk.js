/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Disks that fill up, or may only be read: small file systems of a test's own. And what a test of the
   store on such a disk starts with. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describeCounters } = require('./counter');
const { atEnd } = require('./end');
const { startForwarder } = require('./forwarder');
const { listen } = require('./listener');
const { startMosquitto } = require('./mosquitto');
const { tempDir } = require('./place');

/** @typedef {import('node:test').TestContext} TestContext */

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

/** A file system of its own, gone with the test. @param {TestContext} t @param {string} size */
function mountSmall(t, size) {
  const folder = tempDir(t);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  atEnd(t, () => execFileSync('umount', ['-l', folder]));
  return folder;
}

/** A second way to the same folder, gone with the test. @param {TestContext} t @param {string} folder */
function mountAgain(t, folder) {
  const other = tempDir(t);
  execFileSync('mount', ['--bind', folder, other]);
  atEnd(t, () => execFileSync('umount', ['-l', other]));
  return other;
}

/** @param {string} folder @returns {string} What is to be removed to have room again. */
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

/** The whole file system. @param {string} folder @returns {() => void} Ends it. */
function makeReadOnly(folder) {
  execFileSync('mount', ['-o', 'remount,ro', folder]);
  return () => execFileSync('mount', ['-o', 'remount,rw', folder]);
}

/** For who comes to the file or folder by its path from now on; what is open stays open. @param {string} place @returns {() => void} Ends it. */
function coverReadOnly(place) {
  execFileSync('mount', ['--bind', place, place]);
  execFileSync('mount', ['-o', 'remount,bind,ro', place]);
  return () => execFileSync('umount', ['-l', place]);
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

module.exports = {
  ...{ count, coverReadOnly, fillUp, lacksMounts, makeReadOnly, mountAgain, mountSmall, openPlant },
};
