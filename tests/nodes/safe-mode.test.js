/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Node-RED started with --safe: no runtime is started for anything, one that runs is used, and the
   deploy that ends safe mode starts one. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { tempDir, waitFor } = require('../support');
const { startBusbar } = require('../support/busbar');
const { startSim } = require('../support/sim');
const { startPalette } = require('./support/palette');
const { listSpawned } = require('./support/runtimes');

const SAFE = { args: ['--safe'] };

/** @param {number} port */
function makeFlow(port) {
  return [
    { id: 'tab', type: 'tab', label: 'safe' },
    {
      ...{ id: 'conn', type: 'busbar-connection', protocol: 'modbus-tcp', host: '127.0.0.1' },
      port: String(port),
    },
    {
      ...{ id: 'dev', type: 'busbar-device', deviceId: 'meter-1', connection: 'conn', unit: '1' },
      ...{ profileType: 'bundled', profile: 'generic/modbus', enabled: true, scans: [], tags: [] },
    },
    {
      ...{ id: 'in', type: 'busbar-in', z: 'tab', source: 'device', device: 'dev', mode: 'scan' },
      ...{ output: 'object', wires: [['sink']] },
    },
    { id: 'sink', type: 'function', z: 'tab', func: '', outputs: 0, libs: [], wires: [] },
  ];
}

/** As the button *Test read* of a device's dialog asks. @param {number} port */
function makeWish(port) {
  const connection = { protocol: 'modbus-tcp', host: '127.0.0.1', port: String(port) };
  const device = { unit: '1', profileType: 'bundled', profile: 'generic/modbus' };
  return { method: 'POST', body: JSON.stringify({ connection, device }) };
}

test('in safe mode nothing is started; the deploy that ends it does', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const flows = makeFlow(sim.port);
  const palette = await startPalette(t, flows, SAFE);
  const { runtime, devices } = await palette.overview();
  assert.match(runtime.sentence, /nothing is read: Node-RED is in safe mode/);
  assert.deepEqual(devices, []);
  const asked = palette.ask('/busbar/test-read', makeWish(sim.port));
  await assert.rejects(asked, /422 .*Node-RED is in safe mode and starts no runtime/);
  await delay(500);
  assert.deepEqual(listSpawned(palette.data), []);
  assert.ok(!fs.existsSync(path.join(palette.data, 'runtime.json')));
  await palette.deploy(flows);
  const pid = await palette.runtimePid();
  assert.deepEqual(listSpawned(palette.data), [pid]);
});

test('in safe mode a runtime that runs is used', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const data = tempDir(t);
  const service = startBusbar(t, ['run', '--data', data]);
  await waitFor(() => fs.existsSync(path.join(data, 'busbar.sock')), { what: 'the socket' });
  const flows = makeFlow(sim.port);
  const palette = await startPalette(t, flows, { ...SAFE, data, ownRuntime: true });
  const answer = await palette.ask('/busbar/test-read', makeWish(sim.port));
  assert.equal(answer.connected, true);
  assert.deepEqual(listSpawned(data), []);
  await palette.deploy(flows);
  assert.equal(await palette.runtimePid(), service.pid);
});
