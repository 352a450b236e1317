/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a process uses, from /proc. */

const fs = require('node:fs');
const { setTimeout: delay } = require('node:timers/promises');

/** Nanoseconds on a processor of all its threads that live. @param {number} pid */
function readCpuNs(pid) {
  let sum = 0;
  for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
    const text = fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
    sum += Number(text.split(' ')[0]);
  }
  return sum;
}

/** @param {number} pid */
function readRssMb(pid) {
  const text = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
}

/** @param {number} pid @param {number} seconds */
async function watchProcess(pid, seconds) {
  const startNs = process.hrtime.bigint();
  const cpuNs = readCpuNs(pid);
  await delay(seconds * 1000);
  const spentNs = readCpuNs(pid) - cpuNs;
  const wallNs = Number(process.hrtime.bigint() - startNs);
  return { cpuPercent: (100 * spentNs) / wallNs, cpuNs: spentNs, rssMb: readRssMb(pid) };
}

/** What the kernel has counted as written to disks by it. @param {number} pid */
function readWritten(pid) {
  const text = fs.readFileSync(`/proc/${pid}/io`, 'utf8');
  return Number(/^write_bytes: (\d+)$/m.exec(text)?.[1]);
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

module.exports = { median, readWritten, watchProcess };
