/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `busbar migrate`: reads the export of a flow, prints the new one, and says on stderr, a line each,
   what could not be carried over. */

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const { FlowError, migrate } = require('../migrate');

const MAX_BYTES = 64 * 1024 * 1024;
const EXIT = { done: 0, failed: 1, usage: 2 };

const HELP = `Usage: busbar migrate FILE [--output FILE]

Makes a flow of node-red-contrib-modbus, node-red-contrib-influxdb and mqtt out nodes one of
Busbar's. FILE is what Node-RED exports as JSON, or its flow file. The new flow goes to stdout, or to
the file that --output names; import it in Node-RED. What could not be carried over is said on
stderr, one line a node. FILE itself stays as it is.

  -o, --output FILE  where to write the new flow
  -h, --help         print this text

Exit codes: 0 done, 1 failed, 2 wrong usage.
`;

/** @typedef {{stdout: (text: string) => void, stderr: (text: string) => void}} Streams */

/** Ends with a sentence and an exit code. */
class CommandError extends Error {
  /** @param {string} sentence @param {number} exit */
  constructor(sentence, exit) {
    super(sentence);
    this.exit = exit;
  }
}

/** @param {string[]} args */
function readArguments(args) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        output: { type: 'string', short: 'o' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help || positionals.length === 1) {
      return { help: values.help === true, file: positionals[0], output: values.output };
    }
    throw new Error(positionals.length === 0 ? 'FILE is missing' : 'only one FILE can be given');
  } catch (error) {
    const why = /** @type {Error} */ (error).message.split('\n')[0].replace(/\.$/, '');
    throw new CommandError(`${why}; see busbar migrate --help.`, EXIT.usage);
  }
}

/** Why a system call failed, without its name. @param {unknown} error */
function reason(error) {
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return message;
}

/** @param {string} file @returns {unknown} */
function readFlow(file) {
  let text;
  try {
    const { size } = fs.statSync(file);
    if (size > MAX_BYTES) {
      const most = `at most ${MAX_BYTES / 1024 / 1024} MiB can be`;
      throw new CommandError(`${file}: has ${Math.ceil(size / 1024 / 1024)} MiB; ${most}.`, 1);
    }
    text = fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${file}: cannot be read: ${reason(error)}.`, EXIT.failed);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = /** @type {Error} */ (error).message.replace(/\s+/g, ' ');
    throw new CommandError(`${file}: is no JSON: ${why}.`, EXIT.failed);
  }
}

/** @param {string} file @param {string} output */
function isSame(file, output) {
  return fs.existsSync(output) && fs.realpathSync(file) === fs.realpathSync(output);
}

/** @param {string} output @param {string} text */
function writeFlow(output, text) {
  try {
    fs.writeFileSync(output, text);
  } catch (error) {
    throw new CommandError(`${output}: cannot be written: ${reason(error)}.`, EXIT.failed);
  }
}

/** modbus-read "Main meter" (6e79b816403c4a02): its rate … @param {import('../migrate').Note} note */
function lineOf({ id, type, name, text }) {
  const called = name ? ` "${name}"` : '';
  return `${type}${called} (${id}): ${text}`.replace(/[\r\n]+/g, ' ') + '\n';
}

/** @param {string[]} args @param {Streams} streams */
function runOrThrow(args, { stdout, stderr }) {
  const { help, file, output } = readArguments(args);
  if (help) return stdout(HELP);
  const given = readFlow(file);
  if (output !== undefined && isSame(file, output)) {
    const why = 'is the flow itself; name another file, so that it stays as it is';
    throw new CommandError(`${output}: ${why}.`, EXIT.usage);
  }
  const { flows, notes } = migrate(given);
  const text = `${JSON.stringify(flows, null, 2)}\n`;
  if (output === undefined) stdout(text);
  else writeFlow(output, text);
  stderr(notes.map(lineOf).join(''));
}

/** @param {string[]} args After `migrate`. @param {Streams} streams @returns {number} Exit code. */
function runMigrate(args, streams) {
  try {
    runOrThrow(args, streams);
    return EXIT.done;
  } catch (error) {
    if (error instanceof FlowError) streams.stderr(`busbar migrate: ${error.message}\n`);
    else if (error instanceof CommandError) streams.stderr(`busbar migrate: ${error.message}\n`);
    else throw error;
    return error instanceof CommandError ? error.exit : EXIT.failed;
  }
}

module.exports = { runMigrate };
