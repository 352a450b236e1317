/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The command line of a script. */

const { parseArgs } = require('node:util');
const { say } = require('./progress');

/**
 * The values of the options, with --help beside them. Nothing after the usage was shown, or after a
 * mistake was told: then the script ends, with 2.
 * @template {NonNullable<import('node:util').ParseArgsConfig['options']>} T
 * @param {string} usage @param {T} options
 * @param {(values: ReturnType<typeof parseArgs<{options: T}>>['values']) => void} [check] Throws what is
 *   wrong with a value.
 * @returns {ReturnType<typeof parseArgs<{options: T}>>['values'] | undefined}
 */
function readArguments(usage, options, check = () => {}) {
  try {
    const help = /** @type {const} */ ({ type: 'boolean' });
    const values = /** @type {any} */ (parseArgs({ options: { ...options, help } }).values);
    if (!values.help) {
      check(values);
      return values;
    }
    say(usage);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}\n`);
    process.exitCode = 2;
  }
  return undefined;
}

module.exports = { readArguments };
