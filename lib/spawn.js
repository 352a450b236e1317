/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Starts a runtime as a process of its own: with a session of its own, so that what ends Node-RED's
   process group does not end it, and without any tie to our streams. Its log is a file in the data
   directory, which the runtime keeps bounded; what goes wrong before it can log (a library that is
   missing) is written there too. */

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { BusbarError, codeOf, textOf } = require('./errors');

const LOG = 'busbar.log';
const TAIL_BYTES = 8192;
const MAX_LINE = 400;

/** What systemd, a supervisor or Node.js gave to us and to nobody else. */
const NOT_INHERITED = [
  ...['NOTIFY_SOCKET', 'WATCHDOG_PID', 'WATCHDOG_USEC', 'LISTEN_FDS', 'LISTEN_PID'],
  ...['LISTEN_FDNAMES', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'],
];

/** What ELF calls the processors. @type {Record<number, string>} */
const MACHINES = { 3: 'ia32', 8: 'mips', 40: 'arm', 62: 'x64', 183: 'arm64', 243: 'riscv64' };
/** Of those, what a processor can run besides. @type {Record<string, string[]>} */
const ALSO = { x64: ['ia32'], arm64: ['arm'], ia32: ['x64'], arm: ['arm64'] };

/** @param {string} sentence @param {unknown} [cause] */
function unusable(sentence, cause) {
  return new BusbarError('BUSBAR_NO_BINARY', sentence, { cause });
}

/** @param {string} file @returns {Buffer} Its first bytes. */
function readHead(file) {
  const head = Buffer.alloc(20);
  const descriptor = fs.openSync(file, 'r');
  try {
    return head.subarray(0, fs.readSync(descriptor, head, 0, head.length, 0));
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Throws BUSBAR_NO_BINARY if the file cannot be a program for this machine. The kernel would only say
 * ENOENT or EACCES, and hand what is no program to a shell. @param {string} file */
function checkExecutable(file) {
  const stats = fs.statSync(file, { throwIfNoEntry: false });
  if (!stats) throw unusable(`the runtime's executable ${file} is not there: install it again`);
  if (!stats.isFile()) throw unusable(`the runtime's executable ${file} is no file`);
  try {
    fs.accessSync(file, fs.constants.X_OK);
  } catch (error) {
    throw unusable(
      `the runtime's executable ${file} may not be executed: \`chmod +x ${file}\` allows it, ` +
        'unless its file system is mounted with noexec',
      error,
    );
  }
  /** @type {Buffer} */
  let head;
  try {
    head = readHead(file);
  } catch {
    return; /* A program may be run without being read. */
  }
  if (head.toString('latin1', 0, 2) === '#!') return;
  if (head.length < 20 || head.toString('latin1', 0, 4) !== '\x7fELF') {
    throw unusable(`the runtime's executable ${file} is no program: install it again`);
  }
  const machine = MACHINES[head.readUInt16LE(18)] ?? process.arch;
  if (machine !== process.arch && !ALSO[process.arch]?.includes(machine)) {
    throw unusable(
      `the runtime's executable ${file} is for ${machine}, and this machine is ${process.arch}: ` +
        'install the package on this machine, not on another one',
    );
  }
}

/** @param {string} file @returns {number} */
function sizeOf(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * The last line of the log behind that place, without time and level; '' without one.
 * @param {string} file @param {number} [from]
 */
function lastLine(file, from = 0) {
  try {
    const size = sizeOf(file);
    /* A log that has become shorter is a new one. */
    const start = Math.max(size < from ? 0 : from, size - TAIL_BYTES);
    const bytes = Buffer.alloc(size - start);
    const descriptor = fs.openSync(file, 'r');
    try {
      fs.readSync(descriptor, bytes, 0, bytes.length, start);
    } finally {
      fs.closeSync(descriptor);
    }
    const lines = bytes.toString('utf8').trimEnd().split('\n');
    return trimLine(lines.at(-1) ?? '');
  } catch {
    return '';
  }
}

/** @param {string} line Of the log, as text or JSON. */
function trimLine(line) {
  let text = line.trim().replace(/^\d{4}-\S+Z (error|warn|info|debug) +/, '');
  if (text.startsWith('{')) {
    try {
      text = JSON.parse(text).text ?? text;
    } catch {
      /* It is none of the runtime's own lines. */
    }
  }
  return text.slice(0, MAX_LINE);
}

/** A runtime that we started. */
class Child {
  /** @param {{executable: string, args: string[], dataDir: string}} options */
  constructor({ executable, args, dataDir }) {
    this.executable = executable;
    this.log = path.join(dataDir, LOG);
    this.logFrom = sizeOf(this.log);
    this.startedMs = Date.now();
    this.endedMs = 0;
    /** @type {{code: number | null, signal: NodeJS.Signals | null, error?: Error} | null} */
    this.ended = null;
    const output = openLog(this.log);
    const env = { ...process.env };
    for (const name of NOT_INHERITED) delete env[name];
    try {
      this.process = spawn(executable, args, {
        cwd: dataDir,
        detached: true,
        env,
        stdio: ['ignore', 'ignore', output ?? 'ignore'],
      });
    } finally {
      if (output !== null) fs.closeSync(output);
    }
    this.process.unref();
    /** Once it has ended, or could not be started. @type {Promise<void>} */
    this.end = new Promise((resolve) => {
      const take = (/** @type {NonNullable<Child['ended']>} */ ended) => {
        this.ended ??= ended;
        this.endedMs ||= Date.now();
        resolve();
      };
      this.process.on('error', (error) => take({ code: null, signal: null, error }));
      this.process.once('exit', (code, signal) => take({ code, signal }));
    });
  }

  get pid() {
    return this.process.pid;
  }

  get alive() {
    return this.ended === null && this.pid !== undefined;
  }

  /** The last that it wrote into its log. */
  get lastLine() {
    return lastLine(this.log, this.logFrom);
  }

  /** It found that another runtime holds the data directory. */
  get foundAnother() {
    return this.ended?.code === 1 && this.lastLine.includes(' is in use by ');
  }

  /** "exit code 1: the data directory …", or why it could not be started. */
  describeEnd() {
    const { error, code, signal } = this.ended ?? {};
    if (error) return describeStart(this.executable, error);
    const said = this.lastLine;
    const how = signal ? `signal ${signal}, after the line` : `exit code ${code}`;
    return said ? `${how}: ${said}` : `${how.replace(/, .*/, '')}, and nothing in ${this.log}`;
  }
}

/** @param {string} file @returns {number | null} */
function openLog(file) {
  try {
    return fs.openSync(file, 'a', 0o600);
  } catch {
    return null;
  }
}

/** @param {string} executable @param {unknown} error Of the kernel. */
function describeStart(executable, error) {
  if (codeOf(error) === 'ENOENT') {
    return `${executable} needs a loader that is not there: it was built for another C library`;
  }
  return `${executable} could not be started: ${textOf(error)}`;
}

/**
 * @param {{executable: string, dataDir: string, linger: string}} options `dataDir` is there, and
 *   absolute.
 * @returns {Child}
 */
function spawnRuntime({ executable, dataDir, linger }) {
  const file = path.resolve(executable);
  checkExecutable(file);
  const log = path.join(dataDir, LOG);
  const args = ['run', '--data', dataDir, '--linger', linger, '--log', log];
  try {
    return new Child({ executable: file, args, dataDir });
  } catch (error) {
    throw new BusbarError('BUSBAR_ENDED', `the runtime's executable ${describeStart(file, error)}`);
  }
}

module.exports = { Child, checkExecutable, lastLine, spawnRuntime };
