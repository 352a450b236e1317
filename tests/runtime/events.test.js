/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What happens at devices, and what became of writes, on the way to real brokers and databases, past
   outages, a killed runtime and a store that is full. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacks, startMosquitto, tempDir, waitFor } = require('../support');
const { describeCounters, startCounter } = require('../support/counter');
const { packDevice, packEvent } = require('../support/frame');
const { startForwarder } = require('../support/forwarder');
const { startInflux1 } = require('../support/influx1');
const { listen } = require('../support/listener');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');
const { connectSocket } = require('../support/socket');

/** @typedef {import('node:test').TestContext} TestContext */

const MOSQUITTO = { skip: lacks('mosquitto') };
const INFLUXD = { skip: lacks('influxd') };
const CAMERA = 7;
const TIME = 1763688000123000000n;

/** A meter whose answers can be stopped, and a device that a client feeds.
 * @param {import('../support/sim').Sim} sim @param {Record<string, any>[]} sinks */
function describePlant(sim, sinks) {
  const meter = describeMeter('meter-1', sim.port, { tcp: { timeout: '100ms' } });
  return {
    connections: [...meter.connections, { id: 'outside', external: {} }],
    devices: [...meter.devices, { id: 'camera', connection: 'outside' }],
    sinks,
    runtime: { store: { sync: '100ms' }, write_interval: '0s' },
  };
}

/** A broker, someone who listens at it all the time, and a way to it that can be cut: who had to
 * connect again himself would miss what comes meanwhile. @param {TestContext} t */
async function startBroker(t) {
  const broker = await startMosquitto(t, { config: ['max_queued_messages 0'] });
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const way = await startForwarder(t, broker.port);
  return { broker, listener, way, url: `mqtt://127.0.0.1:${way.port}` };
}

/** Events and outcomes that have come, by device.
 * @param {import('../support/listener').Listener} listener @param {string} device */
function happened(listener, device) {
  return listener.messages
    .map(({ payload }) => payload)
    .filter((payload) => payload.device === device && !payload.values)
    .map(({ event, outcome }) => event ?? outcome);
}

/** @param {import('../support/listener').Listener} listener @param {string} device
 * @param {RegExp} expected */
async function waitForEvent(listener, device, expected) {
  await waitFor(() => happened(listener, device).find((text) => expected.test(text)), {
    timeoutMs: 30000,
    what: `${expected} of ${device}`,
  });
}

/** @param {import('../support/socket').SocketClient} client @param {number} value
 * @param {string} command */
function write(client, value, command) {
  const points = [{ name: 'setpoint/1', value }];
  return client.must('write', { device: 'meter-1', points, command });
}

test(
  'each event outlives a broker that is away and a runtime that is killed',
  MOSQUITTO,
  async (t) => {
    const { broker, listener, way, url } = await startBroker(t);
    const sim = await startSim(t, ['generic/modbus-60']);
    const config = describePlant(sim, [
      {
        id: 'bus',
        mqtt: { url, retain: true, tags: true },
        devices: ['*'],
        events: true,
      },
    ]);
    const first = await startRuntime(t, config);
    const client = await connectSocket(t, first.data);
    const { boot } = await client.must('hello', { protocol: [1, 1] });
    await waitForEvent(listener, 'meter-1', /^answers$/);
    await write(client, 12.5, 'c-1');
    await waitForEvent(
      listener,
      'meter-1',
      /^confirmed: setpoint\/1 = 12\.5.* \(from [^)]*id c-1\)$/,
    );
    await sim.tell('fault silence');
    await waitForEvent(listener, 'meter-1', /^lost: no answer from /);
    await sim.tell('fault none');
    await waitForEvent(listener, 'meter-1', /^back$/);

    await way.stop();
    await waitFor(async () => !(await client.must('status')).sinks[0].ready, {
      what: 'the outage',
    });
    const before = listener.messages.length;
    await write(client, 5000, 'c-2');
    client.sendFrames(packDevice(CAMERA, 'camera'), packEvent(CAMERA, 'door "A" opened', TIME));
    await sim.tell('fault silence');
    await waitFor(async () => !(await client.must('status')).devices[0].up, { what: 'the loss' });
    const counter = await startCounter(t, first, { device: 'none' });
    await counter.committed('bus', { topic: 'mark', payload: '{}' });
    await first.stop('SIGKILL');

    await sim.tell('fault none');
    await way.start();
    await startRuntime(t, config, { data: first.data });
    await waitForEvent(listener, 'meter-1', /^refused: setpoint\/1 = 5000.*; .*id c-2\)$/);
    await waitForEvent(listener, 'camera', /^door "A" opened$/);
    await waitFor(() => listener.messages.slice(before).some(isLoss), { what: 'the loss' });
    const late = listener.messages.slice(before).filter(({ payload }) => payload.historical);
    const camera = late.find(({ payload }) => payload.event === 'door "A" opened');
    const { seq, ...payload } = camera?.payload ?? {};
    assert.ok(Number.isInteger(seq), `seq ${seq}`);
    assert.deepEqual(
      [camera?.topic, payload],
      [
        'plant/camera/event',
        {
          timestamp: 1763688000123,
          boot,
          device: 'camera',
          site: 'plant',
          tags: {},
          historical: true,
          event: 'door "A" opened',
        },
      ],
    );
    const refused = late.find(({ payload }) => payload.outcome?.startsWith('refused'));
    assert.equal(refused?.topic, 'plant/meter-1/outcome');

    await listener.waitFor(({ payload }) => payload.values && !payload.historical, {
      from: before,
      what: 'a live sample, which is retained',
    });
    const later = await listen(t, broker.url, { topic: 'plant/#' });
    await later.waitFor(({ retain }) => retain, { what: 'what the broker keeps' });
    const kept = later.messages.filter(({ retain }) => retain).map(({ payload }) => payload);
    assert.ok(
      kept.every(({ values }) => values !== undefined),
      JSON.stringify(kept),
    );
  },
);

/** @param {import('../support/listener').Message} message */
function isLoss({ payload }) {
  return payload.device === 'meter-1' && payload.historical && /^lost: /.test(payload.event);
}

test('a database has events and outcomes as texts', INFLUXD, async (t) => {
  const influx = await startInflux1(t, { databases: ['plant'] });
  const sim = await startSim(t, ['generic/modbus-60']);
  const config = describePlant(sim, [
    { id: 'hist', influxdb: { url: influx.url, database: 'plant' }, events: true },
  ]);
  const runtime = await startRuntime(t, config);
  const client = await connectSocket(t, runtime.data);
  await waitFor(async () => (await client.must('status')).devices[0].up, { what: 'the meter' });
  await influx.stop();
  await write(client, 7, 'c-1');
  await write(client, 5000, 'c-2');
  const text = 'a "b" \\ c, d=e é';
  client.sendFrames(packDevice(CAMERA, 'camera'), packEvent(CAMERA, text, TIME));
  await influx.start();
  const rows = async () => influx.query('plant', 'SELECT * FROM events');
  await waitFor(async () => (await rows()).length >= 5, {
    timeoutMs: 60000,
    what: 'two devices that answer, two writes and an event',
  });
  const found = await rows();
  const own = found.find((row) => row.asset === 'camera' && row.text === text);
  assert.deepEqual([own?.kind, own?.site, own?.time], ['event', 'plant', Number(TIME)]);
  const outcomes = found.filter(({ kind }) => kind === 'outcome').map((row) => row.text);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.replace(/ .*id/, ' … id')),
    ['confirmed: … id c-1)', 'refused: … id c-2)'],
  );
  const values = await influx.query('plant', 'SELECT COUNT(*) FROM modbus_60');
  assert.ok(values.length > 0 && values[0].count_text === undefined, JSON.stringify(values[0]));
});

test('a store that is full drops telemetry before events', MOSQUITTO, async (t) => {
  const { listener, way, url } = await startBroker(t);
  const config = {
    ...describeCounters('m'),
    sinks: [{ id: 'bus', mqtt: { url }, events: true }],
    runtime: { queue_bytes: '1MiB', store: { sync: '50ms', max_bytes: '1MiB' } },
  };
  const runtime = await startRuntime(t, config);
  const counter = await startCounter(t, runtime, { noise: 40 });
  await counter.isReady('bus', true);
  await way.stop();
  await counter.isReady('bus', false);
  const events = Array.from({ length: 20 }, (_, i) => `event ${i}`);
  /* The oldest of all, by the order in which they came. */
  counter.client.sendFrames(...events.map((text, i) => packEvent(1, text, TIME + BigInt(i))));
  await counter.send(1);
  while ((await counter.sinks()).bus.dropped === 0) {
    await counter.send(2000);
    await counter.committed('bus');
  }
  await runtime.stop('SIGKILL');
  await way.start();
  const again = await startRuntime(t, config, { data: runtime.data });
  const reader = await startCounter(t, again, { device: 'none' });
  await reader.drained('bus');
  await listener.caughtUp();
  const came = happened(listener, 'm').filter((text) => text.startsWith('event '));
  assert.deepEqual(came, events);
  const numbers = listener.messages.filter(({ payload }) => payload.values?.n === 1);
  assert.equal(numbers.length, 0, 'the first number was older than what was dropped');
});

test('without being asked for, events go nowhere', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const config = { ...describeCounters('m'), sinks: [{ id: 'bus', mqtt: { url: broker.url } }] };
  const runtime = await startRuntime(t, config, { data: tempDir(t) });
  const counter = await startCounter(t, runtime);
  await counter.isReady('bus', true);
  counter.client.sendFrames(packEvent(1, 'nobody hears it', TIME));
  await counter.send(1);
  await listener.waitFor(({ payload }) => payload.values?.n === 1, {
    what: 'the number behind it',
  });
  assert.deepEqual(happened(listener, 'm'), []);
});
