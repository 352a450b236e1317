/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `busbar sim` beside a test, and what the test tells it: const sim = await startSim(t, ['pm500']);
   await sim.tell('fault silence'). Commands go in through a named pipe, so that the program is
   started, stopped and reported like any other. */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { BUSBAR } = require('./busbar');
const { atEnd } = require('./end');
const { freePort, tempDir } = require('./place');
const { startProgram } = require('./program');
const { waitFor } = require('./wait');

const TAKE_COMMANDS = 'commands=$1; shift; exec "$@" <"$commands"';

/* What says where it listens. Else it gets a port that stays its own, so that what a test sees there
   after its end is nobody else. */
const PLACES = ['--port', '--count'];

/** @typedef {{host: string, port: number, profile: string, unit: number}} SimDevice */

class Sim {
  /** @param {import('./program').Program} program @param {number} input File descriptor */
  constructor(program, input) {
    this.program = program;
    this.input = input;
    /** @type {SimDevice[]} */
    this.devices = [];
    /** @type {string[]} */
    this.answers = [];
    let rest = '';
    program.child.stdout.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = /** @type {string} */ (lines.pop());
      lines.forEach((line) => this.take(line));
    });
  }

  /** @param {string} line */
  take(line) {
    const found = /^listening (\S+):(\d+) (\S+) unit (\d+)$/.exec(line);
    if (!found) return void this.answers.push(line);
    const [, host, port, profile, unit] = found;
    this.devices.push({ host, port: Number(port), profile, unit: Number(unit) });
  }

  /** Of the first device. */
  get port() {
    return this.devices[0].port;
  }

  get pid() {
    return this.program.pid;
  }

  /** Sends a command and waits until it is done; rejects with the simulator's sentence.
   * @param {string} line @returns {Promise<string>} What follows `ok`. */
  async tell(line) {
    const place = this.answers.length;
    fs.writeSync(this.input, `${line}\n`);
    const answer = await waitFor(() => this.answers[place], { what: `the answer to "${line}"` });
    if (!answer.startsWith('ok')) throw new Error(answer);
    return answer.slice(3);
  }

  /** How often it was asked and connected to. */
  async status() {
    const words = (await this.tell('status')).split(' ');
    const number = (/** @type {string} */ word) => Number(words[words.indexOf(word) + 1]);
    return {
      requests: number('requests'),
      connections: number('connections'),
      clients: number('clients'),
      faults: number('faults'),
    };
  }

  /** @param {NodeJS.Signals} [signal] */
  stop(signal) {
    return this.program.stop(signal);
  }
}

/**
 * @param {import('node:test').TestContext} t
 * @param {string[]} args Of `busbar sim`.
 * @param {{devices?: number, env?: NodeJS.ProcessEnv}} [options] `devices`: lines to wait for; 1.
 */
async function startSim(t, args, { devices = 1, env } = {}) {
  const place = PLACES.some((each) => args.includes(each)) ? [] : ['--port', `${await freePort()}`];
  const pipe = path.join(tempDir(t), 'commands');
  execFileSync('mkfifo', [pipe]);
  const input = fs.openSync(pipe, 'r+');
  atEnd(t, () => fs.closeSync(input));
  const program = startProgram(t, {
    command: 'sh',
    args: ['-c', TAKE_COMMANDS, 'sim', pipe, BUSBAR, 'sim', ...args, ...place],
    env,
  });
  const sim = new Sim(program, input);
  await waitFor(() => sim.devices.length >= devices || !program.running, {
    what: `busbar sim ${args.join(' ')} to listen`,
  });
  if (sim.devices.length < devices) {
    program.asked = true;
    throw new Error(`${program.describeEnd()}:\n${program.tail()}`);
  }
  return sim;
}

module.exports = { Sim, startSim };
