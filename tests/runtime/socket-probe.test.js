/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Reading a device once through the control socket, by a document that is not applied. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { freePort, startBusbar, tempDir, waitFor } = require('../support');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');
const { connectSocket } = require('../support/socket');

/** @typedef {import('node:test').TestContext} TestContext */

/** Of the PowerMonitor 500, which sends the low word first. */
const POINTS = [
  { name: 'frequency', type: 'float32', input: 0x88, unit: 'Hz' },
  { name: 'words/0', type: 'uint16', input: 0x88, alias: true },
  { name: 'words/1', type: 'uint16', input: 0x89, alias: true },
];
/** @param {any[]} [points] */
const profileOf = (points = POINTS) => ({ profile: 1, modbus: { word_order: 'CDAB' }, points });

/** As the editor would send it. @param {number} port
 * @param {{unit?: number, profile?: any, tcp?: Record<string, unknown>}} [options] */
function documentOf(port, { unit = 1, profile = profileOf(), tcp } = {}) {
  const connections = [
    { id: 'draft', 'modbus-tcp': { host: '127.0.0.1', port, timeout: '300ms', ...tcp } },
  ];
  const devices = [{ id: 'meter-x', connection: 'draft', unit, profile }];
  return JSON.stringify({ busbar: 1, connections, devices });
}

/** A meter that takes one client, and a runtime that is it.
 * @param {TestContext} t @param {{args?: string[], devices?: number, tcp?: Record<string, unknown>}} [options] */
async function startMeter(t, { args = ['--clients', '1'], devices = 1, tcp } = {}) {
  const sim = await startSim(t, ['pm500', ...args], { devices });
  await sim.tell('set frequency 50');
  const scan = { fast: '100ms', slow: '1s', energy: '1s' };
  const profile = 'rockwell/powermonitor-500';
  const runtime = await startRuntime(t, {
    ...describeMeter('meter-1', sim.port, { profile, scan, tcp }),
    runtime: { owner: 'editor' },
  });
  const client = await connectSocket(t, runtime.data);
  await client.must('subscribe', { devices: ['*'] });
  await client.waitForBatch(({ scan: name }) => name === 'fast', 'a batch of the meter');
  return { sim, runtime, client };
}

/** Polling goes on, and nobody was told of anything.
 * @param {Awaited<ReturnType<typeof startMeter>>} site */
async function expectUntouched({ sim, runtime, client }) {
  const { length } = client.batches;
  await waitFor(() => client.batches.length > length + 3, { what: 'further live batches' });
  const lost = client.events.filter(({ event, up }) => event === 'device' && up === false);
  assert.deepEqual(lost, []);
  assert.deepEqual([...new Set(client.batches.map(({ device }) => device))], ['meter-1']);
  const bad = client.batches.flatMap(({ quality }) =>
    Object.entries(quality).filter(([, word]) => word !== 'good'),
  );
  assert.deepEqual(bad, []);
  const status = await client.must('status');
  assert.deepEqual(
    [status.connections.length, status.devices.map((/** @type {any} */ { id }) => id)],
    [1, ['meter-1']],
  );
  assert.equal((await runtime.get('/metrics')).text.includes('meter-x'), false);
  assert.equal((await runtime.get('/readyz')).status, 200);
  assert.equal((await sim.status()).connections, 1);
}

test('a meter with one client is read through the connection that runs', async (t) => {
  const site = await startMeter(t);
  const { sim, client } = site;
  const answer = await client.must('probe', {
    document: documentOf(sim.port, { tcp: { timeout: '500ms' } }),
    device: 'meter-x',
  });
  assert.deepEqual(
    [answer.device, answer.connected, answer.through, answer.other_options, answer.reason],
    ['meter-x', true, 'meter-1', undefined, undefined],
  );
  assert.ok(answer.took_ms >= 0 && answer.took_ms < 5000, `took ${answer.took_ms} ms`);
  const [scan] = answer.scans;
  assert.deepEqual([answer.scans.length, scan.scan, scan.fresh], [1, 'fast', true]);
  assert.ok(Math.abs(scan.timestamp - Date.now()) < 60000, `timestamp ${scan.timestamp}`);
  const place = { quality: 'good', table: 'input' };
  assert.deepEqual(scan.points, [
    {
      ...{ name: 'frequency', value: 50, unit: 'Hz', ...place, raw: '0000 4248' },
      ...{ address: 0x88, type: 'float32', order: 'CDAB' },
    },
    { name: 'words/0', value: 0, ...place, raw: '0000', address: 0x88, type: 'uint16' },
    { name: 'words/1', value: 0x4248, ...place, raw: '4248', address: 0x89, type: 'uint16' },
  ]);
  await expectUntouched(site);
});

test('one after the other, as often as one likes, with what differs said', async (t) => {
  const site = await startMeter(t);
  const { sim, client } = site;
  for (let round = 0; round < 30; round++) {
    const document = documentOf(sim.port, { tcp: { timeout: '123ms' } });
    const answer = await client.must('probe', { document, device: 'meter-x', scans: ['f*'] });
    assert.deepEqual([answer.connected, answer.other_options], [true, true]);
  }
  const document = documentOf(sim.port);
  const none = await client.ask('probe', { document, device: 'meter-x', scans: ['slow'] });
  assert.deepEqual([none.code, none.error], ['NOTFOUND', 'meter-x has no scan of that name']);
  const other = await client.ask('probe', { document, device: 'meter-y' });
  assert.deepEqual(
    [other.code, other.error],
    ['NOTFOUND', 'there is no device meter-y in the document'],
  );
  await expectUntouched(site);
});

test('all scans of a deployed device, as read gives them', async (t) => {
  const { sim, client } = await startMeter(t);
  const document = documentOf(sim.port, { profile: 'rockwell/powermonitor-500' });
  const { scans } = await client.must('probe', { document, device: 'meter-x' });
  const read = await client.must('read', { device: 'meter-1' });
  const names = (/** @type {any} */ scan) =>
    scan.points.map((/** @type {any} */ { name, unit, quality }) => [name, unit, quality]);
  assert.deepEqual(scans.map(names), read.scans.map(names));
  const points = scans.flatMap((/** @type {any} */ scan) => scan.points);
  assert.ok(points.length > 50, `${points.length} points`);
  for (const { name, raw, order, type } of points) {
    /* Of a long text the bytes are not kept. */
    assert.match(raw ?? '0000', /^[0-9a-f]{4}( [0-9a-f]{4})*$/, name);
    assert.equal(raw === undefined, type === 'text', name);
    assert.equal(order, /32|64/.test(type) ? 'CDAB' : undefined, name);
  }
});

for (const [what, unit, fault, reason] of [
  ['does not reach', 9, undefined, /^the gateway 127\.0\.0\.1:\d+ does not reach unit 9$/],
  [
    'gets no answer from',
    2,
    'silence',
    /^no answer from 127\.0\.0\.1:\d+ within \d+ ms \(unit 2\)$/,
  ],
  ['cannot read', 2, 'wrong-function', /^a malformed answer from 127\.0\.0\.1:\d+ \(unit 2\)$/],
]) {
  test(`a unit that the gateway ${what}`, async (t) => {
    const site = await startMeter(t, { args: ['--units', '1-2'], devices: 2 });
    const { sim, client } = site;
    if (fault) await sim.tell(`fault ${fault} unit 2`);
    const document = documentOf(sim.port, { unit: Number(unit) });
    for (let round = 0; round < 4; round++) {
      const answer = await client.must('probe', { document, device: 'meter-x' });
      assert.deepEqual([answer.connected, answer.scans[0].fresh], [false, false]);
      assert.match(answer.reason, /** @type {RegExp} */ (reason));
      assert.equal(answer.scans[0].points[0].raw, undefined);
      assert.equal(answer.scans[0].points[0].quality, 'bad');
    }
    await expectUntouched(site);
  });
}

test('a device that is not deployed is read by a connection of its own', async (t) => {
  const sim = await startSim(t, ['pm500', '--clients', '1']);
  await sim.tell('set frequency 50');
  const runtime = await startRuntime(t, {});
  const client = await connectSocket(t, runtime.data);
  for (let round = 1; round <= 3; round++) {
    const answer = await client.must('probe', {
      document: documentOf(sim.port),
      device: 'meter-x',
    });
    assert.deepEqual([answer.connected, answer.through], [true, undefined]);
    assert.equal(answer.scans[0].points[0].value, 50);
    await waitFor(async () => (await sim.status()).clients === 0, { what: 'it to be closed' });
    assert.equal((await sim.status()).connections, round);
  }
  assert.deepEqual((await client.must('status')).connections, []);
});

test('a runtime without a document reads too', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const data = tempDir(t);
  startBusbar(t, ['run', '--data', data]);
  const client = await connectSocket(t, data);
  const answer = await client.must('probe', { document: documentOf(sim.port), device: 'meter-x' });
  assert.equal(answer.connected, true);
});

test('a place where nobody listens, and one that another client has', async (t) => {
  const sim = await startSim(t, ['pm500', '--clients', '1']);
  const holder = await startRuntime(
    t,
    describeMeter('meter-1', sim.port, { profile: 'rockwell/powermonitor-500' }),
  );
  const other = await connectSocket(t, holder.data);
  await waitFor(async () => (await other.must('status')).devices[0].up, {
    what: 'the first client',
  });
  const runtime = await startRuntime(t, {});
  const client = await connectSocket(t, runtime.data);
  const port = await freePort();
  for (const [at, reason] of /** @type {[number, RegExp][]} */ ([
    [port, /^no connection to 127\.0\.0\.1:\d+: connection refused$/],
    [sim.port, /closes each connection, perhaps because another client has it$|reset by peer$/],
  ])) {
    const answer = await client.must('probe', { document: documentOf(at), device: 'meter-x' });
    assert.equal(answer.connected, false);
    assert.match(answer.reason, reason);
    assert.equal(answer.scans[0].points[0].cause, 'not-connected');
    assert.ok(answer.took_ms < 5000, `took ${answer.took_ms} ms`);
  }
});

test('mistakes in the document are named as by check', async (t) => {
  const runtime = await startRuntime(t, {});
  const client = await connectSocket(t, runtime.data);
  const document =
    'busbar: 1\nconnections:\n  - { id: a, modbus-tcp: { host: h, prot: 502 } }\n' +
    'devices:\n  - { id: meter-1, connection: b, profile: generic/modbus-60 }\n';
  const [probed, checked] = await Promise.all([
    client.ask('probe', { document, name: 'site.yaml', device: 'meter-1' }),
    client.ask('check', { document, name: 'site.yaml' }),
  ]);
  assert.deepEqual([probed.ok, probed.code], [false, 'CONFIG']);
  assert.equal(probed.error, 'the document has mistakes; nothing was read');
  assert.ok(probed.mistakes.length >= 2, JSON.stringify(probed.mistakes));
  assert.deepEqual(probed.mistakes, checked.mistakes);
  const external = await client.ask('probe', {
    document:
      'busbar: 1\nconnections:\n  - { id: a, external: {} }\n' +
      'devices:\n  - { id: meter-1, connection: a }\n',
    device: 'meter-1',
  });
  assert.equal(external.code, 'UNSUPPORTED');
  assert.match(external.error, /meter-1 cannot be asked: a client sends its values/);
});

test('addresses that are refused: as they came, or searched for', async (t) => {
  const site = await startMeter(t, { args: ['--clients', '1'] });
  const { sim, client } = site;
  await sim.tell('fault exception 2 input 140');
  const points = [0x88, 140, 142].map((input) => ({ name: `r${input}`, type: 'uint16', input }));
  const document = documentOf(sim.port, { profile: profileOf(points) });
  const codes = (/** @type {any} */ { scans }) =>
    scans[0].points.map((/** @type {any} */ { quality, code }) => [quality, code]);
  const once = await client.must('probe', { document, device: 'meter-x' });
  assert.deepEqual([once.connected, once.scans[0].fresh], [true, true]);
  assert.deepEqual(codes(once), Array(3).fill(['bad', 2]));
  const searched = await client.must('probe', { document, device: 'meter-x', learn: true });
  assert.deepEqual(codes(searched), [
    ['good', undefined],
    ['bad', 2],
    ['good', undefined],
  ]);
});

/** The gateway's unit 2 says nothing, and a request may take 20 s. @param {TestContext} t */
async function startSlowGateway(t) {
  const site = await startMeter(t, {
    args: ['--units', '1-2'],
    devices: 2,
    tcp: { timeout: '20s', max_in_flight: 4 },
  });
  await site.sim.tell('fault silence unit 2');
  return site;
}

/** A probe that will not end by itself for long; under way when the promise is kept.
 * @param {import('../support/socket').SocketClient} client @param {number} port */
async function startInVain(client, port) {
  const document = documentOf(port, { unit: 2 });
  const answer = client.ask('probe', { document, device: 'meter-x' });
  await client.must('status'); /* requests are taken in order */
  return { answer };
}

test('one at a time on a connection; a client that goes leaves nothing behind', async (t) => {
  const site = await startSlowGateway(t);
  const { sim, runtime, client } = site;
  const other = await connectSocket(t, runtime.data, { name: 'other' });
  await startInVain(other, sim.port);
  const good = { document: documentOf(sim.port), device: 'meter-x' };
  const refused = await client.ask('probe', good);
  assert.deepEqual(
    [refused.code, refused.error],
    ['BUSY', 'meter-x on the same connection is just being read; ask again'],
  );
  other.close();
  await waitFor(async () => (await client.ask('probe', good)).ok, { what: 'the way to be free' });
  await expectUntouched(site);
});

test('a config that closes the connection ends it, with the reason', async (t) => {
  const site = await startSlowGateway(t);
  const { sim, runtime, client } = site;
  const other = await connectSocket(t, runtime.data, { name: 'other' });
  const vain = await startInVain(other, sim.port);
  const profile = 'rockwell/powermonitor-500';
  const meter = describeMeter('meter-1', sim.port, { profile, tcp: { timeout: '400ms' } });
  const document = JSON.stringify({ busbar: 1, runtime: { owner: 'editor' }, ...meter });
  await client.must('apply', { document });
  const answer = await vain.answer;
  assert.deepEqual([answer.ok, answer.code], [false, 'CLOSED']);
  assert.match(answer.error, /closes connection meter-1; ask again/);
  await client.waitForEvent(({ event }) => event === 'applied', 'the new config');
});

test('the end of the runtime does not wait for it', async (t) => {
  const { sim, runtime, client } = await startSlowGateway(t);
  const vain = await startInVain(client, sim.port);
  const began = Date.now();
  await runtime.stop();
  assert.ok(Date.now() - began < 2000, `ended after ${Date.now() - began} ms`);
  const { code, error } = await vain.answer;
  assert.deepEqual([code, error], ['CLOSED', 'meter-x was not read: the runtime is stopping']);
});
