/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What becomes of the nodes that read or write when a message comes. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run } = require('./support/migrate');
const { CLIENT, GETTER, WRITE, FLEX, FIRST, SECOND } = require('./support/migrate_modbus');

test('a modbus-getter asks by a change node before busbar-read', () => {
  const inject = { id: 'inject', type: 'inject', wires: [['getter', 'first']] };
  const { get, only } = run(CLIENT, inject, { ...GETTER, adr: '3', unitid: '4' }, FIRST);
  const change = only('change');
  assert.deepEqual(get('inject').wires, [[change.id, 'first']]);
  assert.deepEqual(change.wires, [['getter']]);
  assert.deepEqual(change.rules, [
    {
      t: 'set',
      p: 'payload',
      pt: 'msg',
      to: '{"fc": 3, "unitid": 4, "address": 3, "quantity": 2}',
      tot: 'jsonata',
    },
  ]);
  const { type, device, connection, scans, output, wires } = get('getter');
  assert.deepEqual([type, device, connection], ['busbar-read', '', 'client']);
  assert.deepEqual([scans, output, wires], ['', 'registers', [['first']]]);
});

test('variables of a modbus-getter are asked for when it reads', () => {
  const getter = { ...GETTER, unitid: '${UNIT}', adr: '$(ADR)', quantity: '${N}' };
  const { only } = run(CLIENT, getter, FIRST);
  assert.equal(
    only('change').rules[0].to,
    '{"fc": 3, "unitid": $number($env("UNIT")), "address": $number($env("ADR")), ' +
      '"quantity": $number($env("N"))}',
  );
});

test('a modbus-flex-getter becomes busbar-read on the connection', () => {
  const { get, flows, notes } = run(CLIENT, { ...FLEX, wires: [['first'], []] }, FIRST);
  assert.deepEqual(get('flex'), {
    id: 'flex',
    type: 'busbar-read',
    name: '',
    device: '',
    connection: 'client',
    scans: '',
    output: 'registers',
    wires: [['first']],
  });
  assert.equal(flows.length, 3);
  assert.deepEqual(notes, []);
});

test('a flex node whose client has another unit says that requests must name it', () => {
  const { said } = run({ ...CLIENT, unit_id: '17' }, FLEX);
  assert.match(said('flex').join(), /without unitid went to unit 17/);
});

test('what writes whatever a message names stays, and says what to do', () => {
  const flex = { ...FLEX, type: 'modbus-flex-write' };
  const { get, said } = run(CLIENT, flex);
  assert.deepEqual(get('flex'), flex);
  assert.match(said('flex').join(), /^Stays, because it writes whatever address .* busbar-write/);
});

/** @type {[string, number, object][]} */
const WRITES = [
  ['Coil', 5, { name: 'coil_9', coil: 9 }],
  ['HoldingRegister', 6, { name: 'hr_9', type: 'uint16', holding: 9 }],
];

for (const [dataType, fc, point] of WRITES) {
  test(`a modbus-write of one ${dataType} becomes busbar-write to a point`, () => {
    const write = { ...WRITE, dataType, adr: '9', name: 'Set', wires: [[], []] };
    const { get, only, notes } = run(CLIENT, write);
    const device = only('busbar-device');
    assert.deepEqual(get('write'), {
      id: 'write',
      type: 'busbar-write',
      z: 'tab',
      x: 100,
      y: 200,
      name: 'Set',
      device: device.id,
      point: Object(point).name,
      notAfter: '',
      wires: [[]],
    });
    assert.deepEqual([device.deviceId, device.scans], ['Set', [{ scan: 'fast', period: 'off' }]]);
    const { points } = JSON.parse(only('busbar-profile').profile);
    assert.deepEqual(points, [{ ...point, write: { function: fc } }]);
    assert.deepEqual(notes, []);
  });
}

test('a modbus-write of several, or of a variable address, stays and says what to do', () => {
  for (const fields of [{ dataType: 'MCoils' }, { dataType: 'MHoldingRegisters' }]) {
    const write = { ...WRITE, ...fields, adr: '9', quantity: '3' };
    const { get, said } = run(CLIENT, write, FIRST);
    assert.deepEqual(get('write'), write);
    assert.match(said('write').join(), /it writes several at once: make each a point/);
  }
  const { said } = run(CLIENT, { ...WRITE, adr: '${ADR}' });
  assert.match(said('write').join(), /its address is a variable: make each a point/);
});

test('the second output of a write is gone, and says so', () => {
  const write = { ...WRITE, emptyMsgOnFail: true, wires: [['first'], ['second']] };
  const { get, said } = run(CLIENT, write, FIRST, SECOND);
  assert.deepEqual(get('write').wires, [['first']]);
  const [second, outcome, empty] = said('write');
  assert.match(second, /second output, the bare response, is gone, .* wires to function raw\./);
  assert.match(outcome, /`outcome`/);
  assert.match(empty, /empty message/);
});

test('modbus-response behind a write shows the outcome', () => {
  const response = { id: 'second', type: 'modbus-response', wires: [] };
  const { get } = run(CLIENT, { ...WRITE, wires: [[], ['second']] }, response);
  assert.deepEqual(get('write').wires, [['second']]);
  assert.equal(get('second').complete, 'outcome');
});
