/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Messages of a flow while their sink is away, with a real runtime: done once they lie in its store, sent
   after its death, given to another sink; and those that a sink refuses for good. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacks, startMosquitto, waitFor } = require('../support');
const { startDatabase } = require('../support/backlog');
const { startForwarder } = require('../support/forwarder');
const { listen } = require('../support/listener');
const { load, readPid } = require('./support/helper');
const { startPalette } = require('./support/palette');

const SYNC_MS = 1000;
/* What a busy machine may take on top. */
const SLACK_MS = 2000;
/* Where nobody listens. */
const NOBODY = 'mqtt://127.0.0.1:9';
const NOBODY_HTTP = 'http://127.0.0.1:9';

test(
  'a message is done once it is on the disk, and survives the death of the runtime',
  { skip: lacks('mosquitto') },
  async (t) => {
    const broker = await startMosquitto(t);
    const listener = await listen(t, broker.url, { topic: 'a/#' });
    const way = await startForwarder(t, broker.port);
    await way.stop();
    const url = `mqtt://127.0.0.1:${way.port}`;
    const flow = await load(t, [
      { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' },
      { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url, verify: true, qos: '1' },
      { id: 'to', type: 'busbar-mqtt-out', sink: 'mq', topic: '', wires: [] },
      { id: 'ended', type: 'complete', scope: ['to'], wires: [['done']] },
      { id: 'done', type: 'helper', wires: [] },
    ]);
    await flow.waitFor('stated', ({ status: { busbar } }) => busbar?.state === 'waiting');
    const startedMs = Date.now();
    flow.send('to', { topic: 'a/b', payload: { n: 1 } });
    await flow.waitFor('done', ({ topic }) => topic === 'a/b');
    const tookMs = Date.now() - startedMs;
    assert.ok(tookMs < SYNC_MS + SLACK_MS, `done after ${tookMs} ms`);
    assert.deepEqual(flow.messages.caught, []);

    const first = readPid(flow.data);
    process.kill(first, 'SIGKILL');
    await waitFor(() => ![0, first].includes(readPid(flow.data)), { what: 'the next runtime' });
    assert.deepEqual(listener.messages, []);
    await way.start();
    const { payload } = await listener.waitFor(({ topic }) => topic === 'a/b', {
      what: 'the message',
      timeoutMs: 20000,
    });
    assert.deepEqual(payload, { n: 1 });
  },
);

test('a flow that sends more than a runtime has room for learns it', async (t) => {
  const flow = await load(t, [
    { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off', queueBytes: '1MiB' },
    { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url: NOBODY, storeMode: 'memory' },
    { id: 'to', type: 'busbar-mqtt-out', sink: 'mq', topic: 'a', wires: [] },
    { id: 'ended', type: 'complete', scope: ['to'], wires: [['done']] },
    { id: 'done', type: 'helper', wires: [] },
  ]);
  await flow.waitFor('stated', ({ status: { busbar } }) => busbar?.state === 'waiting');
  const { done, caught } = flow.messages;
  const payload = 'x'.repeat(50000);
  for (let sent = 1; caught.length === 0; sent++) {
    assert.ok(sent <= 25, `${sent * payload.length} bytes have room in 1 MiB`);
    flow.send('to', { n: sent, payload });
    await waitFor(() => done.length + caught.length >= sent, { what: `an end of ${sent}` });
  }
  const [{ n, error }] = caught;
  assert.equal(error.code, 'BUSBAR_FULL');
  assert.match(
    error.message,
    /^BusbarError: the sink bus: the runtime has no room for more messages while bus/,
  );
  assert.equal(error.source.id, 'to');
  assert.ok(done.length >= 15, `${done.length} had room`);
  assert.deepEqual(
    done.map((msg) => msg.n),
    Array.from({ length: n - 1 }, (_, i) => i + 1),
    'those before it are done',
  );
});

test('what cannot be kept so is told at the nodes of the sink', async (t) => {
  const sink = { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url: 'mqtt://127.0.0.1:9' };
  const flow = await load(t, [
    { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' },
    { ...sink, storeMode: 'disk', storeBytes: 'much', historyRate: 'all' },
    { id: 'to', type: 'busbar-mqtt-out', sink: 'mq', topic: '', wires: [] },
  ]);
  const { status } = await flow.waitFor('stated', (msg) => msg.status.busbar?.state === 'fault');
  assert.match(status.text, /^max_bytes: /);
  assert.match(status.busbar.reason, /^sinks\[bus\]\.store\.max_bytes: .*much/);
});

/** A Node-RED with a message for a sink of each kind.
 * @param {import('node:test').TestContext} t @param {{broker: string, database: string}} urls */
async function startBoth(t, { broker, database }) {
  const flows = (/** @type {string} */ sinkId, /** @type {any[]} */ more, mq = {}, to = mq) => [
    { id: 'tab', type: 'tab', label: 'test' },
    { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off', storeSync: '100ms' },
    { id: 'mq', type: 'busbar-mqtt', sinkId, url: broker, verify: true, qos: '1', ...mq },
    { id: 'to', type: 'busbar-mqtt-out', z: 'tab', sink: 'mq', x: 1, y: 1, wires: [], ...to },
    {
      ...{ id: 'db', type: 'busbar-influxdb', sinkId: 'history', url: database },
      ...{ version: '1', database: 'plant', gzip: false, verify: true },
    },
    {
      ...{ id: 'in', type: 'busbar-influx-out', z: 'tab', sink: 'db', measurement: 'm' },
      ...{ x: 1, y: 2, wires: [] },
    },
    ...more,
  ];
  const message = {
    ...{ id: 'inject', type: 'inject', z: 'tab', once: true, onceDelay: 0.5, x: 0, y: 0 },
    ...{ topic: 'a/b', payload: '1', payloadType: 'num', wires: [['to', 'in']] },
  };
  const palette = await startPalette(t, flows('bus', [message]));
  return {
    palette,
    /** The broker's node with another id. @param {string} sinkId */
    rename: (sinkId) => palette.deploy(flows(sinkId, [])),
    /** The broker's node, and the one that leads to it, with such settings. @param {object} mq @param {object} to */
    alter: (mq, to) => palette.deploy(flows('bus', [], mq, to)),
    /** @param {string} place @param {object} wish */
    order: (place, wish) =>
      palette.ask(`/busbar/${place}`, { method: 'POST', body: JSON.stringify(wish) }),
  };
}

test(
  'a backlog whose sink is gone goes to another one, and out of it',
  { skip: lacks('mosquitto') },
  async (t) => {
    const broker = await startMosquitto(t);
    const listener = await listen(t, broker.url, { topic: 'a/#' });
    const way = await startForwarder(t, broker.port);
    await way.stop();
    const { url } = await startDatabase(t);
    const urls = { broker: `mqtt://127.0.0.1:${way.port}`, database: url };
    const { palette, rename, order } = await startBoth(t, urls);
    await palette.waitForOverview(
      ({ sinks }) => sinks.some((/** @type {any} */ { saved }) => saved === 1),
      'the message to be on the disk',
    );
    await rename('new-bus');
    const { runtime } = await palette.waitForOverview(
      ({ runtime: { orphans } }) => orphans.length === 1,
      'the orphan',
    );
    assert.deepEqual([runtime.orphans[0].sink, runtime.orphans[0].batches], ['bus', 1]);
    const nowhere = order('orphans', { sink: 'bus', do: 'reassign', to: 'nowhere' });
    await assert.rejects(nowhere, /422 .*nowhere/);
    const given = await order('orphans', { sink: 'bus', do: 'reassign', to: 'new-bus' });
    assert.equal(given.batches, 1);
    assert.deepEqual((await palette.overview()).runtime.orphans, []);
    await way.start();
    await listener.waitFor(({ topic }) => topic === 'a/b', { what: 'it', timeoutMs: 20000 });
  },
);

test('a backlog says why its sink does not take it', async (t) => {
  const { palette, alter } = await startBoth(t, { broker: NOBODY, database: NOBODY_HTTP });
  await palette.waitForOverview(
    ({ sinks }) => sinks.some((/** @type {any} */ { saved }) => saved === 1),
    'the message to be on the disk',
  );
  const whyOf = async (/** @type {string} */ expected) => {
    const isSo = (/** @type {any} */ { runtime }) => runtime.orphans[0]?.why === expected;
    await palette.waitForOverview(isSo, expected);
  };
  await alter({ d: true }, { d: true });
  await whyOf('disabled');
  await alter({}, { d: true });
  await whyOf('unused');
  await alter({ sinkId: 'other' }, {});
  await whyOf('gone');
});

test('what a sink refused for good is shown, and sent again', async (t) => {
  const database = await startDatabase(t);
  const { palette, order } = await startBoth(t, { broker: NOBODY, database: database.url });
  await palette.waitForOverview(({ runtime: { store } }) => store?.dead === 1, 'the refusal');
  const answer = await palette.ask('/busbar/dead').catch((error) => error);
  const { dead } = answer;
  assert.deepEqual([dead.length, dead[0].sink], [1, 'history']);
  assert.match(dead[0].reason, /field type conflict/);
  database.refuses = false;
  const { requeued, left } = await order('dead', { do: 'requeue', id: dead[0].id });
  assert.deepEqual([requeued, left], [1, 0]);
  await waitFor(() => database.lines.length > 0, { what: 'the line' });
  assert.match(database.lines[0], /^m value=1 /);
  await palette.waitForOverview(({ runtime: { store } }) => store.dead === 0, 'none to be left');
});
