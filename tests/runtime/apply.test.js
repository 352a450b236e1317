/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A changed document and SIGHUP: what differs changes, what is the same does not notice, and a
   document with mistakes changes nothing. (What clients apply: socket-apply.test.js.) */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { startMosquitto, waitFor } = require('../support');
const { listen } = require('../support/listener');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */

/** Two meters with a simulator each, read into one broker. @param {TestContext} t */
async function startSite(t) {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const sims = [
    await startSim(t, ['generic/modbus-60', '--clients', 'any']),
    await startSim(t, ['generic/modbus-60', '--clients', 'any']),
  ];
  const meters = sims.map((sim, i) =>
    describeMeter(`meter-${i + 1}`, sim.port, { scan: { fast: '500ms' } }),
  );
  const runtime = await startRuntime(t, {
    connections: meters.flatMap((meter) => meter.connections),
    devices: meters.flatMap((meter) => meter.devices),
    sinks: [{ id: 'bus', mqtt: { url: broker.url }, devices: ['*'] }],
  });
  /** @param {string} device */
  const hear = (device) => {
    const from = listener.messages.length;
    return listener.waitFor(({ payload }) => payload.device === device && !payload.quality, {
      from,
      what: `good values of ${device}`,
    });
  };
  await Promise.all([hear('meter-1'), hear('meter-2')]);
  /** Changes the document and has it read. @param {(config: any) => void} change */
  const change = (change) => {
    const config = JSON.parse(fs.readFileSync(runtime.file, 'utf8'));
    change(config);
    fs.writeFileSync(runtime.file, JSON.stringify(config, null, 2));
    runtime.program.child.kill('SIGHUP');
  };
  const applies = () => runtime.metric('busbar_config_applies_total');
  return { broker, listener, sims, runtime, hear, change, applies };
}

test('a device that is not changed keeps its connection, and so does a sink', async (t) => {
  const { sims, runtime, hear, change, applies } = await startSite(t);
  const connects = (/** @type {string} */ id) =>
    runtime.metric('busbar_connection_connects_total', { connection: id });
  const polls = await runtime.metric('busbar_scan_polls_total', { device: 'meter-1' });
  change((config) => {
    config.devices[1].scan.fast = '1s';
    config.connections[1]['modbus-tcp'].timeout = '700ms';
  });
  await waitFor(async () => (await applies()) === 2, { what: 'the second document' });
  await Promise.all([hear('meter-1'), hear('meter-2')]);
  assert.equal((await sims[0].status()).connections, 1, 'meter-1 was connected to once');
  assert.equal((await sims[1].status()).connections, 2, 'meter-2 was connected to again');
  assert.equal(await connects('meter-1'), 1);
  const now = await runtime.metric('busbar_scan_polls_total', { device: 'meter-1' });
  assert.ok(now > polls, 'its counters went on');
  assert.equal(runtime.log.match(/\bbus: connected/g)?.length, 1, runtime.log);
});

test('a device that is gone is let go, one that is new is read', async (t) => {
  const { listener, sims, hear, change, applies } = await startSite(t);
  change((config) => {
    config.devices[0].enabled = false;
    config.devices[1].id = 'meter-3';
  });
  await waitFor(async () => (await applies()) === 2, { what: 'the second document' });
  await waitFor(async () => (await sims[0].status()).clients === 0, {
    what: 'the connection to meter-1 to be closed',
  });
  await hear('meter-3');
  const from = listener.messages.length;
  await hear('meter-3');
  await hear('meter-3');
  const devices = listener.messages.slice(from).map(({ payload }) => payload.device);
  assert.deepEqual([...new Set(devices)], ['meter-3']);
});

test('a sink that is changed while its broker is away keeps what it has not sent', async (t) => {
  const { broker, listener, runtime, hear, change, applies } = await startSite(t);
  await broker.stop();
  const waiting = () => runtime.metric('busbar_sink_queue_batches', { sink: 'bus' });
  await waitFor(async () => (await waiting()) >= 8, { what: 'eight batches that wait' });
  const depth = await waiting();
  change((config) => (config.sinks[0].mqtt.max_in_flight = 50));
  await waitFor(async () => (await applies()) === 2, { what: 'the second document' });
  assert.ok((await waiting()) >= depth, `${await waiting()} of ${depth} wait`);
  const dropped = await runtime.metric('busbar_sink_dropped_batches_total', { sink: 'bus' });
  assert.equal(dropped, 0);
  assert.ok(listener && hear);
});

test('five mistakes are all named, and what runs goes on', async (t) => {
  const { sims, runtime, hear, change, applies } = await startSite(t);
  change((config) => {
    config.devices[0].profile = 'generic/modbus-61';
    config.devices[1].connection = 'meter-9';
    config.devices[0].scans = {};
    config.connections[0]['modbus-tcp'].port = 70000;
    config.sinks[0].mqtt.qos = 3;
  });
  await runtime.program.waitForOutput(/modbus-61/);
  for (const word of [/meter-9/, /scans/, /port/, /qos/]) {
    await runtime.program.waitForOutput(new RegExp(`site\\.json:\\d+: .*${word.source}`));
  }
  await Promise.all([hear('meter-1'), hear('meter-2')]);
  assert.equal(await applies(), 1);
  for (const sim of sims) assert.equal((await sim.status()).connections, 1);
  change((config) => {
    config.devices[0].profile = config.devices[1].profile = 'generic/modbus-60';
    config.devices[1].connection = 'meter-2';
    delete config.devices[0].scans;
    config.connections[0]['modbus-tcp'].port = sims[0].port;
    config.sinks[0].mqtt.qos = 0;
  });
  await waitFor(async () => (await applies()) === 2, { what: 'the document put right' });
  await Promise.all([hear('meter-1'), hear('meter-2')]);
});
