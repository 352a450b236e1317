/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The client on a real runtime: what is asked, what comes by itself, and what is put. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { Client } = require('../../lib/client');
const { packBatch, packDevice, packShape } = require('../../lib/frames');
const { atEnd, lacks, startMosquitto, waitFor } = require('../support');
const { listen } = require('../support/listener');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */

const MOSQUITTO = { skip: lacks('mosquitto') };

/** @param {TestContext} t @param {Record<string, any>} config */
async function connect(t, config) {
  const runtime = await startRuntime(t, config);
  const client = new Client({ path: path.join(runtime.data, 'busbar.sock'), name: 'a test' });
  atEnd(t, () => client.close());
  /** @type {any[]} */
  const events = [];
  client.on('event', (event) => events.push(event));
  return { runtime, client, hello: await client.connect(), events };
}

test('a runtime greets, answers and refuses', async (t) => {
  const { runtime, client, hello } = await connect(t, { runtime: { owner: 'editor' } });
  assert.deepEqual([hello.protocol, hello.pid, hello.boot], [2, runtime.pid, 1]);
  assert.equal((await client.request('status')).clients, 1);
  await assert.rejects(client.request('read', { device: 'meter-9' }), {
    code: 'BUSBAR_REFUSED',
    message: /meter-9/,
  });
  const document = 'busbar: 1\nsinks:\n  - { id: bus, mqtt: { topik: a } }\n';
  const refused = await client.request('check', { document, name: 'flows' }).catch((e) => e);
  assert.equal(refused.details.code, 'CONFIG');
  assert.deepEqual([refused.mistakes[0].file, refused.mistakes[0].line], ['flows', 3]);
  const closed = once(client, 'close');
  await runtime.stop();
  const [error] = await closed;
  assert.equal(error.code, 'BUSBAR_DOWN', error.message);
});

test('devices, shapes and batches come as objects', async (t) => {
  const sim = await startSim(t, ['generic/modbus-60']);
  const scan = { fast: '100ms' };
  const { client, events } = await connect(t, describeMeter('meter-1', sim.port, { scan }));
  /** @type {Record<string, any[]>} */
  const got = { device: [], shape: [], batch: [] };
  for (const name of Object.keys(got)) client.on(name, (what) => got[name].push(what));
  await client.request('subscribe', { devices: ['meter-*'] });
  const batch = await waitFor(() => got.batch.find(({ scan: of }) => of === 'fast'), {
    what: 'a batch',
  });
  assert.equal(batch.device.id, 'meter-1');
  assert.equal(typeof batch.values['value/1'], 'number', JSON.stringify(batch.values));
  assert.deepEqual(
    got.device.map(({ id }) => id),
    ['meter-1'],
  );
  assert.equal(new Set(got.shape.map(({ hash }) => hash)).size, got.shape.length);
  await waitFor(() => events.find(({ event, up }) => event === 'device' && up), {
    what: 'an event',
  });
});

test('values of external devices go the other way', async (t) => {
  const config = {
    connections: [{ id: 'flow', external: {} }],
    devices: [{ id: 'pump-3', connection: 'flow' }],
  };
  const { client } = await connect(t, config);
  const shape = packShape({ scan: 'values', points: [{ name: 'power', type: 'float64' }] });
  client.sendFrames(Buffer.concat([packDevice({ number: 1, id: 'pump-3' }), shape.frame]));
  client.sendFrames(packBatch({ device: 1, shape, values: { power: 230.1 } }));
  const { scans } = await client.request('read', { device: 'pump-3' });
  assert.equal(scans[0].points[0].value, 230.1, JSON.stringify(scans));
});

test('what is put leaves by the sink, and is told as taken', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url);
  const sinks = [{ id: 'bus', mqtt: { url: broker.url } }];
  const { client, events } = await connect(t, { sinks });
  client.put('bus', [
    { id: 1, topic: 'plant/a', payload: '{"n":1}', qos: 0 },
    { id: 2, topic: 'plant/ä', payload: Buffer.from('{"n":2}'), qos: 2, retain: true },
  ]);
  client.put('bus', [{ id: 3, topic: 'plant/#', payload: '3' }]);
  client.put('none', [{ id: 1, topic: 'a', payload: '1' }]);
  const find = (/** @type {string} */ event, /** @type {string} */ sink) =>
    waitFor(() => events.find((one) => one.event === event && one.sink === sink), {
      what: `${event} of ${sink}`,
    });
  assert.equal((await find('taken', 'bus')).id, 2);
  assert.equal((await find('untaken', 'bus')).id, 3);
  assert.equal((await find('untaken', 'none')).code, 'NOTFOUND');
  const second = await listener.waitFor(({ topic }) => topic === 'plant/ä', { what: 'the second' });
  assert.deepEqual([second.payload, second.qos], [{ n: 2 }, 1]);
});

test('ten thousand messages of a flow arrive in order', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t, { config: ['max_queued_messages 0'] });
  const listener = await listen(t, broker.url);
  const { client, events } = await connect(t, {
    sinks: [{ id: 'bus', mqtt: { url: broker.url } }],
  });
  const count = 10000;
  for (let id = 1; id <= count; id += 100) {
    const messages = Array.from({ length: 100 }, (_, i) => id + i).map((n) => ({
      ...{ id: n, topic: 'n', payload: `{"n":${n}}`, qos: 1 },
    }));
    client.put('bus', messages);
  }
  const numbers = () => listener.messages.filter(({ topic }) => topic === 'n');
  await waitFor(() => numbers().length === count, { what: 'all', timeoutMs: 30000 });
  assert.ok(numbers().every(({ payload }, i) => payload.n === i + 1));
  await waitFor(() => events.some(({ event, id }) => event === 'taken' && id === count), {
    what: 'the last message told as taken',
  });
});
