/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Checks of the sources that run nothing of ours. Each counts as one test. */

const path = require('node:path');
const includes = require('../check-includes');
const source = require('../check-source');
const { run } = require('../command');
const { REPO, listFiles } = require('../files');
const { formatC, formatRest } = require('../format');
const { runAll } = require('../report');

/** What a check found: nothing, or what to show; `skipped` says why it could not be made.
 * @typedef {{problems: string, skipped?: string}} Finding */

/** @param {string[]} problems @returns {Promise<Finding>} */
async function fromList(problems) {
  return { problems: problems.join('\n') };
}

/** @param {{code: number | null, output: string}} result @returns {Finding} */
function fromRun(result) {
  return { problems: result.code === 0 ? '' : result.output || `exit code ${result.code}` };
}

/** @returns {Promise<Finding>} */
async function checkClangFormat() {
  const result = await formatC(false);
  if (!result) return { problems: '', skipped: 'there is no clang-format 14 here' };
  if (result.code === 0) return { problems: '' };
  const files = new Set([...result.output.matchAll(/^(\S+?):\d+:\d+: /gm)].map(([, file]) => file));
  if (files.size === 0) return fromRun(result);
  return { problems: `${[...files].join('\n')}\n\`npm run format\` lays them out.` };
}

/** All public headers, each in a translation unit of its own. @returns {Promise<Finding>} */
async function checkHeaders() {
  const headers = listFiles('native', /^native\/.+\/.+\.h$/).map((file) => file.slice(7));
  if (headers.length === 0) return { problems: '' };
  const script = `
    for header do
      printf '#include "%s"\\ntypedef int bb_alone;\\n' "$header" | gcc -std=c11 -D_GNU_SOURCE= -fsyntax-only -Wall -Wextra \
        -Wpedantic -Werror -I. -x c - 2>&1 || { echo "$header does not compile alone"; bad=1; }
    done
    exit \${bad:-0}`;
  return fromRun(await run('sh', ['-c', script, 'sh', ...headers], { cwd: `${REPO}/native` }));
}

async function checkTypes() {
  const tsc = path.join(REPO, 'node_modules/typescript/bin/tsc');
  return fromRun(await run(process.execPath, [tsc, '-p', '.'], { cwd: REPO }));
}

/** @type {{name: string, check: () => Promise<Finding>}[]} */
const CHECKS = [
  { name: 'include directions', check: () => fromList(includes.check()) },
  { name: 'licence lines', check: () => fromList(source.checkLicence()) },
  { name: 'banned C calls', check: () => fromList(source.checkCalls()) },
  { name: 'headers compile alone', check: checkHeaders },
  { name: 'clang-format', check: checkClangFormat },
  { name: 'prettier', check: async () => fromRun(await formatRest(false)) },
  { name: 'types (tsc)', check: checkTypes },
];

/** @param {import('../test').Context} context */
async function runStatic({ report, wants }) {
  const checks = CHECKS.filter(({ name }) => wants(name));
  if (checks.length === 0) return;
  report.heading('Static checks');
  await runAll(report, checks, 2, async ({ name, check }) => {
    const started = Date.now();
    const { problems, skipped } = await check();
    const failed = problems ? 1 : 0;
    return {
      name,
      failed,
      passed: failed || skipped ? 0 : 1,
      skipped: skipped ? 1 : 0,
      seconds: (Date.now() - started) / 1000,
      note: skipped,
      output: problems,
    };
  });
}

module.exports = { runStatic };
