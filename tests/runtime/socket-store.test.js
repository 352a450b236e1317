/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a client of the control socket sees of the store, and what it can do with it. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { freePort } = require('../support');
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
