/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Messages of a flow while their sink is away: done once they lie in the store of a real runtime, and
   sent after its death. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacks, startMosquitto, waitFor } = require('../support');
const { startForwarder } = require('../support/forwarder');
const { listen } = require('../support/listener');
const { load, readPid } = require('./support/helper');

const SYNC_MS = 1000;
/* What a busy machine may take on top. */
const SLACK_MS = 2000;

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
