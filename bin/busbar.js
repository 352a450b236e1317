#!/usr/bin/env node
/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What npm puts on the PATH as `busbar`: migrates flows and installs the service itself, and hands all else to the native
   executable, with its streams, its exit code, and the signals in both directions. */

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');

/** @type {NodeJS.Signals[]} */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];

/** @param {string} sentence */
function fail(sentence) {
  process.stderr.write(`busbar: ${sentence}\n`);
  process.exitCode = 1;
}

/** What the executable does not know of. */
const OWN_HELP = `  migrate    turn flows of other Modbus nodes into flows of Busbar
  service    install the runtime as a service of systemd, look at it, remove it
`;

/** Nothing, after it was told, where there is none for this machine. */
function findNative() {
  const { executable } = require('../lib/binding');
  const { path, error } = executable();
  if (!path) fail(String(error));
  return path;
}

/** The executable's help, with our commands in its list. @param {string[]} args */
function runHelp(args) {
  const path = findNative();
  if (!path) return;
  const { stdout, stderr, status, error } = spawnSync(path, args, { encoding: 'utf8' });
  if (error) return fail(`${path} could not be started: ${error.message}`);
  const complete = (/** @type {string} */ text) => text.replace(/^ +version /m, `${OWN_HELP}$&`);
  write(1, complete(stdout));
  write(2, complete(stderr));
  process.exitCode = status ?? 1;
}

/** @param {string[]} args */
function runNative(args) {
  const path = findNative();
  if (!path) return;
  const child = spawn(path, args, { stdio: 'inherit' });
  const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  SIGNALS.forEach((signal) => process.on(signal, forward));
  child.on('error', ({ message }) => fail(`${path} could not be started: ${message}`));
  child.on('exit', (code, signal) => {
    SIGNALS.forEach((name) => process.off(name, forward));
    /* Whoever waits for us has to see the same end. */
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
}

/** Writes all of it at once; whoever reads may close the pipe early, as `head` does.
 * @param {number} descriptor @param {string} text */
function write(descriptor, text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += fs.writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw error;
    }
  }
}

const [command, ...args] = process.argv.slice(2);
if (command === 'migrate') {
  const { runMigrate } = require('../lib/migrate/command');
  process.exitCode = runMigrate(args, {
    stdout: (text) => write(1, text),
    stderr: (text) => write(2, text),
  });
} else if (command === 'service') {
  require('../lib/service')
    .service(args, { stdout: (text) => write(1, text), stderr: (text) => write(2, text) })
    .then((code) => (process.exitCode = code));
} else if ([undefined, 'help', '--help', '-h'].includes(command)) {
  runHelp(process.argv.slice(2));
} else {
  runNative(process.argv.slice(2));
}
