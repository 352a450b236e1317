/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a client of the control socket can see and do. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { waitFor } = require('../support');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');
const { TYPE, connectSocket } = require('../support/socket');

/** @typedef {import('node:test').TestContext} TestContext */

/** One generic meter, polled twice a second.
 * @param {TestContext} t @param {Record<string, unknown>} [config] */
async function startMeter(t, config = {}) {
  const sim = await startSim(t, ['generic/modbus-60']);
  const scan = { fast: '500ms', slow: '500ms' };
  const meter = describeMeter('meter-1', sim.port, { scan, tags: { line: 'l1' } });
  const runtime = await startRuntime(t, { ...meter, ...config });
  return { sim, runtime, client: await connectSocket(t, runtime.data) };
}

test('the socket is for its owner only, and goes with the runtime', async (t) => {
  const runtime = await startRuntime(t, {});
  const file = path.join(runtime.data, 'busbar.sock');
  await connectSocket(t, runtime.data);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  await runtime.stop();
  assert.equal(fs.existsSync(file), false);
});

test('hello comes first and agrees on a protocol', async (t) => {
  const runtime = await startRuntime(t, {});
  const client = await connectSocket(t, runtime.data, { hello: false });
  const early = await client.ask('status');
  assert.deepEqual([early.ok, early.code], [false, 'STATE']);
  const old = await client.ask('hello', { protocol: [7, 9] });
  assert.deepEqual([old.ok, old.code], [false, 'VERSION']);
  assert.match(old.error, /speaks protocol 1 to 2/);
  const answer = await client.ask('hello', { protocol: [0, 9], client: 'me' });
  assert.equal(answer.protocol, 2);
  assert.equal(answer.pid, runtime.pid);
  assert.equal(answer.owner, 'file');
  assert.ok(Math.abs(answer.started - Date.now()) < 60000, `started ${answer.started}`);
});

test('mistakes in a request are named', async (t) => {
  const runtime = await startRuntime(t, {});
  const client = await connectSocket(t, runtime.data);
  const unknown = await client.ask('staus');
  assert.match(unknown.error, /no request "staus"; did you mean status\?$/);
  const wrong = await client.ask('read', { devise: 'meter-1', scans: 3 });
  assert.equal(wrong.ok, false);
  const texts = wrong.mistakes.map((/** @type {any} */ mistake) => mistake.text).join('\n');
  assert.match(texts, /device/);
  assert.equal(wrong.mistakes.length, 3, texts);
  client.send(TYPE.request, Buffer.from('{"id":'));
  client.send(TYPE.request, Buffer.from('id: 1'));
  assert.equal((await client.ask('status')).ok, true, 'it goes on');
});

test('a subscriber gets device and shape before batches, and events', async (t) => {
  const { sim, client } = await startMeter(t);
  await client.must('subscribe', { devices: ['meter-*'] });
  const batch = await client.waitForBatch(({ scan }) => scan === 'fast', 'a batch of scan fast');
  assert.equal(batch.device, 'meter-1');
  assert.ok(Object.keys(batch.values).length > 10, JSON.stringify(batch.values, String));
  const [device] = client.devices.values();
  assert.deepEqual([device.profile, device.tags.line], ['generic/modbus-60', 'l1']);
  await sim.tell('fault silence');
  const lost = await client.waitForEvent(
    ({ event, up }) => event === 'device' && up === false,
    'the loss of the device',
  );
  assert.equal(lost.device, 'meter-1');
  assert.match(lost.reason, /no answer/);
  await client.waitForBatch(
    ({ quality }) => Object.values(quality).includes('stale'),
    'values to be announced stale',
  );
  await client.must('unsubscribe');
  const { length } = client.batches;
  await sim.tell('fault none');
  await waitFor(async () => (await client.must('status', {})).devices[0].up, {
    what: 'the device to be back',
  });
  assert.equal(client.batches.length, length);
});

test('devices that were not asked for are not sent', async (t) => {
  const { client } = await startMeter(t);
  await client.must('subscribe', { devices: ['other-*'] });
  await waitFor(async () => (await client.must('status')).devices[0].scans[0].done > 2, {
    what: 'some polls',
  });
  assert.deepEqual([client.batches.length, client.devices.size], [0, 0]);
  assert.deepEqual(
    client.events.filter(({ event }) => event === 'device'),
    [],
  );
});

test('status tells of connections, devices and sinks', async (t) => {
  const { runtime, client } = await startMeter(t);
  const isRead = (/** @type {any} */ scan) => scan.done > 0;
  await waitFor(async () => (await client.must('status')).devices[0].scans.every(isRead), {
    what: 'each scan to be read',
  });
  const status = await client.must('status');
  assert.deepEqual([status.site, status.pid, status.paused], ['plant', runtime.pid, false]);
  const [connection] = status.connections;
  assert.deepEqual([connection.kind, connection.up], ['modbus-tcp', true]);
  assert.ok(connection.answers > 0 && connection.answers <= connection.requests);
  const [device] = status.devices;
  assert.deepEqual(
    [device.id, device.profile, device.tags.line],
    [...['meter-1', 'generic/modbus-60', 'l1']],
  );
  const fast = device.scans.find((/** @type {any} */ scan) => scan.scan === 'fast');
  assert.equal(fast.mode, 'polled');
  assert.equal(fast.period_ms, 500);
  assert.ok(fast.points > 0 && fast.good === fast.points, JSON.stringify(fast));
  for (const devices of [['meter-1'], ['me*1'], ['meter-1', '*', 'x'], ['*']]) {
    const asked = await client.must('status', { devices });
    assert.deepEqual([asked.devices.length, asked.connections.length], [1, 1], devices.join());
  }
  for (const devices of [[], ['meter'], ['x*', 'meter-11']]) {
    const asked = await client.must('status', { devices });
    assert.deepEqual([asked.devices, asked.connections], [[], []], devices.join());
  }
});

test('read asks the device now', async (t) => {
  const { sim, client } = await startMeter(t);
  const answer = await client.must('read', { device: 'meter-1', scans: ['fast'] });
  assert.deepEqual([answer.scans.length, answer.scans[0].scan], [1, 'fast']);
  assert.equal(answer.scans[0].fresh, true);
  const [point] = answer.scans[0].points;
  assert.equal(typeof point.value, 'number');
  assert.equal(point.quality, 'good');
  assert.equal((await client.ask('read', { device: 'meter-9' })).code, 'NOTFOUND');
  assert.equal((await client.ask('read', { device: 'meter-1', scans: ['no'] })).code, 'NOTFOUND');
  await sim.tell('fault silence');
  const late = await client.must('read', { device: 'meter-1', scans: ['fast'] });
  assert.equal(late.scans[0].fresh, false, JSON.stringify(late.scans[0]));
});

test('a client that leaves during reads and writes is forgotten', async (t) => {
  const { sim, runtime, client } = await startMeter(t);
  await sim.tell('fault silence');
  const leaver = await connectSocket(t, runtime.data);
  for (let i = 0; i < 80; i++) {
    void leaver.ask('read', { device: 'meter-1' });
    void leaver.ask('write', { device: 'meter-1', points: [{ name: 'setpoint/1', value: i }] });
  }
  leaver.close();
  await sim.tell('fault none');
  await waitFor(async () => (await client.must('status')).clients === 1, { what: 'it to be gone' });
  await waitFor(async () => (await client.must('status')).writes.open === 0, { what: 'writes' });
});

test('write goes through the door and tells its outcome', async (t) => {
  const { client } = await startMeter(t);
  await waitFor(async () => (await client.must('status')).devices[0].up, { what: 'the device' });
  const write = (/** @type {any} */ points, args = {}) =>
    client.ask('write', { device: 'meter-1', points, ...args });
  const done = await write([{ name: 'setpoint/1', value: 12.5 }], { command: 'c-1' });
  assert.deepEqual([done.outcome, done.command], ['confirmed', 'c-1'], JSON.stringify(done));
  assert.deepEqual(done.measured, [{ name: 'setpoint/1', value: 12.5 }]);
  const high = await write([{ name: 'setpoint/1', value: 5000 }]);
  assert.equal(high.outcome, 'refused');
  assert.match(high.reason, /1000/);
  assert.equal((await write([{ name: 'setpoint/9', value: 1 }])).code, 'NOTFOUND');
  assert.equal((await write([{ name: 'setpoint/1', value: null }])).code, 'INVALID');
  assert.equal((await write([{ name: 'setpoint/1', value: 'high' }])).outcome, 'refused');
  const { writes } = await client.must('status');
  assert.deepEqual([writes.confirmed, writes.open], [1, 0]);
});

test('pause rests polling and writing', async (t) => {
  const { client } = await startMeter(t);
  await client.must('pause');
  assert.equal((await client.must('status')).paused, true);
  const points = [{ name: 'setpoint/1', value: 1 }];
  assert.equal((await client.ask('write', { device: 'meter-1', points })).outcome, 'refused');
  await client.must('resume');
  assert.equal((await client.must('status')).paused, false);
});

test('stop ends the runtime in order', async (t) => {
  const { runtime, client } = await startMeter(t);
  await client.must('stop');
  const { code } = await runtime.program.end();
  assert.equal(code, 0);
  await client.waitForClose();
});

test('what is no message costs the client its connection, and nobody else', async (t) => {
  const { client, runtime } = await startMeter(t);
  const bad = {
    'a type that does not exist': Buffer.from([3, 0, 0, 0, 9, 0x7b, 0x7d]),
    'a length of 0': Buffer.from([0, 0, 0, 0, 1]),
    'more than may be': Buffer.from([0xff, 0xff, 0xff, 0xff, 1]),
    'an answer': Buffer.from([3, 0, 0, 0, 2, 0x7b, 0x7d]),
    'frames that are none': Buffer.from([6, 0, 0, 0, 4, 1, 2, 3, 4, 5]),
  };
  for (const bytes of Object.values(bad)) {
    const other = await connectSocket(t, runtime.data);
    other.socket.write(bytes);
    await other.waitForClose();
  }
  const long = await connectSocket(t, runtime.data);
  const answer = await long.ask('status', { devices: ['x'.repeat(2 << 20)] });
  assert.equal(answer.code, 'LIMIT');
  assert.equal((await client.must('status')).clients, 2);
});

test('more clients than may be are turned away', async (t) => {
  const runtime = await startRuntime(t, {});
  /** @type {import('../support/socket').SocketClient[]} */
  const clients = [];
  for (let i = 0; i < 64; i++) clients.push(await connectSocket(t, runtime.data));
  const late = await connectSocket(t, runtime.data, { hello: false });
  await late.waitForClose();
  clients[0].close();
  await waitFor(async () => (await clients[1].must('status')).clients === 63, { what: 'room' });
  const next = await connectSocket(t, runtime.data);
  assert.equal((await next.must('status')).clients, 64);
});

test('who does not take answers is not served on, and holds nobody', async (t) => {
  const runtime = await startRuntime(t, {});
  const slow = await connectSocket(t, runtime.data);
  const client = await connectSocket(t, runtime.data);
  slow.socket.pause();
  const answers = Array.from({ length: 5000 }, () => slow.ask('status'));
  for (let i = 0; i < 50; i++) assert.equal((await client.must('status')).clients, 2);
  slow.socket.resume();
  const all = await Promise.all(answers);
  assert.deepEqual(
    all.filter(({ ok }) => !ok),
    [],
  );
  assert.equal(slow.lastId, all[all.length - 1].id);
});
