/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What deploys and flows that misbehave do to the devices that are read: as little as can be. */
/* alone: yes */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { REPO } = require('../../scripts/files');
const { lacks, tempDir } = require('../support');
const { METERS, PERIOD_MS, READ_ALL } = require('./support/life_plant');
const {
  countMissed,
  expectNoGap,
  goodMeters,
  readingAfter,
  startPlant,
} = require('./support/life_plant');
const { listSpawned } = require('./support/runtimes');

const MOSQUITTO = { skip: lacks('mosquitto') };

/** @param {number} pid */
function countHandles(pid) {
  return fs.readdirSync(`/proc/${pid}/fd`).length;
}

/** How many processes it has started that live. @param {number} pid */
function countChildren(pid) {
  const tasks = fs.readdirSync(`/proc/${pid}/task`);
  const lists = tasks.map((task) =>
    fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '),
  );
  return lists.flat().filter(Boolean).length;
}

/** Serves how many listeners there are, as a node file of a user directory.
 * @param {import('node:test').TestContext} t @returns {string} The user directory. */
function makeCounting(t) {
  const userDir = path.join(tempDir(t), 'node-red');
  const place = path.join(userDir, 'nodes');
  fs.mkdirSync(place, { recursive: true });
  fs.writeFileSync(path.join(place, 'listeners.html'), '');
  const script = `module.exports = (RED) => {
    const hub = require(${JSON.stringify(path.join(REPO, 'lib/hub'))}).of(RED);
    const count = (emitter) =>
      emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
    RED.httpAdmin.get('/listeners', (_request, response) => {
      const plants = [...hub.plants.values()].flatMap((plant) => [plant, plant.runtime]);
      response.json([RED.events, hub, process, ...plants].map(count));
    });
  };`;
  fs.writeFileSync(path.join(place, 'listeners.js'), script);
  return userDir;
}

/** @param {number} pid In KiB. */
function residentOf(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

test('a deploy that changes one device leaves the others alone', MOSQUITTO, async (t) => {
  const { palette, flows, sims, listener } = await startPlant(t);
  const before = await Promise.all(sims.map((sim) => sim.status()));
  for (const port of ['5s', '6s', '7s']) {
    const changed = flows.map((node) =>
      node.deviceId === 'meter-2' ? { ...node, scans: [{ scan: 'slow', period: port }] } : node,
    );
    await palette.deploy(changed, 'nodes');
    await delay(700);
  }
  const connection = flows.find(({ name }) => name === 'Meter 3');
  const moved = flows.map((node) =>
    node.id === connection?.id ? { ...node, timeout: '2s' } : node,
  );
  await palette.deploy(moved, 'full');
  await goodMeters(palette);
  await delay(2500);
  const after = await Promise.all(sims.map((sim) => sim.status()));
  const connects = after.map(({ connections }, i) => connections - before[i].connections);
  assert.deepEqual(connects, [0, 0, 1], 'only the connection that was changed was made anew');
  const missed = await countMissed(t, palette.data);
  expectNoGap(listener, 'meter-1', { missed: missed.get('meter-1') });
});

/** What may grow by deploys. @param {import('./support/palette').Palette} palette @param {number} pid */
async function takeStock(palette, pid) {
  const nodeRed = palette.child.pid;
  const listeners = await (await fetch(`${palette.url}/listeners`)).json();
  return {
    listeners: /** @type {number[]} */ (listeners),
    children: countChildren(nodeRed),
    spawned: listSpawned(palette.data),
    handles: { runtime: countHandles(pid), nodeRed: countHandles(nodeRed) },
    rss: { runtime: residentOf(pid), nodeRed: residentOf(nodeRed) },
  };
}

test('fifty deploys of three kinds leak nothing and disturb nobody', MOSQUITTO, async (t) => {
  const options = { userDir: makeCounting(t) };
  const { palette, flows, sims, listener } = await startPlant(t, { options });
  const pid = await palette.runtimePid();
  const kinds = /** @type {const} */ (['full', 'nodes', 'flows']);
  const deploy = async (/** @type {number} */ i) => {
    const moved = flows.map((node) =>
      node.id === READ_ALL ? { ...node, name: `deploy ${i}` } : node,
    );
    await palette.deploy(moved, kinds[i % 3]);
  };
  for (let i = 0; i < 10; i++) await deploy(i);
  const before = await takeStock(palette, pid);
  const { connections } = await sims[0].status();
  for (let i = 0; i < 50; i++) await deploy(i);
  await goodMeters(palette);
  for (const meter of METERS) await readingAfter(listener, meter, Date.now() + PERIOD_MS);
  assert.equal(await palette.runtimePid(), pid, 'the same runtime');
  assert.equal((await sims[0].status()).connections, connections, 'the same connection');
  const after = await takeStock(palette, pid);
  assert.deepEqual(after.listeners, before.listeners);
  assert.deepEqual(after.spawned, [pid]);
  assert.equal(after.children, before.children);
  const both = JSON.stringify([before, after]);
  assert.ok(after.handles.runtime <= before.handles.runtime + 2, both);
  assert.ok(after.handles.nodeRed <= before.handles.nodeRed + 5, both);
  const grown = (/** @type {'runtime' | 'nodeRed'} */ who) => after.rss[who] - before.rss[who];
  assert.ok(grown('nodeRed') < 60 * 1024, `Node-RED has grown by ${grown('nodeRed')} KiB`);
  assert.ok(grown('runtime') < 4 * 1024, `the runtime has grown by ${grown('runtime')} KiB`);
  const missed = await countMissed(t, palette.data);
  for (const meter of METERS) expectNoGap(listener, meter, { missed: missed.get(meter) });
  assert.doesNotMatch(palette.child.lines.join('\n'), /MaxListenersExceeded/);
});

test(
  'a flow that blocks Node-RED for two seconds does not disturb polling',
  MOSQUITTO,
  async (t) => {
    const block = [
      ...[
        {
          id: 'go',
          type: 'inject',
          z: 'b05ba70000000300',
          props: [],
          repeat: '',
          wires: [['spin']],
        },
      ],
      {
        ...{ id: 'spin', type: 'function', z: 'b05ba70000000300', outputs: 0, libs: [], wires: [] },
        func: 'const end = Date.now() + 2000; while (Date.now() < end);',
      },
    ];
    const { palette, listener } = await startPlant(t, { extra: block });
    for (let i = 0; i < 2; i++) {
      await palette.ask('/inject/go', { method: 'POST', body: '{}' });
      await delay(2500);
    }
    const missed = await countMissed(t, palette.data);
    for (const meter of METERS) expectNoGap(listener, meter, { missed: missed.get(meter) });
  },
);

test('what does not come to life: what ran before goes on', MOSQUITTO, async (t) => {
  const { palette, flows, sims, listener } = await startPlant(t);
  const { connections } = await sims[0].status();
  /* A type that is not installed holds up all of Node-RED's flows; ours says so and changes nothing. */
  const strange = { id: 'odd', type: 'not-installed', z: 'b05ba70000000300', wires: [] };
  await palette.deploy([...flows, strange]);
  await delay(1500);
  /* A mistake in one device: nothing of the deploy is applied. */
  const wrong = flows.map((node) =>
    node.deviceId === 'meter-2' ? { ...node, unit: '999' } : node,
  );
  await palette.deploy(wrong);
  const { runtime } = await palette.waitForOverview(
    ({ runtime: { mistakes } }) => mistakes.length > 0,
    'the mistake',
  );
  assert.match(runtime.mistakes[0].text, /devices\[meter-2\]\.unit: .*allowed/);
  assert.equal(runtime.mistakes[0].nodeId, 'b05ba70000000022');
  /* Two nodes that claim one device. */
  const twins = flows.map((node) =>
    node.deviceId === 'meter-2' ? { ...node, deviceId: 'meter-1' } : node,
  );
  await palette.deploy(twins);
  await palette.waitForOverview(
    ({ runtime: { mistakes } }) => mistakes.length === 2,
    'both mistakes',
  );
  await palette.deploy(flows);
  await palette.waitForOverview(
    ({ runtime: { refusal } }) => refusal === null,
    'all to be well again',
  );
  await delay(1200);
  assert.equal(
    (await sims[0].status()).connections,
    connections,
    'its connection has stood all the time',
  );
  expectNoGap(listener, 'meter-1', { longestMs: 6000 });
});

test(
  'a deploy that is refused leaves the wires as they run, and a deploy with a throw ends nothing',
  MOSQUITTO,
  async (t) => {
    const { palette, flows, listener } = await startPlant(t);
    /* The direct wire becomes one through a function, but another device has a mistake. */
    const through = flows.map((node) =>
      node.id === READ_ALL
        ? { ...node, wires: [['mid', 'sink']] }
        : node.deviceId === 'meter-2'
          ? { ...node, unit: '999' }
          : node,
    );
    const mid = {
      ...{ id: 'mid', type: 'function', z: 'b05ba70000000300', x: 1, y: 1, outputs: 1, libs: [] },
      ...{ func: 'return { topic: `through/${msg.device.id}`, payload: 1 };' },
      wires: [['b05ba70000000305']],
    };
    await palette.deploy([...through, mid]);
    await palette.waitForOverview(({ runtime: { refusal } }) => refusal !== null, 'the refusal');
    await delay(4500);
    expectNoGap(listener, 'meter-1', { longestMs: 2500 });
    const profile = {
      id: 'p',
      type: 'busbar-profile',
      name: 'broken',
      profile: '{"points":[null]}',
    };
    const own = flows.map((node) =>
      node.deviceId === 'meter-3' ? { ...node, profileType: 'node', profileNode: 'p' } : node,
    );
    await palette.deploy([...own, profile]);
    await delay(1000);
    assert.equal((await palette.overview()).runtime.state, 'up');
    await palette.deploy(flows);
    await palette.waitForOverview(({ runtime: { refusal } }) => refusal === null, 'all well again');
  },
);
