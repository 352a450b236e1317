/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Each form in which nodes give what was read, and each that the codec nodes take, at the node itself. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { lacks, waitFor } = require('../support');
const { startProgram } = require('../support/program');
const { startSim } = require('../support/sim');
const { load } = require('./support/helper');

/** @typedef {import('./support/helper').FlowNode} FlowNode */

const OUT = { id: 'out', type: 'helper', wires: [] };
const FLOAT = Buffer.alloc(4);
FLOAT.writeFloatBE(50.01);

/** Two meters behind a gateway, one more that gives raw registers. @param {number} port @returns {FlowNode[]} */
function makePlant(port) {
  const points = [10, 11].map((address) => ({
    ...{ name: `hr_${address}`, type: 'uint16', holding: address },
  }));
  const device = { type: 'busbar-device', connection: 'conn', enabled: true, tags: [] };
  return [
    { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' },
    {
      ...{ id: 'conn', type: 'busbar-connection', protocol: 'modbus-tcp', host: '127.0.0.1' },
      port: String(port),
    },
    {
      ...{ id: 'prof', type: 'busbar-profile', name: 'raw' },
      profile: JSON.stringify({ profile: 1, id: 'raw', points }),
    },
    {
      ...{ ...device, id: 'dev-table', profileType: 'bundled', profile: 'generic/modbus' },
      devices: [
        { id: 'm-1', unit: '1', tags: { line: 'l1' } },
        { id: 'm-2', unit: '2', tags: { line: 'l2' } },
      ],
      scans: [{ scan: 'fast', period: '250ms' }],
    },
    {
      ...{ ...device, id: 'dev-raw', deviceId: 'raw', unit: '1' },
      ...{ profileType: 'node', profileNode: 'prof', scans: [{ scan: 'fast', period: '500ms' }] },
    },
  ];
}

/** Sets all that is asked for below. @param {import('node:test').TestContext} t */
async function startMeters(t) {
  const sim = await startSim(t, ['generic/modbus', '--units', '1-2'], { devices: 2 });
  const values = ['voltage 231 unit 1', 'voltage 232 unit 2', 'count 65538 unit 1'];
  values.push('relay/1 1 unit 1', 'relay/2 0 unit 1', 'door 1 unit 1', 'frequency 50.01 unit 1');
  values.push(
    'frequency 50.01 unit 2',
    'energy raw 0020000000000001 unit 2',
    'label Hall_7 unit 2',
  );
  for (const value of values) await sim.tell(`set ${value}`);
  return sim;
}

/** @param {object} fields @returns {FlowNode} */
function reader(fields) {
  return /** @type {any} */ ({ type: 'busbar-in', mode: 'scan', output: 'object', ...fields });
}

test('busbar-in: by tags, as registers, and the greatest of a period', async (t) => {
  const sim = await startMeters(t);
  const flow = await load(t, [
    ...makePlant(sim.port),
    reader({ id: 'in1', source: 'tags', tags: 'line=l2', scans: 'fast', wires: [['tagged']] }),
    reader({
      id: 'in2',
      source: 'device',
      device: 'dev-raw',
      output: 'registers',
      wires: [['words']],
    }),
    reader({
      ...{ id: 'in3', source: 'tags', tags: 'line=l2', scans: 'fast', points: 'voltage' },
      ...{ every: '2s', aggregate: 'max', wires: [['greatest']] },
    }),
    ...['tagged', 'words', 'greatest'].map((id) => ({ id, type: 'helper', wires: [] })),
  ]);
  const words = await flow.waitFor('words');
  assert.deepEqual([words.topic, words.payload], ['raw', [1, 2]]);
  assert.deepEqual(words.responseBuffer.data, [1, 2]);
  assert.deepEqual(words.responseBuffer.buffer, Buffer.from([0, 1, 0, 2]));
  assert.equal((await flow.waitFor('tagged')).payload.voltage, 232);
  for (const volts of [250, 240]) {
    await sim.tell(`set voltage ${volts} unit 2`);
    const from = flow.messages.tagged.length;
    await flow.waitFor('tagged', ({ payload }) => payload.voltage === volts, from);
  }
  const most = await flow.waitFor('greatest', ({ payload }) => payload.voltage === 250);
  assert.deepEqual([most.topic, most.aggregate], ['m-2', 'max']);
  assert.deepEqual(Object.keys(most.payload), ['voltage']);
  const topics = new Set(flow.messages.tagged.map(({ topic }) => topic));
  assert.deepEqual([...topics], ['m-2']);
  await waitFor(() => flow.messages.greatest.length >= 2, { what: 'the next period' });
  const [all, few] = [flow.messages.tagged.length, flow.messages.greatest.length];
  assert.ok(few * 3 < all, `${few} of ${all}`);
});

/** Registers and bits by their address, as the simulator was told to have them.
 * @param {Awaited<ReturnType<typeof load>>} flow */
async function checkByAddress(flow) {
  /** @type {[object, any[], Buffer][]} */
  const rows = [
    [{ fc: 1, address: 0, quantity: 2 }, [true, false], Buffer.from([1])],
    [{ fc: 2, address: 0, quantity: 1 }, [true], Buffer.from([1])],
    [{ fc: 3, address: 10, quantity: 2 }, [1, 2], Buffer.from([0, 1, 0, 2])],
    [
      { fc: '4', unitid: '2', address: '0', quantity: '2' },
      [FLOAT.readUInt16BE(0), FLOAT.readUInt16BE(2)],
      FLOAT,
    ],
  ];
  for (const [request, data, buffer] of rows) {
    const { payload, responseBuffer } = await flow.ask('by-address', { payload: request });
    /* Bits may be filled up to whole bytes. */
    const filled = payload.slice(data.length);
    assert.deepEqual(payload.slice(0, data.length), data, JSON.stringify(request));
    assert.ok(filled.every((/** @type {any} */ bit) => bit === false));
    assert.deepEqual(responseBuffer, { data: payload, buffer });
  }
}

test('busbar-read: each form, each scan, each device of a table, each function code', async (t) => {
  const sim = await startMeters(t);
  const read = { type: 'busbar-read', device: 'dev-table', scans: 'fast', wires: [['out']] };
  const flow = await load(t, [
    ...makePlant(sim.port),
    { ...read, id: 'as-points', output: 'points' },
    { ...read, id: 'as-influx', output: 'influx' },
    { ...read, id: 'all', scans: '', output: 'object' },
    { ...read, id: 'as-words', device: 'dev-raw', scans: '', output: 'registers' },
    { ...read, id: 'by-address', device: '', connection: 'conn', output: 'registers' },
    OUT,
  ]);
  await flow.waitFor('stated', ({ status: { source, text } }) => {
    return source.id === 'as-words' && text === 'ready';
  });
  await flow.ask('as-points', { device: 'm-2', kept: 1 });
  const voltage = await flow.waitFor('out', ({ point }) => point === 'voltage');
  const { topic, payload, unit, kept, device } = voltage;
  assert.deepEqual([topic, payload, unit, kept], ['m-2/voltage', 232, 'V', 1]);
  assert.deepEqual(device, { id: 'm-2', tags: { line: 'l2' }, profile: 'generic/modbus' });

  await waitFor(() => flow.messages.out.length >= 20, { what: 'all points' });
  const influx = await flow.ask('as-influx', { device: { id: 'm-1' } });
  const [{ voltage: volts, time }, tags] = influx.payload;
  assert.deepEqual([influx.measurement, volts, time], ['modbus', 231, influx.timestamp]);
  assert.deepEqual(tags, { asset: 'm-1', line: 'l1' });

  const from = flow.messages.out.length;
  flow.send('all', { device: 'm-2' });
  const scans = ['fast', 'slow', 'energy', 'info'];
  await waitFor(() => flow.messages.out.length >= from + scans.length, { what: 'all scans' });
  const byScan = new Map(flow.messages.out.slice(from).map((msg) => [msg.scan, msg.payload]));
  assert.deepEqual([...byScan.keys()].sort(), [...scans].sort());
  assert.equal(byScan.get('fast').voltage, 232);
  assert.equal(byScan.get('energy').energy, '9007199254740993', 'past 2^53 a text');
  assert.equal(byScan.get('info').label, 'Hall_7');

  const words = await flow.ask('as-words', {});
  assert.deepEqual(
    [words.payload, words.responseBuffer.buffer.toString('hex')],
    [[1, 2], '00010002'],
  );
  await checkByAddress(flow);
  /** @type {[string, object, RegExp][]} */
  const wrong = [
    ['as-points', {}, /this node has 2 devices; name one in msg\.device, such as "m-1"/],
    ['as-points', { device: 'm-3' }, /there is no device "m-3" in this node; it has m-1, m-2/],
    ['by-address', { payload: { fc: 5, address: 0, quantity: 1 } }, /payload\.fc is 5; allowed: 1/],
    ['by-address', { payload: { fc: 1, address: 0, quantity: 2001 } }, /allowed: 1 to 2000/],
  ];
  for (const [id, msg, text] of wrong) {
    assert.match((await flow.ask(id, msg, 'caught')).error.message, text);
  }
});

test('busbar-in, -read and -write over a serial line', { skip: lacks('python3') }, async (t) => {
  const sim = await startSim(t, ['generic/modbus', '--framing', 'rtu']);
  await sim.tell('set voltage 231');
  const line = startProgram(t, {
    command: 'python3',
    args: [path.join(__dirname, '../support/serial_line.py'), String(sim.port)],
  });
  const [, place] = await line.waitForOutput(/^(\/\S+)$/m);
  const [runtime] = makePlant(sim.port);
  const flow = await load(t, [
    runtime,
    {
      ...{ id: 'conn', type: 'busbar-connection', protocol: 'modbus-rtu', path: place },
      ...{ baud: '115200', parity: 'none', stopBits: '1' },
    },
    {
      ...{ id: 'dev', type: 'busbar-device', deviceId: 'meter-1', connection: 'conn', unit: '1' },
      ...{ profileType: 'bundled', profile: 'generic/modbus', enabled: true, tags: [] },
      scans: [{ scan: 'fast', period: '500ms' }],
    },
    reader({ id: 'in', source: 'device', device: 'dev', scans: 'fast', wires: [['seen']] }),
    { id: 'read', type: 'busbar-read', connection: 'conn', wires: [['out']] },
    { id: 'write', type: 'busbar-write', device: 'dev', point: 'limit', wires: [['out']] },
    ...[OUT, { id: 'seen', type: 'helper', wires: [] }],
  ]);
  const { payload } = await flow.waitFor('seen', ({ quality }) => !quality);
  assert.equal(payload.voltage, 231);
  const { outcome } = await flow.ask('write', { payload: 12.5 });
  assert.deepEqual([outcome.state, outcome.measured], ['confirmed', { limit: 12.5 }]);
  const words = await flow.ask('read', { payload: { fc: 3, address: 200, quantity: 1 } });
  assert.deepEqual(words.payload, [125], 'the line is shared with the device that is polled');
});

test('busbar-decode: each form of registers, by an address, a point a message', async (t) => {
  const points = [
    { name: 'v', type: 'float32', holding: 10, order: 'CDAB' },
    { name: 'n', type: 'uint16', holding: 12 },
  ];
  const decode = {
    type: 'busbar-decode',
    profileType: 'node',
    profileNode: 'prof',
    wires: [['out']],
  };
  const flow = await load(t, [
    {
      ...{ id: 'prof', type: 'busbar-profile', name: 'own' },
      profile: JSON.stringify({ id: 'own', points }),
    },
    { ...decode, id: 'as-object', address: '10', table: 'holding' },
    { ...decode, id: 'as-points', address: '10', table: 'holding', output: 'points' },
    OUT,
  ]);
  const words = [0x199a, 0x4366, 7];
  const bytes = Buffer.from('199a43660007', 'hex');
  const forms = [words, bytes, Uint16Array.from(words), { data: words }, { buffer: bytes }];
  for (const payload of forms) {
    assert.deepEqual((await flow.ask('as-object', { payload })).payload, { v: 230.1, n: 7 });
  }
  /* Of the message before that of the node; what does not lie there is left out. */
  const moved = await flow.ask('as-object', { payload: [7], address: 12, kept: 1 });
  assert.deepEqual([moved.payload, moved.kept], [{ n: 7 }, 1]);
  const from = flow.messages.out.length;
  flow.send('as-points', { payload: words });
  await waitFor(() => flow.messages.out.length >= from + 2, { what: 'both points' });
  const each = flow.messages.out.slice(from);
  assert.deepEqual(
    each.map(({ topic, point, payload }) => [topic, point, payload]),
    [
      ['v', 'v', 230.1],
      ['n', 'n', 7],
    ],
  );
});

test('busbar-line: as text, as a Buffer, line by line, and of what busbar-in sends', async (t) => {
  const line = { type: 'busbar-line', measurement: 'm', precision: 's', wires: [['out']] };
  const flow = await load(t, [
    { ...line, id: 'as-text', tags: [] },
    { ...line, id: 'as-buffer', output: 'buffer', tags: [] },
    { ...line, id: 'as-array', output: 'array', tags: [] },
    { ...line, id: 'own', measurement: '', precision: 'ms', tags: [{ key: 'site', value: 's' }] },
    OUT,
  ]);
  const at = (/** @type {number} */ x, time = 1763688000) => [{ x, time }, { line: `l${x}` }];
  const both = () => ({ payload: [at(1), at(2)] });
  const lines = ['m,line=l1 x=1 1763688000', 'm,line=l2 x=2 1763688000'];
  assert.equal((await flow.ask('as-text', both())).payload, lines.join('\n'));
  assert.deepEqual((await flow.ask('as-buffer', both())).payload, Buffer.from(lines.join('\n')));
  assert.deepEqual((await flow.ask('as-array', both())).payload, lines);
  const message = {
    ...{ topic: 'meter-1', timestamp: 1763688000123, scan: 'fast' },
    device: { id: 'meter-1', tags: { line: 'l 1' }, profile: 'acme/power-meter' },
    payload: { 'voltage/l1-n': 230.1, state: 'on' },
  };
  assert.equal(
    (await flow.ask('own', message)).payload,
    'power_meter,asset=meter-1,line=l\\ 1,site=s voltage_l1_n=230.1,state="on" 1763688000123',
  );
});
