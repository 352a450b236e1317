/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a client of the control socket sees of the store, and what it can do with it. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { freePort, waitFor } = require('../support');
const { packPut } = require('../support/put');
const { startRuntime } = require('../support/runtime');
const { TYPE, connectSocket } = require('../support/socket');

/** @typedef {import('node:test').TestContext} TestContext */

/** A sink that nobody answers. @param {string} id */
async function describeAbsent(id) {
  return { id, mqtt: { url: `mqtt://127.0.0.1:${await freePort()}` } };
}

/** A document that a client may apply. @param {any[]} sinks */
function describe(sinks) {
  const runtime = { owner: 'editor', metrics: 'off', store: { sync: '100ms' } };
  return JSON.stringify({ busbar: 1, runtime, sinks });
}

/** A runtime with that many messages waiting on the disk for the sink "bus".
 * @param {TestContext} t @param {number} n */
async function startWaiting(t, n) {
  const bus = await describeAbsent('bus');
  const runtime = await startRuntime(t, {
    runtime: { owner: 'editor', store: { sync: '100ms' } },
    sinks: [bus],
  });
  const client = await connectSocket(t, runtime.data);
  await client.must('subscribe');
  const ids = Array.from({ length: n }, (_, i) => i + 1);
  const messages = ids.map((id) => ({ id, topic: `plant/${id}`, payload: `${id}` }));
  client.send(TYPE.put, packPut('bus', messages));
  await client.waitForEvent(({ event, id }) => event === 'taken' && id === n, 'all to be taken');
  return { runtime, client, bus };
}

test('status tells what waits on the disk, and for which sink', async (t) => {
  const { runtime, client } = await startWaiting(t, 3);
  const { store, sinks } = await client.must('status');
  assert.deepEqual(
    [store.open, store.failing, store.reason, store.path, store.records, store.saved, store.dead],
    [true, false, undefined, `${runtime.data}/store.db`, 3, 3, 0],
  );
  assert.deepEqual([store.sync_ms, store.orphans], [100, []]);
  assert.ok(store.bytes > 0 && store.file_bytes > store.bytes, JSON.stringify(store));
  assert.ok(store.written_bytes >= store.bytes, JSON.stringify(store));
  assert.deepEqual([sinks[0].store, sinks[0].waiting, sinks[0].saved], ['disk', 3, 3]);
});

test('a sink that is taken out leaves an orphan, and subscribers are told', async (t) => {
  const { client } = await startWaiting(t, 3);
  const first = await client.waitForEvent(({ event }) => event === 'store', 'how the store is');
  assert.deepEqual([first.store.open, first.store.orphans], [true, []]);
  await client.must('apply', { document: describe([]) });
  const { store } = await client.waitForEvent(
    ({ event, store }) => event === 'store' && store.orphans.length > 0,
    'the orphan',
  );
  assert.deepEqual([store.orphans[0].sink, store.orphans[0].batches], ['bus', 3]);
  assert.deepEqual((await client.must('status')).store.orphans, store.orphans);
});

test('an orphan is dropped, once and by its name', async (t) => {
  const { client } = await startWaiting(t, 3);
  await client.must('apply', { document: describe([]) });
  await client.waitForEvent(({ event }) => event === 'applied', 'the document to run');
  const wrong = await client.ask('store', { do: 'drop', sink: 'bos' });
  assert.equal(wrong.code, 'NOTFOUND');
  assert.match(wrong.error, /nothing waits for a sink bos that is gone; did you mean bus/);
  assert.equal((await client.must('store', { do: 'drop', sink: 'bus' })).batches, 3);
  await client.waitForEvent(
    ({ event, store }) => event === 'store' && store.orphans.length === 0 && store.records === 3,
    'no orphan',
  );
  assert.equal((await client.ask('store', { do: 'drop', sink: 'bus' })).code, 'NOTFOUND');
  await waitFor(async () => (await client.must('status')).store.records === 0, {
    what: 'the disk to have room again',
  });
});

test('what waits for a sink that runs is dropped only where that is said', async (t) => {
  const { client } = await startWaiting(t, 3);
  const refused = await client.ask('store', { do: 'drop', sink: 'bus' });
  assert.equal(refused.code, 'STATE');
  assert.match(refused.error, /bus is a sink of the config that runs/);
  assert.equal((await client.must('store', { do: 'drop', sink: 'bus', live: true })).batches, 3);
  const { sinks } = await client.must('status');
  assert.deepEqual([sinks[0].waiting, sinks[0].saved, sinks[0].dropped], [0, 0, 3]);
  await waitFor(async () => (await client.must('status')).store.records === 0, {
    what: 'the disk to have room again',
  });
});

test('an orphan is given to another sink', async (t) => {
  const { client, bus } = await startWaiting(t, 3);
  const other = await describeAbsent('other');
  const early = await client.ask('store', { do: 'reassign', sink: 'bus', to: 'other' });
  assert.match(early.error, /bus is a sink of the config that runs; only what waits for one/);
  await client.must('apply', { document: describe([other]) });
  await client.waitForEvent(({ event }) => event === 'applied', 'the document to run');
  const nobody = await client.ask('store', { do: 'reassign', sink: 'bus', to: 'nobody' });
  assert.deepEqual([nobody.code, nobody.error.includes('no sink nobody')], ['NOTFOUND', true]);
  const nothing = await client.ask('store', { do: 'reassign', sink: 'none', to: 'other' });
  assert.match(nothing.error, /nothing waits for a sink none/);
  const given = await client.must('store', { do: 'reassign', sink: 'bus', to: 'other' });
  assert.equal(given.batches, 3);
  const { store, sinks } = await client.must('status');
  assert.deepEqual([store.orphans, sinks[0].id, sinks[0].waiting], [[], 'other', 3]);
  await client.must('apply', { document: describe([other, bus]) });
  await waitFor(async () => (await client.must('status')).sinks.length === 2, { what: 'both' });
  const after = (await client.must('status')).sinks;
  assert.deepEqual(
    after.map((/** @type {any} */ sink) => sink.waiting),
    [3, 0],
  );
});

test('mistakes in a request about the store are named', async (t) => {
  const runtime = await startRuntime(t, {});
  const client = await connectSocket(t, runtime.data);
  const unknown = await client.ask('store', { do: 'dorp' });
  assert.match(JSON.stringify(unknown.mistakes), /dorp.*drop/);
  const without = await client.ask('store', { do: 'reassign', sink: 'a' });
  assert.deepEqual([without.code, without.error], ['INVALID', 'reassign needs the field to']);
});
