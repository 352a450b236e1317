/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Mistakes of config nodes: each shows at the dots of the nodes that stand on it, and reaches the Catch
   nodes of their flows. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { findBelow, listUsers } = require('../../lib/below');
const { load } = require('./support/helper');

/** @typedef {import('./support/helper').FlowNode} FlowNode */

const OUT = { id: 'out', type: 'helper', wires: [] };
const RUNTIME = { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' };
const CONNECTION = {
  ...{ id: 'conn', type: 'busbar-connection', protocol: 'modbus-tcp' },
  ...{ host: '127.0.0.1', port: '9' },
};
const DEVICE = {
  ...{ id: 'dev', type: 'busbar-device', deviceId: 'meter-1', connection: 'conn', unit: '1' },
  ...{ profileType: 'bundled', profile: 'generic/modbus', enabled: true, tags: [], scans: [] },
};
const READER = {
  ...{ id: 'in', type: 'busbar-in', source: 'device', device: 'dev', mode: 'scan' },
  ...{ output: 'object', wires: [['out']] },
};

/** The first error that a Catch node sees, and that reader's dot.
 * @param {import('./support/helper').Loaded} flow @param {string} [id] */
async function findMistake(flow, id = 'in') {
  const { error } = await flow.waitFor('caught');
  const isRed = (/** @type {any} */ { status }) => status.source.id === id && status.fill === 'red';
  const { status } = await flow.waitFor('stated', isRed);
  return { error, status };
}

test('what stands on what', () => {
  const nodes = new Map(
    [CONNECTION, { ...DEVICE, profileNode: 'kept' }].map((node) => [node.id, node]),
  );
  assert.deepEqual([...findBelow(['dev'], nodes)], ['dev', 'conn']);
  const own = new Map(nodes).set('dev', { ...DEVICE, profileType: 'node', profileNode: 'own' });
  assert.deepEqual([...findBelow(['in', 'dev'], own)].sort(), ['conn', 'dev', 'in', 'own']);
  const users = listUsers([
    ['in', new Set(['in', 'dev', 'conn'])],
    ['read', new Set(['read', 'conn'])],
  ]);
  assert.deepEqual(
    [...users],
    [
      ['dev', ['in']],
      ['conn', ['in', 'read']],
    ],
  );
});

/** @type {[string, FlowNode[], string, RegExp][]} */
const CASES = [
  ['a unit that none can have', [CONNECTION, { ...DEVICE, unit: '999' }], 'dev', /unit: .*999/],
  [
    'a port that none can have',
    [{ ...CONNECTION, port: '99999' }, DEVICE],
    'conn',
    /port: .*99999/,
  ],
  [
    'a connection that is not there',
    [CONNECTION, { ...DEVICE, connection: 'gone' }],
    'dev',
    /no connection; choose one/,
  ],
  ['no connection at all', [{ ...DEVICE, connection: 'gone' }], 'dev', /no connection; choose one/],
];

for (const [name, nodes, id, text] of CASES) {
  test(`${name} reaches Catch and the dot of who reads`, async (t) => {
    const flow = await load(t, [RUNTIME, ...nodes, READER, OUT]);
    const { error, status } = await findMistake(flow);
    assert.equal(error.source.id, id);
    assert.match(error.message, text);
    assert.match(status.busbar.reason, text);
    assert.equal(flow.messages.caught.length, 1);
  });
}

test('a point that the device has not reaches Catch and the dot of who asks for it', async (t) => {
  const flow = await load(t, [RUNTIME, CONNECTION, DEVICE, { ...READER, points: 'nope' }, OUT]);
  const { error, status } = await findMistake(flow);
  assert.equal(error.source.id, 'in');
  assert.match(error.message, /no point of its devices fits "nope"/);
  assert.equal(status.text, 'no point fits "nope"');
});

test('a wrong row of a profile reaches Catch from the profile, once for its devices', async (t) => {
  const profile = { id: 'own', points: [{ name: 'v', type: 'float33', holding: 10 }] };
  const own = { id: 'own', type: 'busbar-profile', profile: JSON.stringify(profile) };
  const table = [
    { id: 'm.1', unit: '1' },
    { id: 'm.2', unit: '2' },
  ];
  const device = { ...DEVICE, profileType: 'node', profileNode: 'own', devices: table };
  const flow = await load(t, [RUNTIME, CONNECTION, own, device, READER, OUT]);
  const { error, status } = await findMistake(flow);
  assert.equal(error.source.id, 'own');
  assert.match(error.message, /^points\[v\]\.type: "float33" does not fit; allowed: /);
  assert.equal(status.text, 'type: "float33" does not fit');
  assert.equal(flow.messages.caught.length, 1);
});

test('a device id that is given twice reaches Catch from the device that is read', async (t) => {
  const twin = { ...DEVICE, id: 'twin' };
  const flow = await load(t, [RUNTIME, CONNECTION, DEVICE, twin, READER, OUT]);
  const { error } = await findMistake(flow);
  assert.equal(error.source.id, 'dev');
  assert.match(error.message, /the device id "meter-1" is given twice/);
});
