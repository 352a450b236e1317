/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Messages of a flow beside the core node mqtt out: what a subscriber sees of the same message. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const mqtt = require('mqtt');
const { lacks, startMosquitto, waitFor } = require('../support');
const { atEnd } = require('../support/end');
const { load } = require('./support/helper');

const MOSQUITTO = { skip: lacks('mosquitto') };

/** @type {Record<string, any>[]} */
const SAME = [
  ...[{}, { payload: null }, { payload: undefined }, { payload: '' }, { payload: 'x' }],
  ...[{ payload: 5 }, { payload: true }, { payload: NaN }, { payload: 5n }, { payload: [1] }],
  ...[{ payload: { a: 1 } }, { payload: new Date(0) }, { payload: Buffer.from([0, 255]) }],
  ...[
    { payload: 'q', qos: '2', retain: true },
    { payload: 'q', qos: 1, retain: 'true' },
  ],
  { retain: true, qos: 1 },
];
/* Bytes are bytes to ours. */
const BYTES = { payload: new Uint8Array([1, 2]) };
const END = { payload: 'end' };

test('a subscriber sees the same as of the core node', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  /** @type {Map<string, string>} */
  const seen = new Map();
  const client = await mqtt.connectAsync(broker.url);
  atEnd(t, () => client.endAsync(true));
  client.on('message', (topic, payload, { qos, retain }) => {
    seen.set(topic, `${payload.toString('hex')} qos ${qos} retain ${retain}`);
  });
  await client.subscribeAsync('#', { qos: 2 });
  const flow = await load(t, [
    { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' },
    { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url: broker.url, version: '5', qos: '0' },
    {
      ...{ id: 'core', type: 'mqtt-broker', broker: '127.0.0.1', port: String(broker.port) },
      ...{ protocolVersion: '5', autoConnect: true, usetls: false, keepalive: '60' },
    },
    { id: 'theirs', type: 'mqtt out', broker: 'core', topic: '', qos: '', retain: '', wires: [] },
    { id: 'ours', type: 'busbar-mqtt-out', sink: 'mq', topic: '', qos: '', retain: '', wires: [] },
  ]);
  for (const id of ['theirs', 'ours']) {
    const isReady = (/** @type {any} */ { status }) =>
      status.source.id === id && status.fill === 'green';
    await flow.waitFor('stated', isReady);
    [...SAME, BYTES, END].forEach((msg, n) => flow.send(id, { topic: `${id}/${n}`, ...msg }));
  }
  const rows = SAME.length + 2;
  const listOf = (/** @type {string} */ id) =>
    Array.from({ length: rows }, (_, n) => seen.get(`${id}/${n}`));
  const sent = [...SAME, BYTES, END].filter((msg) => 'payload' in msg).length;
  const isComplete = (/** @type {string} */ id) => listOf(id).filter(Boolean).length === sent;
  await waitFor(() => isComplete('theirs') && isComplete('ours'), { what: `${sent} of each` });
  const [theirs, ours] = [listOf('theirs'), listOf('ours')];
  assert.deepEqual(ours.slice(0, SAME.length), theirs.slice(0, SAME.length));
  assert.equal(theirs[0], undefined, 'without a payload nothing is published');
  assert.equal(ours[SAME.length], '0102 qos 0 retain false');
  assert.deepEqual(flow.messages.caught, []);
});
