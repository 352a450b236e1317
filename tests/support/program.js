/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Programs that run beside a test. Each is stopped and reaped at the end of its test whatever
   happened, and when the test failed, what the program printed is shown. */

const { spawn } = require('node:child_process');
const { atEnd } = require('./end');
const { waitFor } = require('./wait');

const KEPT_CHARS = 1024 * 1024;
const SHOWN_LINES = 80;

/**
 * @typedef {import('node:test').TestContext} TestContext
 *
 * @typedef {object} ProgramOptions
 * @property {string} command
 * @property {string[]} args
 * @property {NodeJS.ProcessEnv} [env] Added to our own environment.
 * @property {string} [cwd]
 * @property {number} [stopMs] How long an ordered stop may take; 5000.
 */

/** @type {Set<Program>} */
const programs = new Set();

class Program {
  /** @param {TestContext} t @param {ProgramOptions} options */
  constructor(t, options) {
    this.test = t;
    this.options = options;
    this.name = [options.command.split('/').pop(), ...options.args].join(' ').slice(0, 120);
    this.stdout = '';
    this.stderr = '';
    this.asked = false;
    this.child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      this.stdout = (this.stdout + text).slice(-KEPT_CHARS);
    });
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr = (this.stderr + text).slice(-KEPT_CHARS);
    });
    /** @type {Promise<{code: number | null, signal: NodeJS.Signals | null}>} */
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.stderr += String(error);
        resolve({ code: null, signal: null });
      });
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    programs.add(this);
    atEnd(t, () => this.finish());
  }

  get pid() {
    return /** @type {number} */ (this.child.pid);
  }

  /** Both streams, for looking for a word. */
  get output() {
    return `${this.stdout}\n${this.stderr}`;
  }

  get running() {
    return this.child.pid !== undefined && this.child.exitCode === null && !this.child.signalCode;
  }

  /** Waits until the output has the pattern; fails at once when the program ends before.
   * @param {RegExp} pattern @param {{timeoutMs?: number}} [options]
   * @returns {Promise<RegExpExecArray>} */
  async waitForOutput(pattern, { timeoutMs } = {}) {
    const what = `${pattern} in the output of ${this.name}`;
    const look = () => pattern.exec(this.output);
    await waitFor(() => look() || !this.running, { timeoutMs, what });
    if (!this.running) await this.ended;
    const found = look();
    if (found) return found;
    this.asked = true;
    throw new Error(`${this.describeEnd()} before ${what}:\n${this.tail()}`);
  }

  /**
   * Sends the signal and waits for the end; a program that does not obey is killed, and the test
   * fails.
   * @param {NodeJS.Signals} [signal]
   * @returns {Promise<{code: number | null, signal: NodeJS.Signals | null}>}
   */
  async stop(signal = 'SIGTERM') {
    this.asked = true;
    if (this.running) this.child.kill(signal);
    const limit = this.options.stopMs ?? 5000;
    let obeyed = true;
    const timer = setTimeout(() => {
      obeyed = false;
      this.child.kill('SIGKILL');
    }, limit);
    const end = await this.ended;
    clearTimeout(timer);
    if (!obeyed) throw new Error(`${this.name} did not end within ${limit} ms after ${signal}`);
    return end;
  }

  /** Waits for an end that comes by itself. @returns {ReturnType<Program['stop']>} */
  end() {
    this.asked = true;
    return this.ended;
  }

  /** The end of the test: no program outlives it, and each that the test left running ends well. */
  async finish() {
    const { asked } = this;
    const { code, signal } = this.running ? await this.stop() : await this.ended;
    const well = code === 0 || (signal === 'SIGTERM' && this.asked);
    if (!asked && !well) throw new Error(this.describeEnd());
  }

  describeEnd() {
    const { exitCode, signalCode } = this.child;
    return `${this.name} ended with ${signalCode || `exit code ${exitCode}`}`;
  }

  tail() {
    const lines = [this.stdout, this.stderr].flatMap((text) => text.trimEnd().split('\n'));
    return lines.filter(Boolean).slice(-SHOWN_LINES).join('\n');
  }
}

/** Whether the test passed; nothing is known before Node.js 20.12. @param {TestContext} t */
function hasPassed(t) {
  return /** @type {{passed?: boolean}} */ (t).passed === true;
}

/* The end of the test file: by then it is known which tests failed. */
process.on('exit', (code) => {
  for (const program of programs) {
    if (program.running) program.child.kill('SIGKILL');
    if (code === 0 || hasPassed(program.test)) continue;
    console.error(`--- ${program.name} (in the test "${program.test.name}")\n${program.tail()}`);
  }
});
process.once('SIGTERM', () => process.exit(1));

/** Runs a program until the end of the test.
 * @param {TestContext} t @param {ProgramOptions} options */
function startProgram(t, options) {
  return new Program(t, options);
}

module.exports = { Program, startProgram };
