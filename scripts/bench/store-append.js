/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What it costs to keep on the disk what waits for a sink that is away: 2,000,000 samples a second in
   batches of 50 floats, and 3 batches a second, which is what a small site has. The store's part is
   the difference to the same feeding with everything in memory. The reference is Node-RED's context
   store on files with an array that grows, as fast as it can. */

const fs = require('node:fs');
const path = require('node:path');
const { remove, tempFolder } = require('../peers/place');
const { say } = require('../progress');
const { findProgram, findScript, mean, measureProgram } = require('./program');
const { atMost } = require('./result');

const POINTS = 50;
const BATCHES = 40000;
const FEW_BATCHES = 3;
const SECONDS = 5;
const FEW_SECONDS = 20;
const ROUNDS = 2;
const REFERENCE = "Node-RED's context files";

/** A folder of its own for each, so that none meets what another left. @param {string} root
 * @param {(folder: string) => Promise<any>} run */
async function inFolder(root, run) {
  const folder = fs.mkdtempSync(path.join(root, 'store-'));
  try {
    return await run(folder);
  } finally {
    remove(folder);
  }
}

/** @param {string} root @param {'disk' | 'memory'} mode @param {number} rate @param {number} seconds */
function runOurs(root, mode, rate, seconds) {
  const program = findProgram('store_append');
  return inFolder(root, (folder) => measureProgram(program, [folder, mode, rate, seconds]));
}

/** @param {string} root @param {number} rate @param {number} seconds */
function runTheirs(root, rate, seconds) {
  const script = findScript('node_context.js');
  return inFolder(root, (folder) =>
    measureProgram(process.execPath, [script, folder, rate, seconds]),
  );
}

/** @param {string} root */
async function measureMany(root) {
  const shares = [];
  const written = [];
  for (let round = 0; round < ROUNDS; round++) {
    const memory = await runOurs(root, 'memory', BATCHES, SECONDS);
    const disk = await runOurs(root, 'disk', BATCHES, SECONDS);
    const cpuNs = disk.cpu_ns - (memory.cpu_ns * disk.batches) / memory.batches;
    shares.push((100 * cpuNs) / (SECONDS * 1e9));
    written.push(disk.written / (disk.batches * POINTS));
    say(
      `  ${Math.round((disk.batches * POINTS) / SECONDS)} samples/s: ${shares[round].toFixed(2)} % ` +
        `of a core, ${written[round].toFixed(2)} bytes a sample, ${disk.late_ms} ms late at most`,
    );
  }
  return { share: mean(shares), written: mean(written) };
}

async function measure() {
  const root = tempFolder();
  try {
    const few = runOurs(root, 'disk', FEW_BATCHES, FEW_SECONDS);
    const fewTheirs = runTheirs(root, FEW_BATCHES, FEW_SECONDS);
    const { share, written } = await measureMany(root);
    const theirs = await runTheirs(root, 0, SECONDS);
    const kilobytes = (await few).written / FEW_SECONDS / 1000;
    const theirKilobytes = (await fewTheirs).written / FEW_SECONDS / 1000;
    const nsPerSample = theirs.cpu_ns / theirs.samples;
    say(
      `  ${REFERENCE}: ${Math.round(theirs.samples / SECONDS)} samples/s, ` +
        `${nsPerSample.toFixed(0)} ns and ${(theirs.written / theirs.samples).toFixed(1)} bytes a sample`,
    );
    const of = (/** @type {number} */ value) => ({ name: REFERENCE, value });
    const theirShare = (nsPerSample * BATCHES * POINTS) / 1e7;
    return [
      atMost('store-append/cpu', '% of a core', share, 5, of(theirShare)),
      atMost(
        'store-append/written',
        'bytes/sample',
        written,
        10,
        of(theirs.written / theirs.samples),
      ),
      atMost('store-append/few-written', 'kB/s', kilobytes, 20, of(theirKilobytes)),
    ];
  } finally {
    remove(root);
  }
}

module.exports = { measure };
