/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What becomes of the nodes of node-red-contrib-modbus, setting by setting. The defaults of a client
   and a read are those of its 5.60.2. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { migrate } = require('../../lib/migrate');

const CLIENT = {
  id: 'client',
  type: 'modbus-client',
  name: 'Gateway',
  clienttype: 'tcp',
  bufferCommands: true,
  tcpHost: '10.0.0.21',
  tcpPort: '502',
  tcpType: 'DEFAULT',
  serialPort: '/dev/ttyUSB0',
  serialType: 'RTU-BUFFERD',
  serialBaudrate: '9600',
  serialDatabits: '8',
  serialStopbits: '1',
  serialParity: 'none',
  serialConnectionDelay: '100',
  unit_id: '1',
  commandDelay: '1',
  clientTimeout: '1000',
  reconnectOnTimeout: true,
  reconnectTimeout: '2000',
  parallelUnitIdsAllowed: true,
};
const READ = {
  id: 'read',
  type: 'modbus-read',
  z: 'tab',
  name: 'Main meter',
  topic: '',
  unitid: '',
  dataType: 'HoldingRegister',
  adr: '0',
  quantity: '2',
  rate: '1',
  rateUnit: 's',
  server: 'client',
  useIOFile: false,
  ioFile: '',
  useIOForPayload: false,
  emptyMsgOnFail: false,
  x: 100,
  y: 200,
  wires: [['first'], []],
};
const GETTER = { ...READ, id: 'getter', type: 'modbus-getter', name: '' };
const WRITE = { ...GETTER, id: 'write', type: 'modbus-write', quantity: '1' };
const FLEX = { id: 'flex', type: 'modbus-flex-getter', server: 'client', wires: [[], []] };
const FIRST = { id: 'first', type: 'function', wires: [] };
const SECOND = { id: 'second', type: 'function', name: 'raw', wires: [] };

/** @param {any[]} flow */
function run(...flow) {
  const { flows, notes } = migrate(flow);
  return {
    flows,
    /** @param {string} id @returns {any} */
    get: (id) => flows.find((node) => node.id === id),
    /** The one node of a type. @param {string} type @returns {any} */
    only: (type) => {
      const found = flows.filter((node) => node.type === type);
      assert.equal(found.length, 1, `${found.length} of ${type}`);
      return found[0];
    },
    /** What is said about a node. @param {string} id */
    said: (id) => notes.filter((note) => note.id === id).map(({ text }) => text),
    notes,
  };
}

/** @param {string} name @returns {any[]} */
function example(name) {
  return JSON.parse(fs.readFileSync(path.join(__dirname, 'vectors/migrate', name), 'utf8'));
}

test('a TCP client with the defaults becomes a connection with the defaults', () => {
  const { get, notes } = run(CLIENT, READ, FIRST);
  assert.deepEqual(get('client'), {
    id: 'client',
    type: 'busbar-connection',
    name: 'Gateway',
    protocol: 'modbus-tcp',
    host: '10.0.0.21',
    port: '502',
    framing: 'tcp',
    path: '',
    baud: '9600',
    parity: 'none',
    dataBits: '8',
    stopBits: '1',
    timeout: '1s',
    maxInFlight: '',
    pauseAfterConnect: '',
    pauseBetween: '',
    minInterval: '',
    closeAfterPoll: false,
    runtime: '',
  });
  assert.deepEqual(notes, []);
});

test('a serial client becomes a connection of that line', () => {
  const serial = {
    ...CLIENT,
    z: 'tab',
    clienttype: 'serial',
    serialPort: '/dev/ttyS1',
    serialBaudrate: '19200',
    serialParity: 'even',
    serialDatabits: '7',
    serialStopbits: '2',
  };
  for (const clienttype of ['serial', 'simpleser']) {
    const { get, notes } = run({ ...serial, clienttype }, READ, FIRST);
    const { protocol, host, path, baud, parity, dataBits, stopBits, z } = get('client');
    assert.deepEqual([protocol, host, path, z], ['modbus-rtu', '', '/dev/ttyS1', 'tab']);
    assert.deepEqual([baud, parity, dataBits, stopBits], ['19200', 'even', '7', '2']);
    assert.deepEqual(notes, []);
  }
});

/** Setting of the client, of the connection, and a word of the note.
 * @type {[object, object, RegExp | undefined][]} */
const SETTINGS = [
  [{ clientTimeout: 2500 }, { timeout: '2500ms' }, undefined],
  [{ clientTimeout: '3000' }, { timeout: '3s' }, undefined],
  [{ clientTimeout: '60000' }, { timeout: '1min' }, undefined],
  [{ clientTimeout: '90000' }, { timeout: '1min' }, /timeout of 90s is now 1min/],
  [{ clientTimeout: '5' }, { timeout: '10ms' }, /timeout of 5ms is now 10ms/],
  [{ clientTimeout: '' }, { timeout: '1s' }, undefined],
  [{ clientTimeout: '${T}' }, { timeout: '${T}' }, /is \$\{T\}: the variable has to name its unit/],
  [{ commandDelay: '20' }, { pauseBetween: '20ms' }, undefined],
  [{ parallelUnitIdsAllowed: false }, { maxInFlight: '1' }, undefined],
  [{ tcpType: 'TCP-RTU-BUFFERED' }, { framing: 'rtu' }, undefined],
  [{ tcpType: 'TELNET' }, { framing: 'rtu' }, /TELNET/],
  [{ tcpHost: '${HOST}', tcpPort: '${PORT}' }, { host: '${HOST}', port: '${PORT}' }, undefined],
  [{ tcpHost: 'gw-${N}' }, { host: 'gw-${N}' }, /variable inside a text/],
  [{ tcpPort: 1502 }, { port: '1502' }, undefined],
  [{ reconnectTimeout: '5000' }, {}, /waited 5000 ms/],
  [{ reconnectOnTimeout: false }, {}, /kept the connection/],
  [{ bufferCommands: false }, {}, /without a queue/],
];

for (const [given, wanted, note] of SETTINGS) {
  test(`a client with ${JSON.stringify(given)} gives ${JSON.stringify(wanted)}`, () => {
    const { get, said } = run({ ...CLIENT, ...given }, READ, FIRST);
    const connection = get('client');
    assert.equal(connection.type, 'busbar-connection');
    assert.deepEqual({ ...connection, ...wanted }, connection);
    if (note) assert.match(said('client').join('\n'), note);
    else assert.deepEqual(said('client'), []);
  });
}

/** @type {[object, RegExp][]} */
const UNSUPPORTED = [
  [{ tcpType: 'UDP' }, /Modbus over UDP/],
  [{ tcpType: 'C701' }, /C701/],
  [{ tcpHost: '' }, /no host/],
  [{ clienttype: 'serial', serialType: 'ASCII' }, /Modbus ASCII/],
  [{ clienttype: 'serial', serialParity: 'mark' }, /parity mark/],
  [{ clienttype: 'serial', serialStopbits: '1.5' }, /1\.5 stop bits/],
  [{ clienttype: 'serial', serialDatabits: '6' }, /6 data bits/],
  [{ clienttype: 'serial', serialBaudrate: '75' }, /75 baud/],
  [{ clienttype: 'serial', serialPort: '' }, /no serial port/],
];

for (const [given, why] of UNSUPPORTED) {
  test(`a client with ${JSON.stringify(given)} stays, with its nodes`, () => {
    const flow = [{ ...CLIENT, ...given }, READ, GETTER, WRITE, FLEX, FIRST];
    const { flows, said } = run(...flow);
    assert.deepEqual(flows, flow);
    assert.match(said('client').join(), why);
    for (const id of ['read', 'getter', 'write', 'flex']) {
      assert.match(said(id).join(), /Stays, because its client Gateway stays\. It still needs/);
    }
  });
}

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

test('a client that others still need stays, and a connection stands beside it', () => {
  const queue = { id: 'queue', type: 'modbus-queue-info', server: 'client', wires: [[]] };
  const { get, only, said } = run(CLIENT, READ, queue, FIRST);
  assert.deepEqual(get('client'), CLIENT);
  const connection = only('busbar-connection');
  assert.equal(only('busbar-device').connection, connection.id);
  assert.match(
    said('client').join(),
    /for modbus-queue-info queue\. Both connect to 10\.0\.0\.21:502/,
  );
  assert.match(said('queue').join(), /Stays, because Busbar has no such node/);
});

test('a node that refers to a client twice is named once', () => {
  const queue = { id: 'queue', type: 'modbus-queue-info', server: 'client', more: ['client'] };
  const { said } = run(CLIENT, READ, queue, FIRST);
  assert.match(said('client').join(), /for modbus-queue-info queue\. Both/);
});

test('a serial port that two would open is warned of', () => {
  const queue = { id: 'queue', type: 'modbus-queue-info', server: 'client', wires: [[]] };
  const { said } = run({ ...CLIENT, clienttype: 'serial' }, READ, queue, FIRST);
  assert.match(
    said('client').join(),
    /Both open \/dev\/ttyUSB0, but a serial port can have one owner/,
  );
});

test('a client handed to a subflow by its properties stays', () => {
  const env = [{ name: 'CLIENT', type: 'modbus-client', value: 'client' }];
  const instance = { id: 'i', type: 'subflow:s', env, wires: [] };
  const { get, said } = run(CLIENT, READ, instance, FIRST);
  assert.deepEqual(get('client'), CLIENT);
  assert.match(said('client').join(), /for subflow:s i\./);
});

test('a later flow finds the connection that was made beside its client', () => {
  const queue = { id: 'queue', type: 'modbus-queue-info', server: 'client', wires: [[]] };
  const { flows } = run(CLIENT, READ, queue, FIRST);
  const later = run(...flows, { ...READ, id: 'read2' });
  const devices = later.flows.filter(({ type }) => type === 'busbar-device');
  const connection = later.only('busbar-connection').id;
  assert.deepEqual(
    devices.map((device) => device.connection),
    [connection, connection],
  );
});

test('a client that nobody uses becomes a connection too', () => {
  const { get } = run(CLIENT);
  assert.equal(get('client').type, 'busbar-connection');
});

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
