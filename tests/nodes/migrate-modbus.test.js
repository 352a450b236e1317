/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Flows of node-red-contrib-modbus as a whole: what stays, subflows, published examples. Its nodes one
   by one: migrate-modbus-client, -read and -request. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { example, run } = require('./support/migrate');
const { CLIENT, READ, GETTER, WRITE, FIRST } = require('./support/migrate_modbus');

test('nodes without a counterpart stay, each with what to do instead', () => {
  const types = [
    'modbus-server',
    'modbus-flex-server',
    'modbus-flex-connector',
    'modbus-flex-sequencer',
    'modbus-flex-fc',
    'modbus-queue-info',
    'modbus-response-filter',
    'modbus-io-config',
    'modbus-response',
  ];
  const flow = types.map((type) => ({ id: type, type, wires: [] }));
  const { flows, said } = run(...flow);
  assert.deepEqual(flows, flow);
  for (const type of types)
    assert.match(said(type).join(), /^Stays, because Busbar has no such node: /);
});

test('the ends of a subflow follow', () => {
  const subflow = {
    id: 's',
    type: 'subflow',
    in: [{ wires: [{ id: 'getter' }] }],
    out: [
      { wires: [{ id: 'read', port: 0 }] },
      {
        wires: [
          { id: 'read', port: 1 },
          { id: 'write', port: 1 },
        ],
      },
    ],
    status: { wires: [{ id: 'getter', port: 1 }] },
  };
  const inside = [READ, GETTER, WRITE].map((node) => ({ ...node, z: 's', wires: [[], []] }));
  const { get, flows, said } = run(CLIENT, subflow, ...inside);
  const named = (/** @type {string} */ name) => flows.filter((node) => node.name === name);
  const [second, third] = named('as output 2');
  const [before] = named('what to read');
  const after = get('s');
  assert.deepEqual(after.in[0].wires, [{ id: before.id }]);
  assert.deepEqual(after.out[0].wires, [{ id: 'read', port: 0 }]);
  assert.deepEqual(after.out[1].wires, [{ id: second.id, port: 0 }]);
  assert.deepEqual(after.status.wires, [{ id: third.id, port: 0 }]);
  assert.deepEqual(get('read').wires, [[second.id]]);
  assert.match(said('write').join(), /the output of the subflow/);
  for (const { type, z } of flows) if (/device|change/.test(type)) assert.equal(z, 's');
});

test('a device in a subflow of several instances is noted, in one of one it is not', () => {
  const subflow = { id: 's', type: 'subflow' };
  const inside = { ...READ, z: 's' };
  const instances = ['a', 'b'].map((id) => ({ id, type: 'subflow:s', z: 'tab' }));
  assert.deepEqual(run(CLIENT, subflow, inside, instances[0], FIRST).said('read'), []);
  const twice = run(CLIENT, subflow, inside, ...instances, FIRST).said('read');
  assert.match(twice.join(), /used more than once, so its device "Main-meter" would be too/);
  const nested = [
    { id: 'outer', type: 'subflow' },
    { ...instances[0], z: 'outer' },
  ];
  const deep = run(CLIENT, subflow, inside, ...nested, FIRST).said('read');
  assert.match(deep.join(), /used more than once/);
});

test('example 03: two reads of one client', () => {
  const { flows, get, notes } = run(...example('03-Node-Read-Polling.json'));
  const count = (/** @type {string} */ type) => flows.filter((node) => node.type === type).length;
  assert.deepEqual(
    ['busbar-connection', 'busbar-device', 'busbar-profile', 'busbar-in', 'modbus-client'].map(
      count,
    ),
    [1, 2, 2, 2, 0],
  );
  assert.equal(get('3f6ae42943874541').port, '10504');
  assert.deepEqual(get('6e79b816403c4a02').wires, [['6d8c6acb1cd540df', '668e00180c5d4eed']]);
  assert.deepEqual(
    notes.map(({ type }) => type),
    ['modbus-server', 'modbus-response', 'modbus-response'],
  );
});

test('example 14: a serial line', () => {
  const { only } = run(...example('14-Pattern-Serial-RTU-Client.json'));
  const { protocol, path, baud } = only('busbar-connection');
  assert.deepEqual([protocol, path, baud], ['modbus-rtu', '/dev/ttyUSB0', '9600']);
  assert.equal(only('busbar-read').connection, only('busbar-connection').id);
});

test('example 13: a request over HTTP still reaches its answer', () => {
  const given = example('13-Pattern-HTTP-To-Modbus.json');
  const { flows, get } = run(...given);
  const follow = (/** @type {string} */ type) => flows.find((node) => node.type === type);
  const change = get(/** @type {any} */ (follow('http in')).wires[0][0]);
  assert.equal(change.type, 'change');
  const read = get(change.wires[0][0]);
  assert.equal(read.type, 'busbar-read');
  assert.ok(read.wires[0].some((/** @type {string} */ id) => get(id).type === 'function'));
});
