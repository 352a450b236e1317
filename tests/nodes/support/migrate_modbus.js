/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Nodes of node-red-contrib-modbus as an export has them. The defaults of a client and a read are those
   of its 5.60.2. */

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

module.exports = { CLIENT, FIRST, FLEX, GETTER, READ, SECOND, WRITE };
