/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A runtime whose document is a file, beside a Node-RED that deploys: what the file has is read, and the
   nodes of what it has not say why. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { tempDir, waitFor } = require('../support');
const { startBusbar } = require('../support/busbar');
const { startSim } = require('../support/sim');
const { startPalette } = require('./support/palette');

const PLACE = { z: 'tab', x: 1, y: 1 };
const REFUSAL = /this runtime follows its config file; change the file, or set runtime.owner/;

/** A function node that writes into the log of Node-RED. @param {string} id @param {string} text */
function writer(id, text) {
  const more = { ...PLACE, outputs: 0, libs: [], wires: [] };
  return { id, type: 'function', func: `node.warn(${text})`, ...more };
}

/** @param {string} id */
function makeReader(id) {
  return [
    {
      ...{ id: `dev-${id}`, type: 'busbar-device', deviceId: id, connection: 'conn' },
      ...{ unit: '1', profileType: 'bundled', profile: 'generic/modbus', enabled: true },
      ...{ tags: [], scans: [] },
    },
    {
      ...{ id, type: 'busbar-in', ...PLACE, source: 'device', device: `dev-${id}` },
      ...{ mode: 'scan', output: 'object', wires: [[`${id}-out`]] },
    },
    writer(`${id}-out`, `'read ${id} ' + typeof msg.payload.voltage`),
  ];
}

test('a deploy beside a config file', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const data = tempDir(t);
  const file = path.join(data, 'site.json');
  const document = {
    busbar: 1,
    connections: [{ id: 'c', 'modbus-tcp': { host: '127.0.0.1', port: sim.port } }],
    devices: [{ id: 'known', connection: 'c', profile: 'generic/modbus', scan: { fast: '200ms' } }],
    runtime: { metrics: 'off' },
  };
  fs.writeFileSync(file, JSON.stringify(document));
  startBusbar(t, ['run', file, '--data', data]);
  await waitFor(() => fs.existsSync(path.join(data, 'busbar.sock')), { what: 'the socket' });
  const watch = { ...PLACE, scope: null };
  const flows = [
    { id: 'tab', type: 'tab', label: 'file' },
    {
      ...{ id: 'conn', type: 'busbar-connection', protocol: 'modbus-tcp' },
      ...{ host: '127.0.0.1', port: String(sim.port) },
    },
    ...makeReader('known'),
    ...makeReader('unknown'),
    { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url: 'mqtt://127.0.0.1:9' },
    { id: 'to', type: 'busbar-mqtt-out', ...PLACE, sink: 'mq', topic: 'a', wires: [] },
    { id: 'catch', type: 'catch', ...watch, wires: [['caught']] },
    writer('caught', '`caught ${msg.error.source.id}: ${msg.error.message}`'),
    { id: 'status', type: 'status', ...watch, wires: [['stated']] },
    writer('stated', '`dot ${msg.status.source.id} ${msg.status.fill}: ${msg.status.text}`'),
  ];
  const palette = await startPalette(t, flows, { data, ownRuntime: true });
  const { lines } = palette.child;
  const wait = (/** @type {RegExp} */ pattern) =>
    waitFor(() => lines.find((line) => pattern.test(line)), { what: String(pattern) });
  await wait(/read known number/);
  await wait(/dot known green: \d+ points/);
  for (const id of ['unknown', 'to']) {
    await wait(new RegExp(`dot ${id} red: this runtime follows its config file$`));
  }
  for (const id of ['known', 'unknown', 'to']) {
    assert.match(await wait(new RegExp(`caught ${id}: `)), REFUSAL);
  }
  assert.ok(!lines.some((line) => /read unknown/.test(line)));
});
