/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What becomes of deployed nodes: variables and subflows, deploys that are refused, and what busbar-event
   tells of all of it. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const disk = require('../support/disk');
const { startSim } = require('../support/sim');
const { load } = require('./support/helper');

/** @typedef {import('./support/helper').FlowNode} FlowNode */

/** Where nobody listens. */
const NOBODY = 'mqtt://127.0.0.1:9';
const RUNTIME = { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' };
const EVENT = { id: 'ev', type: 'busbar-event', devices: '', wires: [['told']] };
const HELPERS = ['told', 'seen'].map((id) => ({ id, type: 'helper', wires: [] }));

/** A device, and a node that reads it. @param {string | number} port @returns {FlowNode[]} */
function meter(port, { place = '', id = 'meter-1', z = 'tab' } = {}) {
  return [
    {
      ...{ id: `conn${place}`, type: 'busbar-connection', protocol: 'modbus-tcp' },
      ...{ host: '127.0.0.1', port: String(port), ...(z !== 'tab' && { z }) },
    },
    {
      ...{ id: `dev${place}`, type: 'busbar-device', deviceId: id, connection: `conn${place}` },
      ...{ unit: '1', profileType: 'bundled', profile: 'generic/modbus', enabled: true, tags: [] },
      ...{ scans: [{ scan: 'fast', period: '500ms' }], ...(z !== 'tab' && { z }) },
    },
    {
      ...{ id: `in${place}`, type: 'busbar-in', z, source: 'device', device: `dev${place}` },
      ...{ mode: 'scan', output: 'object', x: 1, y: 1, wires: [z === 'tab' ? ['seen'] : []] },
    },
  ];
}

/** @param {FlowNode[]} flow @param {string} id @param {object} fields */
function alter(flow, id, fields) {
  return flow.map((node) => (node.id === id ? { ...node, ...fields } : node));
}

/** The next event of a kind. @param {Awaited<ReturnType<typeof load>>} flow @param {string} topic
 * @param {string} event @param {number} [from] */
async function told(flow, topic, event, from = 0) {
  const fits = (/** @type {any} */ msg) => msg.topic === topic && msg.payload.event === event;
  return (await flow.waitFor('told', fits, from)).payload;
}

test('variables, and instances of a subflow, are devices of their own', async (t) => {
  /** @type {import('../support/sim').Sim[]} */
  const sims = [];
  for (const volts of [231, 232, 233]) {
    const sim = await startSim(t, ['generic/modbus']);
    await sim.tell(`set voltage ${volts}`);
    sims.push(sim);
  }
  process.env.BUSBAR_TEST_PORT = String(sims[0].port);
  t.after(() => delete process.env.BUSBAR_TEST_PORT);
  const [connection, device, reader] = meter('${PORT}', { place: '-sub', id: '${ID}', z: 'sub' });
  const instance = (/** @type {number} */ i) => ({
    ...{ id: `instance-${i}`, type: 'subflow:sub', x: 1, y: 1, wires: [['seen']] },
    env: [
      { name: 'PORT', type: 'str', value: String(sims[i].port) },
      { name: 'ID', type: 'str', value: `meter-${i}` },
    ],
  });
  const flow = await load(t, [
    RUNTIME,
    ...meter('${BUSBAR_TEST_PORT}', { id: 'meter-0' }),
    {
      ...{ id: 'sub', type: 'subflow', name: 'a meter', in: [], env: [] },
      out: [{ x: 1, y: 1, wires: [{ id: reader.id, port: 0 }] }],
    },
    ...[connection, device, reader, instance(1), instance(2)],
    ...HELPERS,
  ]);
  for (const [i, volts] of [231, 232, 233].entries()) {
    const msg = await flow.waitFor(
      'seen',
      ({ topic, payload }) => topic === `meter-${i}` && 'voltage' in payload,
    );
    assert.equal(msg.payload.voltage, volts, msg.topic);
  }
});

test('a deploy that is refused: told at its node, by an event, and what ran goes on', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const broken = (/** @type {any} */ RED) =>
    RED.nodes.registerType('busbar-broken', function () {
      throw new Error('it cannot be made');
    });
  const good = [RUNTIME, ...meter(sim.port), EVENT, ...HELPERS];
  const flow = await load(t, good, {}, { types: [broken] });
  await flow.waitFor('seen', ({ quality }) => !quality);
  const { connections } = await sim.status();
  const goesOn = async () => {
    const from = flow.messages.seen.length;
    await flow.waitFor('seen', ({ quality }) => !quality, from + 1);
  };

  await flow.deploy(alter(good, 'dev', { unit: '999' }));
  const mistake = await told(flow, 'runtime', 'apply');
  assert.equal(mistake.mistakes[0].nodeId, 'dev');
  assert.match(mistake.mistakes[0].text, /^devices\[meter-1\]\.unit: "999" .*allowed/);
  await flow.waitFor('stated', ({ status: { source, text } }) => {
    return source.id === 'in' && /^unit: "999"/.test(text);
  });
  await goesOn();

  const from = flow.messages.told.length;
  await flow.deploy([...good, { id: 'odd', type: 'busbar-broken', name: 'my node' }]);
  const { text, mistakes } = await told(flow, 'runtime', 'apply', from);
  const sentence = 'busbar-broken my node did not start; what ran before goes on until all do';
  assert.deepEqual([text, mistakes], [sentence, []]);
  await flow.waitFor('stated', ({ status: { source, busbar } }) => {
    return source.id === 'ev' && busbar?.reason === sentence;
  });
  await goesOn();
  flow.send('ev', {});
  const { payload } = await flow.waitFor('told', ({ topic }) => topic === 'overview');
  assert.equal(payload.runtime.refusal, sentence);

  const before = flow.messages.told.length;
  await flow.deploy(good);
  await told(flow, 'runtime', 'applied', before);
  assert.equal((await sim.status()).connections, connections, 'the connection stood all the time');
});

test('busbar-event: a sink pauses, what waits for it is dropped, then nobody takes it', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const sinks = [
    {
      ...{ id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url: NOBODY, storeBytes: '4KiB' },
      ...{ qos: '1' },
    },
    { id: 'to', type: 'busbar-mqtt-out', sink: 'mq', topic: 'a', wires: [] },
  ];
  const nodes = [{ ...RUNTIME, storeSync: '100ms' }, ...meter(sim.port), ...sinks, EVENT];
  const flow = await load(t, [...nodes, ...HELPERS]);
  const paused = await told(flow, 'sink/bus', 'paused');
  assert.match(paused.text, /127\.0\.0\.1:9: connection refused/);
  await flow.waitFor('stated', ({ status: { source } }) => source.id === 'to');
  const isDropped = () => flow.messages.told.find(({ payload }) => payload.event === 'dropped');
  for (let i = 0; i < 400 && !isDropped(); i++) {
    flow.send('to', { payload: 'x'.repeat(500) });
    await delay(50);
  }
  const dropped = isDropped()?.payload;
  assert.ok(dropped?.sink === 'bus' && dropped.batches > 0, JSON.stringify(dropped));
  assert.match(dropped.text, /that waited for the sink bus were dropped/);

  await flow.deploy([...alter(nodes, 'mq', { sinkId: 'other' }), ...HELPERS]);
  await told(flow, 'sink/bus', 'gone');
  const orphan = await told(flow, 'sink/bus', 'orphan');
  assert.ok(orphan.batches > 0, JSON.stringify(orphan));
  assert.match(orphan.text, /wait for the sink bus, which is not in use/);
});

test('busbar-event: the store fails, and works again', { skip: disk.lacksMounts() }, async (t) => {
  const data = disk.mountSmall(t, '2m');
  const nodes = [
    { ...RUNTIME, storeSync: '100ms' },
    { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url: NOBODY, qos: '1' },
    { id: 'to', type: 'busbar-mqtt-out', sink: 'mq', topic: 'a', wires: [] },
    EVENT,
  ];
  const flow = await load(t, [...nodes, ...HELPERS], {}, { data });
  await told(flow, 'sink/bus', 'paused');
  const ballast = disk.fillUp(data);
  const isTold = () => flow.messages.told.find(({ topic }) => topic === 'store');
  for (let i = 0; i < 400 && !isTold(); i++) {
    flow.send('to', { payload: 'x'.repeat(5000) });
    await delay(50);
  }
  const { event, text } = isTold()?.payload ?? {};
  assert.equal(event, 'failing');
  assert.match(text, /store\.db: .*(full|no space|room)/);
  const { status } = await flow.waitFor('stated', (msg) => /^store: /.test(msg.status.text));
  assert.deepEqual([status.source.id, status.busbar.store], ['to', text]);
  fs.rmSync(ballast);
  await told(flow, 'store', 'works');
});
