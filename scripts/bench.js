/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `npm run bench`: measures each row beside its references in one run, prints a table and writes
   bench-results.json. A row that does not meet its goal says so. */

const fs = require('node:fs');
const path = require('node:path');
const { readArguments } = require('./arguments');
const { writeRows } = require('./bench/result');
const { isChosen } = require('./peers/busbar');
const { duration, say } = require('./progress');
const { REPO, explain, setUp } = require('./setup');

/** @typedef {import('./bench/result').Result} Result */

/** Each row measures what its file says, and returns one result per goal.
 * @type {Record<string, () => {measure: () => Promise<Result[]>}>} */
const ROWS = {
  'poll-cpu': () => require('./bench/poll-cpu'),
  'idle-cpu': () => require('./bench/idle-cpu'),
  scale: () => require('./bench/scale'),
  'write-latency': () => require('./bench/write-latency'),
  'lp-encode': () => require('./bench/lp-encode'),
  'js-decode': () => require('./bench/js-decode'),
  'pipeline-cpu': () => require('./bench/pipeline-cpu'),
  jitter: () => require('./bench/jitter'),
  'loop-delay': () => require('./bench/loop-delay'),
  'store-append': () => require('./bench/store-append'),
  'store-drain': () => require('./bench/store-drain'),
  'store-healthy': () => require('./bench/store-healthy'),
  'store-restart': () => require('./bench/store-restart'),
  install: () => require('./bench/install'),
};

const RESULTS = path.join(REPO, 'bench-results.json');

const USAGE = `usage: npm run bench [-- --only NAME]
  --only NAME   one row: ${Object.keys(ROWS).join(', ')}
BUSBAR_BIN names an executable to measure in place of the one that is built; the bench programs lie in
the folder bench beside it.`;

/** @param {string} name @returns {Promise<Result[]>} */
async function measureRow(name) {
  say(`\n${name}`);
  const started = Date.now();
  const results = await ROWS[name]().measure();
  say(`  (${duration((Date.now() - started) / 1000)})`);
  return results;
}

/** Results of other rows that were measured before stay. @param {Result[]} results */
function writeResults(results) {
  /** @type {Result[]} */
  let former = [];
  try {
    former = JSON.parse(fs.readFileSync(RESULTS, 'utf8'));
  } catch {
    /* There is none yet. */
  }
  const rowOf = (/** @type {Result} */ { name }) => name.split('/')[0];
  const measured = new Set(results.map(rowOf));
  const order = Object.keys(ROWS);
  const all = [...former.filter((result) => !measured.has(rowOf(result))), ...results];
  all.sort((a, b) => order.indexOf(rowOf(a)) - order.indexOf(rowOf(b)));
  fs.writeFileSync(RESULTS, `${JSON.stringify(all, null, 2)}\n`);
}

async function main() {
  const options = readArguments(USAGE, { only: { type: 'string', default: '' } }, ({ only }) => {
    if (only && !(only in ROWS)) throw new Error(`there is no row ${only}`);
  });
  if (!options) return;
  const names = options.only ? [options.only] : Object.keys(ROWS);
  /** @type {Result[]} */
  const results = [];
  try {
    await setUp({ for: 'bench', build: !isChosen() });
    for (const name of names) results.push(...(await measureRow(name)));
  } catch (error) {
    explain(error);
    process.exitCode = 1;
  }
  if (results.length > 0) {
    say(`\n${writeRows(results)}`);
    writeResults(results);
    const missed = results.filter(({ met }) => !met).length;
    say(`\n${results.length - missed} of ${results.length} goals met; see bench-results.json`);
  }
  process.exit();
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
main();
