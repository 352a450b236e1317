/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Properties of MQTT 5: what leaves busbar-mqtt-out is what leaves the core node mqtt out, as a client of
   its own reads it from a real broker. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacks, startMosquitto } = require('../support');
const { listen } = require('../support/listener');
const { load } = require('./support/helper');

const MOSQUITTO = { skip: lacks('mosquitto') };
const RUNTIME = { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' };

/** What messages have, one after the other. @type {Record<string, any>[]} */
const MESSAGES = [
  {},
  { contentType: 'application/json', responseTopic: 'r/t', correlationData: Buffer.from([0, 255]) },
  { correlationData: 'text' },
  { messageExpiryInterval: '600', payloadFormatIndicator: true },
  { payloadFormatIndicator: 'false' },
  { userProperties: { a: '1', b: 2, c: true, d: { e: [1] }, f: null, 'g h': '' } },
  { userProperties: ['x', 'y'] },
  { userProperties: 'none', contentType: '', responseTopic: 7, messageExpiryInterval: 'soon' },
  { messageExpiryInterval: -5, correlationData: '' },
  { topicAlias: 2, contentType: 'first' },
  { topicAlias: 2, contentType: 'again' },
  { topicAlias: 9999 },
];
const OWN = {
  ...{ respTopic: 'own/r', contentType: 'own/type', correl: 'own data', expiry: '900' },
  userProps: '{"own": "property", "n": 5}',
};
const ALL = {
  responseTopic: 'm',
  contentType: 'm',
  correlationData: 'm',
  userProperties: { m: 'm' },
};

/** @param {import('../support/listener').Message} message @returns {Record<string, any>} */
function describe({ payload, qos, properties }) {
  return { payload, qos, ...properties };
}

test('each message has the properties that mqtt out gives it', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url, { options: { protocolVersion: 5 } });
  const [core, ours] = [
    { type: 'mqtt out', broker: 'core', qos: '1', retain: '' },
    { type: 'busbar-mqtt-out', sink: 'mq', qos: '1', retain: '' },
  ];
  const flow = await load(t, [
    RUNTIME,
    { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url: broker.url, version: '5' },
    {
      ...{ id: 'core', type: 'mqtt-broker', broker: '127.0.0.1', port: String(broker.port) },
      ...{
        protocolVersion: '5',
        autoConnect: true,
        usetls: false,
        keepalive: '60',
        sessionExpiry: '',
      },
    },
    { ...core, id: 'core-out', topic: '', wires: [] },
    { ...ours, id: 'ours-out', topic: '', wires: [] },
    { ...core, ...OWN, id: 'core-own', topic: '', wires: [] },
    { ...ours, ...OWN, id: 'ours-own', topic: '', wires: [] },
  ]);
  const isUp =
    (/** @type {string} */ id) =>
    (/** @type {any} */ { status }) =>
      status.source.id === id && status.fill === 'green';
  for (const id of ['core-out', 'ours-out']) await flow.waitFor('stated', isUp(id));
  const send = (/** @type {string} */ id, /** @type {string} */ topic, more = {}) =>
    flow.send(id, { topic, payload: { n: 1 }, ...more });
  const came = async (/** @type {string} */ topic, from = 0) =>
    describe(await listener.waitFor((m) => m.topic === topic, { from, what: topic }));
  for (const [n, more] of MESSAGES.entries()) {
    send('core-out', `core/${n}`, structuredClone(more));
    send('ours-out', `ours/${n}`, structuredClone(more));
    const [expected, actual] = [await came(`core/${n}`), await came(`ours/${n}`)];
    assert.deepEqual(actual, expected, `message ${n}`);
  }
  for (const [what, more] of Object.entries({ none: {}, all: ALL })) {
    send('core-own', `core/${what}`, structuredClone(more));
    send('ours-own', `ours/${what}`, structuredClone(more));
    assert.deepEqual(await came(`ours/${what}`), await came(`core/${what}`), what);
  }
  assert.equal((await came('ours/none')).contentType, 'own/type');
  /* Without a topic it goes to whoever asked. */
  for (const id of ['core-out', 'ours-out']) {
    const from = listener.messages.length;
    flow.send(id, { payload: { n: 2 }, responseTopic: 'asked' });
    assert.deepEqual(await came('asked', from), {
      ...{ payload: { n: 2 }, qos: 1, responseTopic: 'asked' },
    });
  }
  assert.deepEqual(flow.messages.caught, []);
});

test('what a broker would close the connection for is an error at Catch', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url, { options: { protocolVersion: 5 } });
  const flow = await load(t, [
    RUNTIME,
    { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url: broker.url, version: '5' },
    { id: 'to', type: 'busbar-mqtt-out', sink: 'mq', topic: 'a', wires: [] },
  ]);
  await flow.waitFor('stated', ({ status: { busbar } }) => busbar?.state === 'ready');
  const { error } = await flow.ask('to', { payload: 1, contentType: 'a\nb' }, 'caught');
  assert.match(error.message, /contentType holds a control character/);
  flow.send('to', { payload: 2, contentType: 'text/plain' });
  const { payload } = await listener.waitFor(({ topic }) => topic === 'a', { what: 'the next' });
  assert.equal(payload, 2);
});
