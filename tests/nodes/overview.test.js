/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* An overview, and what the sidebar makes of it: which rows, in which order, and what they say. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { makeOverview, writeOverview } = require('../../lib/overview');
const { PlantState } = require('../../lib/plant_state');
const {
  MAX_ROWS,
  deadRow,
  deviceRows,
  orphanRows,
  showAge,
  showCount,
  showRate,
  showSize,
  sinkRows,
  storeLine,
  summarize,
} = /** @type {any} */ (require('../../resources/busbar-overview'));

/** The key and its words in place of a text. @param {string} key @param {Record<string, unknown>} [words] */
const say = (key, words = {}) => [key, ...Object.values(words)].join(' ');

/** @param {string} id @param {string} state @param {object} [more] */
const device = (id, state, more) => ({ id, nodeId: `node-${id}`, name: '', state, ...more });

test('devices: the worst first, then by their names as a person counts', () => {
  const devices = [
    device('meter-10', 'good', { points: 4, good: 4, rate: 4 }),
    device('meter-2', 'good', { points: 4, good: 4, rate: 4 }),
    device('spare', 'unused'),
    device('meter-3', 'degraded', { points: 4, good: 3, rate: 4 }),
    device('meter-9', 'lost', { reason: 'no answer from 10.0.0.9:502; next try in 4 s' }),
  ];
  const { rows, more } = deviceRows(devices, '', say);
  const titles = rows.map((/** @type {any} */ { title }) => title);
  assert.deepEqual(titles, ['meter-9', 'meter-3', 'meter-2', 'meter-10', 'spare']);
  assert.equal(more, 0);
  assert.equal(summarize(devices, say), 'answer 3 4');
});

test('devices: what a row says of each state', () => {
  const lastMs = 1763688000123;
  const [lost] = deviceRows(
    [
      device('a', 'lost', {
        reason: 'no answer from 10.0.0.9:502 (unit 1); next try in 4 s',
        lastMs,
      }),
    ],
    '',
    say,
  ).rows;
  assert.deepEqual(
    [lost.dot, lost.why, lost.text, lost.asideMs],
    ['red-ring', 'no answer from 10.0.0.9:502 (unit 1)', '', lastMs],
  );
  const [partly] = deviceRows(
    [device('a', 'degraded', { name: 'Main', points: 32, good: 30, rate: 12.54, errors: 2 })],
    '',
    say,
  ).rows;
  assert.deepEqual(
    [partly.dot, partly.note, partly.why, partly.text],
    ['yellow', 'Main', '', 'pointsGood 32 30 · rate 13 · errors 2'],
  );
  const [idle] = deviceRows([device('a', 'idle')], '', say).rows;
  assert.deepEqual([idle.dot, idle.text], ['grey', 'state.idle']);
  const [fresh] = deviceRows([device('a', 'good', { points: 4, good: 4 })], '', say).rows;
  assert.equal(fresh.text, 'points 4 4');
  const [unused] = deviceRows([device('a', 'unused')], '', say).rows;
  assert.deepEqual([unused.dot, unused.text], ['grey-ring', 'state.unused']);
});

test('devices: at most 200 rows of thousands, and a search that finds every word anywhere', () => {
  const devices = Array.from({ length: 2000 }, (_, i) =>
    device(`meter-${i}`, i === 1999 ? 'lost' : 'good', {
      connection: i < 10 ? 'east' : 'west',
    }),
  );
  const all = deviceRows(devices, '', say);
  assert.deepEqual([all.rows.length, all.more], [MAX_ROWS, 1800]);
  assert.equal(all.rows[0].title, 'meter-1999');
  const found = deviceRows(devices, ' WEST  meter-9', say);
  assert.deepEqual([found.rows.length, found.more], [110, 0]);
  assert.equal(deviceRows(devices, 'east meter-7', say).rows.length, 1);
  assert.deepEqual(deviceRows(devices, 'pump', say), { rows: [], more: 0 });
});

test('sinks: why one is away, and its counts beside', () => {
  const sinks = [
    {
      id: 'broker',
      nodeId: 'b',
      name: 'Broker',
      kind: 'mqtt',
      state: 'ready',
      queue: 0,
      delivered: 9,
    },
    {
      ...{ id: 'history', nodeId: 'h', name: '', kind: 'influxdb', state: 'waiting' },
      ...{ text: 'connection refused', reason: 'no connection to 10.0.0.5:8086; next try in 8 s' },
      ...{ queue: 12345, delivered: 0, refused: 4, dropped: 0, retried: 1 },
    },
  ];
  const [away, ready] = sinkRows(sinks, say);
  assert.equal(away.why, 'no connection to 10.0.0.5:8086');
  assert.equal(away.text, 'queue 12 k · delivered 0 · refusedBy 4 · retried 1');
  const waiting = (/** @type {number} */ saved) =>
    sinkRows([{ ...sinks[1], saved }], say)[0].text.split(' · ')[0];
  assert.deepEqual([0, 234, 12300].map(waiting), [
    ...['queue 12 k', 'queueSaved 12 k 234', 'queueOnDisk 12 k'],
  ]);
  assert.deepEqual([ready.aside, ready.why, ready.text], ['MQTT', '', 'queue 0 · delivered 9']);
});

test('the store: how full, and why it fails', () => {
  const store = { open: true, failing: false, bytes: 3e6, maxBytes: 1e9, records: 1234 };
  const line = (/** @type {object} */ more) => storeLine({ ...store, ...more }, say);
  assert.deepEqual(line({}), {
    ...{
      dot: 'green',
      text: 'store.used 2.9 MiB 954 MiB',
      note: 'store.records 1\u202f234',
      why: '',
    },
    share: 0.003,
  });
  const written = { writtenBytes: 12345, savedSamples: 1234 };
  assert.equal(line(written).note, 'store.records 1\u202f234, store.written 12 KiB 10.0');
  assert.equal(line({ ...written, records: 0 }).note, 'store.written 12 KiB 10.0');
  assert.equal(line({ ...written, savedSamples: 0, records: 0 }).note, '');
  assert.deepEqual([line({ bytes: 9e8 }).dot, line({ bytes: 2e9 }).share], ['yellow', 1]);
  const failing = line({ failing: true, reason: 'the disk is full' });
  assert.deepEqual([failing.dot, failing.why], ['red-ring', 'store.failing the disk is full']);
  assert.deepEqual(
    [storeLine({ open: false }, say).dot, storeLine({ open: false }, say).text],
    ['grey-ring', 'store.none'],
  );
});

test('a backlog without a sink can go to those of its own runtime', () => {
  const orphans = [
    { sink: 'old-10', batches: 1, bytes: 1, dropped: 12345, why: 'disabled' },
    { sink: 'old-2', batches: 4711, bytes: 2e6 },
  ];
  const sinks = [
    { id: 'b', runtime: 'r', state: 'waiting' },
    { id: 'a', runtime: 'r', state: 'ready' },
    { id: 'spare', runtime: 'r', state: 'unused' },
    { id: 'other', runtime: 'r2', state: 'ready' },
  ];
  const [first, second] = orphanRows({ id: 'r', orphans }, sinks, say);
  assert.deepEqual([first.title, second.title], ['old-2', 'old-10']);
  assert.deepEqual(first.targets, ['a', 'b']);
  assert.equal(first.text, 'orphan.gone 4\u202f711 1.9 MiB');
  assert.equal(second.text, 'orphan.disabled 1 1 B orphan.dropped 12 k');
});

test('what was refused is called by its topic, its device or its sink', () => {
  const letter = { id: 7, sink: 'bus', reason: 'no', time: 5 };
  const titleOf = (/** @type {object} */ more) => deadRow({ ...letter, ...more }).title;
  assert.equal(titleOf({}), 'bus');
  assert.equal(titleOf({ device: 'm', scan: 'fast' }), 'm/fast');
  assert.equal(titleOf({ device: 'bus', topic: 'a/b' }), 'a/b');
});

test('numbers are as long as a person reads them', () => {
  const counts = [undefined, 999, 1234, 12345, 1234567, 2.5e9].map(showCount);
  assert.deepEqual(counts, ['0', '999', '1\u202f234', '12 k', '1.2 M', '2.5 G']);
  assert.deepEqual([0, 0.02, 0.5, 9.96, 33.9].map(showRate), ['0', '< 0.1', '0.5', '10', '34']);
  const sizes = [undefined, 640, 1023, 2000, 10239, 214 * 2 ** 20, 2 ** 40].map(showSize);
  assert.deepEqual(sizes, ['0 B', '640 B', '1 KiB', '2 KiB', '10 KiB', '214 MiB', '1 TiB']);
  const ages = [-5, 119e3, 120e3, 7200e3, 172800e3].map(showAge);
  assert.deepEqual(ages, ['0 s', '119 s', '2 min', '2 h', '2 d']);
});

test('in parts it is the same as at once', () => {
  const device = { nodeId: 'n', connection: 'line', use: 'unused' };
  const devices = new Map(Array.from({ length: 90 }, (_, i) => [`meter-${i}`, device]));
  const runtime = { state: 'up', sentence: '', dataDir: '', keepsAlive: () => '' };
  const plant = { runtime, refusal: '', mistakes: [], paused: false, poller: { about: {} } };
  const hub = /** @type {any} */ ({
    added: new Map(),
    plans: new Map([['', { assembly: { devices, sinks: new Map() } }]]),
    twins: new Set(),
    plants: new Map([['', { ...plant, state: new PlantState() }]]),
  });
  const parts = [...writeOverview(hub)];
  assert.equal(parts.length, 3);
  assert.deepEqual(JSON.parse(parts.join('')), JSON.parse(JSON.stringify(makeOverview(hub))));
  hub.plans.clear();
  assert.deepEqual(JSON.parse([...writeOverview(hub)].join('')).devices, []);
});
