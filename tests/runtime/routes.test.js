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

/** A PowerMonitor 500 whose batches all go to the topic all/#, and by each route to that of its name.
 * @param {TestContext} t @param {Record<string, Record<string, unknown>>} routes */
async function startRoutes(t, routes) {
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
  const names = Object.keys(routes);
  await sim.tell(`set ${VOLTAGE} 230`);
  await startRuntime(t, {
    ...describeMeter('meter-1', sim.port, {
      profile: 'rockwell/powermonitor-500',
      scan: { fast: '500ms' },
    }),
    sinks: ['all', ...names].map((id) => ({
      id,
      mqtt: { url: broker.url, topic: `${id}/{device}/{scan}`, linger: '0ms' },
    })),
    routes: [
      { sink: 'all', devices: ['*'] },
      ...names.map((sink) => ({ sink, devices: ['meter-1'], scans: ['fast'], ...routes[sink] })),
    ],
  });
  const routed = (/** @type {string} */ name) =>
    listener.messages.filter(({ topic }) => topic.startsWith(`${name}/`));
  const values = (/** @type {string} */ name) =>
    routed(name).map(({ payload }) => payload.values[VOLTAGE]);
  return { listener, put, routed, values };
}

/** The same with one route. @param {TestContext} t @param {Record<string, unknown>} route */
async function startRoute(t, route) {
  const { listener, put, ...by } = await startRoutes(t, { route });
  const routed = () => by.routed('route');
  const values = () => by.values('route');
  const waitForValue = (/** @type {number} */ value) =>
    waitFor(() => values().includes(value), { what: `${value} V by the route` });
  return { listener, put, routed, values, waitForValue };
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

/** @type {Record<string, (value: number) => boolean>} */
const AGGREGATES = {
  mean: (value) => value > 211 && value < 239,
  max: (value) => value === 240,
  min: (value) => value === 210,
  last: (value) => value === 240 || value === 210,
};

test('aggregate: mean, max, min and last over the time', async (t) => {
  const names = Object.keys(AGGREGATES);
  const routes = names.map((aggregate) => [
    aggregate,
    { points: [VOLTAGE], every: '4s', aggregate },
  ]);
  const { put, values } = await startRoutes(t, Object.fromEntries(routes));
  await waitFor(
    async () => {
      await put(240);
      await put(210);
      return names.every((name) => values(name).length >= 3);
    },
    { timeoutMs: 30000, what: 'three aggregates of each' },
  );
  /* The first one may have seen the time before. */
  for (const name of names) {
    const seen = values(name).slice(1);
    for (const value of seen) assert.ok(AGGREGATES[name](value), `${name}: ${seen.join(', ')}`);
  }
});

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
