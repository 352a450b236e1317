/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* How the simulator is started, told what to do, and ended. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { freePort, isListening, runBusbar, waitFor } = require('../support');
const { connectRaw } = require('../support/modbus');
const { startSim } = require('../support/sim');

test('--port gives following ports', async (t) => {
  const port = await freePort();
  const sim = await startSim(t, ['pm500', '--port', String(port)]);
  assert.equal(sim.port, port);
  const second = await runBusbar(['sim', 'pm500', '--port', String(port)]);
  assert.equal(second.code, 1);
  assert.match(
    second.stderr,
    new RegExp(`cannot listen on 127.0.0.1 port ${port}: address already`),
  );
});

for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM'])) {
  test(`${signal} ends it in order`, async (t) => {
    const sim = await startSim(t, ['pm500', '--delay', '10s']);
    const client = await connectRaw(t, sim.port);
    client.ask(1, 1, '04 0088 0002');
    await waitFor(async () => (await sim.status()).requests === 1, { what: 'the request' });
    assert.deepEqual(await sim.stop(signal), { code: 0, signal: null });
    await client.waitClosed();
    assert.equal(await isListening(sim.port), false);
  });
}

test('commands that came before its end of input are done', async () => {
  const ended = await runBusbar(['sim', 'pm500'], { input: '\nstatus\nfrobnicate\nset\nquit\n' });
  const lines = ended.stdout.trim().split('\n');
  assert.match(lines[0], /^listening 127\.0\.0\.1:\d+ rockwell\/powermonitor-500 unit 1$/);
  assert.deepEqual(lines.slice(1), [
    'ok requests 0 connections 0 clients 0 faults 0',
    'error: there is no command frobnicate; allowed: fault, set, status, quit',
    'error: a point and its value are needed, such as set frequency 49.8',
    'ok',
  ]);
  assert.deepEqual([ended.code, ended.stderr], [0, '']);
});

test('it goes on without standard input', async (t) => {
  const sim = await startSim(t, ['pm500'], {});
  fs.writeSync(sim.input, 'x'.repeat(5000) + '\n');
  await waitFor(() => sim.answers.includes('error: the line is too long'), { what: 'an error' });
  assert.equal((await sim.status()).requests, 0);
});

const WRONG = [
  [['sim'], /which profile is missing/],
  [['sim', 'pm500', '--cuont', '3'], /no option --cuont; did you mean --count\? busbar/],
  [['sim', 'pm500', '--count', '0'], /--count: 0 is not possible; allowed: 1 to 20000/],
  [['sim', 'pm500', '--units', '5-3'], /allowed: a unit id or a range, 1 to 247, such as 1-32/],
  [['sim', 'pm500', '--delay', 'slow'], /allowed: a time or a range, up to 60s/],
  [['sim', 'pm500', '--host', 'localhost'], /allowed: an address in numbers/],
  [['sim', 'pm500', '--seed'], /--seed needs an argument/],
  [['sim', 'pm500', '--fault', 'silense'], /no fault silense; did you mean silence\?/],
  [['sim', 'pm500', 'generic/modbus'], /one profile is enough/],
  [['sim', 'no/such'], /there is no profile no\/such; `busbar profiles` lists/],
  [['sim', 'sdm-630'], /there is no profile sdm-630; did you mean eastron\/sdm630\?\n/],
  [['sim', '../profiles/profile.schema.json'], /no profile|mistake|missing/],
  [['smi'], /there is no command smi; did you mean sim\? busbar/],
  [[], /Usage: busbar COMMAND/],
];

for (const [args, pattern] of /** @type {[string[], RegExp][]} */ (WRONG)) {
  test(`wrong usage: busbar ${args.join(' ')}`, async () => {
    const { code, stdout, stderr } = await runBusbar(args);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.match(stderr, pattern);
  });
}

test('help and version', async () => {
  const file = path.resolve(__dirname, '../../package.json');
  const { version } = JSON.parse(fs.readFileSync(file, 'utf8'));
  assert.deepEqual(await runBusbar(['version']), {
    code: 0,
    signal: null,
    stdout: `${version}\n`,
    stderr: '',
  });
  assert.match((await runBusbar(['--help'])).stdout, /^ {2}sim {8}simulate Modbus devices$/m);
  const help = await runBusbar(['sim', '--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--strict-gaps[^]*wrong-transaction[^]*Exit codes/);
});
