/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a client of the control socket sees of the store, and what it can do with it. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { tempDir, waitFor } = require('../support');
const { describeAbsent, startRefused, startWaiting } = require('../support/backlog');
const { startRuntime } = require('../support/runtime');
const { connectSocket } = require('../support/socket');

/** A document that a client may apply. @param {any[]} sinks */
function describe(sinks) {
  const runtime = { owner: 'editor', metrics: 'off', store: { sync: '100ms' } };
  return JSON.stringify({ busbar: 1, runtime, sinks });
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
  assert.ok(store.log_bytes > 0 && store.log_bytes < store.file_bytes, JSON.stringify(store));
  assert.ok(store.written_bytes >= store.bytes, JSON.stringify(store));
  assert.equal(store.saved_samples, 0, 'messages hold none');
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

test('what waits for a sink that is disabled is told as that, and taken by it later', async (t) => {
  const { runtime, client } = await startWaiting(t, 3);
  const sink = await describeAbsent('bus');
  const orphan = async (/** @type {object[]} */ sinks, /** @type {unknown} */ disabled) => {
    await client.must('apply', { document: describe(sinks) });
    const { store } = await client.waitForEvent(
      ({ event, store: { orphans: [one] = [undefined] } = {} }) =>
        event === 'store' && one?.disabled === disabled && one?.batches === 3,
      `an orphan, disabled: ${disabled}`,
    );
    assert.equal(store.orphans[0].sink, 'bus');
  };
  await orphan([{ ...sink, enabled: false }], true);
  assert.match(runtime.log, /bus: the sink is disabled; 3 batches .* kept .* once it is enabled/);
  await orphan([], undefined);
  await client.must('apply', { document: describe([sink]) });
  await waitFor(async () => (await client.must('status')).store.orphans.length === 0, {
    what: 'the sink to take it',
  });
  assert.equal((await client.must('status')).sinks[0].waiting, 3);
});

test('an orphan is dropped, once and by its name', async (t) => {
  const { client } = await startWaiting(t, 3);
  await client.must('apply', { document: describe([]) });
  await client.waitForEvent(({ event }) => event === 'applied', 'the document to run');
  const wrong = await client.ask('store', { do: 'drop', sink: 'bos' });
  assert.equal(wrong.code, 'NOTFOUND');
  assert.match(wrong.error, /nothing waits for a sink bos that is gone; did you mean bus\?$/);
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
  assert.match(refused.error, /bus is a sink of the config that runs.*"live":true to the request/);
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

test('dead letters are shown page by page, with why', async (t) => {
  const { client } = await startRefused(t, 3);
  const first = await client.must('store', { do: 'dead', limit: 2 });
  assert.deepEqual([first.letters.length, first.more], [2, true]);
  const [letter] = first.letters;
  assert.deepEqual([letter.sink, letter.device, letter.payload], ['hist', 'hist', 'm,n=1 v=1']);
  assert.match(letter.reason, /field type conflict/);
  assert.ok(Math.abs(letter.time - Date.now()) < 60000, `time ${letter.time}`);
  const second = await client.must('store', { do: 'dead', after: first.letters[1].id });
  assert.deepEqual([second.letters.length, second.more], [1, false]);
  assert.deepEqual((await client.must('store', { do: 'dead', sink: 'bus' })).letters, []);
});

test('dead letters are sent again, and are gone then', async (t) => {
  const { client, database } = await startRefused(t, 3);
  const { letters } = await client.must('store', { do: 'dead' });
  const nobody = await client.ask('store', { do: 'requeue', sink: 'bus' });
  assert.match(nobody.error, /no sink bus in the config that runs; its dead letters stay/);
  const unknown = await client.ask('store', { do: 'requeue', letter: 99 });
  assert.deepEqual([unknown.code, unknown.error], ['NOTFOUND', 'there is no dead letter 99']);
  database.refuses = false;
  const one = await client.must('store', { do: 'requeue', letter: letters[1].id });
  assert.deepEqual([one.requeued, one.left], [1, 0]);
  await waitFor(() => database.lines.length === 1, { what: 'the line' });
  assert.deepEqual(database.lines, ['m,n=2 v=2']);
  const rest = await client.must('store', { do: 'requeue' });
  assert.equal(rest.requeued, 2);
  assert.deepEqual((await client.must('store', { do: 'dead' })).letters, []);
  await waitFor(() => database.lines.length === 3, { what: 'the other lines' });
  assert.deepEqual(database.lines.slice(1), ['m,n=1 v=1', 'm,n=3 v=3']);
  await waitFor(async () => (await client.must('status')).store.dead === 0, { what: 'none left' });
});

test('dead letters are dropped, one or all', async (t) => {
  const { runtime, client } = await startRefused(t, 3);
  const { letters } = await client.must('store', { do: 'dead' });
  const unknown = await client.ask('store', { do: 'drop_dead', letter: 99 });
  assert.equal(unknown.code, 'NOTFOUND');
  const one = await client.must('store', { do: 'drop_dead', letter: letters[0].id });
  assert.equal(one.dropped, 1);
  assert.equal((await client.must('status')).store.dead, 2);
  const nobody = await client.ask('store', { do: 'drop_dead', sink: 'hits' });
  assert.deepEqual(
    [nobody.code, nobody.error],
    ['NOTFOUND', 'there is no dead letter of a sink hits; did you mean hist?'],
  );
  assert.equal((await client.must('store', { do: 'drop_dead', sink: 'hist' })).dropped, 2);
  assert.match(runtime.log, / store: 1 dead letter was dropped by client /);
  assert.match(runtime.log, / hist: 2 dead letters were dropped by client /);
  const none = await client.must('store', { do: 'drop_dead', sink: 'hist' });
  assert.equal(none.dropped, 0, 'of a sink that runs and has none');
});

test('what waits is listed by stream and sink', async (t) => {
  const { client } = await startWaiting(t, 3);
  const { waiting } = await client.must('store', { do: 'list' });
  assert.equal(waiting.length, 1);
  const { stream, sink, kind, records, bytes, oldest } = waiting[0];
  assert.deepEqual([stream, sink, kind, records], ['bus', 'bus', 'readings', 3]);
  assert.ok(bytes > 0 && Math.abs(oldest - Date.now()) < 60000, JSON.stringify(waiting));
});

test('the store is copied while it is in use, to a new file only', async (t) => {
  const { client } = await startWaiting(t, 3);
  const file = path.join(tempDir(t), 'copy.db');
  assert.equal((await client.must('store', { do: 'export', path: file })).path, file);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  const again = await client.ask('store', { do: 'export', path: file });
  assert.equal(again.code, 'EXISTS', JSON.stringify(again));
  const nowhere = await client.ask('store', { do: 'export', path: '/no/such/folder/copy.db' });
  assert.match(nowhere.error, /cannot be made as \/no\/such\/folder\/copy.db/);
  const relative = await client.ask('store', { do: 'export', path: 'copy.db' });
  assert.deepEqual(
    [relative.code, (await client.must('status')).store.failing],
    ['INVALID', false],
  );
});

test('everything in the store is looked at', async (t) => {
  const { client } = await startWaiting(t, 3);
  const { n, sentences } = await client.must('store', { do: 'verify' });
  assert.deepEqual([n, sentences], [0, []]);
});

test('while the store cannot be opened, what needs it is refused', async (t) => {
  const folder = path.join(tempDir(t), 'data');
  fs.writeFileSync(folder, 'no folder');
  await startRuntime(t, {}, { data: folder });
  const client = await connectSocket(t, folder);
  const { store } = await client.must('status');
  assert.deepEqual([store.open, store.failing, store.orphans], [true, true, []]);
  const why = /store\.db: it cannot be made: Not a directory/;
  assert.match(store.reason, why);
  for (const order of ['list', 'dead', 'requeue', 'drop_dead', 'verify']) {
    const answer = await client.ask('store', { do: order });
    assert.deepEqual([order, answer.ok], [order, false]);
    assert.match(answer.error, why);
  }
  fs.unlinkSync(folder);
  const isOpen = async () => !(await client.must('status')).store.failing;
  await waitFor(isOpen, { timeoutMs: 60000, what: 'the store to be opened by itself' });
  assert.deepEqual((await client.must('store', { do: 'list' })).waiting, []);
});
