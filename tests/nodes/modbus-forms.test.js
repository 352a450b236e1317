/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Registers and bits beside node-red-contrib-modbus: what its modbus-read and modbus-flex-getter give
   for the same registers of the same device, ours give as well. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { tempDir, waitFor } = require('../support');
const { startSim } = require('../support/sim');
const { startPalette } = require('./support/palette');

const PLACE = { z: 'tab', x: 1, y: 1 };
/* By Modbus function code. */
const TABLES = ['', 'coil', 'discrete', 'holding', 'input'];
const DATA_TYPES = ['', 'Coil', 'Input', 'HoldingRegister', 'InputRegister'];
const SIZE = 9;

/** What a reading asks for: function code, address, quantity. @type {[number, number, number][]} */
const READINGS = [
  [1, 0, 3],
  [1, 0, 8],
  [1, 1, 8],
  [1, 0, 9],
  [2, 0, 3],
  [3, 0, 2],
  [4, 1, 2],
];

/** @param {number} fc @param {number} from @param {number} quantity */
function makePoints(fc, from, quantity) {
  const type = fc < 3 ? 'bit' : 'uint16';
  return Array.from({ length: quantity }, (_, i) => {
    const address = from + i;
    return { name: `${TABLES[fc]}${address}`, type, [TABLES[fc]]: address };
  });
}

/** A device with bits and registers that are not all the same. @param {import('node:test').TestContext} t */
async function startDevice(t) {
  const file = path.join(tempDir(t), 'all.json');
  const points = [1, 2, 3, 4].flatMap((fc) => makePoints(fc, 0, SIZE));
  fs.writeFileSync(file, JSON.stringify({ profile: 1, id: 'test/all', points }));
  const sim = await startSim(t, [file]);
  for (const { name, type, ...address } of points) {
    const [at] = Object.values(address);
    await sim.tell(
      `set ${name} ${type === 'bit' ? [1, 0, 1, 1, 0][Number(at) % 5] : 17254 + 911 * Number(at)}`,
    );
  }
  return sim;
}

/** Writes what comes into the log of Node-RED. @param {string} id */
function makeWriter(id) {
  const func =
    'const { payload, responseBuffer: { data, buffer } } = msg;' +
    'const hex = Buffer.from(buffer).toString("hex");' +
    `node.warn("form ${id} " + JSON.stringify({ payload, data, hex }));`;
  return { id, type: 'function', ...PLACE, func, outputs: 0, libs: [], wires: [] };
}

/** Theirs and ours for one reading, each with a function node that writes it.
 * @param {[number, number, number]} reading */
function makeReaders([fc, address, quantity]) {
  const name = `${fc}-${address}-${quantity}`;
  const profile = { profile: 1, id: name, points: makePoints(fc, address, quantity) };
  const request = { fc, unitid: 1, address, quantity };
  return [
    {
      ...{ id: `mr${name}`, type: 'modbus-read', ...PLACE, server: 'client', topic: '' },
      ...{ dataType: DATA_TYPES[fc], adr: String(address), quantity: String(quantity) },
      ...{ unitid: '1', rate: '1', rateUnit: 's', wires: [[`read-theirs-${name}`], []] },
    },
    {
      ...{ id: `p${name}`, type: 'busbar-profile', name, profile: JSON.stringify(profile) },
    },
    {
      ...{
        id: `d${name}`,
        type: 'busbar-device',
        deviceId: `m${name}`,
        connection: 'conn',
        unit: '1',
      },
      ...{ profileType: 'node', profileNode: `p${name}`, tags: [], enabled: true },
      scans: [{ scan: 'fast', period: '500ms' }],
    },
    {
      ...{ id: `in${name}`, type: 'busbar-in', ...PLACE, source: 'device', device: `d${name}` },
      ...{ mode: 'scan', output: 'registers', wires: [[`read-ours-${name}`]] },
    },
    {
      ...{ id: `go${name}`, type: 'inject', ...PLACE, props: [{ p: 'payload' }] },
      ...{ payload: JSON.stringify(request), payloadType: 'json', once: true, onceDelay: 1 },
      ...{ repeat: '2', wires: [[`fg${name}`, `br${name}`]] },
    },
    {
      ...{ id: `fg${name}`, type: 'modbus-flex-getter', ...PLACE, server: 'client' },
      wires: [[`flex-theirs-${name}`], []],
    },
    {
      ...{ id: `br${name}`, type: 'busbar-read', ...PLACE, connection: 'conn' },
      ...{ output: 'registers', wires: [[`flex-ours-${name}`]] },
    },
    ...['read-theirs', 'read-ours', 'flex-theirs', 'flex-ours'].map((who) =>
      makeWriter(`${who}-${name}`),
    ),
  ];
}

test('the same arrays and bytes as modbus-read and modbus-flex-getter', async (t) => {
  const sim = await startDevice(t);
  const port = String(sim.port);
  const flows = [
    { id: 'tab', type: 'tab', label: 'forms' },
    { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' },
    { id: 'conn', type: 'busbar-connection', protocol: 'modbus-tcp', host: '127.0.0.1', port },
    {
      ...{ id: 'client', type: 'modbus-client', clienttype: 'tcp', tcpHost: '127.0.0.1' },
      ...{ tcpPort: port, tcpType: 'DEFAULT', unit_id: '1', clientTimeout: '1000' },
      ...{ bufferCommands: true, commandDelay: '1', reconnectTimeout: '500' },
    },
    ...READINGS.flatMap(makeReaders),
  ];
  const palette = await startPalette(t, flows, { modules: ['node-red-contrib-modbus'] });
  const find = (/** @type {string} */ id) => {
    const line = palette.child.lines.find((text) => text.includes(`form ${id} `));
    return line && JSON.parse(line.slice(line.indexOf('{')));
  };
  for (const reading of READINGS) {
    const name = reading.join('-');
    for (const kind of ['read', 'flex']) {
      const [theirs, ours] = await waitFor(
        () => {
          const both = ['theirs', 'ours'].map((who) => find(`${kind}-${who}-${name}`));
          return both.every(Boolean) && both;
        },
        { what: `both answers to ${kind} ${name}`, timeoutMs: 20000 },
      );
      assert.ok(theirs.payload.length >= reading[2], `theirs: ${JSON.stringify(theirs)}`);
      assert.deepEqual(ours, theirs, `${kind} ${name}`);
    }
  }
});
