/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Each fuzz target for a bounded time, with ASan and UBSan, starting from the test vectors of its
   name: native/fuzz/fuzz_modbus.c from tests/vectors/modbus/. A vector `*.hex` is bytes in hex,
   blanks and # comments aside; any other file is taken as it is. What a run found worth keeping
   stays in the build folder and is where the next one starts. */

const fs = require('node:fs');
const path = require('node:path');
const { run } = require('../command');
const { REPO, listFiles, readFile } = require('../files');
const { buildFolder } = require('../native');
const { runAll } = require('../report');
const { buildPrograms } = require('./build');

const DEFAULT_SECONDS = 5;
/* clang's own symbolizer is in a large package; addr2line comes with the compiler. */
const SYMBOLS = 'external_symbolizer_path=/usr/bin/addr2line';
const ENVIRONMENT = {
  ASAN_OPTIONS: `${SYMBOLS}:print_legend=0`,
  UBSAN_OPTIONS: `${SYMBOLS}:print_stacktrace=1`,
};

function secondsEach() {
  const value = Number(process.env.BUSBAR_FUZZ_SECONDS ?? DEFAULT_SECONDS);
  return Number.isFinite(value) && value >= 0 ? Math.ceil(value) : DEFAULT_SECONDS;
}

/** @param {string} text @returns {Buffer} */
function decodeHex(text) {
  return Buffer.from(text.replace(/#.*$/gm, '').replace(/\s+/g, ''), 'hex');
}

/** @param {string} name Such as modbus @param {string} corpus */
function writeSeeds(name, corpus) {
  fs.mkdirSync(corpus, { recursive: true });
  for (const file of listFiles(`tests/vectors/${name}`, /./)) {
    const bytes = file.endsWith('.hex') ? decodeHex(readFile(file)) : readBytes(file);
    fs.writeFileSync(path.join(corpus, `seed-${path.basename(file)}`), bytes);
  }
}

/** @param {string} file */
function readBytes(file) {
  return fs.readFileSync(path.join(REPO, file));
}

/** The input that broke the target, so that it can become a vector. @param {string} artifacts */
function describeArtifacts(artifacts) {
  return fs
    .readdirSync(artifacts)
    .map((file) => {
      const hex = fs.readFileSync(path.join(artifacts, file)).toString('hex');
      return `${file}: ${hex.slice(0, 400)}${hex.length > 400 ? '…' : ''}\n  (${artifacts}/${file})`;
    })
    .join('\n');
}

/** @param {string} target @param {number} seconds @returns {Promise<import('../report').Outcome>} */
async function fuzz(target, seconds) {
  const folder = buildFolder('fuzz');
  const corpus = path.join(folder, 'corpus', target);
  const artifacts = path.join(folder, 'artifacts', target);
  writeSeeds(target.replace(/^fuzz_/, ''), corpus);
  fs.rmSync(artifacts, { recursive: true, force: true });
  fs.mkdirSync(artifacts, { recursive: true });
  const result = await run(
    path.join(folder, 'fuzz', target),
    [
      corpus,
      `-max_total_time=${seconds}`,
      '-timeout=5',
      '-rss_limit_mb=1024',
      '-print_final_stats=1',
      '-verbosity=0',
      `-artifact_prefix=${artifacts}/`,
    ],
    { timeoutMs: (seconds + 60) * 1000, env: ENVIRONMENT },
  );
  const runs = Number(/number_of_executed_units: (\d+)/.exec(result.output)?.[1] || 0);
  const passed = result.code === 0 && runs > 0 ? 1 : 0;
  return {
    name: target,
    passed,
    failed: 1 - passed,
    seconds: result.seconds,
    note: `${runs} inputs`,
    output: `${result.output}\n${describeArtifacts(artifacts)}`,
  };
}

/** libFuzzer's runtime is a package of its own that some archives do not have. */
async function hasFuzzer() {
  const script =
    'echo "int LLVMFuzzerTestOneInput(const char *p, long n) { return p && n ? 0 : 0; }" | ' +
    'clang -fsanitize=fuzzer,address -x c - -o /dev/null';
  return (await run('sh', ['-c', script])).code === 0;
}

/** @param {import('../test').Context} context */
async function runFuzz({ report, wants, absent }) {
  const targets = listFiles('native/fuzz', /\/fuzz_[^/]*\.c$/)
    .map((file) => path.basename(file, '.c'))
    .filter(wants);
  if (targets.length === 0) return;
  const seconds = secondsEach();
  report.heading(`Fuzz targets, ${seconds} s each, with ASan and UBSan`);
  const left = absent.some((name) => name.includes('clang')) && !(await hasFuzzer());
  if (left || seconds === 0) {
    const note = left ? 'there is no libFuzzer here' : 'BUSBAR_FUZZ_SECONDS is 0';
    report.add({ name: 'all', passed: 0, failed: 0, skipped: targets.length, note });
    return;
  }
  const built = await buildPrograms(report, 'fuzz', targets);
  await runAll(report, built, 2, (target) => fuzz(target, seconds));
}

module.exports = { runFuzz, decodeHex };
