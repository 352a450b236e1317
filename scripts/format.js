/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Checks (or with --write: makes) the layout of the sources: C by clang-format 14, because each
   version lays out a little differently, everything else by prettier. */

const path = require('node:path');
const { run } = require('./command');
const { listC } = require('./check-source');
const { REPO } = require('./files');

const CLANG_FORMAT_MAJOR = 14;

/** @returns {Promise<string | undefined>} */
async function findClangFormat() {
  for (const command of [`clang-format-${CLANG_FORMAT_MAJOR}`, 'clang-format']) {
    const result = await run(command, ['--version']).catch(() => undefined);
    if (result?.output.includes(`version ${CLANG_FORMAT_MAJOR}.`)) return command;
  }
  return undefined;
}

/** @param {boolean} write @returns {Promise<{code: number | null, output: string} | undefined>}
 * Nothing where there is no clang-format 14. */
async function formatC(write) {
  const command = await findClangFormat();
  if (!command) return undefined;
  const files = listC();
  if (files.length === 0) return { code: 0, output: '' };
  return run(command, [...(write ? ['-i'] : ['--dry-run', '-Werror']), ...files], { cwd: REPO });
}

/** @param {boolean} write */
function formatRest(write) {
  const prettier = path.join(REPO, 'node_modules/prettier/bin/prettier.cjs');
  return run(process.execPath, [prettier, write ? '--write' : '--check', '--log-level=warn', '.'], {
    cwd: REPO,
  });
}

module.exports = { formatC, formatRest };

async function main() {
  const write = process.argv.includes('--write');
  const results = [await formatC(write), await formatRest(write)];
  for (const result of results) process.stdout.write(result?.output || '');
  if (!results[0])
    console.error(`clang-format ${CLANG_FORMAT_MAJOR} is not installed: C left as is.`);
  process.exitCode = results.every((result) => result?.code === 0) ? 0 : 1;
}

if (require.main === module) main();
