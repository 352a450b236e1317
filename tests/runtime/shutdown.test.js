/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* An ordered end within its time, one runtime a data directory, and sinks that do not hold up what is
   none of their business. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runBusbar, startMosquitto, waitFor } = require('../support');
const { startForwarder } = require('../support/forwarder');
const { listen } = require('../support/listener');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */

const STOP_MS = 5000;

/** @param {TestContext} t */
async function startFeed(t) {
  const broker = await startMosquitto(t);
  const sim = await startSim(t, ['generic/modbus-60']);
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const config = {
    ...describeMeter('meter-1', sim.port, { scan: { fast: '200ms' } }),
    sinks: [
      { id: 'good', mqtt: { url: broker.url, linger: '0ms' }, devices: ['*'] },
      ...(await describeHanging(t)),
    ],
  };
  return { broker, sim, listener, config };
}

/** Sinks whose servers take a connection and say nothing, or have no address.
 * @param {TestContext} t */
async function describeHanging(t) {
  const { port } = await startForwarder(t, 0);
  const influxdb = (/** @type {string} */ url) => ({ url, database: 'plant', timeout: '3s' });
  return [
    { id: 'mute-mqtt', mqtt: { url: `mqtt://127.0.0.1:${port}` }, devices: ['*'] },
    { id: 'mute-tls', mqtt: { url: `mqtts://127.0.0.1:${port}` }, devices: ['*'] },
    { id: 'nowhere-mqtt', mqtt: { url: 'mqtt://no-such-host.invalid:1883' }, devices: ['*'] },
    { id: 'mute-influx', influxdb: influxdb(`http://127.0.0.1:${port}`), devices: ['*'] },
    {
      id: 'nowhere-influx',
      influxdb: influxdb('http://no-such-host.invalid:8086'),
      devices: ['*'],
    },
    { id: 'dead-mqtt', mqtt: { url: 'mqtt://192.0.2.1:1883' }, devices: ['*'] },
  ];
}

for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGTERM', 'SIGINT'])) {
  test(`${signal} ends it in order within 5 s, whatever its sinks do`, async (t) => {
    const { config, listener } = await startFeed(t);
    const runtime = await startRuntime(t, config);
    await listener.waitFor(() => true, { what: 'a batch' });
    const started = Date.now();
    const end = await runtime.stop(signal);
    assert.deepEqual(end, { code: 0, signal: null });
    assert.ok(Date.now() - started < STOP_MS, `ended after ${Date.now() - started} ms`);
  });
}

test('SIGTERM while a device does not answer', async (t) => {
  const sim = await startSim(t, ['generic/modbus-60', '--fault', 'silence']);
  const runtime = await startRuntime(
    t,
    describeMeter('meter-1', sim.port, { tcp: { timeout: '30s' } }),
  );
  await waitFor(async () => (await sim.status()).requests > 0, { what: 'a request' });
  const started = Date.now();
  assert.deepEqual(await runtime.stop(), { code: 0, signal: null });
  assert.ok(Date.now() - started < STOP_MS, `ended after ${Date.now() - started} ms`);
});

test('what was read before the end is delivered', async (t) => {
  const broker = await startMosquitto(t);
  const sim = await startSim(t, ['generic/modbus-60']);
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const runtime = await startRuntime(t, {
    ...describeMeter('meter-1', sim.port, { scan: { fast: '200ms' } }),
    sinks: [{ id: 'bus', mqtt: { url: broker.url, linger: '5s' }, devices: ['*'] }],
  });
  const read = () => runtime.metric('busbar_scan_polls_answered_total');
  await waitFor(async () => (await read()) >= 3, { what: 'three reads' });
  const before = await read();
  await runtime.stop();
  const times = () => new Set(listener.messages.map(({ payload }) => payload.timestamp)).size;
  await waitFor(() => times() >= before, { what: `${before} batches` });
});

test('a second runtime on the same data directory is refused and told who holds it', async (t) => {
  const sim = await startSim(t, ['generic/modbus-60']);
  const first = await startRuntime(t, describeMeter('meter-1', sim.port));
  const { code, stderr } = await runBusbar(['run', first.file, '--data', first.data]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, new RegExp(`\\b${first.pid}\\b`));
  assert.ok(stderr.includes(first.data), stderr);
  assert.equal((await first.get('/healthz')).status, 200);
});

test('a kill leaves no lock behind', async (t) => {
  const sim = await startSim(t, ['generic/modbus-60']);
  const config = describeMeter('meter-1', sim.port);
  const first = await startRuntime(t, config);
  await first.stop('SIGKILL');
  await startRuntime(t, config, { data: first.data });
});

test('sinks that hang change neither the loop nor the latency of another', async (t) => {
  const { config, listener } = await startFeed(t);
  const runtime = await startRuntime(t, config);
  const end = Date.now() + 15000;
  await waitFor(() => Date.now() >= end, { what: 'time for timeouts', timeoutMs: 20000 });
  const late = listener.messages.map(({ payload, atMs }) => atMs - payload.timestamp);
  late.sort((a, b) => a - b);
  assert.ok(late.length >= 60, `${late.length} of 75 batches in 15 s`);
  const p95 = late[Math.floor(late.length * 0.95)];
  assert.ok(p95 <= 50, `95 % within ${p95} ms`);
  const series = await runtime.scrape();
  const count = series.get('busbar_loop_lag_seconds_count');
  const within = [...series].filter(([key]) =>
    /^busbar_loop_lag_seconds_bucket.*le="0\.0[0-9]*"/.test(key),
  );
  const best = Math.max(...within.map(([, value]) => value));
  assert.ok(count && best >= count - 1, `${best} of ${count} looks at the loop below 0.1 s`);
  for (const sink of config.sinks.slice(1)) {
    assert.equal(await runtime.metric('busbar_sink_ready', { sink: sink.id }), 0, sink.id);
    assert.match(runtime.log, new RegExp(`\\b${sink.id}: `));
  }
});
