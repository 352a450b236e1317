/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* busbar-decode and busbar-line, which need no runtime. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { load } = require('./support/helper');

const OUT = { id: 'out', type: 'helper', wires: [] };

test('busbar-decode: by type and by profile, without a runtime', async (t) => {
  const own = JSON.stringify({
    id: 'own',
    points: [{ name: 'v', type: 'float32', holding: 10, order: 'CDAB' }],
  });
  const flow = [
    { id: 'p', type: 'busbar-profile', name: 'own', profile: own },
    { id: 'd1', type: 'busbar-decode', valueType: 'int32', wordOrder: 'CDAB', wires: [['out']] },
    {
      id: 'd2',
      type: 'busbar-decode',
      profileType: 'node',
      profileNode: 'p',
      address: '10',
      table: 'holding',
      wires: [['out']],
    },
    { id: 'd3', type: 'busbar-decode', profileType: 'bundled', profile: 'nope', wires: [['out']] },
    OUT,
  ];
  const nodes = await load(t, flow);
  assert.deepEqual((await nodes.ask('d2', { payload: [0x199a, 0x4366] })).payload, { v: 230.1 });
  assert.deepEqual((await nodes.ask('d2', { payload: Buffer.from('199a4366', 'hex') })).payload, {
    v: 230.1,
  });
  assert.match(
    (await nodes.ask('d2', { payload: 'x' }, 'caught')).error.message,
    /neither a list of registers nor a Buffer/,
  );
  assert.match(
    (await nodes.ask('d3', { payload: [1] }, 'caught')).error.message,
    /no profile "nope"/,
  );
  assert.deepEqual((await nodes.ask('d1', { payload: [1, 2, 3, 4] })).payload, [131073, 262147]);
});

test('busbar-line: values become lines', async (t) => {
  const flow = [
    {
      id: 'l',
      type: 'busbar-line',
      measurement: 'm',
      precision: 's',
      tags: [{ key: 'site', value: 'x y' }],
      wires: [['out']],
    },
    OUT,
  ];
  const nodes = await load(t, flow);
  const msg = await nodes.ask('l', {
    payload: [{ a: 1.5, b: '2i', time: 1763688000 }, { line: 'l1' }],
  });
  assert.equal(msg.payload, 'm,line=l1,site=x\\ y a=1.5,b=2i 1763688000');
  assert.match((await nodes.ask('l', { payload: {} }, 'caught')).error.message, /without a field/);
});
