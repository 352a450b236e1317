/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What busbar-influx-out takes, at real databases. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacks, startInflux1, startVictoria, waitFor } = require('../support');
const { startSim } = require('../support/sim');
const { load } = require('./support/helper');

const RUNTIME = { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' };

/** Messages, and the rows that each makes; with `time` where it gives one. @returns {[any, any[]][]} */
function makeRows() {
  const ms = 1763688000123;
  const ns = '1763688000123000000';
  const device = { id: 'meter-1', tags: { line: 'l1' }, profile: 'acme/power-meter' };
  return [
    [{ measurement: 'a0', payload: 5 }, [{ value: 5 }]],
    [{ measurement: 'a1', payload: 'text' }, [{ value: 'text' }]],
    [{ measurement: 'a2', payload: true }, [{ value: true }]],
    [{ measurement: 'a3', payload: { x: 1.5, y: '7i', time: ms } }, [{ x: 1.5, y: 7, time: ns }]],
    [
      { measurement: 'a4', payload: [{ x: 1, time: ms }, { l: 'a' }] },
      [{ x: 1, l: 'a', time: ns }],
    ],
    [
      {
        measurement: 'a5',
        payload: [
          [{ x: 1, time: ms }, { l: 'a' }],
          [{ x: 2, time: ms }, { l: 'b' }],
        ],
      },
      [
        { x: 1, l: 'a', time: ns },
        { x: 2, l: 'b', time: ns },
      ],
    ],
    [
      {
        payload: [
          { measurement: 'a6', fields: { x: 1 }, tags: { l: 'a' }, timestamp: new Date(ms) },
          { measurement: 'a6', fields: { x: 2 }, tags: { l: 'b' }, timestamp: ms },
        ],
      },
      [
        { x: 1, l: 'a', time: ns },
        { x: 2, l: 'b', time: ns },
      ],
    ],
    [
      { measurement: 'a7', payload: { x: 1, time: 1763688000 }, precision: 's' },
      [{ x: 1, time: '1763688000000000000' }],
    ],
    [
      { measurement: 'a8', device, timestamp: ms, scan: 'fast', payload: { 'volts/l1': 230.1 } },
      [{ asset: 'meter-1', line: 'l1', volts_l1: 230.1, time: ns }],
    ],
  ];
}

test('busbar-influx-out: each form of a message', { skip: lacks('influxd') }, async (t) => {
  const influx = await startInflux1(t, { databases: ['plant'] });
  const flow = await load(t, [
    RUNTIME,
    {
      ...{ id: 'db', type: 'busbar-influxdb', sinkId: 'hist', version: '1', url: influx.url },
      ...{ database: 'plant', batchAge: '100ms' },
    },
    { id: 'to', type: 'busbar-influx-out', sink: 'db', measurement: '', wires: [] },
    { id: 'own', type: 'busbar-influx-out', sink: 'db', measurement: 'node', wires: [] },
  ]);
  await flow.waitFor('stated', ({ status: { busbar } }) => busbar?.state === 'ready');
  const rows = makeRows();
  for (const [msg] of rows) flow.send('to', msg);
  flow.send('own', { payload: { x: 1 } });
  const select = (/** @type {string} */ name) => influx.query('plant', `SELECT * FROM ${name}`);
  await waitFor(async () => (await select('node')).length === 1, { what: 'the last one' });
  assert.deepEqual(flow.messages.caught, []);
  for (const [msg, expected] of rows) {
    const name = msg.measurement ?? 'a6';
    const found = (await select(name)).map(({ time, ...row }) => ({ ...row, time: String(time) }));
    const withTime = expected.map((row, i) => ({ time: found[i]?.time, ...row }));
    assert.deepEqual(found, withTime, name);
  }
});

test(
  'InfluxDB 2, along a wire and by a message',
  { skip: lacks('victoria-metrics') },
  async (t) => {
    const victoria = await startVictoria(t);
    const sim = await startSim(t, ['generic/modbus']);
    await sim.tell('set voltage 231.5');
    const flow = await load(
      t,
      [
        RUNTIME,
        {
          ...{ id: 'conn', type: 'busbar-connection', protocol: 'modbus-tcp', host: '127.0.0.1' },
          port: String(sim.port),
        },
        {
          ...{
            id: 'dev',
            type: 'busbar-device',
            deviceId: 'meter-1',
            connection: 'conn',
            unit: '1',
          },
          ...{ profileType: 'bundled', profile: 'generic/modbus', enabled: true },
          ...{ tags: [{ key: 'line', value: 'l1' }], scans: [{ scan: 'fast', period: '500ms' }] },
        },
        {
          ...{ id: 'in', type: 'busbar-in', source: 'device', device: 'dev', mode: 'scan' },
          ...{ scans: 'fast', output: 'object', wires: [['to']] },
        },
        {
          ...{ id: 'db', type: 'busbar-influxdb', sinkId: 'hist', version: '2', url: victoria.url },
          ...{ org: 'plant', bucket: 'energy', batchAge: '100ms' },
        },
        { id: 'to', type: 'busbar-influx-out', sink: 'db', measurement: '', wires: [] },
      ],
      { db: { token: 'any' } },
    );
    await flow.waitFor('stated', ({ status: { source, busbar } }) => {
      return source.id === 'to' && busbar?.state === 'ready';
    });
    flow.send('to', { measurement: 'shift', payload: [{ number: 3 }, { hall: 'h1' }] });
    const series = (/** @type {string} */ match) =>
      waitFor(async () => (await victoria.export(match))[0], { what: match });
    const wired = await series('{__name__="modbus_voltage"}');
    const { __name__: _name, db: _db, ...tags } = wired.metric;
    assert.deepEqual([wired.values[0], tags], [231.5, { asset: 'meter-1', line: 'l1' }]);
    const sent = await series('{__name__="shift_number"}');
    assert.deepEqual([sent.values, sent.metric.hall], [[3], 'h1']);
  },
);
