/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Sinks that hang do not hold up what is none of their business. */
/* alone: yes */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { waitFor } = require('../support');
const { lacksHangingNames, startHangingFeed } = require('../support/hanging');
const { startRuntime } = require('../support/runtime');

const SKIP = { skip: lacksHangingNames() };

test('sinks that hang change neither the loop nor the latency of another', SKIP, async (t) => {
  const { config, listener, env } = await startHangingFeed(t);
  const runtime = await startRuntime(t, config, { env });
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
  assert.match(
    runtime.log,
    /hanging-mqtt: no answer to the lookup of the name broker\.hanging\.test/,
  );
  assert.match(runtime.log, /hanging-influx: nobody says what address database\.hanging\.test has/);
});
