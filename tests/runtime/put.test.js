/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Messages that a client made itself, by way of the runtime to real brokers and databases. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacks, startInflux1, startMosquitto, waitFor } = require('../support');
const { listen } = require('../support/listener');
const { packPut } = require('../support/put');
const { startRuntime } = require('../support/runtime');
const { TYPE, connectSocket } = require('../support/socket');

const MOSQUITTO = { skip: lacks('mosquitto') };
const INFLUX = { skip: lacks('influxd') };
const RETAIN = 4;

/** @typedef {import('../support/put').Message} Message */

/** @param {import('node:test').TestContext} t @param {Record<string, unknown>} sink */
async function open(t, sink) {
  const runtime = await startRuntime(t, { sinks: [{ id: 'out', ...sink }] });
  const client = await connectSocket(t, runtime.data);
  /** @param {...Message} messages */
  const put = (...messages) => client.send(TYPE.put, packPut('out', messages));
  /** @param {number} id */
  const taken = (id) =>
    client.waitForEvent((event) => event.event === 'taken' && event.id === id, `taken ${id}`);
  return { runtime, client, put, taken };
}

test('messages leave as they are, with their QoS and retained', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url);
  const { put, taken } = await open(t, { mqtt: { url: broker.url } });
  put(
    { id: 1, topic: 'a/b', payload: '{"n":1}' },
    { id: 2, topic: 'a/c', payload: '{"n":2}', flags: 1 },
    { id: 3, topic: 'a/d', payload: '{"n":3}', flags: 3 | RETAIN },
  );
  await taken(3);
  for (const [topic, n, qos] of /** @type {[string, number, number][]} */ ([
    ['a/b', 1, 1],
    ['a/c', 2, 0],
    ['a/d', 3, 1], // the listener asks for 1 at most
  ])) {
    const message = await listener.waitFor((m) => m.topic === topic, { what: topic });
    assert.deepEqual({ n: message.payload.n, qos: message.qos }, { n, qos });
  }
  const later = await listen(t, broker.url, { topic: 'a/#' });
  const kept = await later.waitFor((m) => m.retain, { what: 'what was retained' });
  assert.equal(kept.topic, 'a/d');
});

test('what a broker that is away was owed comes when it is back', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const { runtime, put, taken } = await open(t, { mqtt: { url: broker.url, qos: 1 } });
  await waitFor(async () => (await runtime.get('/readyz')).status === 200, { what: 'ready' });
  await broker.stop();
  /* Retained, because it may be there before anybody listens again. */
  put({ id: 7, topic: 'late', payload: '{"n":7}', flags: RETAIN });
  await taken(7);
  await broker.start();
  const listener = await listen(t, broker.url);
  const { payload } = await listener.waitFor((m) => m.topic === 'late', { what: 'the message' });
  assert.equal(payload.n, 7);
});

/* As on the wire (MQTT 5, 2.2.2.2): content type text/plain, the answer to r/t, k is v. */
const PROPERTIES = Buffer.concat([
  ...[Buffer.from([3, 0, 10]), Buffer.from('text/plain')],
  ...[Buffer.from([8, 0, 3]), Buffer.from('r/t')],
  ...[Buffer.from([0x26, 0, 1]), Buffer.from('k'), Buffer.from([0, 1]), Buffer.from('v')],
]);
/** @param {number} seconds */
const expiry = (seconds) => Buffer.from([2, 0, 0, 0, seconds]);
const V5 = /** @type {const} */ ({ options: { protocolVersion: 5 } });

test(
  'properties of MQTT 5 arrive, also after an outage and another runtime',
  MOSQUITTO,
  async (t) => {
    const broker = await startMosquitto(t);
    const sink = { mqtt: { url: broker.url, version: '5', qos: 1 } };
    const { runtime, put, taken } = await open(t, sink);
    await waitFor(async () => (await runtime.get('/readyz')).status === 200, { what: 'ready' });
    const listener = await listen(t, broker.url, V5);
    const came = async (/** @type {import('../support/listener').Listener} */ who, topic = 'now') =>
      (await who.waitFor((m) => m.topic === topic, { what: topic })).properties;
    const expected = {
      ...{ contentType: 'text/plain', responseTopic: 'r/t', userProperties: { k: 'v' } },
    };
    const correlation = Buffer.from([9, 0, 2, 0, 255, 1, 1]);
    put(
      { id: 1, topic: 'now', payload: '1', properties: PROPERTIES },
      { id: 2, topic: 'both', payload: '1', properties: correlation },
      { id: 3, topic: 'none', payload: '1' },
    );
    assert.deepEqual(await came(listener), expected);
    const both = { correlationData: Buffer.from([0, 255]), payloadFormatIndicator: true };
    assert.deepEqual(await came(listener, 'both'), both);
    assert.deepEqual(await came(listener, 'none'), {});
    await broker.stop();
    put(
      { id: 4, topic: 'late', payload: '1', properties: PROPERTIES },
      { id: 5, topic: 'while', payload: '1', properties: expiry(200) },
    );
    await taken(5);
    await runtime.stop('SIGKILL');
    await broker.start();
    const later = await listen(t, broker.url, V5);
    await startRuntime(t, { sinks: [{ id: 'out', ...sink }] }, { data: runtime.data });
    assert.deepEqual(await came(later, 'late'), expected);
    const { messageExpiryInterval: left } = await came(later, 'while');
    assert.ok(left > 100 && left <= 200, `${left} s are left`);
  },
);

test('what waited longer than it may is set aside', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const { runtime, client, put, taken } = await open(t, {
    mqtt: { url: broker.url, version: '5', qos: 1 },
  });
  await waitFor(async () => (await runtime.get('/readyz')).status === 200, { what: 'ready' });
  await broker.stop();
  const putMs = Date.now();
  put(
    { id: 1, topic: 'old', payload: '1', properties: expiry(1) },
    { id: 2, topic: 'new', payload: '1' },
  );
  await taken(2);
  await waitFor(() => Date.now() - putMs > 2000, { what: 'two seconds' });
  await broker.start();
  const letters = async () => (await client.must('store', { do: 'dead', sink: 'out' })).letters;
  const [letter] = await waitFor(async () => (await letters()).length > 0 && letters(), {
    what: 'the letter',
  });
  assert.equal(letter.topic, 'old');
  assert.match(letter.reason, /within its message expiry interval of 1 s/);
});

test('a broker of MQTT 3.1.1 gets the message without properties', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url, V5);
  const { put } = await open(t, { mqtt: { url: broker.url, version: '3.1.1' } });
  put({ id: 1, topic: 'a', payload: '1', properties: PROPERTIES });
  const { properties } = await listener.waitFor(({ topic }) => topic === 'a', { what: 'a' });
  assert.deepEqual(properties, {});
});

test('lines are written as they are', INFLUX, async (t) => {
  const influx = await startInflux1(t, { databases: ['plant'] });
  const { put, taken } = await open(t, {
    influxdb: { url: influx.url, database: 'plant', batch: { age: '100ms' } },
  });
  put({
    id: 1,
    payload: 'm,line=l1 power=5,starts=7i 1763688000123\nm,line=l2 power=6 1763688000123',
  });
  await taken(1);
  const rows = await waitFor(
    async () => {
      const found = await influx.query('plant', 'SELECT * FROM m');
      return found.length === 2 && found;
    },
    { what: 'both lines' },
  );
  const byLine = Object.fromEntries(rows.map((row) => [row.line, row]));
  assert.equal(byLine.l1.power, 5);
  assert.equal(byLine.l1.starts, 7);
  assert.equal(byLine.l2.power, 6);
});

test('what cannot be taken is told with its reason', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const { client, put, taken } = await open(t, { mqtt: { url: broker.url } });
  /** @param {number} id @param {RegExp} reason */
  const untaken = async (id, reason) => {
    const event = await client.waitForEvent(
      (e) => e.event === 'untaken' && e.id === id,
      `untaken ${id}`,
    );
    assert.match(event.reason, reason);
  };
  put(
    { id: 1, payload: '1' },
    { id: 2, topic: 'a/#', payload: '2' },
    { id: 3, topic: 'a\0b', payload: '3' },
    { id: 4, topic: 'big', payload: Buffer.alloc(60000) },
    { id: 5, topic: 'good', payload: '{}' },
    { id: 6, topic: 'a\u0001', payload: '6' },
    { id: 7, topic: 'a', payload: '7', properties: Buffer.from([8, 0, 1, 0x23]) },
    { id: 8, topic: 'a', payload: '8', properties: Buffer.from([0x23, 0, 1]) },
    { id: 9, topic: 'a', payload: Buffer.alloc(59995), properties: PROPERTIES },
    { id: 10, topic: 'good', payload: '{}' },
  );
  await taken(10);
  await untaken(6, /cannot be published to/);
  await untaken(7, /properties cannot be sent: its response topic/);
  await untaken(8, /properties cannot be sent: they are malformed/);
  await untaken(9, /is too long; at most 60000/);
  await untaken(1, /no topic/);
  await untaken(2, /cannot be published to/);
  await untaken(3, /cannot be published to/);
  await untaken(4, /60003 bytes is too long; at most 60000/);
  client.send(TYPE.put, packPut('nowhere', [{ id: 11, topic: 'x', payload: '' }]));
  await untaken(11, /no sink nowhere/);
});

test('a put that is none costs the connection', MOSQUITTO, async (t) => {
  const { client, runtime } = await open(t, { mqtt: { url: 'mqtt://127.0.0.1:1' } });
  client.send(TYPE.put, Buffer.from([3, 111, 117, 116, 255, 255, 255, 255, 0]));
  await client.waitForClose();
  assert.equal((await runtime.get('/healthz')).status, 200);
});
