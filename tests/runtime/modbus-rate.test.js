/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* How often the live units of a gateway are read beside a dead one. */
/* alone: yes */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { startMosquitto, waitFor } = require('../support');
const { listen } = require('../support/listener');
const { startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');

test('one dead unit of 32 leaves the others at 95 % of their rate', async (t) => {
  const WINDOW_MS = 20000;
  const PERIOD_MS = 500;
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const sim = await startSim(t, ['generic/modbus-60', '--units', '1-32', '--delay', '2ms'], {
    devices: 32,
  });
  const units = Array.from({ length: 32 }, (_, i) => i + 1);
  await startRuntime(t, {
    connections: [
      { id: 'gateway', 'modbus-tcp': { host: '127.0.0.1', port: sim.port, timeout: '300ms' } },
    ],
    devices: units.map((unit) => ({
      id: `unit-${unit}`,
      connection: 'gateway',
      profile: 'generic/modbus-60',
      unit,
      scan: { fast: `${PERIOD_MS}ms` },
    })),
    sinks: [{ id: 'bus', mqtt: { url: broker.url }, devices: ['*'] }],
  });
  const heard = (/** @type {number} */ from) =>
    units.map(
      (unit) =>
        listener.messages
          .slice(from)
          .filter(({ payload }) => payload.device === `unit-${unit}` && !payload.quality).length,
    );
  await waitFor(() => heard(0).every((n) => n > 0), { what: 'all 32 units', timeoutMs: 20000 });
  await sim.tell('fault silence unit 7');
  const from = listener.messages.length;
  const end = Date.now() + WINDOW_MS;
  await waitFor(() => Date.now() >= end, { what: 'the window', timeoutMs: WINDOW_MS + 5000 });
  const counts = heard(from);
  const expected = WINDOW_MS / PERIOD_MS;
  const living = counts.filter((_, i) => units[i] !== 7);
  assert.ok(counts[6] <= 1, `unit 7 is silent, but was heard ${counts[6]} times`);
  const rate = living.reduce((sum, n) => sum + n, 0) / living.length / expected;
  assert.ok(rate >= 0.95, `${(rate * 100).toFixed(1)} % of ${expected}: ${counts.join(' ')}`);
  assert.ok(Math.min(...living) >= expected * 0.95 - 1, `of ${expected}: ${counts.join(' ')}`);
});
