/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Processes by their number, as /proc shows them: whether one lives, whether it is a runtime that was
   spawned for a data directory, and its end. A number alone says little: it may belong to another
   container, or by now to another process, so nothing is ended before its command line was seen. */

const fs = require('node:fs');
const { setTimeout: delay } = require('node:timers/promises');
const { codeOf } = require('./errors');

const POLL_MS = 10;

/** A process that has ended and was not yet waited for still has its number. @param {number} pid */
function isAlive(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    /* Field 2 is the name in brackets, which may hold anything; field 3 the state. */
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ESRCH') return signal(pid, 0);
    return false;
  }
}

/** @param {number} pid @param {NodeJS.Signals | 0} name @returns {boolean} Whether it was there. */
function signal(pid, name) {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** The one name of a directory that may have several. @param {string} dir */
function realPath(dir) {
  try {
    return fs.realpathSync(dir);
  } catch {
    return dir;
  }
}

/**
 * Whether that process is a runtime that some client spawned for that data directory.
 * @param {number} pid @param {string} dataDir
 */
function isSpawnedFor(pid, dataDir) {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  try {
    const args = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const at = args.indexOf('--data');
    if (!args.includes('run') || !args.includes('--linger') || at < 0) return false;
    return realPath(args[at + 1] ?? '') === realPath(dataDir);
  } catch {
    return false;
  }
}

/**
 * The systemd service that we are in, or that runtime, such as "busbar.service"; '' where none is to be
 * seen. @param {number | 'self'} pid
 */
function findUnit(pid) {
  try {
    if (pid !== 'self' && fs.readFileSync(`/proc/${pid}/comm`, 'utf8') !== 'busbar\n') return '';
    const lines = fs.readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n');
    const line = lines.find((text) => text.includes(':name=systemd:')) ?? lines[0];
    const units = line.split('/').filter((part) => part.endsWith('.service'));
    return units.at(-1) ?? '';
  } catch {
    return '';
  }
}

/** @param {number} pid @param {number} timeoutMs @returns {Promise<boolean>} Whether it is gone. */
async function waitGone(pid, timeoutMs) {
  const end = Date.now() + timeoutMs;
  while (isAlive(pid)) {
    if (Date.now() >= end) return false;
    await delay(POLL_MS);
  }
  return true;
}

/**
 * SIGTERM, then waits without leaving the event loop, for the end of our own process.
 * @param {number[]} pids @param {number} timeoutMs For all of them. @returns {boolean} Whether all are gone.
 */
function endSync(pids, timeoutMs) {
  const end = Date.now() + timeoutMs;
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  for (const pid of pids) signal(pid, 'SIGTERM');
  while (pids.some(isAlive)) {
    if (Date.now() >= end) return false;
    Atomics.wait(nothing, 0, 0, POLL_MS);
  }
  return true;
}

module.exports = { endSync, findUnit, isAlive, isSpawnedFor, realPath, signal, waitGone };
