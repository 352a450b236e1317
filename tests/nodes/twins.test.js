/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Two busbar-runtime nodes for one data directory: the second says so, the first goes on. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { findTwins } = require('../../lib/twins');
const { tempDir, waitFor } = require('../support');
const { startSim } = require('../support/sim');
const { load } = require('./support/helper');
/* Without types. */
/** @type {(name: string) => any} */
const requireAny = require;
const helper = requireAny('node-red-node-test-helper');

const TEXT =
  /the data folder \S+ is that of the Busbar runtime "Hall 1": give this one another folder, or let/;

test('who runs stays, else who comes first; other folders do not matter', () => {
  const place = (/** @type {string} */ id, /** @type {string} */ directory, runs = false) => ({
    ...{ node: { id, name: id.toUpperCase() }, directory, runs },
  });
  const listTwins = (/** @type {ReturnType<typeof place>[]} */ ...places) =>
    [...findTwins(places)].map(([id, { first }]) => `${id} of ${first}`);
  assert.deepEqual(listTwins(place('a', '/1'), place('b', '/2')), []);
  assert.deepEqual(listTwins(place('a', '/1'), place('b', '/1')), ['b of a']);
  assert.deepEqual(listTwins(place('a', '/1'), place('b', '/1', true)), ['a of b']);
  const many = [place('a', '/1'), place('b', '/2'), place('c', '/1'), place('d', '/1')];
  assert.deepEqual(listTwins(...many), ['c of a', 'd of a']);
});

test('a second runtime node for the same folder says so, and the first goes on', async (t) => {
  const sims = [await startSim(t, ['generic/modbus']), await startSim(t, ['generic/modbus'])];
  const meter = (/** @type {number} */ n) => [
    {
      ...{ id: `rt${n}`, type: 'busbar-runtime', name: `Hall ${n}`, metrics: 'off', mode: 'spawn' },
      ...{ dataDir: n === 3 ? tempDir(t) : '' },
    },
    {
      ...{ id: `conn${n}`, type: 'busbar-connection', protocol: 'modbus-tcp', host: '127.0.0.1' },
      ...{ port: String(sims[(n - 1) % 2].port), runtime: `rt${n}` },
    },
    {
      ...{ id: `dev${n}`, type: 'busbar-device', deviceId: `meter-${n}`, connection: `conn${n}` },
      ...{ unit: '1', profileType: 'bundled', profile: 'generic/modbus', enabled: true },
      scans: [{ scan: 'fast', period: '200ms' }],
    },
    {
      ...{ id: `in${n}`, type: 'busbar-in', source: 'device', device: `dev${n}`, mode: 'scan' },
      ...{ output: 'object', wires: [[`out${n}`]] },
    },
    { id: `read${n}`, type: 'busbar-read', device: `dev${n}`, wires: [[`out${n}`]] },
    { id: `out${n}`, type: 'helper', wires: [] },
  ];
  const idle = { id: 'idle', type: 'busbar-runtime', name: 'Spare', mode: 'spawn' };
  const flow = await load(t, [...meter(1), ...meter(2), ...meter(3), idle]);
  await flow.waitFor('out1', ({ quality }) => !quality);
  /* Another folder is another runtime, beside the first. */
  await flow.waitFor('out3', ({ quality }) => !quality);
  /** @returns {{id: string, msg: any}[]} */
  const listTold = () => {
    const lines = helper.log().args.map((/** @type {any[]} */ [line]) => line);
    return lines.filter((/** @type {any} */ { msg }) => /is that of the Busbar runtime/.test(msg));
  };
  /* What nothing in the flows stands on has the log alone. */
  const told = await waitFor(() => listTold().length > 0 && listTold(), { what: 'the error' });
  assert.deepEqual(
    told.map(({ id }) => id),
    ['idle'],
  );
  assert.match(told[0].msg, TEXT);
  const { error } = await flow.waitFor('caught');
  assert.equal(error.source.id, 'rt2');
  assert.match(error.message, TEXT);
  await flow.waitFor(
    'stated',
    ({ status }) => status.source?.id === 'in2' && status.fill === 'red',
  );
  const caught = flow.messages.caught.map((msg) => msg.error.source.id);
  assert.deepEqual(caught, ['rt2', 'rt2'], 'once for each of its nodes');
  const refused = await flow.ask('read2', {}, 'caught');
  assert.match(refused.error.message, TEXT);
  const { length } = flow.messages.out1;
  await flow.waitFor('out1', () => true, length + 3);
  assert.equal(flow.messages.out2.length, 0);
  await flow.waitFor(
    'stated',
    ({ status }) => status.source?.id === 'in1' && status.fill === 'green',
  );
});
