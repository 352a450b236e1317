/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Runs another program to its end and keeps what it printed. A program with a time limit gets a
   process group of its own, so that nothing it started outlives it. */

const { spawn } = require('node:child_process');

const GRACE_MS = 5000;
const KEPT_BYTES = 4 * 1024 * 1024;

/** A step that could not be done: one sentence, what the failing command printed, what to do. */
class StepError extends Error {
  /** @param {string} sentence @param {{output?: string, advice?: string}} [more] */
  constructor(sentence, more = {}) {
    super(sentence);
    this.output = more.output || '';
    this.advice = more.advice || '';
  }
}

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] Added to our own environment.
 * @property {number} [timeoutMs] Then SIGTERM to the whole group, and SIGKILL 5 s later.
 * @property {boolean} [ask] The program may ask the person at the terminal (sudo's password).
 * @property {(line: string) => void} [onLine] Sees each line of output as it comes.
 *
 * @typedef {object} RunResult
 * @property {number | null} code
 * @property {NodeJS.Signals | null} signal
 * @property {boolean} timedOut
 * @property {string} output Both streams, in order of arrival, the newest 4 MiB.
 * @property {number} seconds
 */

/** @type {Set<number>} */
const groups = new Set();

/** @param {number} pid @param {NodeJS.Signals} signal */
function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    /* It has ended already. */
  }
}

/** @param {NodeJS.Signals} signal */
function stopOnSignal(signal) {
  for (const pid of groups) killGroup(pid, 'SIGTERM');
  setTimeout(() => {
    for (const pid of groups) killGroup(pid, 'SIGKILL');
    process.exit(signal === 'SIGINT' ? 130 : 143);
  }, 1000);
}

/** @param {number} pid */
function watchGroup(pid) {
  if (groups.size === 0 && process.listenerCount('SIGINT', stopOnSignal) === 0) {
    process.once('SIGINT', stopOnSignal);
    process.once('SIGTERM', stopOnSignal);
  }
  groups.add(pid);
}

/** @param {(line: string) => void} onLine */
function lineSplitter(onLine) {
  let rest = '';
  return (/** @type {string} */ text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() || '';
    for (const line of lines) onLine(line);
  };
}

/**
 * @param {string} command @param {string[]} args @param {RunOptions} [options]
 * @returns {Promise<RunResult>}
 */
function run(command, args, options = {}) {
  const { timeoutMs, onLine } = options;
  const started = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: timeoutMs !== undefined,
      stdio: [options.ask ? 'inherit' : 'ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let timedOut = false;
    const split = onLine ? lineSplitter(onLine) : () => {};
    const take = (/** @type {string} */ text) => {
      output = (output + text).slice(-KEPT_BYTES);
      split(text);
    };
    child.stdout?.setEncoding('utf8').on('data', take);
    child.stderr?.setEncoding('utf8').on('data', take);

    /** @type {NodeJS.Timeout[]} */
    const timers = [];
    const pid = child.pid;
    if (timeoutMs !== undefined && pid !== undefined) {
      watchGroup(pid);
      timers.push(
        setTimeout(() => {
          timedOut = true;
          killGroup(pid, 'SIGTERM');
          timers.push(setTimeout(killGroup, GRACE_MS, pid, 'SIGKILL'));
        }, timeoutMs),
      );
      /* What the program left behind would keep our pipes open. */
      child.on('exit', () => killGroup(pid, 'SIGKILL'));
    }
    const end = () => {
      timers.forEach(clearTimeout);
      if (pid !== undefined) groups.delete(pid);
    };
    child.on('error', (error) => {
      end();
      reject(error);
    });
    child.on('close', (code, signal) => {
      end();
      resolve({ code, signal, timedOut, output, seconds: (Date.now() - started) / 1000 });
    });
  });
}

/** @param {string} text @param {number} count */
function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** @param {string} text @param {RegExp} [boring] */
function leaveOut(text, boring) {
  const lines = text.split('\n');
  return lines.filter((line) => !boring?.test(line)).join('\n');
}

/**
 * Like run, but anything else than exit code 0 becomes a StepError with the last 40 lines.
 * @param {string} command @param {string[]} args
 * @param {RunOptions & {what: string, advice: string, boring?: RegExp}} options `boring` are lines
 *   that are not worth one of the 40.
 * @returns {Promise<string>} What the command printed.
 */
async function runStep(command, args, options) {
  const { what, advice } = options;
  /** @type {RunResult} */
  let result;
  try {
    result = await run(command, args, options);
  } catch (error) {
    throw new StepError(`${what}: ${command} could not be started (${String(error)}).`, { advice });
  }
  if (result.code === 0) return result.output;
  const end = result.code === null ? `signal ${result.signal}` : `exit code ${result.code}`;
  throw new StepError(`${what}: \`${[command, ...args].join(' ')}\` failed with ${end}.`, {
    output: lastLines(leaveOut(result.output, options.boring), 40),
    advice,
  });
}

module.exports = { StepError, run, runStep, lastLines };
