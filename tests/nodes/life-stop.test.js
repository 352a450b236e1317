/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Flows that a person stops, a device that is disabled, and a deploy into a runtime that is starting anew:
   two meters in a real Node-RED, and how often each of them is asked. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { waitFor } = require('../support');
const { startSim } = require('../support/sim');
const { connectSocket } = require('../support/socket');
const { startPalette } = require('./support/palette');

/* Node-RED offers to stop flows where its settings allow it. */
const SETTINGS = { runtimeState: { enabled: true, ui: true } };
const PERIOD_MS = 500;

/** @typedef {import('../support/sim').Sim} Sim */
/** @typedef {{palette: import('./support/palette').Palette, flows: any[], sims: Sim[]}} Place */

/** @param {Sim[]} sims */
function makeFlows(sims) {
  const meters = sims.flatMap(({ port }, i) => [
    {
      ...{ id: `conn-${i}`, type: 'busbar-connection', protocol: 'modbus-tcp', host: '127.0.0.1' },
      port: String(port),
    },
    {
      ...{ id: `dev-${i}`, type: 'busbar-device', deviceId: `meter-${i}`, unit: '1', tags: [] },
      ...{ connection: `conn-${i}`, profileType: 'bundled', profile: 'generic/modbus' },
      ...{ enabled: true, scans: [{ scan: 'fast', period: `${PERIOD_MS}ms` }] },
    },
  ]);
  return [
    { id: 'tab', type: 'tab', label: 'stop' },
    { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' },
    ...meters,
    {
      ...{ id: 'in', type: 'busbar-in', z: 'tab', source: 'all', mode: 'scan', output: 'object' },
      ...{ x: 1, y: 1, wires: [['sink']] },
    },
    { id: 'sink', type: 'function', z: 'tab', func: '', outputs: 0, libs: [], wires: [] },
  ];
}

/** @param {import('node:test').TestContext} t @returns {Promise<Place>} */
async function startMeters(t) {
  const sims = [await startSim(t, ['generic/modbus']), await startSim(t, ['generic/modbus'])];
  const flows = makeFlows(sims);
  const palette = await startPalette(t, flows, { settings: SETTINGS });
  await goodDevices(palette, ['meter-0', 'meter-1']);
  return { palette, flows, sims };
}

/** @param {Place['palette']} palette @param {string[]} ids All that there are. */
function goodDevices(palette, ids) {
  const fits = (/** @type {any} */ { devices }) =>
    devices.map((/** @type {any} */ { id }) => id).join() === ids.join() &&
    devices.every((/** @type {any} */ { state }) => state === 'good');
  return palette.waitForOverview(fits, `${ids} to be good`);
}

/** @param {Sim} sim */
async function requestsTo(sim) {
  return (await sim.status()).requests;
}

/** Nothing is asked of it for some periods. @param {Sim} sim */
async function expectRest(sim) {
  /* What was under way ends. */
  await delay(PERIOD_MS);
  const before = await requestsTo(sim);
  await delay(4 * PERIOD_MS);
  assert.equal(await requestsTo(sim), before, 'it is read all the same');
}

/** @param {Sim} sim */
async function expectReading(sim) {
  const before = await requestsTo(sim);
  await waitFor(async () => (await requestsTo(sim)) > before + 2, { what: 'it to be read' });
}

/** @param {import('node:test').TestContext} t @param {Place} place */
async function stopAndStart(t, { palette, sims }) {
  const setFlows = (/** @type {'stop' | 'start'} */ state) =>
    palette.ask('/flows/state', { method: 'POST', body: JSON.stringify({ state }) });
  const client = await connectSocket(t, palette.data);
  const points = [{ name: 'limit', value: 12.5 }];
  const write = () => client.must('write', { device: 'meter-0', points, not_after_ms: 5000 });
  const pid = await palette.runtimePid();
  const before = await Promise.all(sims.map((sim) => sim.status()));

  await setFlows('stop');
  await palette.waitForOverview(({ runtime: { paused } }) => paused, 'polling to rest');
  await Promise.all(sims.map(expectRest));
  const refused = await write();
  assert.equal(refused.outcome, 'refused');
  assert.match(refused.reason, /the runtime is paused, and nothing is written meanwhile/);

  await setFlows('start');
  await palette.waitForOverview(({ runtime: { paused } }) => !paused, 'polling to go on');
  await Promise.all(sims.map(expectReading));
  assert.equal((await write()).outcome, 'confirmed');
  assert.equal(await palette.runtimePid(), pid, 'the same runtime');
  const after = await Promise.all(sims.map((sim) => sim.status()));
  assert.deepEqual(
    after.map(({ connections }) => connections),
    before.map(({ connections }) => connections),
    'the same connections',
  );
}

/** @param {Place} place */
async function disableOne({ palette, flows, sims }) {
  const off = flows.map((node) => (node.id === 'dev-1' ? { ...node, enabled: false } : node));
  await palette.deploy(off);
  await waitFor(async () => (await sims[1].status()).clients === 0, {
    what: 'the connection to be closed',
  });
  await Promise.all([expectRest(sims[1]), expectReading(sims[0])]);
  const { devices } = await palette.overview();
  assert.deepEqual(
    devices.map((/** @type {any} */ { id, state, text }) => [id, state, text]).at(-1),
    ['meter-1', 'disabled', 'device disabled'],
  );
  await palette.deploy(flows);
  await expectReading(sims[1]);
}

/** @param {Place} place */
async function deployWhileStarting({ palette, flows, sims }) {
  const pid = await palette.runtimePid();
  const renamed = flows.map((node) =>
    node.id === 'dev-1' ? { ...node, deviceId: 'meter-9' } : node,
  );
  process.kill(pid, 'SIGKILL');
  await palette.deploy(renamed);
  await palette.runtimePid(pid);
  const { runtime } = await goodDevices(palette, ['meter-0', 'meter-9']);
  assert.deepEqual([runtime.refusal, runtime.mistakes], [null, []]);
  await Promise.all(sims.map(expectReading));
}

test('stopped, disabled, starting', async (t) => {
  const place = await startMeters(t);
  await t.test('flows that a person stops: nothing is read or written until they start', () =>
    stopAndStart(t, place),
  );
  await t.test('a device that is disabled is left alone, the others go on', () =>
    disableOne(place),
  );
  await t.test('a deploy while the runtime starts anew is what runs in the end', () =>
    deployWhileStarting(place),
  );
});
