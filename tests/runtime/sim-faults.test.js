/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Each fault of the simulator is seen on the wire as it should be, and ends when it is cleared. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { test } = require('node:test');
const { atEnd, waitFor } = require('../support');
const { connectRaw } = require('../support/modbus');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */

const READ = '03 00c8 0001'; /* the limit, which is 0 */
const RIGHT = '03020000';

/** @param {TestContext} t @param {string[]} [args] */
async function startBoth(t, args = []) {
  const sim = await startSim(t, ['generic/modbus', ...args]);
  return { sim, client: await connectRaw(t, sim.port) };
}

/** The client's next request gets the right answer.
 * @param {import('../support/modbus').RawClient} client */
async function expectRight(client) {
  client.ask(999, 1, READ);
  assert.deepEqual(await client.takeFrame(), { transaction: 999, unit: 1, pdu: RIGHT });
}

/* What the fault makes of the answer 0001 0000 0005 01 03020000 to transaction 1. */
const BYTES = [
  ['wrong-transaction', '11120000000501' + RIGHT],
  ['foreign-unit', '00010000000502' + RIGHT],
  ['wrong-function', '00010000000501' + '02020000'],
  ['exception 4', '00010000000301' + '8304'],
  ['exception 2 holding 200', '00010000000301' + '8302'],
  ['exception 2 holding 100-201', '00010000000301' + '8302'],
  ['exception 2 input 200', '00010000000501' + RIGHT],
  ['exception 2 201-300', '00010000000501' + RIGHT],
  ['cut', '0001000000'],
  ['cut 8', '0001000000050103'],
  ['short', '00010000000301' + '0302'],
  ['oversize', '00010000100001' + RIGHT],
  ['silence unit 2', '00010000000501' + RIGHT],
  ['silence port 1', '00010000000501' + RIGHT],
];

for (const [fault, expected] of BYTES) {
  test(`fault ${fault}`, async (t) => {
    const { sim, client } = await startBoth(t);
    await sim.tell(`fault ${fault}`);
    client.ask(1, 1, READ);
    assert.equal(await client.take(expected.length / 2), expected);
    await sim.tell('fault none');
    await expectRight(client);
  });
}

test('fault delay', async (t) => {
  const { sim, client } = await startBoth(t, ['--fault', 'delay 120ms-150ms']);
  const started = performance.now();
  client.ask(1, 1, READ);
  await client.takeFrame();
  const ms = performance.now() - started;
  assert.ok(ms >= 119 && ms < 1000, `${ms} ms`);
  await sim.tell('fault none');
  await expectRight(client);
});

test('fault late: the answer is overtaken and comes all the same', async (t) => {
  const { sim, client } = await startBoth(t);
  await sim.tell('fault late 150ms times 1');
  client.ask(1, 1, READ);
  await waitFor(async () => (await sim.status()).requests === 1, { what: 'the first request' });
  client.ask(2, 1, READ);
  client.ask(3, 1, READ);
  const got = [await client.takeFrame(), await client.takeFrame(), await client.takeFrame()];
  assert.deepEqual(
    got.map(({ transaction }) => transaction),
    [2, 3, 1],
  );
});

test('fault silence: times, and writes are done all the same', async (t) => {
  const { sim, client } = await startBoth(t);
  await sim.tell('fault silence times 2');
  client.ask(1, 1, READ);
  client.ask(2, 1, '06 00c8 0064');
  client.ask(3, 1, READ);
  assert.deepEqual(await client.takeFrame(), { transaction: 3, unit: 1, pdu: '03020064' });
  assert.equal((await sim.status()).faults, 0);
});

test('fault close: all connections, at once', async (t) => {
  const { sim, client } = await startBoth(t);
  const other = await connectRaw(t, sim.port);
  await expectRight(client);
  await expectRight(other);
  await sim.tell('fault close port 1');
  await expectRight(client);
  await sim.tell('fault close');
  await client.waitClosed();
  await other.waitClosed();
  await expectRight(await connectRaw(t, sim.port));
});

test('fault close-on-request', async (t) => {
  const { sim, client } = await startBoth(t);
  await sim.tell('fault close-on-request times 1');
  client.ask(1, 1, READ);
  await client.waitClosed();
  assert.equal(client.bytes.length, 0);
  await expectRight(await connectRaw(t, sim.port));
});

test('fault drop', async (t) => {
  const { sim, client } = await startBoth(t);
  await expectRight(client);
  await sim.tell('fault drop');
  const dropped = await connectRaw(t, sim.port);
  await dropped.waitClosed();
  await expectRight(client);
  await sim.tell('fault none');
  await expectRight(await connectRaw(t, sim.port));
});

test('fault split: byte by byte, and the next answer behind it', async (t) => {
  const { sim, client } = await startBoth(t);
  const inPieces = () => client.pieces.length >= 6 && Math.max(...client.pieces) < 11;
  /* Who reads late finds pieces joined. */
  for (let tries = 0; tries < 5 && !inPieces(); tries++) {
    client.pieces.length = 0;
    await sim.tell('fault split');
    client.ask(1, 1, READ);
    await sim.tell('fault split 4');
    client.ask(2, 1, READ);
    assert.equal((await client.takeFrame()).transaction, 1);
    assert.equal((await client.takeFrame()).transaction, 2);
  }
  assert.ok(inPieces(), `pieces of ${client.pieces} bytes`);
});

test('fault merge: answers leave in one piece', async (t) => {
  const { sim, client } = await startBoth(t);
  await sim.tell('fault merge 100ms');
  for (const transaction of [1, 2, 3]) {
    client.ask(transaction, 1, READ);
    await waitFor(async () => (await sim.status()).requests === transaction, { what: 'requests' });
  }
  const got = [await client.takeFrame(), await client.takeFrame(), await client.takeFrame()];
  assert.deepEqual(
    got.map(({ transaction }) => transaction),
    [1, 2, 3],
  );
  assert.deepEqual(client.pieces, [33]);
});

test('fault garbage', async (t) => {
  const { sim, client } = await startBoth(t);
  await sim.tell('fault garbage 300');
  client.ask(1, 1, READ);
  const first = await client.take(300);
  client.ask(2, 1, READ);
  const second = await client.take(300);
  assert.notEqual(first, second);
  await sim.tell('fault none');
  await expectRight(client);
});

test('a fault of one unit leaves the others alone', async (t) => {
  const sim = await startSim(t, ['generic/modbus', '--units', '1-3'], { devices: 3 });
  const client = await connectRaw(t, sim.port);
  await sim.tell('fault silence unit 2');
  [1, 2, 3].forEach((unit) => client.ask(unit, unit, READ));
  const got = [await client.takeFrame(), await client.takeFrame()];
  assert.deepEqual(
    got.map(({ unit }) => unit),
    [1, 3],
  );
});

test('faults add up', async (t) => {
  const { sim, client } = await startBoth(t);
  await sim.tell('fault wrong-transaction');
  await sim.tell('fault split 3');
  await sim.tell('fault exception 6 holding 200');
  client.ask(1, 1, READ);
  assert.equal(await client.take(9), '11120000000301' + '8306');
  assert.ok(client.pieces.length >= 2, `pieces of ${client.pieces} bytes`);
});

/* Bytes a server cannot be in step with. */
const NONSENSE = [
  ['another protocol', '0001 0001 0006 01 03 00c8 0001'],
  ['a length of 0', '0001 0000 0000 01 03 00c8 0001'],
  ['a length of 255', '0001 0000 00ff 01 03 00c8 0001'],
  ['text', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex')],
];

for (const [what, hex] of NONSENSE) {
  test(`it hangs up on ${what}, and serves the others`, async (t) => {
    const { sim, client } = await startBoth(t);
    const other = await connectRaw(t, sim.port);
    client.socket.write(Buffer.from(hex.replace(/ /g, ''), 'hex'));
    await client.waitClosed();
    await expectRight(other);
  });
}

test('a client that reads nothing is cut off', async (t) => {
  const sim = await startSim(t, ['generic/modbus-60', '--max-requests', '16']);
  const socket = net.connect(sim.port, '127.0.0.1').on('error', () => {});
  atEnd(t, () => socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  const requests = Buffer.concat(
    Array.from({ length: 1000 }, () => Buffer.from('000100000006010300000078', 'hex')),
  );
  const write = () => socket.destroyed || socket.write(requests, () => setImmediate(write));
  write();
  await waitFor(async () => (await sim.status()).clients === 0, { what: 'the end of the client' });
  await expectAlive(t, sim.port);
});

/** @param {TestContext} t @param {number} port */
async function expectAlive(t, port) {
  const client = await connectRaw(t, port);
  client.ask(1, 1, '03 0000 0001');
  assert.equal((await client.takeFrame()).pdu.length, 8);
}
