/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The executable under test: native/build/busbar, or the one that BUSBAR_BIN names. */

const { spawn } = require('node:child_process');
const path = require('node:path');
const { tempDir } = require('./place');
const { startProgram } = require('./program');

const BUSBAR = path.resolve(
  process.env.BUSBAR_BIN || path.join(__dirname, '../../native/build/busbar'),
);

/**
 * Starts busbar beside the test, with a data directory of its own unless env names one.
 * @param {import('node:test').TestContext} t @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string}} [options]
 */
function startBusbar(t, args, { env = {}, cwd } = {}) {
  const data = env.BUSBAR_DATA || tempDir(t);
  return startProgram(t, { command: BUSBAR, args, cwd, env: { ...env, BUSBAR_DATA: data } });
}

/**
 * Runs busbar to its end.
 * @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string, input?: string, timeoutMs?: number}} [options]
 * @returns {Promise<{code: number | null, signal: string | null, stdout: string, stderr: string}>}
 */
function runBusbar(args, { env, cwd, input = '', timeoutMs = 30000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(BUSBAR, args, { cwd, env: { ...process.env, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.stdin.on('error', () => {}).end(input);
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      const said = `${stdout}\n${stderr}`;
      reject(new Error(`busbar ${args.join(' ')} did not end within ${timeoutMs} ms:\n${said}`));
    }, timeoutMs);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}

module.exports = { BUSBAR, startBusbar, runBusbar };
