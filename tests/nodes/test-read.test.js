/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Test read: the dialog's settings, deployed or not, against a simulated device. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { startSim } = require('../support/sim');
const { startPalette } = require('./support/palette');

/** @typedef {import('node:test').TestContext} TestContext */

/** @param {number | string} port */
function settings(port, device = {}) {
  return {
    connection: { protocol: 'modbus-tcp', host: '127.0.0.1', port: String(port), timeout: '300ms' },
    device: {
      deviceId: 'm',
      profileType: 'bundled',
      profile: 'generic/modbus',
      unit: '1',
      ...device,
    },
  };
}

/** @param {import('./support/palette').Palette} palette @param {object} wish */
function read(palette, wish) {
  return palette.ask('/busbar/test-read', { method: 'POST', body: JSON.stringify(wish) });
}

/** @param {any} answer @param {string} name */
function pointOf(answer, name) {
  return answer.scans
    .flatMap((/** @type {any} */ { points }) => points)
    .find((/** @type {any} */ point) => point.name === name);
}

test('nothing is deployed: values, units, raw words and all word orders', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  await sim.tell('set count 65538');
  await sim.tell('set frequency 50');
  const palette = await startPalette(t, [{ id: 't', type: 'tab', label: 'test' }], {
    env: { SIM_PORT: String(sim.port) },
  });
  const answer = await read(palette, settings('${SIM_PORT}'));
  const frequency = pointOf(answer, 'frequency');
  assert.deepEqual([frequency.value, frequency.unit, frequency.raw], [50, 'Hz', '4248 0000']);
  assert.deepEqual(pointOf(answer, 'count').orders, [
    { order: 'ABCD', value: 65538 },
    { order: 'CDAB', value: 131073 },
    { order: 'BADC', value: 16777728 },
    { order: 'DCBA', value: 33554688 },
  ]);
});

test('a meter with one connection is read through the one that runs', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const flow = [
    { id: 't', type: 'tab', label: 'test' },
    {
      id: 'c',
      type: 'busbar-connection',
      name: 'line',
      protocol: 'modbus-tcp',
      host: '127.0.0.1',
      port: String(sim.port),
    },
    {
      ...{
        id: 'd',
        type: 'busbar-device',
        deviceId: 'm',
        connection: 'c',
        unit: '1',
        scans: [],
        tags: [],
      },
      ...{ profileType: 'bundled', profile: 'rockwell/powermonitor-500', enabled: true },
    },
    {
      id: 'i',
      type: 'busbar-in',
      z: 't',
      source: 'device',
      device: 'd',
      x: 1,
      y: 1,
      wires: [['f']],
    },
    {
      id: 'f',
      type: 'function',
      z: 't',
      func: 'return null;',
      outputs: 0,
      libs: [],
      x: 2,
      y: 1,
      wires: [],
    },
  ];
  const palette = await startPalette(t, flow);
  await palette.waitForOverview(
    ({ devices }) => devices[0]?.state === 'good',
    'the meter to be good',
  );
  const { connections } = await sim.status();
  const wish = settings(sim.port, { profile: 'rockwell/powermonitor-500' });
  const answer = await read(palette, wish);
  assert.ok(pointOf(answer, 'voltage/l1-n').value > 200);
  assert.equal((await sim.status()).connections, connections, 'no connection of its own');
});

test('what cannot be read is said in one sentence', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const palette = await startPalette(t, [{ id: 't', type: 'tab', label: 'test' }]);
  const refused = await read(palette, settings(1));
  assert.equal(refused.connected, false);
  assert.match(refused.reason, /127\.0\.0\.1:1.*connection refused/);
  await assert.rejects(read(palette, settings(sim.port, { profile: '' })), /no profile/);
  await assert.rejects(read(palette, settings(sim.port, { profile: 'nope/meter' })), /nope\/meter/);
  await assert.rejects(read(palette, settings('x')), /port/);
  await assert.rejects(read(palette, { device: {} }), /connection/);
});
