/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What goes wrong on the wire ends in the right quality, never in a wrong value, and is over by itself
   once the fault is. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { startMosquitto, waitFor } = require('../support');
const { listen } = require('../support/listener');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');

const POINT = 'value/1';
const VALUE = 230.1;

/** @typedef {import('../support/listener').Message} Message */

/** @param {Message} message */
function isGood({ payload }) {
  return payload.values?.[POINT] === VALUE && !payload.quality;
}

/* Faults, with commas between → what the quality of the points says meanwhile. */
/** @type {[string, RegExp][]} */
const FAULTS = [
  ['delay 2s', /no answer/],
  ['late 2s', /no answer/],
  ['silence', /no answer/],
  ['wrong-transaction', /no answer/],
  ['wrong-function', /makes no sense|no answer/],
  ['exception 1', /refused by the device/],
  ['exception 2', /refused by the device/],
  ['exception 3', /refused by the device/],
  ['exception 4', /fault of its own/],
  ['exception 5', /busy/],
  ['exception 6', /busy/],
  ['exception 8', /fault of its own/],
  ['exception 10', /gateway/],
  ['exception 11', /gateway|no answer/],
  ['close-on-request', /no answer|not connected/],
  ['drop, close', /no answer|not connected/],
  ['cut', /no answer|not connected|makes no sense/],
  ['short', /makes no sense/],
  ['garbage', /makes no sense|no answer|not connected/],
  ['oversize', /makes no sense|no answer|not connected/],
];

/* One runtime with a device per fault: each has a simulator of its own, so they do not mix. */
test('each fault ends in its quality and is recovered from', async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const sims = await Promise.all(FAULTS.map(() => startSim(t, ['generic/modbus-60'])));
  const options = {
    scan: { fast: '500ms' },
    tcp: { timeout: '200ms', reconnect_max: '1s' },
  };
  const meters = sims.map((sim, i) => describeMeter(`meter-${i}`, sim.port, options));
  await Promise.all(sims.map((sim) => sim.tell(`set ${POINT} ${VALUE}`)));
  const runtime = await startRuntime(t, {
    connections: meters.flatMap((meter) => meter.connections),
    devices: meters.flatMap((meter) => meter.devices),
    sinks: [{ id: 'bus', mqtt: { url: broker.url }, devices: ['*'] }],
  });
  await Promise.all(
    FAULTS.map(([fault, quality], i) =>
      t.test(`fault ${fault}`, async () => {
        const of = (/** @type {Message} */ { payload }) => payload.device === `meter-${i}`;
        await listener.waitFor((message) => of(message) && isGood(message), {
          what: `good values of meter-${i}`,
        });
        const from = listener.messages.length;
        for (const one of fault.split(', ')) await sims[i].tell(`fault ${one}`);
        const { payload } = await listener.waitFor(
          (message) => of(message) && quality.test(message.payload.quality?.[POINT] ?? ''),
          { from, what: `${quality} of meter-${i}`, timeoutMs: 15000 },
        );
        assert.equal(POINT in payload.values, false, 'no value beside a bad quality');
        const spoilt = listener.messages.length;
        await sims[i].tell('fault none');
        await listener.waitFor((message) => of(message) && isGood(message), {
          from: spoilt,
          what: `good values of meter-${i} again`,
          timeoutMs: 90000,
        });
        const values = listener.messages.filter(of).map(({ payload: p }) => p.values[POINT]);
        assert.deepEqual(
          [...new Set(values)].filter((value) => value !== undefined),
          [VALUE],
        );
      }),
    ),
  );
  assert.equal(runtime.program.running, true);
});

/* Which registers it refuses is learnt, and tried again after a reconnect at the latest. */
test('registers that are refused cost nothing of the others', async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const sim = await startSim(t, ['generic/modbus-60']);
  await sim.tell(`set ${POINT} ${VALUE}`);
  await startRuntime(t, {
    ...describeMeter('meter-1', sim.port, { scan: { fast: '200ms' } }),
    sinks: [{ id: 'bus', mqtt: { url: broker.url }, devices: ['*'] }],
  });
  await listener.waitFor(isGood, { what: 'good values' });
  const from = listener.messages.length;
  await sim.tell('fault exception 2 holding 0-1');
  const { payload } = await listener.waitFor(
    (message) =>
      Object.keys(message.payload.values).length === 59 &&
      Object.keys(message.payload.quality ?? {}).length === 1,
    { from, what: 'all values but one', timeoutMs: 15000 },
  );
  assert.deepEqual(payload.quality, { [POINT]: 'bad, refused by the device' });
  const spoilt = listener.messages.length;
  await sim.tell('fault none');
  await sim.tell('fault close');
  await listener.waitFor(isGood, { from: spoilt, what: 'good values again', timeoutMs: 30000 });
});

for (const fault of ['split 3', 'merge 50ms', 'close times 1', 'foreign-unit']) {
  test(`fault ${fault} costs no more than a poll`, async (t) => {
    const broker = await startMosquitto(t);
    const listener = await listen(t, broker.url, { topic: 'plant/#' });
    const sim = await startSim(t, ['generic/modbus-60']);
    await sim.tell(`set ${POINT} ${VALUE}`);
    await startRuntime(t, {
      ...describeMeter('meter-1', sim.port, { scan: { fast: '500ms' } }),
      sinks: [{ id: 'bus', mqtt: { url: broker.url }, devices: ['*'] }],
    });
    await listener.waitFor(isGood, { what: 'good values' });
    const from = listener.messages.length;
    await sim.tell(`fault ${fault}`);
    await waitFor(() => listener.messages.slice(from).filter(isGood).length >= 4, {
      what: 'four good batches with the fault',
      timeoutMs: 15000,
    });
    for (const { payload } of listener.messages) {
      if (POINT in payload.values) assert.equal(payload.values[POINT], VALUE);
    }
  });
}

test("on a shared connection an answer of another unit is nobody's", async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const sim = await startSim(t, ['generic/modbus-60', '--units', '1-2'], { devices: 2 });
  const [first, second] = [1, 2].map((unit) =>
    describeMeter(`unit-${unit}`, sim.port, { unit, scan: { fast: '500ms' } }),
  );
  await sim.tell(`set ${POINT} 1 unit 1`);
  await sim.tell(`set ${POINT} 2 unit 2`);
  await startRuntime(t, {
    connections: first.connections,
    devices: [...first.devices, { ...second.devices[0], connection: 'unit-1' }],
    sinks: [{ id: 'bus', mqtt: { url: broker.url }, devices: ['*'] }],
  });
  const of = (/** @type {number} */ unit) =>
    listener.messages.filter(({ payload }) => payload.device === `unit-${unit}`);
  await waitFor(() => of(1).length > 0 && of(2).length > 0, { what: 'both units' });
  const from = listener.messages.length;
  await sim.tell('fault foreign-unit unit 1');
  await listener.waitFor(
    ({ payload }) => payload.device === 'unit-1' && /no answer/.test(payload.quality?.[POINT]),
    { from, what: 'unit 1 without an answer' },
  );
  const now = of(2).length;
  await waitFor(() => of(2).length >= now + 3, { what: 'three more batches of unit 2' });
  for (const unit of [1, 2]) {
    const values = of(unit).map(({ payload }) => payload.values[POINT]);
    assert.deepEqual([...new Set(values)].filter(Boolean), [unit]);
  }
});
