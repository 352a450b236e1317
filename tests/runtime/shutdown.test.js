/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* An ordered end within its time, and one runtime a data directory. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runBusbar, startMosquitto, waitFor } = require('../support');
const { lacksHangingNames, startHangingFeed } = require('../support/hanging');
const { listen } = require('../support/listener');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');

const STOP_MS = 5000;

/* A lookup that hangs cannot be ended; the process ends without it. */
for (const { signal, what, hangs } of /** @type {const} */ ([
  { signal: 'SIGTERM', what: 'sinks', hangs: false },
  { signal: 'SIGINT', what: 'sinks and lookups of names', hangs: true },
])) {
  const skip = hangs && lacksHangingNames();
  test(`${signal} ends it in order within 5 s, whatever its ${what} do`, { skip }, async (t) => {
    const { config, listener, env } = await startHangingFeed(t);
    const runtime = await startRuntime(t, config, { env: hangs ? env : {} });
    await listener.waitFor(() => true, { what: 'a batch' });
    const started = Date.now();
    const end = await runtime.stop(signal);
    assert.deepEqual(end, { code: 0, signal: null });
    assert.ok(Date.now() - started < STOP_MS, `ended after ${Date.now() - started} ms`);
    assert.match(
      runtime.log,
      /hanging-mqtt: \d+ batch(es wait| waits) in the store for the next start/,
    );
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
  const times = () =>
    listener.messages.map(({ topic, payload }) => `${topic} ${payload.timestamp}`);
  await waitFor(() => new Set(times()).size >= before, { what: `${before} batches` });
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
