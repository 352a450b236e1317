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
  );
  await taken(5);
  await untaken(1, /no topic/);
  await untaken(2, /cannot be published to/);
  await untaken(3, /cannot be published to/);
  await untaken(4, /60003 bytes is too long; at most 60000/);
  client.send(TYPE.put, packPut('nowhere', [{ id: 9, topic: 'x', payload: '' }]));
  await untaken(9, /no sink nowhere/);
});

test('a put that is none costs the connection', MOSQUITTO, async (t) => {
  const { client, runtime } = await open(t, { mqtt: { url: 'mqtt://127.0.0.1:1' } });
  client.send(TYPE.put, Buffer.from([3, 111, 117, 116, 255, 255, 255, 255, 0]));
  await client.waitForClose();
  assert.equal((await runtime.get('/healthz')).status, 200);
});
