/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What of a device a sink gets, and when: each route has a sink of its own on one broker. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { startMosquitto, waitFor } = require('../support');
const { listen } = require('../support/listener');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */

const VOLTAGE = 'voltage/l1-n'; /* its deadband is 0.2 V */

/** A PowerMonitor 500 whose batches all go to the topic all/#, and by the route to route/#.
 * @param {TestContext} t @param {Record<string, unknown>} route */
async function startRoute(t, route) {
  const broker = await startMosquitto(t);
  const sim = await startSim(t, ['pm500']);
  const listener = await listen(t, broker.url, { topic: '+/meter-1/fast' });
  const put = async (/** @type {number} */ value) => {
    await sim.tell(`set ${VOLTAGE} ${value}`);
    const from = listener.messages.length;
    await listener.waitFor(
      ({ topic, payload }) => topic.startsWith('all/') && payload.values[VOLTAGE] === value,
      { from, what: `${value} V read` },
    );
  };
  const sink = (/** @type {string} */ id) => ({
    id,
    mqtt: { url: broker.url, topic: `${id}/{device}/{scan}`, linger: '0ms' },
  });
  await sim.tell(`set ${VOLTAGE} 230`);
  const runtime = await startRuntime(t, {
    ...describeMeter('meter-1', sim.port, {
      profile: 'rockwell/powermonitor-500',
      scan: { fast: '500ms' },
    }),
    sinks: [sink('all'), sink('route')],
    routes: [
      { sink: 'all', devices: ['*'] },
      { sink: 'route', devices: ['meter-1'], scans: ['fast'], ...route },
    ],
  });
  const routed = () => listener.messages.filter(({ topic }) => topic.startsWith('route/'));
  const values = () => routed().map(({ payload }) => payload.values[VOLTAGE]);
  const waitForValue = (/** @type {number} */ value) =>
    waitFor(() => values().includes(value), { what: `${value} V by the route` });
  return { runtime, sim, listener, put, routed, values, waitForValue };
}

test('changes: what stays within the deadband is not sent', async (t) => {
  const { put, routed, values, waitForValue } = await startRoute(t, {
    points: [VOLTAGE],
    report: 'changes',
  });
  await waitForValue(230);
  await put(230.1);
  await put(230.15);
  await put(231);
  await waitForValue(231);
  await put(230.9);
  await put(228);
  await waitForValue(228);
  assert.deepEqual(values(), [230, 231, 228]);
  for (const { payload } of routed()) assert.deepEqual(Object.keys(payload.values), [VOLTAGE]);
});

test('heartbeat: what does not change is sent again', async (t) => {
  const { routed } = await startRoute(t, {
    points: [VOLTAGE],
    report: 'changes',
    heartbeat: '2s',
  });
  await waitFor(() => routed().length >= 3, { what: 'two heartbeats', timeoutMs: 15000 });
  const times = routed().map(({ payload }) => payload.timestamp);
  for (let i = 1; i < times.length; i++) {
    const gap = times[i] - times[i - 1];
    assert.ok(gap >= 1900 && gap <= 2800, `heartbeats ${gap} ms apart`);
  }
});

test('every: one batch in so long', async (t) => {
  const { routed, listener } = await startRoute(t, { every: '2s' });
  await waitFor(() => routed().length >= 4, { what: 'four batches', timeoutMs: 15000 });
  /* Periods are whole ones, so the first of them has mostly begun already. */
  const times = routed().map(({ payload }) => payload.timestamp);
  for (let i = 2; i < times.length; i++) {
    const gap = times[i] - times[i - 1];
    assert.ok(gap >= 1400 && gap <= 2800, `batches ${gap} ms apart`);
  }
  const all = listener.messages.length - routed().length;
  assert.ok(all >= 2 * routed().length, `${all} of all, ${routed().length} by the route`);
});

for (const [aggregate, fits] of /** @type {[string, (value: number) => boolean][]} */ ([
  ['mean', (value) => value > 211 && value < 239],
  ['max', (value) => value === 240],
  ['min', (value) => value === 210],
  ['last', (value) => value === 240 || value === 210],
])) {
  test(`aggregate: ${aggregate} over the time`, async (t) => {
    const { put, values } = await startRoute(t, {
      points: [VOLTAGE],
      every: '4s',
      aggregate,
    });
    const end = Date.now() + 13000;
    while (Date.now() < end) {
      await put(240);
      await put(210);
    }
    /* The first one may have seen the time before. */
    const seen = values().slice(1);
    assert.ok(seen.length >= 2, `${seen.length} aggregates`);
    for (const value of seen) assert.ok(fits(value), `${aggregate}: ${seen.join(', ')}`);
  });
}

test('points: patterns choose, and the sink gets nothing else', async (t) => {
  const { routed } = await startRoute(t, { points: ['power/active/*', 'frequency'] });
  await waitFor(() => routed().length > 0, { what: 'a batch' });
  assert.deepEqual(Object.keys(routed()[0].payload.values).sort(), [
    'frequency',
    'power/active/l1',
    'power/active/l2',
    'power/active/l3',
    'power/active/total',
  ]);
});

test('a sink with two routes that take the same batch gets it once', async (t) => {
  const broker = await startMosquitto(t);
  const sim = await startSim(t, ['pm500']);
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  await startRuntime(t, {
    ...describeMeter('meter-1', sim.port, { profile: 'rockwell/powermonitor-500' }),
    sinks: [{ id: 'bus', mqtt: { url: broker.url, topic: 'plant/{device}/{scan}' } }],
    routes: [
      { sink: 'bus', devices: ['*'] },
      { sink: 'bus', devices: ['meter-1'], scans: ['fast'] },
    ],
  });
  await waitFor(
    () => listener.messages.filter(({ topic }) => topic.endsWith('/fast')).length >= 4,
    {
      what: 'four batches',
    },
  );
  const times = listener.messages
    .filter(({ topic }) => topic.endsWith('/fast'))
    .map(({ payload }) => payload.timestamp);
  assert.equal(new Set(times).size, times.length, times.join(' '));
});

test('batches that two routes make of one reading for one sink can be told apart', async (t) => {
  const broker = await startMosquitto(t);
  const sim = await startSim(t, ['pm500']);
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  await startRuntime(t, {
    ...describeMeter('meter-1', sim.port, {
      profile: 'rockwell/powermonitor-500',
      scan: { fast: '500ms' },
    }),
    sinks: [{ id: 'bus', mqtt: { url: broker.url, topic: 'plant/{device}/{scan}' } }],
    routes: [
      { sink: 'bus', devices: ['*'], scans: ['fast'] },
      { sink: 'bus', devices: ['*'], scans: ['fast'], points: [VOLTAGE] },
    ],
  });
  const alone = (/** @type {any} */ { payload }) => Object.keys(payload.values).length === 1;
  await waitFor(() => listener.messages.filter(alone).length >= 3, { what: 'three of each' });
  const batches = listener.messages.map(({ payload }) => `${payload.boot} ${payload.seq}`);
  assert.equal(new Set(batches).size, batches.length, batches.join(', '));
  assert.ok(listener.messages.every(({ payload }) => payload.boot === 1 && payload.seq > 0));
});
