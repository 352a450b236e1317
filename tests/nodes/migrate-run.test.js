/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A flow of node-red-contrib-modbus and core MQTT nodes beside what `busbar migrate` makes of it, in one
   Node-RED, on one meter: the same values come to the broker. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { migrate } = require('../../lib/migrate');
const { lacks, startMosquitto, tempDir, waitFor } = require('../support');
const { listen } = require('../support/listener');
const { startSim } = require('../support/sim');
const { startPalette } = require('./support/palette');

/** @typedef {Record<string, any> & {id: string, type: string}} FlowNode */

const AT = { z: 'n_tab', x: 1, y: 1 };

/** A message for the broker of what a Modbus node sends. @param {string} id @returns {FlowNode} */
function tell(id) {
  const func = `const { data, buffer } = msg.responseBuffer;
return { topic: 'theirs/${id}', payload: { payload: msg.payload, data, bytes: Buffer.from(buffer).toString('hex') } };`;
  return {
    id: `n_tell_${id}`,
    type: 'function',
    ...AT,
    outputs: 1,
    libs: [],
    func,
    wires: [['n_pub']],
  };
}

/** @param {string} id @param {object} fields @returns {FlowNode[]} */
function read(id, fields) {
  const node = {
    ...{ id: `n_${id}`, type: 'modbus-read', ...AT, name: id, topic: '', unitid: '1' },
    ...{ server: 'n_client' },
    ...{ rate: '500', rateUnit: 'ms', wires: [[`n_tell_${id}`], []] },
  };
  return [{ ...node, ...fields }, tell(id)];
}

/** @param {number} meter @param {number} broker Ports. @returns {FlowNode[]} */
function makeOriginal(meter, broker) {
  return [
    { id: 'n_tab', type: 'tab', label: 'plant' },
    {
      ...{ id: 'n_client', type: 'modbus-client', clienttype: 'tcp', tcpHost: '127.0.0.1' },
      ...{ tcpPort: String(meter), tcpType: 'DEFAULT', unit_id: '1', clientTimeout: '1000' },
      ...{ bufferCommands: true, commandDelay: '1', reconnectTimeout: '2000' },
    },
    ...read('holding', { dataType: 'HoldingRegister', adr: '10', quantity: '2' }),
    ...read('input', { dataType: 'InputRegister', adr: '1', quantity: '3' }),
    ...read('discrete', { dataType: 'Input', adr: '0', quantity: '8' }),
    ...read('coils', { dataType: 'Coil', adr: '0', quantity: '16' }),
    {
      ...{
        id: 'n_ask',
        type: 'inject',
        ...AT,
        props: [{ p: 'payload' }],
        repeat: '0.5',
        once: true,
      },
      ...{ onceDelay: 0.5, payloadType: 'json', wires: [['n_flex']] },
      payload: JSON.stringify({ fc: 3, unitid: 1, address: 10, quantity: 2 }),
    },
    {
      ...{ id: 'n_flex', type: 'modbus-flex-getter', ...AT, name: 'flex', server: 'n_client' },
      wires: [['n_tell_flex'], []],
    },
    tell('flex'),
    {
      ...{ id: 'n_broker', type: 'mqtt-broker', broker: '127.0.0.1', port: String(broker) },
      ...{ protocolVersion: '4', autoConnect: true, usetls: false, keepalive: '60' },
    },
    {
      id: 'n_pub',
      type: 'mqtt out',
      ...AT,
      broker: 'n_broker',
      topic: '',
      qos: '',
      retain: '',
      wires: [],
    },
  ];
}

/** The migrated flow beside the original: with ids and topics of its own. @param {FlowNode[]} original */
function besideIt(original) {
  const { flows, notes } = migrate(original);
  const text = JSON.stringify(flows).replaceAll('theirs/', 'ours/').replaceAll('"n_', '"m_');
  /** @type {FlowNode[]} */
  const nodes = JSON.parse(text);
  return { nodes, notes };
}

/** A meter with registers and bits that are not all the same. @param {import('node:test').TestContext} t */
async function startMeter(t) {
  const file = path.join(tempDir(t), 'meter.json');
  const tables = [
    ...[
      { table: 'coil', type: 'bit' },
      { table: 'discrete', type: 'bit' },
    ],
    ...[
      { table: 'holding', type: 'uint16' },
      { table: 'input', type: 'uint16' },
    ],
  ];
  const points = tables.flatMap(({ table, type }) =>
    Array.from({ length: 16 }, (_, i) => ({ name: `${table}${i}`, type, [table]: i })),
  );
  fs.writeFileSync(file, JSON.stringify({ profile: 1, id: 'test/meter', points }));
  const sim = await startSim(t, [file]);
  for (const { name, type } of points) {
    const i = Number(/\d+$/.exec(name));
    await sim.tell(`set ${name} ${type === 'bit' ? Number(i % 3 === 0) : 4711 + 1000 * i}`);
  }
  return sim;
}

test('a migrated flow sends what the original sends', { skip: lacks('mosquitto') }, async (t) => {
  const sim = await startMeter(t);
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url);
  const original = makeOriginal(sim.port, broker.port);
  const { nodes, notes } = besideIt(original);
  const left = nodes.filter(({ type }) => /^modbus-|^mqtt/.test(type));
  assert.deepEqual(left, [], JSON.stringify(notes));
  const runtime = { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' };
  const modules = ['node-red-contrib-modbus'];
  const palette = await startPalette(t, [...original, runtime, ...nodes], { modules });
  const names = ['holding', 'input', 'discrete', 'coils', 'flex'];
  const topics = names.flatMap((name) => [`theirs/${name}`, `ours/${name}`]);
  const of = (/** @type {string} */ topic) =>
    listener.messages.filter((message) => message.topic === topic).at(-1)?.payload;
  const areThere = () => {
    const missing = topics.filter((topic) => !of(topic));
    if (missing.length === 0) return true;
    throw new Error(`nothing of ${missing}: ${palette.child.lines.slice(-5).join('; ')}`);
  };
  await waitFor(areThere, { what: 'values of all nodes', timeoutMs: 20000 });
  for (const name of names) assert.deepEqual(of(`ours/${name}`), of(`theirs/${name}`), name);
  assert.deepEqual(of('ours/holding').payload, [14711, 15711]);
  assert.deepEqual(of('ours/coils').payload.slice(0, 4), [true, false, false, true]);
});
