/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The C tests: all of them with ASan and UBSan, those that cross threads with TSan too. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { run } = require('../command');
const { REPO, listFiles, readFile } = require('../files');
const { buildFolder } = require('../native');
const { runAll, sortOut } = require('../report');
const { countCmocka } = require('../tap');
const { buildPrograms } = require('./build');

const TIMEOUT_MS = 120000;
/* Most wait for peers and timers: on two cores six of them leave more than half of the time unused. */
const AT_ONCE = 6;
const TSAN_MARK = '/* tsan: yes */';

/* cmocka catches signals itself; with these the sanitizer keeps them and says where it happened. */
const ASAN_OPTIONS =
  'handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2:handle_abort=2:' +
  'detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:print_legend=0';

function tsanOptions() {
  const suppressions = path.join(REPO, 'tests/unit/tsan.supp');
  const extra = fs.existsSync(suppressions) ? `:suppressions=${suppressions}` : '';
  return `second_deadlock_stack=1:halt_on_error=1${extra}`;
}

/** @param {string} name Of a test. */
function fileOf(name) {
  return `tests/unit/${name}.c`;
}

/** Those with threads first: they take longest. @returns {{name: string, threads: boolean}[]} */
function listTests() {
  const tests = listFiles('tests/unit', /^tests\/unit\/test_[^/]*\.c$/).map((file) => {
    const name = path.basename(file, '.c');
    return { name, threads: name.startsWith('test_thread_') || readFile(file).includes(TSAN_MARK) };
  });
  return [...tests.filter(({ threads }) => threads), ...tests.filter(({ threads }) => !threads)];
}

/** TSan needs a plain address space layout, which newer kernels give on request only. */
async function findTsanPrefix() {
  const prefix = ['setarch', os.machine(), '-R'];
  const result = await run(prefix[0], [...prefix.slice(1), 'true']).catch(() => undefined);
  return result?.code === 0 ? prefix : [];
}

/** What to show of a failed program: everything but the lines of tests that passed.
 * @param {import('../command').RunResult} result */
function describeFailure(result) {
  const text = result.output.replace(/^ok \d.*\n/gm, '');
  if (result.timedOut) return `${text}not finished within ${TIMEOUT_MS / 1000} s`;
  if (result.signal) return `${text}ended by ${result.signal}`;
  return `${text}exit code ${result.code}`;
}

/**
 * @param {string} name @param {'asan' | 'tsan'} preset @param {string[]} prefix
 * @returns {Promise<import('../report').Outcome>}
 */
async function runTest(name, preset, prefix) {
  const program = path.join(buildFolder(preset), 'tests', name);
  const [command, ...args] = [...prefix, program];
  const result = await run(command, args, {
    cwd: REPO,
    timeoutMs: TIMEOUT_MS,
    env: {
      CMOCKA_MESSAGE_OUTPUT: 'TAP',
      ASAN_OPTIONS,
      UBSAN_OPTIONS: 'print_stacktrace=1',
      TSAN_OPTIONS: tsanOptions(),
    },
  });
  const counts = countCmocka(result.output, result.code === 0);
  return { name, ...counts, seconds: result.seconds, output: describeFailure(result) };
}

/**
 * @param {import('../test').Context} context @param {string} heading
 * @param {'asan' | 'tsan'} preset @param {string[]} names
 */
async function runPreset({ report }, heading, preset, names) {
  if (names.length === 0) return;
  report.heading(heading);
  const built = await buildPrograms(report, preset, names);
  const prefix = preset === 'tsan' ? await findTsanPrefix() : [];
  const work = (/** @type {string} */ name) => runTest(name, preset, prefix);
  const { beside, alone } = sortOut(built, fileOf);
  await runAll(report, beside, AT_ONCE, work);
  await runAll(report, alone, 1, work);
}

/** @param {import('../test').Context} context */
async function runUnit(context) {
  const tests = listTests().filter(({ name }) => context.wants(name));
  const threads = tests.filter((test) => test.threads);
  const names = (/** @type {{name: string}[]} */ list) => list.map(({ name }) => name);
  await runPreset(context, 'C tests with ASan and UBSan', 'asan', names(tests));
  await runPreset(context, 'C tests with TSan', 'tsan', names(threads));
}

module.exports = { runUnit };
