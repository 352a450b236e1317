/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The simulator, read by clients that are not ours. */

const assert = require('node:assert/strict');
const net = require('node:net');
const { once } = require('node:events');
const { test } = require('node:test');
const jsmodbus = require('jsmodbus');
const { default: ModbusRTU } = require('modbus-serial');
const { atEnd, waitFor } = require('../support');
const { connectRaw } = require('../support/modbus');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */

/** @param {ModbusRTU} client */
function closeSerial(client) {
  return new Promise((resolve) => client.close(() => resolve(undefined)));
}

/** @param {TestContext} t @param {number} port @param {number} [unit] @param {boolean} [rtu] */
async function connectSerial(t, port, unit = 1, rtu = false) {
  const client = new ModbusRTU();
  atEnd(t, () => client.isOpen && closeSerial(client));
  if (rtu) await client.connectTelnet('127.0.0.1', { port });
  else await client.connectTCP('127.0.0.1', { port });
  client.setID(unit);
  client.setTimeout(3000);
  return client;
}

/** @param {TestContext} t @param {number} port @param {number} [unit] */
async function connectJsmodbus(t, port, unit = 1) {
  const socket = net.connect(port, '127.0.0.1');
  atEnd(t, () => socket.destroy());
  const client = new jsmodbus.client.TCP(socket, unit, 3000);
  await once(socket, 'connect');
  return client;
}

/** Low word first. @param {Buffer} bytes @param {number} register */
function cdabFloat(bytes, register) {
  const at = register * 2;
  const swapped = Buffer.from([bytes[at + 2], bytes[at + 3], bytes[at], bytes[at + 1]]);
  return swapped.readFloatBE(0);
}

/** @param {Buffer} bytes @param {number} register */
function cdabUint64(bytes, register) {
  const words = [3, 2, 1, 0].map((word) => bytes.readUInt16BE((register + word) * 2));
  return words.reduce((value, word) => value * 65536n + BigInt(word), 0n);
}

/** @param {string} what @param {number} value @param {number} low @param {number} high */
function inRange(what, value, low, high) {
  assert.ok(value >= low && value <= high, `${what}: ${value} is not within ${low} to ${high}`);
}

test('a PowerMonitor 500 shows a plausible feeder', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const client = await connectSerial(t, sim.port);
  const { buffer } = await client.readInputRegisters(0x50, 64);
  const at = (/** @type {number} */ address) => cdabFloat(buffer, address - 0x50);
  for (const phase of [0, 1, 2]) {
    const [u, i, p, s, q, pf] = [0x50, 0x60, 0x68, 0x70, 0x78, 0x80].map((a) => at(a + 2 * phase));
    inRange('V', u, 215, 245);
    inRange('A', i, 1, 200);
    inRange('PF', pf, 0.7, 1);
    inRange('P / (U I PF)', p / (u * i * pf), 0.9999, 1.0001);
    inRange('S² / (P² + Q²)', s ** 2 / (p ** 2 + q ** 2), 0.9999, 1.0001);
  }
  inRange('U12 / U1', at(0x58) / at(0x50), 1.7, 1.76);
  inRange('sum of P', at(0x6e) / (at(0x68) + at(0x6a) + at(0x6c)), 0.9999, 1.0001);
  inRange('Hz', at(0x88), 49.8, 50.2);
});

test('functions 3 and 4 of a PowerMonitor 500 return the same', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const client = await connectJsmodbus(t, sim.port);
  await sim.tell('set frequency 49.75');
  const input = (await client.readInputRegisters(0x88, 2)).response.body;
  const holding = (await client.readHoldingRegisters(0x88, 2)).response.body;
  assert.equal(cdabFloat(input.valuesAsBuffer, 0), 49.75);
  assert.deepEqual(holding.valuesAsArray, input.valuesAsArray);
});

test('energy rises with the power that is shown', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const client = await connectSerial(t, sim.port);
  const read = async () => cdabUint64((await client.readInputRegisters(0x500, 4)).buffer, 0);
  const power = cdabFloat((await client.readInputRegisters(0x6e, 2)).buffer, 0);
  const started = Date.now();
  const first = await read();
  const later = await waitFor(
    async () => {
      const value = await read();
      return value > first + 10n && value;
    },
    { what: `10 Wh more than ${first}` },
  );
  const expected = (power * (Date.now() - started)) / 3600e3;
  inRange('Wh', Number(later - first), expected * 0.5 - 2, expected * 2 + 2);
});

test('every function reads and writes what it should', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const client = await connectSerial(t, sim.port);
  assert.deepEqual((await client.readCoils(0, 2)).data.slice(0, 2), [false, false], '1');
  await client.writeCoil(1, true);
  assert.deepEqual((await client.readCoils(0, 2)).data.slice(0, 2), [false, true], '5');
  await client.writeCoils(0, [true, false]);
  assert.deepEqual((await client.readCoils(0, 2)).data.slice(0, 2), [true, false], '15');
  await sim.tell('set door 1');
  assert.equal((await client.readDiscreteInputs(0, 1)).data[0], true, '2');
  await client.writeRegister(200, 255);
  assert.deepEqual((await client.readHoldingRegisters(200, 1)).data, [255], '3 and 6');
  await client.writeRegisters(210, [60, 1380, 0, 5000]);
  assert.deepEqual((await client.readHoldingRegisters(210, 4)).data, [60, 1380, 0, 5000], '16');
  await client.maskWriteRegister(211, 0xff00, 0x0007);
  assert.deepEqual((await client.readHoldingRegisters(211, 1)).data, [0x0507], '22');
  inRange('4', (await client.readInputRegisters(0, 2)).buffer.readFloatBE(0), 49.8, 50.2);
  const raw = await connectRaw(t, sim.port);
  raw.ask(7, 1, '08 0000 a537');
  assert.deepEqual(await raw.takeFrame(), { transaction: 7, unit: 1, pdu: '080000a537' }, '8');
});

/* Request, answer. */
const REFUSED = [
  ['pm500', 'a function it does not have', '01 0000 0001', '8101'],
  ['pm500', 'a function nobody has', '2b 0e 01 00', 'ab01'],
  ['pm500', 'another diagnosis', '08 0001 0000', '8801'],
  ['pm500', 'an address outside the tables', '04 2000 0001', '8402'],
  ['pm500', 'the gap between tables', '04 008f 0002', '8402'],
  ['pm500', 'the password, which must not be read', '03 1000 0002', '8302'],
  ['pm500', 'a quantity of 0', '04 0050 0000', '8403'],
  ['pm500', 'a quantity of 126', '04 0050 007e', '8403'],
  ['pm500', 'a value that is only read', '06 0050 0001', '8602'],
  ['pm500', 'a setting out of its range', '06 100b 0007', '8603'],
  ['generic/modbus', 'more registers than the profile allows', '03 0000 0065', '8303'],
  ['generic/modbus', 'an unreadable range', '03 0300 0001', '8302'],
  ['generic/modbus', 'a byte count that is wrong', '10 00d2 0002 03 000000', '9003'],
];

for (const [profile, what, request, answer] of REFUSED) {
  test(`${profile} refuses ${what}`, async (t) => {
    const sim = await startSim(t, [profile]);
    const client = await connectRaw(t, sim.port);
    client.ask(1, 1, request);
    assert.deepEqual(await client.takeFrame(), { transaction: 1, unit: 1, pdu: answer });
  });
}

test('small gaps can be read unless told otherwise', async (t) => {
  for (const [args, answer] of /** @type {[string[], string][]} */ ([
    [[], '040c'],
    [['--strict-gaps'], '8402'],
  ])) {
    const sim = await startSim(t, ['generic/modbus', ...args]);
    const client = await connectRaw(t, sim.port);
    client.ask(1, 1, '04 0006 0006');
    assert.equal((await client.takeFrame()).pdu.slice(0, 4), answer, String(args));
  }
});

test('a value that is set stays until it is set free', async (t) => {
  const sim = await startSim(t, ['pm500', '--count', '2'], { devices: 2 });
  const read = async (/** @type {number} */ place) => {
    const client = await connectSerial(t, sim.devices[place].port);
    const { buffer } = await client.readInputRegisters(0x88, 2);
    await closeSerial(client);
    return cdabFloat(buffer, 0);
  };
  await sim.tell(`set frequency 47.5 port ${sim.devices[1].port}`);
  inRange('the other device', await read(0), 49.8, 50.2);
  assert.equal(await read(1), 47.5);
  await sim.tell('set frequency raw 00007fc0');
  assert.ok(Number.isNaN(await read(0)));
  await sim.tell('set frequency auto');
  inRange('free again', await read(1), 49.8, 50.2);
  await assert.rejects(sim.tell('set frequenzy 1'), /there is no point frequenzy/);
  await assert.rejects(
    sim.tell('set alarms 70000'),
    /error: alarms cannot hold 70000, which does not fit into its 2 bytes$/,
  );
  await assert.rejects(
    sim.tell('set alarms ten'),
    /error: alarms cannot hold ten, which is no number; allowed: a number such as 49.8, auto, or raw and 4 hex digits$/,
  );
  await assert.rejects(
    sim.tell('set alarms raw 12'),
    /error: alarms has 2 bytes; allowed: raw and 4 hex digits$/,
  );
});

test('a PowerMonitor 500 has one client', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const first = await connectRaw(t, sim.port);
  first.ask(1, 1, '04 0088 0002');
  await first.takeFrame();
  const second = await connectRaw(t, sim.port);
  await second.waitClosed();
  first.ask(2, 1, '04 0088 0002');
  assert.equal((await first.takeFrame()).transaction, 2);
  first.socket.destroy();
  await waitFor(async () => (await sim.status()).clients === 0, { what: 'the first to be gone' });
  const third = await connectRaw(t, sim.port);
  third.ask(3, 1, '04 0088 0002');
  assert.equal((await third.takeFrame()).transaction, 3);
});

test('a second client is ignored where that is asked for', async (t) => {
  const sim = await startSim(t, ['pm500', '--second-client', 'ignore']);
  const first = await connectRaw(t, sim.port);
  first.ask(1, 1, '04 0088 0002');
  await first.takeFrame();
  const second = await connectRaw(t, sim.port);
  second.ask(2, 1, '04 0088 0002');
  await waitFor(async () => (await sim.status()).connections === 2, { what: 'the second client' });
  first.ask(3, 1, '04 0088 0002');
  await first.takeFrame();
  assert.deepEqual(
    { bytes: second.bytes.length, closed: second.closed },
    { bytes: 0, closed: false },
  );
  assert.equal((await sim.status()).requests, 2);
});

test('--clients any lifts the limit', async (t) => {
  const sim = await startSim(t, ['pm500', '--clients', 'any']);
  const clients = await Promise.all([1, 2, 3, 4].map(() => connectSerial(t, sim.port)));
  const answers = await Promise.all(clients.map((client) => client.readInputRegisters(0x88, 2)));
  assert.equal(answers.length, 4);
});

test('units behind a gateway are devices of their own', async (t) => {
  const sim = await startSim(t, ['generic/modbus', '--units', '1-32'], { devices: 32 });
  assert.deepEqual(
    sim.devices.map(({ unit }) => unit),
    Array.from({ length: 32 }, (_, i) => i + 1),
  );
  const client = await connectSerial(t, sim.port);
  for (const unit of [1, 17, 32]) {
    client.setID(unit);
    await client.writeRegister(200, unit);
  }
  const read = async (/** @type {number} */ unit) => {
    client.setID(unit);
    return (await client.readHoldingRegisters(200, 1)).data[0];
  };
  assert.deepEqual([await read(1), await read(2), await read(17), await read(32)], [1, 0, 17, 32]);
  await assert.rejects(read(33), /Gateway target device failed to respond/);
  const raw = await connectRaw(t, sim.port);
  raw.ask(1, 0, '06 00c8 0042');
  raw.ask(2, 5, '03 00c8 0001');
  assert.deepEqual(
    await raw.takeFrame(),
    { transaction: 2, unit: 5, pdu: '03020042' },
    'broadcast',
  );
});

test('a device answers as unit 1, 0 and 255 and to no other', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const client = await connectRaw(t, sim.port);
  client.ask(1, 9, '03 00c8 0001');
  client.ask(2, 0, '03 00c8 0001');
  client.ask(3, 255, '03 00c8 0001');
  client.ask(4, 1, '03 00c8 0001');
  const answers = [await client.takeFrame(), await client.takeFrame(), await client.takeFrame()];
  assert.deepEqual(
    answers.map(({ transaction, unit }) => [transaction, unit]),
    [
      [2, 0],
      [3, 255],
      [4, 1],
    ],
  );
});

test('pipelined requests are answered in order', async (t) => {
  const sim = await startSim(t, ['generic/modbus', '--delay', '1ms-20ms']);
  const client = await connectRaw(t, sim.port);
  const sent = Array.from({ length: 16 }, (_, i) => i + 100);
  sent.forEach((transaction) => client.ask(transaction, 1, '03 00c8 0001'));
  const got = [];
  while (got.length < sent.length) got.push((await client.takeFrame()).transaction);
  assert.deepEqual(got, sent);
});

test('more requests at once than a device takes meet exception 6', async (t) => {
  const args = ['generic/modbus', '--delay', '50ms', '--max-requests', '2'];
  const sim = await startSim(t, args);
  const client = await connectRaw(t, sim.port);
  [1, 2, 3].forEach((transaction) => client.ask(transaction, 1, '03 00c8 0001'));
  const pdus = [];
  while (pdus.length < 3) pdus.push((await client.takeFrame()).pdu);
  assert.deepEqual(pdus, ['03020000', '03020000', '8306']);
});

test('a flood of requests is answered to the last one', async (t) => {
  const sim = await startSim(t, ['generic/modbus', '--delay', '1ms']);
  const client = await connectRaw(t, sim.port);
  for (let i = 0; i < 5000; i++) client.ask(i, 1, '03 00c8 0001');
  for (let i = 0; i < 5000; i++) assert.equal((await client.takeFrame()).transaction, i);
});

test('answers take as long as they are told to', async (t) => {
  const sim = await startSim(t, ['pm500', '--delay', '40ms-60ms']);
  const client = await connectSerial(t, sim.port);
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    await client.readInputRegisters(0x88, 2);
    inRange('ms', performance.now() - started, 39, 500);
  }
});

test('RTU frames over TCP', async (t) => {
  const sim = await startSim(t, ['pm500', '--framing', 'rtu', '--units', '3']);
  const client = await connectSerial(t, sim.port, 3, true);
  const { buffer } = await client.readInputRegisters(0x88, 2);
  inRange('Hz', cdabFloat(buffer, 0), 49.8, 50.2);
  await client.writeRegister(0x100b, 4);
  assert.deepEqual((await client.readHoldingRegisters(0x100b, 1)).data, [4]);
  await assert.rejects(client.readInputRegisters(0x2000, 1), /Illegal data address/);
});

test('five hundred devices in one process', async (t) => {
  const sim = await startSim(t, ['pm500', '--count', '500'], { devices: 500 });
  assert.equal(new Set(sim.devices.map(({ port }) => port)).size, 500);
  const powers = await Promise.all(
    sim.devices.map(async ({ port }) => {
      const client = await connectJsmodbus(t, port);
      const { response } = await client.readInputRegisters(0x6e, 2);
      return cdabFloat(response.body.valuesAsBuffer, 0);
    }),
  );
  powers.forEach((power) => inRange('W', power, 1000, 80000));
  assert.ok(new Set(powers).size > 490, 'each has a plant of its own');
  assert.deepEqual((await sim.status()).clients, 500);
});
