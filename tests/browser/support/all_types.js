/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A flow with a node of each type of the palette, each set to something, and one with bare nodes, as
   the palette's defaults and flows written by hand give them. */

/** @typedef {import('./editor').FlowNode} FlowNode */

const TAB = { id: 'a11', type: 'tab', label: 'Hall 7' };

/* Laid out as its dialog does it. */
const PROFILE = `{
  "profile": 1,
  "modbus": { "word_order": "CDAB" },
  "points": [
    { "name": "spare", "type": "uint16", "holding": 7 }
  ]
}`;

/** @param {string} host @param {number} port Of a meter. @param {string} broker
 * @returns {FlowNode[]} Config nodes. */
function configNodes(host, port, broker) {
  const rows = [
    { id: 'hall-7-press', unit: '1', tags: { line: 'l1' } },
    { id: 'hall-7-oven', unit: '2', tags: { line: 'l2' } },
  ];
  return [
    {
      ...{
        id: 'c1',
        type: 'busbar-runtime',
        name: 'Runtime of hall 7',
        mode: 'spawn',
        linger: '20min',
      },
      ...{ metrics: 'off', logLevel: 'warn', siteId: 'hall-7', queueBytes: '32MiB' },
      ...{ siteTags: [{ key: 'area', value: 'north' }], secrets: 'memory' },
      ...{ storeSync: '2s', storeBytes: '512MiB', storeAge: '2d', dataDir: '' },
    },
    {
      ...{
        id: 'c2',
        type: 'busbar-connection',
        name: 'Panel of hall 7',
        protocol: 'modbus-tcp',
        host,
      },
      ...{ port: String(port), framing: 'tcp', timeout: '2s', keepalive: '20s', runtime: 'c1' },
      ...{ maxInFlight: '2', connectTimeout: '4s', closeAfterPoll: false },
    },
    {
      ...{
        id: 'c3',
        type: 'busbar-profile',
        name: 'PM500, spare register',
        extends: 'rockwell/powermonitor-500',
      },
      profile: PROFILE,
    },
    {
      ...{
        id: 'c4',
        type: 'busbar-device',
        name: 'Main meter',
        deviceId: 'hall-7-main',
        connection: 'c2',
      },
      ...{ profileType: 'bundled', profile: 'rockwell/powermonitor-500', profileNode: '' },
      ...{ unit: '1', tags: [{ key: 'line', value: 'l1' }], devices: [], enabled: true },
      scans: [{ scan: 'fast', period: '2s' }],
    },
    {
      ...{
        id: 'c5',
        type: 'busbar-device',
        name: 'Meters of hall 7',
        deviceId: '',
        connection: 'c2',
      },
      ...{ profileType: 'node', profile: '', profileNode: 'c3', unit: '1', tags: [], scans: [] },
      ...{ devices: rows, enabled: false },
    },
    {
      ...{
        id: 'c6',
        type: 'busbar-mqtt',
        name: 'Broker of hall 7',
        sinkId: 'broker',
        runtime: 'c1',
      },
      ...{ url: broker, version: '3.1.1', topic: 'hall/{device}/{point}', payload: 'point' },
      ...{ qos: '1', retain: true, deviceTags: true, verify: true, tls: '' },
      ...{ storeMode: 'disk', storeBytes: '64MiB', storeAge: '7d', historyRate: '200' },
    },
    {
      ...{
        id: 'c7',
        type: 'busbar-influxdb',
        name: 'Database of hall 7',
        sinkId: 'db',
        runtime: 'c1',
      },
      ...{ version: '1', url: 'http://127.0.0.1:9', database: 'energy', precision: 's' },
      ...{ tags: [{ key: 'site', value: 'hall-7' }], gzip: true, verify: true, tls: '' },
      ...{ storeMode: 'memory', storeBytes: '', storeAge: '', historyRate: '' },
    },
  ];
}

/** @returns {FlowNode[]} Nodes in the flow. */
function flowNodes() {
  return [
    {
      ...{ id: 'f1', type: 'busbar-in', name: 'changes', source: 'device', device: 'c4' },
      ...{ tags: '', scans: 'fast', points: 'voltage/*', mode: 'changes', heartbeat: '5min' },
      ...{ every: '2s', aggregate: 'mean', output: 'points' },
    },
    {
      ...{ id: 'f2', type: 'busbar-read', name: 'once', device: 'c4', deviceId: '' },
      ...{ scans: 'energy', connection: '', output: 'object' },
    },
    {
      ...{ id: 'f3', type: 'busbar-write', name: 'limit', device: 'c5', deviceId: 'hall-7-press' },
      ...{ point: '', notAfter: '3s' },
    },
    {
      ...{ id: 'f4', type: 'busbar-decode', name: 'words', profileType: 'bundled' },
      ...{ profile: '', profileNode: '', address: '0', table: 'holding', scale: '0.1' },
      ...{ valueType: 'float32', wordOrder: 'CDAB', output: 'object' },
    },
    {
      ...{ id: 'f5', type: 'busbar-line', name: 'lines', measurement: 'meter' },
      ...{ tags: [{ key: 'line', value: 'l1' }], precision: 'ms', output: 'array' },
    },
    {
      ...{ id: 'f6', type: 'busbar-mqtt-out', name: 'publish', sink: 'c6', topic: 'a/b' },
      ...{ qos: '0', retain: 'true', events: false },
    },
    {
      ...{ id: 'f7', type: 'busbar-influx-out', name: 'store', sink: 'c7', measurement: 'meter' },
      events: true,
    },
    {
      ...{ id: 'f8', type: 'busbar-event', name: 'events', devices: 'm*', deviceEvents: true },
      ...{ sinkEvents: false, runtimeEvents: true },
    },
  ];
}

/** In a column. @param {FlowNode[]} nodes */
function place(nodes) {
  return nodes.map((node, i) => {
    const wires = /-out$/.test(node.type) ? [] : [[]];
    return { ...node, z: TAB.id, x: 240, y: 60 + 60 * i, wires };
  });
}

/** @param {{host?: string, port: number, broker: string}} where @returns {FlowNode[]} */
function makeAllTypes({ host = '127.0.0.1', port, broker }) {
  return [TAB, ...configNodes(host, port, broker), ...place(flowNodes())];
}

/** With nothing but their type. @returns {FlowNode[]} */
function makeBareNodes() {
  return [TAB, ...place(flowNodes().map(({ id, type }) => ({ id, type })))];
}

const CONFIG_TYPES = configNodes('', 0, '').map(({ type }) => type);

module.exports = { CONFIG_TYPES: [...new Set(CONFIG_TYPES)], makeAllTypes, makeBareNodes };
