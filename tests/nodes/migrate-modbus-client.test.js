/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What becomes of the clients of node-red-contrib-modbus: settings, and who still needs them. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run } = require('./support/migrate');
const { CLIENT, READ, GETTER, WRITE, FLEX, FIRST } = require('./support/migrate_modbus');

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
