/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Flows that read the same devices, each on a port of its own, into the same broker: by our palette on
   a direct wire, by ours through a function, and by node-red-contrib-modbus with a function that
   decodes and the core node mqtt out. Settings that are not the plant's are the defaults of the nodes. */

const { URL } = require('node:url');

/** @typedef {Record<string, any> & {id: string, type: string}} FlowNode */

/** @typedef {object} Site
 * @property {number[]} ports Of the devices.
 * @property {string} broker
 * @property {string} profile Of the devices: a bundled one, or the path of a file.
 * @property {number} points float32 values in a row from holding register 0, at most 62.
 * @property {string} root The first level of the topics.
 */

const TAB = { id: 'tab', type: 'tab', label: 'bench' };
const IN_TAB = { z: 'tab', x: 100, y: 100 };

/** What the function between busbar-in and busbar-mqtt-out does: as in flows/pm500-to-mqtt.json.
 * @param {string} root */
const reform = (root) => `const { device, scan, timestamp, payload, quality } = msg;
return {
  topic: \`${root}/\${device.id}/\${scan}\`,
  payload: { timestamp, device: device.id, scan, values: payload, ...(quality && { quality }) },
};`;

/** The same message out of the registers that modbus-read sends, its numbers as short as ours: a
 * float32 that was widened has twice the digits. @param {string} root @param {number} points */
const decodeWords = (root, points) => `const { buffer } = msg.responseBuffer;
const values = {};
for (let i = 0; i < ${points}; i++) {
  values[\`value/\${i + 1}\`] = Number(buffer.readFloatBE(4 * i).toPrecision(7));
}
return {
  topic: \`${root}/\${msg.topic}/fast\`,
  payload: { timestamp: Date.now(), device: msg.topic, scan: 'fast', values },
};`;

/** @param {string} id @param {string} func @param {string[]} wires @returns {FlowNode} */
function makeFunction(id, func, wires) {
  const plain = { outputs: 1, timeout: 0, noerr: 0, initialize: '', finalize: '', libs: [] };
  return { id, type: 'function', ...IN_TAB, name: '', func, ...plain, wires: [wires] };
}

/** @param {Site} site @returns {FlowNode[]} */
function makeDevices({ ports, profile }) {
  const profileType = profile.startsWith('/') ? 'path' : 'bundled';
  return ports.flatMap((port, i) => [
    {
      ...{ id: `line-${i + 1}`, type: 'busbar-connection', name: '' },
      ...{ protocol: 'modbus-tcp', host: '127.0.0.1', port: String(port), framing: 'tcp' },
    },
    {
      ...{ id: `meter-${i + 1}`, type: 'busbar-device', name: '', deviceId: `device-${i + 1}` },
      ...{ connection: `line-${i + 1}`, profileType, profile, profileNode: '' },
      ...{ unit: '1', tags: [], scans: [{ scan: 'fast', period: '1s' }], enabled: true },
    },
  ]);
}

/** @param {string[]} wires @returns {FlowNode} */
function makeSource(wires) {
  return {
    ...{ id: 'source', type: 'busbar-in', ...IN_TAB, name: '', source: 'all', device: '' },
    ...{ tags: '', scans: 'fast', points: '', mode: 'scan', heartbeat: '', every: '' },
    ...{ aggregate: 'none', output: 'object', wires: [wires] },
  };
}

/** As mqtt out publishes unless told otherwise, with QoS 0. @param {Site} site @returns {FlowNode[]} */
function makeEnd({ broker, root }) {
  return [
    {
      ...{
        id: 'bus',
        type: 'busbar-mqtt',
        name: '',
        sinkId: 'broker',
        url: broker,
        version: '3.1.1',
      },
      ...{ topic: `${root}/{device}/{scan}`, payload: 'batch', qos: '0', verify: true, tls: '' },
    },
    {
      ...{ id: 'end', type: 'busbar-mqtt-out', ...IN_TAB, name: '', sink: 'bus', topic: '' },
      ...{ qos: '', retain: '', wires: [] },
    },
  ];
}

/** No node at all. @returns {FlowNode[]} */
function makeEmpty() {
  return [TAB];
}

/** A wire from busbar-in to busbar-mqtt-out. @param {Site} site @returns {FlowNode[]} */
function makeDirect(site) {
  return [TAB, ...makeDevices(site), makeSource(['end']), ...makeEnd(site)];
}

/** A function in between. @param {Site} site @returns {FlowNode[]} */
function makeWired(site) {
  const middle = makeFunction('reform', reform(site.root), ['end']);
  return [TAB, ...makeDevices(site), makeSource(['reform']), middle, ...makeEnd(site)];
}

/** Messages that nobody takes further. @param {Site} site @returns {FlowNode[]} */
function makeMessages(site) {
  const sink = makeFunction('count', 'return null;', []);
  return [TAB, ...makeDevices(site), makeSource(['count']), sink];
}

/** A modbus-client and a modbus-read for each device. @param {Site} site @returns {FlowNode[]} */
function makeReference({ ports, broker, points, root }) {
  const { hostname, port } = new URL(broker);
  const clients = ports.map((number, i) => ({
    ...{ id: `client-${i + 1}`, type: 'modbus-client', name: '', clienttype: 'tcp' },
    ...{ bufferCommands: true, stateLogEnabled: false, queueLogEnabled: false },
    ...{ failureLogEnabled: true, tcpHost: '127.0.0.1', tcpPort: String(number) },
    ...{ tcpType: 'DEFAULT', unit_id: '1', commandDelay: '1', clientTimeout: '1000' },
    ...{ reconnectOnTimeout: true, reconnectTimeout: '2000', parallelUnitIdsAllowed: true },
  }));
  const reads = ports.map((_, i) => ({
    ...{ id: `read-${i + 1}`, type: 'modbus-read', ...IN_TAB, name: '', topic: `device-${i + 1}` },
    ...{ showStatusActivities: false, logIOActivities: false, showErrors: false, unitid: '1' },
    ...{ dataType: 'HoldingRegister', adr: '0', quantity: String(2 * points), rate: '1' },
    ...{ rateUnit: 's', delayOnStart: false, startDelayTime: '', server: `client-${i + 1}` },
    ...{ useIOFile: false, ioFile: '', useIOForPayload: false, emptyMsgOnFail: false },
    wires: [['decode'], []],
  }));
  return [
    TAB,
    ...clients,
    ...reads,
    makeFunction('decode', decodeWords(root, points), ['end']),
    {
      ...{ id: 'bus', type: 'mqtt-broker', name: '', broker: hostname, port, clientid: '' },
      ...{ autoConnect: true, usetls: false, protocolVersion: '4', keepalive: '60' },
      ...{ cleansession: true, autoUnsubscribe: true },
    },
    {
      ...{ id: 'end', type: 'mqtt out', ...IN_TAB, name: '', topic: '', qos: '', retain: '' },
      ...{ respTopic: '', contentType: '', userProps: '', correl: '', expiry: '' },
      ...{ broker: 'bus', wires: [] },
    },
  ];
}

/** Posting to /inject/block holds up the event loop for that long. @param {number} ms @returns {FlowNode[]} */
function makeBlocker(ms) {
  const spin = `const end = Date.now() + ${ms};\nwhile (true) if (Date.now() >= end) return null;`;
  const plain = { name: '', props: [], repeat: '', crontab: '', once: false, onceDelay: 0.1 };
  return [
    { id: 'block', type: 'inject', ...IN_TAB, ...plain, topic: '', wires: [['spin']] },
    makeFunction('spin', spin, []),
  ];
}

module.exports = {
  ...{ makeBlocker, makeDirect, makeEmpty, makeMessages, makeReference, makeWired },
};
