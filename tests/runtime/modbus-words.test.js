/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a person reads in the log when a Modbus device is not as its profile says, or talks nonsense. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { waitFor } = require('../support');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');

/** @param {string} text @param {RegExp} pattern */
function count(text, pattern) {
  return text.match(new RegExp(pattern, 'g'))?.length ?? 0;
}

/* The simulator has these as holding registers. */
const WRONG_TABLE = {
  profile: 1,
  id: 'acme/meter',
  modbus: { table: 'input' },
  points: [
    { name: 'voltage', type: 'float32', register: 0 },
    { name: 'current', type: 'float32', register: 2, scan: 'slow' },
  ],
};

test('a profile with the wrong table is told once, and gives no values', async (t) => {
  const sim = await startSim(t, ['generic/modbus-60']);
  await sim.tell('set value/1 230.1');
  const { connections, devices } = describeMeter('meter-1', sim.port, {
    scan: { fast: '100ms', slow: '200ms' },
  });
  const runtime = await startRuntime(t, {
    connections,
    devices: devices.map((device) => ({ ...device, profile: WRONG_TABLE })),
    sinks: [],
  });
  const told =
    /warn {2}meter-1: voltage: input register 0 is refused, but holding register 0 answers: .* profile acme\/meter set `table: holding`/;
  await waitFor(() => told.test(runtime.log), { what: 'the hint in the log' });
  const { requests } = await sim.status();
  await waitFor(async () => (await sim.status()).requests > requests + 10, {
    what: 'more polls',
  });
  assert.equal(count(runtime.log, told), 1, runtime.log);
  assert.equal(await runtime.metric('busbar_scan_samples_total', { quality: 'good' }), 0);
});

test('a unit that talks nonsense is lost with that cause, the one beside it is not', async (t) => {
  const sim = await startSim(t, ['generic/modbus-60', '--units', '1-2'], { devices: 2 });
  const [first, second] = [1, 2].map((unit) =>
    describeMeter(`unit-${unit}`, sim.port, {
      unit,
      scan: { fast: '200ms' },
      tcp: { timeout: '100ms' },
    }),
  );
  const runtime = await startRuntime(t, {
    connections: first.connections,
    devices: [...first.devices, { ...second.devices[0], connection: 'unit-1' }],
    sinks: [],
  });
  const up = (/** @type {string} */ device) => runtime.metric('busbar_device_up', { device });
  const both = async () => (await up('unit-1')) + (await up('unit-2'));
  await waitFor(async () => (await both()) === 2, { what: 'both units' });
  await sim.tell('fault short unit 2');
  const told =
    /warn {2}unit-2: malformed answers from 127\.0\.0\.1:\d+ for .* \(unit 2\); next try/;
  await waitFor(() => told.test(runtime.log), { what: 'the loss in the log' });
  assert.deepEqual([await up('unit-1'), await up('unit-2')], [1, 0]);
  await sim.tell('fault none');
  await waitFor(async () => (await both()) === 2, { what: 'both again', timeoutMs: 60000 });
  assert.equal(count(runtime.log, told), 1, runtime.log);
});

test('a lost connection is told once, with the number of devices behind it', async (t) => {
  const sim = await startSim(t, ['generic/modbus-60', '--units', '1-3'], { devices: 3 });
  const options = { scan: { fast: '100ms' }, tcp: { timeout: '100ms', reconnect_max: '1s' } };
  const meters = [1, 2, 3].map((unit) =>
    describeMeter(`unit-${unit}`, sim.port, { unit, ...options }),
  );
  const runtime = await startRuntime(t, {
    connections: [{ ...meters[0].connections[0], id: 'hall' }],
    devices: meters.map(({ devices }) => ({ ...devices[0], connection: 'hall' })),
    sinks: [],
  });
  const up = async () => (await runtime.metric('busbar_device_up')) === 3;
  await waitFor(up, { what: 'all three' });
  await sim.stop('SIGKILL');
  /* Reset where a request was under way, else refused with the next one. */
  const told =
    /warn {2}hall: .*(reset|closed|refused)[^;]*; 3 devices without values; next try in /;
  await waitFor(() => told.test(runtime.log), { what: 'the loss in the log' });
  await startSim(t, ['generic/modbus-60', '--units', '1-3', '--port', `${sim.port}`], {
    devices: 3,
  });
  await waitFor(up, { what: 'all three again', timeoutMs: 30000 });
  assert.equal(count(runtime.log, told), 1, runtime.log);
  assert.equal(count(runtime.log, /hall: connected; 3 devices\n/), 2, runtime.log);
  assert.equal(count(runtime.log, / unit-\d: /), 0, runtime.log);
});
