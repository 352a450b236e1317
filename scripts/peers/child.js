/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A program that runs beside ours: a meter, a broker, the runtime. Each has a session of its own, so
   that Ctrl-C in the terminal reaches us alone and we end them in order; should we be killed, the
   kernel ends them. */

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const { StepError } = require('../command');

const KEPT_LINES = 40;
const START_MS = 20000;
const STOP_MS = 6000;

/* Part of util-linux, which every Debian and Ubuntu has. */
const SETPRIV = '/usr/bin/setpriv';

/** @type {Set<Child>} */
const running = new Set();

class Child {
  /**
   * @param {string} name What a person reads, such as "meter-1".
   * @param {string} command @param {string[]} args @param {{env?: NodeJS.ProcessEnv}} [options]
   */
  constructor(name, command, args, { env } = {}) {
    this.name = name;
    /** The newest lines of both streams. @type {string[]} */
    this.lines = [];
    /** True from the moment that we asked it to end. */
    this.asked = false;
    /** @type {((line: string) => void)[]} */
    this.listeners = [];
    const guard = fs.existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'TERM', '--'] : [];
    const [program, ...rest] = [...guard, command, ...args];
    this.process = spawn(program, rest, {
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.read(this.process.stdout);
    this.read(this.process.stderr);
    /** How it ended, in words. @type {Promise<string>} */
    this.ended = new Promise((resolve) => {
      const end = (/** @type {string} */ how) => {
        running.delete(this);
        resolve(how);
      };
      this.process.once('error', (error) => end(`it could not be started (${error.message})`));
      this.process.once('close', (code, signal) =>
        end(signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`),
      );
    });
    running.add(this);
  }

  /** @param {import('node:stream').Readable} stream */
  read(stream) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = /** @type {string} */ (lines.pop());
      for (const line of lines) this.take(line);
    });
  }

  /** @param {string} line */
  take(line) {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    for (const listener of this.listeners) listener(line);
  }

  get pid() {
    return /** @type {number} */ (this.process.pid);
  }

  /** @param {(line: string) => void} listener */
  onLine(listener) {
    this.listeners.push(listener);
  }

  /** The first line that has the pattern; a StepError when it ends before or takes too long, which ends
   * it. Call it right after the start. @param {RegExp} pattern @returns {Promise<RegExpExecArray>} */
  waitForLine(pattern) {
    return new Promise((resolve, reject) => {
      const fail = (/** @type {string} */ how) => reject(this.problem(`did not start: ${how}`));
      const timer = setTimeout(() => {
        fail(`nothing heard for ${START_MS / 1000} s`);
        this.process.kill('SIGKILL');
      }, START_MS);
      this.onLine((line) => {
        const found = pattern.exec(line);
        if (!found) return;
        clearTimeout(timer);
        resolve(found);
      });
      this.ended.then((how) => {
        clearTimeout(timer);
        fail(how);
      });
    });
  }

  /** Rejects with one sentence when it ends unasked; else never ends. @returns {Promise<never>} */
  watch() {
    return new Promise((_resolve, reject) => {
      this.ended.then((how) => {
        if (!this.asked) reject(this.problem(`is gone: ${how}`));
      });
    });
  }

  /** @param {string} what */
  problem(what) {
    return new StepError(`${this.name} ${what}.`, { output: this.lines.join('\n') });
  }

  /** Asks it to end, and kills it when it does not. @returns {Promise<string>} How it ended. */
  async stop() {
    this.asked = true;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS);
    const how = await this.ended;
    clearTimeout(timer);
    return how;
  }
}

process.on('exit', () => {
  for (const child of running) child.process.kill('SIGKILL');
});

module.exports = { Child };
