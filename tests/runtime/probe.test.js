/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What busbar probe says where not all is well: a wrong unit, profile or word order. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { runBusbar, tempDir } = require('../support');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */

/** @param {TestContext} t @param {number} port @param {string} device Keys of it. @param {string[]} [args]
 * @param {NodeJS.ProcessEnv} [env] */
async function probe(t, port, device, args = [], env = { COLUMNS: '' }) {
  const file = path.join(tempDir(t), 'site.yaml');
  fs.writeFileSync(
    file,
    `busbar: 1
connections:
  - { id: line, modbus-tcp: { host: 127.0.0.1, port: ${port}, timeout: 200ms } }
devices:
  - { id: meter-1, connection: line, ${device} }
`,
  );
  const ended = await runBusbar(['probe', file, 'meter-1', ...args], { env });
  return { ...ended, file };
}

const PM500 = 'profile: rockwell/powermonitor-500';

test('a unit that the gateway does not reach', async (t) => {
  const sim = await startSim(t, ['pm500', '--units', '1-2'], { devices: 2 });
  const { code, stdout, stderr } = await probe(t, sim.port, `${PM500}, unit: 9`);
  assert.deepEqual([code, stdout], [1, '']);
  const [said, advice] = stderr.split('\n');
  const time = '(\\d+ ms|\\d+(\\.\\d)? s)';
  const words = `the gateway 127.0.0.1:${sim.port} answers, but does not reach unit 9: asked \\d times in ${time}`;
  assert.match(said, new RegExp(`^busbar probe: meter-1: ${words}$`));
  assert.doesNotMatch(said, / in 0 ms/);
  assert.equal(
    advice,
    'Look at the unit (address) that is set in the meter, and at the wiring behind the gateway.',
  );
});

const SILENT =
  'Look at the unit (address) that is set in the meter; a slow one may need a longer `timeout`.';
const STRANGE = 'Is it a Modbus TCP device? A serial server may need `framing: rtu`.';
for (const [fault, words, advice] of [
  ['silence', 'no answer', SILENT],
  ['wrong-function', 'answers that make no sense', STRANGE],
]) {
  test(`a meter with the fault ${fault}`, async (t) => {
    const sim = await startSim(t, ['pm500']);
    await sim.tell(`fault ${fault}`);
    const { code, stdout, stderr } = await probe(t, sim.port, PM500);
    assert.deepEqual([code, stdout], [1, '']);
    const lines = stderr.split('\n');
    const start = `busbar probe: meter-1: ${words} from 127.0.0.1:${sim.port}, unit 1: asked `;
    assert.ok(lines[0].startsWith(start), stderr);
    assert.match(lines[0], /asked \d times? in (\d{3} ms|\d+(\.\d)? s)$/);
    assert.deepEqual(lines.slice(1), [advice, '']);
  });
}

test('a wrong profile: most points are refused', async (t) => {
  const sim = await startSim(t, ['pm500', '--strict-gaps']);
  const { code, stderr } = await probe(t, sim.port, 'profile: schneider/iem3155, unit: 1');
  assert.equal(code, 0);
  assert.match(
    stderr,
    /^\nOf 43 points \d\d were refused( and \d+ makes? no sense)?\. Is it the right\n/,
  );
  assert.match(stderr, /^ {2}unit\? {8}1 was asked; compare with the meter$/m);
  assert.match(
    stderr,
    /^ {2}profile\? {5}schneider\/iem3155 was used; `busbar profiles` lists the others$/m,
  );
});

/** @param {string} order */
const swapped = (order) =>
  `profile: { profile: 1, modbus: { word_order: ${order} }, points: [
      { name: frequency, type: float32, input: 0x88, unit: Hz },
      { name: voltage/l1-n, type: float32, input: 0x50, unit: V },
      { name: current/l1, type: float32, input: 0x60, unit: A } ] }`;

test('a wrong word order: the numbers make no sense', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const held = { frequency: '50', 'voltage/l1-n': '230', 'current/l1': '10' };
  for (const [name, value] of Object.entries(held)) await sim.tell(`set ${name} ${value}`);
  const good = await probe(t, sim.port, swapped('CDAB'));
  assert.deepEqual([good.code, good.stderr], [0, '']);
  const bad = await probe(t, sim.port, swapped('ABCD'));
  assert.equal(bad.code, 0);
  assert.match(bad.stderr, /^\nOf 3 points 3 make no sense\. Is it the right\n/);
  assert.match(
    bad.stderr,
    new RegExp(`^ {2}word order\\? {2}busbar probe ${bad.file} meter-1 --orders$`, 'm'),
  );
  const seen = await probe(t, sim.port, swapped('ABCD'), ['--orders']);
  assert.match(
    seen.stderr,
    /^ {2}word order\? {2}look for the column above whose values can be true$/m,
  );
});

test('--orders fits the columns that there are, and shows the bytes', async (t) => {
  const sim = await startSim(t, ['pm500']);
  await sim.tell('set frequency 50');
  const { code, stdout } = await probe(t, sim.port, PM500, ['--orders'], { COLUMNS: '80' });
  assert.equal(code, 0);
  const [, floats, wholes, note] = stdout.split('\n\n');
  for (const line of `${floats}\n${wholes}\n${note}`.split('\n')) {
    assert.ok([...line].length <= 80, `${[...line].length}: ${line}`);
  }
  assert.match(floats, /^POINT +RAW +ABCD +CDAB +BADC +DCBA$/m);
  assert.match(floats, /^frequency +0000 4248 +\S+ +\*50 +\S+ +\S+$/m);
  assert.match(wholes, /^energy\/active\/import +[0-9a-f]{8} [0-9a-f]{8}( +\*?[-.e0-9]+){4}$/m);
  assert.equal(
    note,
    '* the order that the profile says; the right one gives values that can be true.\n',
  );
  const wide = await probe(t, sim.port, PM500, ['--orders'], { COLUMNS: '150' });
  assert.match(wide.stdout, /^energy\/partial\/reactive\/import {2}[0-9a-f]{8} /m);
  for (const line of wide.stdout.split('\n\n').slice(1).join('\n').split('\n')) {
    assert.ok([...line].length <= 150, line);
  }
  const piped = await probe(t, sim.port, PM500, ['--orders'], { COLUMNS: '' });
  assert.match(piped.stdout, /^energy\/partial\/reactive\/import {2}[0-9a-f]{8} /m);
  assert.doesNotMatch(piped.stdout.split('\n\n').slice(1).join('\n'), /…/);
});

test('--orders of a device without such numbers', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const { code, stdout } = await probe(
    t,
    sim.port,
    'profile: { profile: 1, points: [{ name: a, type: uint16, input: 0x88 }] }',
    ['--orders'],
  );
  assert.equal(code, 0);
  assert.match(
    stdout,
    /\n\nNo number of more than one register was read, so there is no word order to see\.\n$/,
  );
});
