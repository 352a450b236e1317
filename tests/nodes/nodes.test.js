/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Each node, with a real runtime and a simulated device where it needs one. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { lacks, startInflux1, startMosquitto, waitFor } = require('../support');
const { listen } = require('../support/listener');
const { startSim } = require('../support/sim');
const { load } = require('./support/helper');

/* Without types. */
/** @type {(name: string) => any} */
const requireAny = require;
const helper = requireAny('node-red-node-test-helper');

/** @typedef {import('./support/helper').FlowNode} FlowNode */

const MOSQUITTO = { skip: lacks('mosquitto') };
const INFLUX = { skip: lacks('influxd') };
const OUT = { id: 'out', type: 'helper', wires: [] };
const RUNTIME = { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' };

/** @param {number} port @returns {FlowNode[]} */
function device(port, fields = {}) {
  return [
    RUNTIME,
    {
      id: 'conn',
      type: 'busbar-connection',
      name: 'sim',
      protocol: 'modbus-tcp',
      host: '127.0.0.1',
      port: String(port),
    },
    {
      ...{ id: 'dev', type: 'busbar-device', deviceId: 'meter-1', connection: 'conn', unit: '1' },
      ...{ profileType: 'bundled', profile: 'generic/modbus', enabled: true },
      ...{
        tags: [{ key: 'line', value: 'l1' }],
        scans: [{ scan: 'fast', period: '500ms' }],
        ...fields,
      },
    },
  ];
}

/** @param {object} fields @returns {FlowNode} */
function reader(fields = {}) {
  return {
    id: 'in',
    type: 'busbar-in',
    source: 'device',
    device: 'dev',
    mode: 'scan',
    output: 'object',
    wires: [['out']],
    ...fields,
  };
}

test('busbar-in: each scan as an object', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  await sim.tell('set frequency 50.01');
  await sim.tell('set count 4000000000');
  const { waitFor: wait, messages } = await bind(t, [...device(sim.port), reader(), OUT]);
  const msg = await wait('out', ({ scan, quality }) => scan === 'fast' && !quality);
  assert.equal(msg.topic, 'meter-1');
  assert.equal(msg.payload.frequency, 50.01);
  assert.equal(msg.payload.count, 4000000000);
  assert.deepEqual(msg.device, { id: 'meter-1', tags: { line: 'l1' }, profile: 'generic/modbus' });
  assert.ok(Math.abs(Date.now() - msg.timestamp) < 5000);
  const status = await wait('stated', ({ status: { busbar } }) => busbar?.state === 'good');
  assert.match(status.status.text, /^\d+ points$/);
  assert.equal(status.status.fill, 'green');
  assert.ok(messages.out.length > 0);
});

/** @param {import('node:test').TestContext} t @param {FlowNode[]} flow @param {any} [credentials] */
async function bind(t, flow, credentials) {
  const loaded = await load(t, flow, credentials);
  return {
    loaded,
    messages: loaded.messages,
    waitFor: loaded.waitFor.bind(loaded),
    ask: loaded.ask.bind(loaded),
    send: loaded.send.bind(loaded),
  };
}

test('busbar-in: changes, points, snapshot', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const flow = [
    ...device(sim.port),
    reader({ mode: 'changes', points: 'count', wires: [['out']] }),
    reader({ id: 'in2', output: 'points', points: 'voltage', wires: [['points']] }),
    reader({ id: 'in3', mode: 'snapshot', wires: [['snap']] }),
    ...[
      OUT,
      { id: 'points', type: 'helper', wires: [] },
      { id: 'snap', type: 'helper', wires: [] },
    ],
  ];
  await sim.tell('set count 5');
  const { waitFor: wait, messages } = await bind(t, flow);
  await wait('out', ({ payload }) => payload.count === 5);
  await sim.tell('set count 6');
  const changed = await wait('out', ({ payload }) => payload.count === 6);
  assert.deepEqual(Object.keys(changed.payload), ['count']);
  assert.ok(messages.out.length <= 3, `${messages.out.length} messages for two changes`);
  const point = await wait('points', ({ payload }) => payload !== undefined);
  assert.deepEqual([point.topic, point.point, point.unit], ['meter-1/voltage', 'voltage', 'V']);
  const snapshot = await wait(
    'snap',
    ({ payload }) => 'energy' in payload && 'frequency' in payload,
  );
  assert.ok(!('scan' in snapshot));
});

test('busbar-in: a device that is lost and back', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const { waitFor: wait, messages } = await bind(t, [...device(sim.port), reader(), OUT]);
  await wait('out', ({ scan, quality }) => scan === 'fast' && !quality);
  await sim.tell('fault silence');
  const lost = await wait(
    'out',
    ({ quality }) => quality && Object.values(quality).every((word) => /stale|bad/.test(word)),
  );
  assert.deepEqual(lost.payload, {});
  await wait('stated', ({ status: { busbar } }) => busbar?.state === 'lost');
  await sim.tell('fault none');
  await wait('out', ({ quality }) => !quality, messages.out.length);
});

test('busbar-read: now, in each form', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  await sim.tell('set voltage 230.5');
  const read = {
    id: 'read',
    type: 'busbar-read',
    device: 'dev',
    scans: 'fast',
    output: 'object',
    wires: [['out']],
  };
  const { ask, waitFor: wait } = await bind(t, [
    ...[...device(sim.port), reader({ wires: [['seen']] }), read, OUT],
    { id: 'seen', type: 'helper', wires: [] },
  ]);
  await wait('seen');
  const msg = await ask('read', { payload: 'x', kept: 1 });
  assert.equal(msg.payload.voltage, 230.5);
  assert.deepEqual([msg.topic, msg.scan, msg.kept], ['meter-1', 'fast', 1]);
  await sim.tell('set voltage 231');
  assert.equal((await ask('read', {})).payload.voltage, 231);
});

test('busbar-read: registers as modbus-flex-getter asks for them', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  await sim.tell('set count 65538');
  const flow = [
    ...device(sim.port),
    reader(),
    { id: 'read', type: 'busbar-read', connection: 'conn', wires: [['out2']] },
    ...[OUT, { id: 'out2', type: 'helper', wires: [] }],
  ];
  const { ask, waitFor: wait } = await bind(t, flow);
  await wait('out');
  const msg = await ask(
    'read',
    { payload: { fc: 3, unitid: 1, address: 10, quantity: 2 } },
    'out2',
  );
  assert.deepEqual(msg.payload, [1, 2]);
  assert.deepEqual(msg.responseBuffer.buffer, Buffer.from([0, 1, 0, 2]));
  const caught = await ask('read', { payload: { fc: 3, address: 70000, quantity: 2 } }, 'caught');
  assert.match(caught.error.message, /payload.address is 70000; allowed: 0 to 65534/);
});

test('busbar-write: confirmed, refused, and what cannot be', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const write = {
    id: 'write',
    type: 'busbar-write',
    device: 'dev',
    point: 'limit',
    notAfter: '5s',
    wires: [['out']],
  };
  const free = { ...write, id: 'free', point: '' };
  const { ask, waitFor: wait } = await bind(t, [
    ...device(sim.port),
    reader({ wires: [['read']] }),
    write,
    free,
    OUT,
    { id: 'read', type: 'helper', wires: [] },
  ]);
  await wait('read', ({ quality }) => !quality);
  const done = await ask('write', { payload: 12.5 });
  const { state, device: who, measured } = done.outcome;
  assert.deepEqual([state, who, measured], ['confirmed', 'meter-1', { limit: 12.5 }]);
  const over = await ask('write', { payload: 101 });
  assert.equal(over.outcome.state, 'refused');
  assert.match(over.outcome.reason, /100/);
  /* The runtime takes a command to a device each 100 ms. */
  await delay(150);
  const both = await ask('free', {
    payload: { 'schedule/start': 60, 'schedule/end': 120, 'schedule/power': 5 },
  });
  assert.equal(both.outcome.state, 'confirmed', JSON.stringify(both.outcome));
  /** @type {[string, any, RegExp][]} */
  const wrong = [
    ['free', { payload: 5 }, /no object of points and values/],
    ['free', { payload: {} }, /holds no point/],
    ['free', { payload: { nothing: 1 } }, /nothing/],
    ['write', { payload: NaN }, /is NaN; allowed/],
    ['write', { payload: undefined }, /is undefined/],
  ];
  for (const [id, msg, text] of wrong) {
    assert.match((await ask(id, msg, 'caught')).error.message, text);
  }
});

test(
  'busbar-mqtt-out: each message ends at the broker, each fault at Catch',
  MOSQUITTO,
  async (t) => {
    const broker = await startMosquitto(t, { password: { username: 'edge', password: 's3cret' } });
    const listener = await listen(t, broker.url, {
      options: { username: 'edge', password: 's3cret' },
    });
    const flow = [
      RUNTIME,
      { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url: broker.url, verify: true, qos: '1' },
      { id: 'to', type: 'busbar-mqtt-out', sink: 'mq', topic: '', wires: [] },
      { id: 'done', type: 'complete', scope: ['to'], wires: [[]] },
    ].filter(({ type }) => type !== 'complete');
    const {
      send,
      ask,
      waitFor: wait,
    } = await bind(t, /** @type {FlowNode[]} */ (flow), {
      mq: { user: 'edge', password: 's3cret' },
    });
    await wait('stated', ({ status: { busbar } }) => busbar?.state === 'ready');
    send('to', { topic: 'a/b', payload: { n: 1 }, qos: 0, retain: true });
    const { payload, qos } = await listener.waitFor(({ topic }) => topic === 'a/b', {
      what: 'a/b',
    });
    assert.deepEqual([payload, qos], [{ n: 1 }, 0]);
    const warnings = () => {
      const lines = helper.log().args.map((/** @type {any[]} */ [line]) => String(line.msg));
      return lines.filter((/** @type {string} */ text) =>
        /MQTT 5 are not sent.*MQTT 3.1.1/.test(text),
      );
    };
    assert.deepEqual(warnings(), []);
    for (const n of [2, 3]) send('to', { topic: `a/${n}`, payload: n, contentType: 'text/plain' });
    await listener.waitFor(({ topic }) => topic === 'a/3', { what: 'a/3' });
    assert.equal(warnings().length, 1, 'told once');
    assert.match((await ask('to', { payload: 1 }, 'caught')).error.message, /no topic/);
    assert.match(
      (await ask('to', { topic: 'a', payload: 1, qos: 7 }, 'caught')).error.message,
      /msg.qos is 7/,
    );
  },
);

test('busbar-in with a direct route only: its points are known soon', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const sim = await startSim(t, ['generic/modbus']);
  const flow = [
    ...device(sim.port),
    { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url: broker.url },
    { id: 'to', type: 'busbar-mqtt-out', sink: 'mq', topic: '', wires: [] },
    reader({ wires: [['to']] }),
  ];
  const { waitFor: wait, messages } = await bind(t, /** @type {FlowNode[]} */ (flow));
  const isIn = (/** @type {any} */ { status }, /** @type {string} */ fill) =>
    status.source.id === 'in' && status.fill === fill;
  /* The round that asks all devices comes each 15 s. */
  const isKnown = (/** @type {any} */ msg) => isIn(msg, 'green') && /point/.test(msg.status.text);
  const within = async (/** @type {() => Promise<any>} */ work, /** @type {string} */ what) => {
    const started = Date.now();
    await work();
    assert.ok(Date.now() - started < 6000, `${what} after ${Date.now() - started} ms`);
  };
  await within(() => wait('stated', isKnown), 'points');
  await sim.tell('fault silence');
  let from = messages.stated.length;
  await within(() => wait('stated', (msg) => isIn(msg, 'red'), from), 'the loss');
  from = messages.stated.length;
  await sim.tell('fault none');
  await within(() => wait('stated', isKnown, from), 'points again');
});

test('busbar-mqtt-out: what happens at a device, along a straight wire', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url);
  const sim = await startSim(t, ['generic/modbus']);
  const flow = [
    ...device(sim.port),
    {
      id: 'mq',
      type: 'busbar-mqtt',
      sinkId: 'bus',
      url: broker.url,
      topic: 'hall/{device}/{scan}',
    },
    { id: 'to', type: 'busbar-mqtt-out', sink: 'mq', events: true, wires: [] },
    reader({ wires: [['to']], scans: 'fast' }),
  ];
  await bind(t, flow);
  const told = (/** @type {RegExp} */ text) =>
    listener.waitFor(
      ({ topic, payload }) => topic === 'hall/meter-1/event' && text.test(payload.event),
      { what: String(text), timeoutMs: 15000 },
    );
  await told(/^answers$/);
  await sim.tell('fault silence');
  const { payload } = await told(/^lost: no answer from 127\.0\.0\.1:/);
  assert.equal(payload.device, 'meter-1');
  await sim.tell('fault none');
  await told(/^back$/);
});

test('busbar-influx-out: fields and tags reach the database', INFLUX, async (t) => {
  const influx = await startInflux1(t, { databases: ['energy'] });
  const flow = [
    RUNTIME,
    {
      id: 'db',
      type: 'busbar-influxdb',
      sinkId: 'hist',
      version: '1',
      url: influx.url,
      database: 'energy',
      batchAge: '100ms',
    },
    { id: 'to', type: 'busbar-influx-out', sink: 'db', measurement: 'm', wires: [] },
  ];
  const { send, ask, waitFor: wait } = await bind(t, flow);
  await wait('stated', ({ status: { busbar } }) => busbar?.state === 'ready');
  send('to', { payload: [{ power: 5.5, starts: '7i', label: 'a "b"' }, { line: 'l 1' }] });
  const row = await waitFor(async () => (await influx.query('energy', 'SELECT * FROM m'))[0], {
    what: 'the row',
  });
  assert.deepEqual([row.power, row.starts, row.label, row.line], [5.5, 7, 'a "b"', 'l 1']);
  const keys = await influx.query('energy', 'SHOW FIELD KEYS FROM m');
  const types = keys.map(({ fieldKey, fieldType }) => `${fieldKey}: ${fieldType}`);
  assert.deepEqual(types.sort(), ['label: string', 'power: float', 'starts: float']);
  assert.match((await ask('to', { payload: {} }, 'caught')).error.message, /without a field/);
});

test('busbar-event: lost, back, and the state of all on request', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const event = {
    id: 'ev',
    type: 'busbar-event',
    devices: '',
    deviceEvents: true,
    sinkEvents: true,
    runtimeEvents: true,
    wires: [['out']],
  };
  const { ask, waitFor: wait } = await bind(t, [
    ...device(sim.port),
    reader({ wires: [['read']] }),
    event,
    OUT,
    { id: 'read', type: 'helper', wires: [] },
  ]);
  await wait('read', ({ quality }) => !quality);
  await sim.tell('fault silence');
  const lost = await wait('out', ({ payload }) => payload.event === 'lost');
  assert.equal(lost.topic, 'device/meter-1');
  assert.match(lost.payload.text, /no answer/);
  await sim.tell('fault none');
  await wait('out', ({ payload }) => payload.event === 'back');
  const { payload } = await waitForOverview(ask);
  assert.equal(payload.devices[0].id, 'meter-1');
  assert.equal(payload.runtime.state, 'up');
});

test('busbar-event: a sink that is away is told once, until it is back', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const { waitFor: wait, messages } = await bind(t, [
    RUNTIME,
    { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url: broker.url },
    { id: 'to', type: 'busbar-mqtt-out', sink: 'mq', topic: 'a', wires: [] },
    { id: 'ev', type: 'busbar-event', sinkEvents: true, runtimeEvents: false, wires: [['out']] },
    OUT,
  ]);
  const waitForEvent = (/** @type {string} */ what, from = 0) =>
    wait('out', ({ topic, payload }) => topic === 'sink/bus' && payload.event === what, from);
  const listReasons = () =>
    messages.stated
      .filter(({ status }) => status.source.id === 'to' && status.busbar?.state === 'waiting')
      .map(({ status }) => status.busbar.reason);
  await waitForEvent('ready');
  const from = messages.out.length;
  await broker.stop();
  /* Each try that fails has a reason of its own, with its next try. */
  const isTriedAgain = () => new Set(listReasons()).size >= 2;
  await waitFor(isTriedAgain, { what: 'another try', timeoutMs: 20000 });
  await broker.start();
  await waitForEvent('ready', from);
  await broker.stop();
  await waitForEvent('paused', from + 2);
  const told = messages.out.slice(from).map(({ payload }) => payload.event);
  assert.deepEqual(told, ['paused', 'ready', 'paused']);
});

/** @param {(id: string, msg: object) => Promise<any>} ask */
function waitForOverview(ask) {
  return ask('ev', {});
}

test('a device that is disabled: its nodes and the overview say so', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const ask = { type: 'busbar-read', device: 'dev', wires: [['out']] };
  const flow = [
    ...device(sim.port, { enabled: false }),
    { ...device(sim.port)[2], id: 'off', deviceId: 'meter-2', d: true },
    { ...device(sim.port)[2], id: 'asked', deviceId: 'meter-3' },
    ...[reader(), { id: 'read', ...ask }, { ...ask, id: 'write', type: 'busbar-write' }],
    ...[
      { id: 'read2', ...ask, device: 'off' },
      { id: 'read3', ...ask, device: 'asked' },
    ],
    ...[{ id: 'ev', type: 'busbar-event', wires: [['out']] }, OUT],
  ];
  const { waitFor: wait, ask: send } = await bind(t, /** @type {FlowNode[]} */ (flow));
  for (const id of ['in', 'read', 'write', 'read2']) {
    const fits = (/** @type {any} */ { status }) =>
      status.source.id === id && status.busbar?.state === 'disabled';
    const { status } = await wait('stated', fits);
    assert.deepEqual([status.fill, status.text], ['grey', 'device disabled'], id);
  }
  await wait('stated', ({ status }) => status.source.id === 'read3' && status.text === 'ready');
  assert.match((await send('read', {}, 'caught')).error.message, /or it is disabled/);
  const { payload } = await send('ev', {});
  assert.deepEqual(
    payload.devices.map((/** @type {any} */ { id, state, text }) => [id, state, text]).sort(),
    [
      ['meter-1', 'disabled', 'device disabled'],
      ['meter-3', 'idle', 'on request'],
    ],
  );
});

test('mistakes of the wiring: one sentence each', async (t) => {
  const flow = [
    { id: 'to', type: 'busbar-mqtt-out', sink: 'gone', wires: [] },
    { id: 'read', type: 'busbar-read', device: 'gone', wires: [['out']] },
    { id: 'write', type: 'busbar-write', device: '', wires: [['out']] },
    OUT,
  ];
  const { ask } = await bind(t, flow);
  for (const id of ['to', 'read', 'write']) {
    const { error } = await ask(id, { topic: 'a', payload: { a: 1 } }, 'caught');
    assert.ok(
      error.message.length > 20 && !/undefined|\[object/.test(error.message),
      `${id}: ${error.message}`,
    );
  }
});
