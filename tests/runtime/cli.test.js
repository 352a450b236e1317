/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* busbar check, profiles and probe, as a person at a terminal meets them. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');
const { ServerTCP } = require('modbus-serial');
const { BUSBAR, atEnd, freePort, openPort, runBusbar, tempDir } = require('../support');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */

/** @param {TestContext} t @param {string} text @returns {string} The file. */
function writeConfig(t, text) {
  const file = path.join(tempDir(t), 'site.yaml');
  fs.writeFileSync(file, text);
  return file;
}

/** @param {TestContext} t @param {number} port @param {string} [device] Keys of the device. */
function writeSite(t, port, device = 'profile: rockwell/powermonitor-500', line = '') {
  return writeConfig(
    t,
    `busbar: 1
connections:
  - { id: line, modbus-tcp: { host: 127.0.0.1, port: ${port}, timeout: 300ms${line} } }
devices:
  - { id: meter-1, connection: line, ${device} }
`,
  );
}

/** The rows of a table as lists of cells; cells never hold two blanks. @param {string} text */
function readTable(text) {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));
}

test('check says in one line that all is well', async (t) => {
  const file = writeSite(t, 502);
  fs.appendFileSync(file, "sinks:\n  - { id: bus, mqtt: { url: 'mqtt://127.0.0.1' } }\n");
  const { code, stdout, stderr } = await runBusbar(['check', file]);
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal(stdout, `${file}: ok: 1 device, 65 points, 1 connection, 1 sink, 1 route\n`);
});

test('check names all of five mistakes with line and path', async (t) => {
  const file = writeConfig(
    t,
    `busbar: 1
connections:
  - id: line
    modbus-tcp: { host: 10.0.0.1, prot: 502 }
devices:
  - id: meter-1
    connection: lime
    profile: rockwell/powermonitor-500
  - { id: meter-2, connection: line, profile: generic/modbus, unit: 300 }
sinks:
  - { id: broker, mqtt: { } }
runtime:
  metricks: off
`,
  );
  const { code, stdout, stderr } = await runBusbar(['check', file]);
  assert.deepEqual([code, stdout], [2, '']);
  const lines = stderr.trimEnd().split('\n');
  const expected = [
    [4, /connections\[line\]\.modbus-tcp\.prot: .*did you mean "?port\b/],
    [7, /devices\[meter-1\]\.connection: .*lime/],
    [9, /devices\[meter-2\]\.unit: .*300.*255/],
    [11, /sinks\[broker\]\.mqtt.*url/],
    [13, /runtime\.metricks: .*did you mean "?metrics\b/],
  ];
  assert.equal(lines.length, expected.length, stderr);
  for (const [i, [line, pattern]] of /** @type {[number, RegExp][]} */ (expected).entries()) {
    assert.ok(lines[i].startsWith(`${file}:${line}: `), lines[i]);
    assert.match(lines[i], pattern);
  }
});

test('run leaves no trace of a config with mistakes', async (t) => {
  const file = writeConfig(t, 'busbar: 1\nruntime: { metricks: off }\n');
  const data = path.join(tempDir(t), 'state', 'busbar');
  const { code, stderr } = await runBusbar(['run', file, '--data', data]);
  assert.equal(code, 2);
  assert.match(stderr, /site\.yaml:2: runtime\.metricks: .*did you mean "?metrics\b/);
  assert.equal(fs.existsSync(path.dirname(data)), false);
});

test('check names the nearest right key of a profile', async (t) => {
  const file = writeSite(t, 502, 'profile: mine');
  const profile = `profile: 1
id: mine
name: Mine
points:
  - { name: a, type: float32, input: 0, untis: V }
  - { name: b, type: float32, input: 1 }
`;
  fs.writeFileSync(path.join(path.dirname(file), 'mine.yaml'), profile);
  const { code, stderr } = await runBusbar(['check', file]);
  assert.equal(code, 2);
  assert.match(stderr, /mine\.yaml:5: points\[\S*\]\.untis: .*did you mean "?unit\b/);
  assert.match(stderr, /mine\.yaml:6: .*overlap/);
});

test('a mistake in a profile that two devices name in two ways is told once', async (t) => {
  const file = writeSite(t, 502, 'profile: mine');
  const folder = path.dirname(file);
  fs.appendFileSync(
    file,
    `  - { id: meter-2, connection: line, unit: 2, profile: ../${path.basename(folder)}/mine.yaml }
  - { id: meter-3, connection: line, unit: 3, profile: ${folder}/mine.yaml }
  - { id: meter-4, connection: line, unit: 4, profile: mine }
`,
  );
  fs.writeFileSync(
    path.join(folder, 'mine.yaml'),
    'profile: 1\nid: mine\nname: Mine\npionts: []\n',
  );
  const { code, stderr } = await runBusbar(['check', file]);
  assert.equal(code, 2);
  assert.equal(stderr.match(/pionts: /g)?.length, 1, stderr);
});

test('the path of a bundled profile goes straight to it', async (t) => {
  const folder = fs.realpathSync(tempDir(t));
  const profiles = path.join(folder, 'share/busbar/profiles/acme');
  fs.mkdirSync(profiles, { recursive: true });
  fs.mkdirSync(path.join(folder, 'bin'));
  fs.copyFileSync(BUSBAR, path.join(folder, 'bin/busbar'));
  fs.writeFileSync(path.join(profiles, 'm.yaml'), 'profile: 1\nid: acme/m\nname: M\npionts: []\n');
  const file = writeSite(t, 502, 'profile: acme/m');
  const env = { ...process.env, BUSBAR_PROFILES: '' };
  const { stderr } = spawnSync(path.join(folder, 'bin/busbar'), ['check', file], { env });
  assert.match(String(stderr), new RegExp(`^${profiles}/m\\.yaml:4: pionts: `, 'm'));
});

test('check of a file that is not there', async () => {
  const { code, stderr } = await runBusbar(['check', '/no/such/site.yaml']);
  assert.equal(code, 2);
  assert.match(stderr, /^\/no\/such\/site\.yaml: .*no such file/im);
});

test('profiles lists what is bundled', async () => {
  const { code, stdout } = await runBusbar(['profiles']);
  const rows = readTable(stdout);
  assert.equal(code, 0);
  assert.deepEqual(rows[0], ['ID', 'NAME', 'POINTS', 'VERIFIED']);
  const meter = rows.find((row) => row[0] === 'rockwell/powermonitor-500');
  assert.deepEqual(meter?.slice(1), ['Allen-Bradley PowerMonitor 500', '65', 'no']);
});

test('profiles shows the points of one', async () => {
  const { code, stdout } = await runBusbar(['profiles', 'generic/modbus']);
  assert.equal(code, 0);
  assert.match(stdout, /^count +uint32 +fast +holding 0x000a +ABCD$/m);
  assert.match(stdout, /^temperature +int16 +°C +fast +holding 0x000c +× 0\.1$/m);
  assert.match(stdout, /^limit .*writable from 0 to 100 in steps of 0\.5$/m);
  assert.match(stdout, /^alarms .*0 overload, 1 phase-loss, 15 internal$/m);
});

test('probe shows what a simulated meter says', async (t) => {
  const sim = await startSim(t, ['pm500']);
  await sim.tell('set frequency 49.8');
  const file = writeSite(t, sim.port);
  const { code, stdout, stderr } = await runBusbar(['probe', file, 'meter-1']);
  assert.deepEqual([code, stderr], [0, '']);
  const rows = readTable(stdout);
  assert.deepEqual(rows[0], ['POINT', 'VALUE', 'UNIT', 'QUALITY', 'RAW']);
  assert.equal(rows.length, 66);
  const frequency = rows.find((row) => row[0] === 'frequency');
  assert.deepEqual(frequency, ['frequency', '49.8', 'Hz', 'good', '3333 4247']);
  assert.match(stdout, /^setup\/system +5 \(3PN\) +good +0005$/m);
});

test('probe --scan reads only that scan', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const file = writeSite(t, sim.port);
  const { code, stdout } = await runBusbar(['probe', file, 'meter-1', '--scan', 'energy']);
  assert.equal(code, 0);
  assert.equal(readTable(stdout).length, 10);
});

/** A server that is not ours, which refuses input registers from 11 on (exception 2).
 * @param {TestContext} t @param {Record<number, number>} input @param {number} [unit] */
async function startServer(t, input, unit = 1) {
  const port = await freePort();
  /** @param {number} address */
  const read = (address) => {
    if (address in input) return input[address];
    throw Object.assign(new Error('no such register'), { modbusErrorCode: 2 });
  };
  const vector = {
    getInputRegister: read,
    getHoldingRegister: (/** @type {number} */ address) => address,
    getCoil: () => true,
    getDiscreteInput: () => true,
  };
  const server = new ServerTCP(vector, { host: '127.0.0.1', port, unitID: unit });
  await once(server, 'initialized');
  atEnd(t, () => new Promise((resolve) => server.close(resolve)));
  return port;
}

const MINE = `profile: { profile: 1, id: mine, name: Mine, points: [
      { name: frequency, type: float32, input: 0, unit: Hz },
      { name: swapped, type: float32, input: 2, order: BADC },
      { name: big, type: int64, input: 4 },
      { name: small, type: int16, input: 8 },
      { name: state, type: uint16, input: 9, enum: { 0: off, 7: running } },
      { name: gone, type: uint16, input: 10 } ] }`;
/* 50 as a float32 is 0x42480000. */
const REGISTERS = {
  0: 0x4248, 1: 0x0000, 2: 0x4842, 3: 0x0000,
  4: 0xffff, 5: 0xffff, 6: 0xffff, 7: 0xfffe, 8: 0x8000, 9: 7,
}; // prettier-ignore

test('probe reads a foreign server, and finds the point that it refuses', async (t) => {
  const file = writeSite(t, await startServer(t, REGISTERS), MINE);
  const { code, stdout, stderr } = await runBusbar(['probe', file, 'meter-1']);
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(readTable(stdout).slice(1), [
    ['frequency', '50', 'Hz', 'good', '4248 0000'],
    ['swapped', '50', 'good', '4842 0000'],
    ['big', '-2', 'good', 'ffff ffff ffff fffe'],
    ['small', '-32768', 'good', '8000'],
    ['state', '7 (running)', 'good', '0007'],
    ['gone', 'bad: refused by the device (exception 2)'],
  ]);
});

test('probe --orders shows all four word orders side by side', async (t) => {
  const file = writeSite(t, await startServer(t, REGISTERS), MINE);
  const { code, stdout } = await runBusbar(['probe', file, 'meter-1', '--orders'], {
    env: { COLUMNS: '130' },
  });
  assert.equal(code, 0);
  const [, short, long] = stdout.split('\n\n');
  const rows = readTable(short);
  assert.deepEqual(rows[0], ['POINT', 'RAW', 'ABCD', 'CDAB', 'BADC', 'DCBA']);
  /** @param {number[]} bytes @returns {string} */
  const float = (...bytes) => Number(Buffer.from(bytes).readFloatBE()).toPrecision(4);
  assert.deepEqual(rows[1].slice(0, 3), ['frequency', '4248 0000', '*50']);
  assert.equal(Number(rows[1][3]).toPrecision(4), float(0, 0, 0x42, 0x48));
  assert.deepEqual(rows[2].slice(0, 2), ['swapped', '4842 0000']);
  assert.equal(rows[2][4], '*50');
  assert.equal(rows.length, 3);
  const big = Buffer.from('fffffffffffffffe', 'hex');
  const values = ['*-2', '-281474976710657', '-257', '-72057594037927937'];
  assert.deepEqual(readTable(long)[1], ['big', 'ffffffff fffffffe', ...values]);
  assert.equal(big.readBigInt64LE().toString(), values[3]);
});

test('probe says that nobody is there', async (t) => {
  const file = writeSite(t, await freePort());
  const { code, stdout, stderr } = await runBusbar(['probe', file, 'meter-1']);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /meter-1: no connection to 127\.0\.0\.1:\d+: connection refused\n/);
  assert.match(stderr, /one client only/);
});

test('probe says that a unit does not answer', async (t) => {
  const sim = await startSim(t, ['pm500']);
  await sim.tell('fault silence');
  const file = writeSite(t, sim.port);
  const { code, stdout, stderr } = await runBusbar(['probe', file, 'meter-1']);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /meter-1: .*(no answer|stopped answering|does not answer)/);
  assert.doesNotMatch(stderr, /next try/);
});

test('probe says that the unit is not behind the gateway', async (t) => {
  const sim = await startSim(t, ['pm500', '--units', '1-2'], { devices: 2 });
  const file = writeSite(t, sim.port, 'profile: rockwell/powermonitor-500, unit: 9');
  const { code, stdout, stderr } = await runBusbar(['probe', file, 'meter-1']);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /meter-1: .*(gateway|no answer)/);
});

test('probe gives up when its time is over', async (t) => {
  const server = net.createServer((socket) => void socket.on('error', () => {}));
  const file = writeSite(t, await openPort(t, server));
  const ended = await runBusbar(['probe', file, 'meter-1', '--timeout', '100ms']);
  assert.deepEqual([ended.code, ended.stdout], [1, '']);
  assert.match(ended.stderr, /meter-1: no answer within 100 ms; --timeout sets how long to wait\n/);
});

test('probe hints at the one client that a meter takes', async (t) => {
  const port = await openPort(
    t,
    net.createServer((socket) => socket.destroy()),
  );
  const { code, stderr } = await runBusbar(['probe', writeSite(t, port), 'meter-1']);
  assert.equal(code, 1);
  assert.match(stderr, /one client only/);
});

test('wrong usage ends with 2 and one sentence', async (t) => {
  const file = writeSite(t, 502);
  const wrong = /** @type {[string[], RegExp][]} */ ([
    [['check'], /which config is missing/],
    [['check', '--fast', file], /no option --fast/],
    [['check', file, file], /one config is enough/],
    [
      ['profiles', 'generic/modbsu'],
      /no profile generic\/modbsu; did you mean generic\/modbus\? busbar/,
    ],
    [['profiles', 'PM500'], /no profile PM500; did you mean rockwell\/powermonitor-500\? busbar/],
    [['profiles', '--all'], /no option --all/],
    [['probe'], /which config is missing/],
    [['probe', file], /which device is missing/],
    [['probe', file, 'metre-1'], /no device metre-1 in .*; did you mean meter-1\?\n/],
    [
      ['probe', file, 'meter-1', '--scan', 'fsat'],
      /no scan fsat; did you mean fast\? allowed: fast/,
    ],
    [['probe', file, 'meter-1', '--timeout', 'soon'], /--timeout: soon is not possible; allowed:/],
    [['probe', file, 'meter-1', '--timeout'], /--timeout needs an argument/],
    [['probe', file, 'meter-1', '--ordres'], /no option --ordres; did you mean --orders\? busbar/],
    [['probe', file, 'meter-1', 'meter-2'], /one device is enough/],
  ]);
  for (const [args, pattern] of wrong) {
    const { code, stdout, stderr } = await runBusbar(args);
    assert.deepEqual([args, code, stdout], [args, 2, '']);
    assert.match(stderr, pattern);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  }
});

for (const command of ['check', 'probe', 'profiles']) {
  test(`${command} --help`, async () => {
    const { code, stdout, stderr } = await runBusbar([command, '--help']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, new RegExp(`^Usage: busbar ${command}`));
    assert.match(stdout, new RegExp(`Example: busbar ${command}`));
  });
}
