/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What becomes of modbus-read, setting by setting, and of modbus-response behind it. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run } = require('./support/migrate');
const { CLIENT, READ, FIRST, SECOND } = require('./support/migrate_modbus');

test('modbus-read becomes busbar-in, a device on its tab, and a profile of its registers', () => {
  const read = {
    ...READ,
    dataType: 'InputRegister',
    adr: '10',
    quantity: '3',
    unitid: '7',
    g: 'g',
  };
  const { get, only } = run(CLIENT, read, FIRST);
  const device = only('busbar-device');
  const profile = only('busbar-profile');
  assert.deepEqual(get('read'), {
    id: 'read',
    type: 'busbar-in',
    z: 'tab',
    g: 'g',
    x: 100,
    y: 200,
    name: 'Main meter',
    source: 'device',
    device: device.id,
    tags: '',
    mode: 'scan',
    output: 'registers',
    heartbeat: '',
    every: '',
    aggregate: '',
    points: '',
    wires: [['first']],
  });
  assert.deepEqual(device, {
    id: device.id,
    type: 'busbar-device',
    z: 'tab',
    name: 'Main meter',
    deviceId: 'Main-meter',
    connection: 'client',
    profileType: 'node',
    profile: '',
    profileNode: profile.id,
    unit: '7',
    tags: [],
    scans: [{ scan: 'fast', period: '1s' }],
    devices: [],
    enabled: true,
  });
  assert.equal(profile.z, undefined);
  assert.deepEqual(JSON.parse(profile.profile), {
    profile: 1,
    id: 'raw/ir-10-3',
    name: 'Input registers 10 to 12',
    points: [
      { name: 'ir_10', type: 'uint16', input: 10 },
      { name: 'ir_11', type: 'uint16', input: 11 },
      { name: 'ir_12', type: 'uint16', input: 12 },
    ],
  });
});

/** @type {[string, object][]} */
const TABLES = [
  ['Coil', { name: 'coil_5', coil: 5 }],
  ['Input', { name: 'di_5', discrete: 5 }],
  ['DiscreteInput', { name: 'di_5', discrete: 5 }],
  ['HoldingRegister', { name: 'hr_5', type: 'uint16', holding: 5 }],
  ['InputRegister', { name: 'ir_5', type: 'uint16', input: 5 }],
];

for (const [dataType, point] of TABLES) {
  test(`${dataType} 5 is the point ${JSON.stringify(point)}`, () => {
    const { only } = run(CLIENT, { ...READ, dataType, adr: 5, quantity: 8 }, FIRST);
    const { points } = JSON.parse(only('busbar-profile').profile);
    assert.deepEqual(points[0], point);
    assert.equal(points.length, 8);
  });
}

/** @type {[string | number, string, string, RegExp | undefined][]} */
const RATES = [
  ['500', 'ms', '500ms', undefined],
  [2, 's', '2s', undefined],
  ['0.5', 's', '500ms', undefined],
  ['90', 's', '90s', undefined],
  ['5', 'm', '5min', undefined],
  ['1', 'h', '1h', undefined],
  ['1', 'ms', '10ms', /rate of 1ms is now 10ms/],
  ['${RATE}', 's', '${RATE}', /name its unit now, such as 5s/],
  ['', 's', '10s', /is none: it reads every 10 s now/],
  ['1', '', '10s', /is none/],
];

for (const [rate, rateUnit, period, note] of RATES) {
  test(`a rate of "${rate} ${rateUnit}" is a period of ${period}`, () => {
    const { only, said } = run(CLIENT, { ...READ, rate, rateUnit }, FIRST);
    assert.deepEqual(only('busbar-device').scans, [{ scan: 'fast', period }]);
    if (note) assert.match(said('read').join(), note);
    else assert.deepEqual(said('read'), []);
  });
}

/** Unit of the node, of the client, and what it comes to. @type {[any, any, object, string][]} */
const UNITS = [
  ['7', '1', {}, '7'],
  [7, 1, {}, '7'],
  ['', '9', {}, '9'],
  ['0', '9', {}, '0'],
  ['256', '9', {}, '9'],
  ['x', '', {}, '0'],
  ['${UNIT}', '1', {}, '${UNIT}'],
  ['', '${UNIT}', {}, '${UNIT}'],
  ['248', '9', { clienttype: 'serial' }, '9'],
  ['', '', { clienttype: 'serial' }, '1'],
];

for (const [unitid, unit_id, more, unit] of UNITS) {
  test(`unit "${unitid}" at a client of "${unit_id}" is ${unit}`, () => {
    const { only } = run({ ...CLIENT, unit_id, ...more }, { ...READ, unitid }, FIRST);
    assert.equal(only('busbar-device').unit, unit);
  });
}

/** @type {[object, RegExp][]} */
const OBSTACLES = [
  [{ dataType: 'Other' }, /its function "Other" is not known/],
  [{ adr: '' }, /its address "" is not one of 0 to 65535/],
  [{ adr: '65536' }, /its address "65536"/],
  [{ adr: '1.5' }, /its address "1\.5"/],
  [{ adr: '${A}' }, /is a variable, and a profile holds numbers/],
  [{ adr: '65535', quantity: '2' }, /more than one device can have/],
  [{ quantity: '4097' }, /more than one device can have/],
  [{ server: '' }, /it has no client/],
  [{ server: 'gone' }, /its client gone is not in this file: export it together/],
  [{ server: 'first' }, /its client is a function/],
  [{ server: '${CLIENT}' }, /its client \$\{CLIENT\} is not in this file/],
];

for (const [given, why] of OBSTACLES) {
  test(`a modbus-read with ${JSON.stringify(given)} stays, and says why`, () => {
    const read = { ...READ, ...given };
    const { get, said } = run(CLIENT, read, FIRST);
    assert.deepEqual(get('read'), read);
    assert.match(said('read').join(), why);
    assert.match(
      said('read').join(),
      /^Stays, because .*It still needs node-red-contrib-modbus\.$/,
    );
  });
}

test('unit 0 of a serial line stays: nobody answers it', () => {
  const { get, said } = run({ ...CLIENT, clienttype: 'serial' }, { ...READ, unitid: '0' }, FIRST);
  assert.equal(get('read').type, 'modbus-read');
  assert.match(said('read').join(), /broadcast/);
});

/** @type {[object, RegExp][]} */
const READ_NOTES = [
  [{ emptyMsgOnFail: true }, /empty message/],
  [{ enableDeformedMessages: true }, /deformed/],
  [{ useIOFile: true, ioFile: 'io' }, /IO file names\.json are not carried over: describe/],
  [{ useIOFile: true, ioFile: 'io', useIOForPayload: true }, /payload is the plain registers now/],
  [{ topic: 'plant/meter' }, /had the topic "plant\/meter"; now it is the device, "Main-meter"/],
  [{ dataType: 'Coil', quantity: '10' }, /gave 16 values, .* now it gives 10/],
  [{ quantity: '126' }, /asked for 126 at once/],
  [{ d: true }, /Is disabled, so its device "Main-meter" is too/],
];

for (const [given, note] of READ_NOTES) {
  test(`a modbus-read with ${JSON.stringify(given)} is noted`, () => {
    const io = { id: 'io', type: 'modbus-io-config', path: 'names.json' };
    const { get, said } = run(CLIENT, io, { ...READ, ...given }, FIRST);
    assert.equal(get('read').type, 'busbar-in');
    assert.match(said('read').join('\n'), note);
    assert.equal(said('read').length, 1, said('read').join('\n'));
  });
}

test('the IO file of migrated nodes goes; that of others stays', () => {
  const io = { id: 'io', type: 'modbus-io-config', path: 'names.json' };
  const filter = { id: 'filter', type: 'modbus-response-filter', ioFile: 'io', wires: [[]] };
  const read = { ...READ, useIOFile: true, ioFile: 'io' };
  assert.equal(run(CLIENT, io, read, FIRST).get('io'), undefined);
  assert.deepEqual(run(CLIENT, io, read, filter, FIRST).get('io'), io);
});

/** @type {[object, string][]} */
const DEVICE_IDS = [
  [{}, 'Main-meter'],
  [{ topic: 'meter_1.a' }, 'meter_1.a'],
  [{ topic: 'a/b' }, 'Main-meter'],
  [{ name: 'Zähler Straße 7' }, 'Zahler-Stra-e-7'],
  [{ name: '..-x-..' }, 'x'],
  [{ name: '' }, 'Gateway-hr_0'],
  [{ name: '電力', topic: '電力/1' }, '1'],
  [{ name: 'm'.repeat(80) }, 'm'.repeat(64)],
];

for (const [given, deviceId] of DEVICE_IDS) {
  test(`a modbus-read with ${JSON.stringify(given)} is the device ${deviceId}`, () => {
    assert.equal(
      run(CLIENT, { ...READ, ...given }, FIRST).only('busbar-device').deviceId,
      deviceId,
    );
  });
}

test('devices of one name are told apart, also from those that are there', () => {
  const there = { id: 'there', type: 'busbar-device', deviceId: 'Main-meter' };
  const table = { id: 'table', type: 'busbar-device', devices: [{ id: 'Main-meter-2' }] };
  const { flows } = run(CLIENT, READ, { ...READ, id: 'read2' }, there, table, FIRST);
  const ids = flows.flatMap(({ deviceId }) => deviceId ?? []);
  assert.deepEqual(ids.sort(), ['Main-meter', 'Main-meter-3', 'Main-meter-4']);
});

test('a disabled modbus-read gives a disabled busbar-in and a device that is switched off', () => {
  const { get, only } = run(CLIENT, { ...READ, d: true }, FIRST);
  assert.equal(get('read').d, true);
  assert.equal(only('busbar-device').enabled, false);
});

test('reads of one range share a profile, each with a device of its own', () => {
  const other = { ...READ, id: 'other', unitid: '2', rate: '9' };
  const { flows, only } = run(CLIENT, READ, other, FIRST);
  const profile = only('busbar-profile').id;
  const devices = flows.filter(({ type }) => type === 'busbar-device');
  assert.deepEqual(
    devices.map(({ profileNode, unit }) => [profileNode, unit]),
    [
      [profile, '1'],
      [profile, '2'],
    ],
  );
});

test('what is wired to output 2 of a read keeps its message, from a change node', () => {
  const group = { id: 'g', type: 'group', nodes: ['read'] };
  const read = { ...READ, g: 'g', wires: [['first'], ['second']] };
  const { get, only } = run(CLIENT, group, read, FIRST, SECOND);
  const change = only('change');
  assert.deepEqual(get('read').wires, [['first', change.id]]);
  assert.deepEqual(change.wires, [['second']]);
  assert.deepEqual([change.z, change.g, change.x, change.y], ['tab', 'g', 100, 240]);
  assert.deepEqual(get('g').nodes, ['read', change.id]);
  const rules = change.rules.map((/** @type {any} */ { t, p, to }) => [t, p, to]);
  assert.deepEqual(rules, [
    ['set', 'values', 'payload'],
    ['set', 'payload', 'responseBuffer'],
    ['delete', 'responseBuffer', undefined],
  ]);
});

test('modbus-response becomes a debug node that shows the same in its status', () => {
  const response = { id: 'second', type: 'modbus-response', name: 'seen', x: 1, y: 2, wires: [] };
  const { get, said, flows } = run(
    CLIENT,
    { ...READ, wires: [['first'], ['second']] },
    FIRST,
    response,
  );
  assert.deepEqual(get('read').wires, [['first', 'second']]);
  assert.deepEqual(get('second'), {
    id: 'second',
    type: 'debug',
    x: 1,
    y: 2,
    name: 'seen',
    active: true,
    tosidebar: false,
    console: false,
    tostatus: true,
    complete: 'payload',
    targetType: 'msg',
    statusVal: 'payload',
    statusType: 'auto',
    wires: [],
  });
  assert.match(said('second').join(), /debug node/);
  assert.ok(!flows.some(({ type }) => type === 'change'));
});

test('modbus-response behind what stays, stays', () => {
  const response = { id: 'second', type: 'modbus-response', wires: [] };
  const other = {
    id: 'o',
    type: 'modbus-flex-sequencer',
    server: 'client',
    wires: [['second'], []],
  };
  const { get, said } = run(CLIENT, other, response);
  assert.deepEqual(get('second'), response);
  assert.match(said('second').join(), /what is wired to it stays/);
});
