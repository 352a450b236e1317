/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What busbar-write takes, and each outcome, at the node itself. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { waitFor } = require('../support');
const { startSim } = require('../support/sim');
const { load } = require('./support/helper');

/* The runtime takes a command to a device each 100 ms. */
const APART_MS = 120;

test('busbar-write: forms of a value, and each outcome', async (t) => {
  const sim = await startSim(t, ['generic/modbus']);
  const write = { type: 'busbar-write', device: 'dev', notAfter: '5s', wires: [['out']] };
  const flow = await load(t, [
    { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' },
    {
      ...{ id: 'conn', type: 'busbar-connection', protocol: 'modbus-tcp', host: '127.0.0.1' },
      ...{ port: String(sim.port), timeout: '500ms', maxInFlight: '1' },
    },
    {
      ...{ id: 'dev', type: 'busbar-device', deviceId: 'meter-1', connection: 'conn', unit: '1' },
      ...{ profileType: 'bundled', profile: 'generic/modbus', enabled: true, tags: [], scans: [] },
    },
    { ...write, id: 'free', point: '' },
    { ...write, id: 'set', point: 'limit' },
    { ...write, id: 'soon', point: 'limit', notAfter: '100ms' },
    { id: 'read', type: 'busbar-read', device: 'dev', scans: '', wires: [['read-back']] },
    { id: 'out', type: 'helper', wires: [] },
    { id: 'read-back', type: 'helper', wires: [] },
  ]);
  await flow.waitFor('stated', ({ status: { source, text } }) => {
    return source.id === 'free' && text === 'ready';
  });
  const ask = async (/** @type {string} */ id, /** @type {object} */ msg) => {
    await delay(APART_MS);
    return (await flow.ask(id, msg)).outcome;
  };
  /** @type {[string, object, Record<string, any>][]} */
  const rows = [
    ['set', { payload: { value: 5 } }, { limit: 5 }],
    ['set', { payload: 7.5, point: 'schedule/power' }, { limit: 7.5 }],
    ['free', { payload: 12, point: 'limit' }, { limit: 12 }],
    ['free', { payload: { value: 13 }, point: 'limit' }, { limit: 13 }],
    ['free', { payload: { limit: 14 } }, { limit: 14 }],
    ['free', { payload: true, point: 'relay/1' }, { 'relay/1': true }],
    ['free', { payload: { 'relay/1': false } }, { 'relay/1': false }],
    ['free', { payload: 'Hall 7', point: 'remark' }, { remark: 'Hall 7' }],
  ];
  for (const [id, msg, measured] of rows) {
    const outcome = await ask(id, msg);
    assert.equal(outcome.state, 'confirmed', JSON.stringify([msg, outcome]));
    assert.deepEqual(outcome.measured, measured);
  }
  flow.send('read', {});
  const { payload } = await flow.waitFor('read-back', (msg) => 'remark' in msg.payload);
  assert.equal(payload.remark, 'Hall 7');

  /* It waits behind a read that is under way until its time is over. */
  await sim.tell('fault delay 400ms');
  const { requests } = await sim.status();
  flow.send('read', {});
  await waitFor(async () => (await sim.status()).requests > requests, { what: 'the read' });
  const expired = await ask('soon', { payload: 21 });
  assert.equal(expired.state, 'expired', JSON.stringify(expired));
  assert.match(expired.reason, /not sent/);
  await sim.tell('fault none');
  await flow.waitFor('read-back', () => true, 2);

  /* Sent, and nobody answers: it may have happened. */
  await sim.tell('fault silence');
  const unknown = await ask('set', { payload: 20 });
  assert.deepEqual([unknown.state, unknown.device], ['unknown', 'meter-1']);
  assert.match(unknown.reason, /sent, and may have been written: no answer/);
});
