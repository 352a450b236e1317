/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What deploys, faults and deaths of Node-RED and of the runtime do to the devices that are read: as
   little as can be. Times are those of the readings, as they arrive at a real broker by a direct route. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { lacks, startMosquitto, waitFor } = require('../support');
const { startBusbar } = require('../support/busbar');
const { listen } = require('../support/listener');
const { makeFlows, startMeters, startPalette } = require('./support/palette');

const MOSQUITTO = { skip: lacks('mosquitto') };
const PERIOD_MS = 1000;
/* A reading may come so much later than a period after the one before. */
const LATE_MS = 400;
const READ_ALL = 'b05ba70000000302';

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {import('./support/palette').FlowNode} FlowNode */

/** Meters whose fast scan goes to a broker by a direct route, and by messages to a debug node.
 * @param {TestContext} t @param {{extra?: FlowNode[], options?: object}} [more] */
async function startPlant(t, { extra = [], options = {} } = {}) {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url);
  const sims = await startMeters(t);
  const flows = (await makeFlows(['pm500-direct'], { sims, broker: broker.url }))
    .filter(({ type }) => type !== 'busbar-influxdb' && type !== 'busbar-influx-out')
    .map((node) =>
      node.id === READ_ALL ? { ...node, wires: [['b05ba70000000305', 'sink']] } : node,
    )
    .filter(({ id }) => id !== 'b05ba70000000304');
  const debug = {
    id: 'sink',
    type: 'function',
    z: 'b05ba70000000300',
    func: 'return null;',
    outputs: 0,
    libs: [],
    wires: [],
  };
  /** @type {FlowNode[]} */
  const all = [...flows, debug, ...extra];
  const palette = await startPalette(t, all, options);
  await goodMeters(palette);
  await waitFor(() => timesOf(listener, 'meter-1').length >= 3, { what: 'three readings' });
  return { palette, flows: all, sims, listener, broker };
}

/** @param {import('./support/palette').Palette} palette */
function goodMeters(palette) {
  return palette.waitForOverview(
    ({ devices }) =>
      devices.length === 3 && devices.every((/** @type {any} */ one) => one.state === 'good'),
    'all meters to be good',
  );
}

/** Times of the readings of a meter's fast scan. @param {import('../support/listener').Listener} listener
 * @param {string} meter */
function timesOf(listener, meter) {
  return listener.messages
    .filter(({ topic }) => topic === `plant/${meter}/fast`)
    .map(({ payload }) => payload.timestamp)
    .sort((a, b) => a - b);
}

/** No period is missing. @param {import('../support/listener').Listener} listener @param {string} meter
 * @param {number} [longestMs] */
function expectNoGap(listener, meter, longestMs = PERIOD_MS + LATE_MS) {
  const times = timesOf(listener, meter);
  assert.ok(times.length >= 3, `${meter}: only ${times.length} readings`);
  for (let i = 1; i < times.length; i++) {
    const gap = times[i] - times[i - 1];
    assert.ok(gap <= longestMs, `${meter}: ${gap} ms between two readings`);
  }
}

/** @param {number} pid */
function isAlive(pid) {
  return (
    fs.existsSync(`/proc/${pid}/stat`) &&
    !/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))
  );
}

/** @param {number} pid */
function countHandles(pid) {
  return fs.readdirSync(`/proc/${pid}/fd`).length;
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
  expectNoGap(listener, 'meter-1');
});

test('fifty deploys of three kinds leak nothing and disturb nobody', MOSQUITTO, async (t) => {
  const { palette, flows, sims, listener } = await startPlant(t);
  const pid = await palette.runtimePid();
  const nodeRed = palette.child.pid;
  const kinds = /** @type {const} */ (['full', 'nodes', 'flows']);
  const deploy = async (/** @type {number} */ i) => {
    const moved = flows.map((node) =>
      node.id === READ_ALL ? { ...node, name: `deploy ${i}` } : node,
    );
    await palette.deploy(moved, kinds[i % 3]);
  };
  for (let i = 0; i < 10; i++) await deploy(i);
  const before = {
    runtime: countHandles(pid),
    nodeRed: countHandles(nodeRed),
    rss: residentOf(nodeRed),
  };
  const { connections } = await sims[0].status();
  for (let i = 0; i < 50; i++) await deploy(i);
  await goodMeters(palette);
  await delay(3000);
  assert.equal(await palette.runtimePid(), pid, 'the same runtime');
  assert.equal((await sims[0].status()).connections, connections, 'the same connection');
  assert.ok(
    countHandles(pid) <= before.runtime + 2,
    `${countHandles(pid)} of ${before.runtime} handles`,
  );
  assert.ok(countHandles(nodeRed) <= before.nodeRed + 5);
  const grown = residentOf(nodeRed) - before.rss;
  assert.ok(grown < 60 * 1024, `Node-RED has grown by ${grown} KiB`);
  expectNoGap(listener, 'meter-1');
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
    for (const meter of ['meter-1', 'meter-2', 'meter-3']) expectNoGap(listener, meter);
  },
);

test('Node-RED killed: the runtime goes on, and the next one finds it', MOSQUITTO, async (t) => {
  const { palette, flows, listener, sims } = await startPlant(t);
  const pid = await palette.runtimePid();
  const { connections } = await sims[0].status();
  process.kill(palette.child.pid, 'SIGKILL');
  palette.child.asked = true;
  await palette.child.ended;
  await delay(2500);
  assert.ok(isAlive(pid), 'the runtime lingers');
  const { userDir, data } = palette;
  const next = await startPalette(t, flows, { userDir, data });
  assert.equal(await next.runtimePid(), pid);
  await goodMeters(next);
  await delay(1500);
  assert.equal((await sims[0].status()).connections, connections);
  expectNoGap(listener, 'meter-1');
});

test(
  'the whole process group signalled: an orderly end, and a start anew',
  MOSQUITTO,
  async (t) => {
    const { palette, flows } = await startPlant(t);
    const pid = await palette.runtimePid();
    process.kill(palette.child.pid, 'SIGTERM');
    palette.child.asked = true;
    process.kill(pid, 'SIGTERM');
    await palette.child.ended;
    await waitFor(() => !isAlive(pid), { what: 'the runtime to end' });
    const next = await startPalette(t, flows, { userDir: palette.userDir, data: palette.data });
    assert.notEqual(await next.runtimePid(), pid);
    await goodMeters(next);
  },
);

test('Node-RED ends in order: the runtime that it spawned goes with it', MOSQUITTO, async (t) => {
  const { palette } = await startPlant(t);
  const pid = await palette.runtimePid();
  await palette.stop();
  await waitFor(() => !isAlive(pid), { what: 'the runtime to end', timeoutMs: 6000 });
});

test('the runtime killed: back within two seconds, one status meanwhile', MOSQUITTO, async (t) => {
  const { palette, listener } = await startPlant(t);
  const pid = await palette.runtimePid();
  const killedAt = Date.now();
  process.kill(pid, 'SIGKILL');
  await palette.runtimePid(pid);
  assert.ok(Date.now() - killedAt < 2000, `back after ${Date.now() - killedAt} ms`);
  await goodMeters(palette);
  await delay(1500);
  expectNoGap(listener, 'meter-1', 4000);
  const lines = palette.child.lines.filter((line) => /busbar: .*(gone|ended|lost)/.test(line));
  assert.ok(lines.length >= 1 && lines.length <= 2, lines.join('\n'));
});

test(
  'a runtime of its own: nothing happens to it, whatever Node-RED does',
  MOSQUITTO,
  async (t) => {
    const { palette, flows } = await startPlant(t);
    const { data, userDir } = palette;
    await palette.stop();
    const service = startBusbar(t, ['run', '--data', data]);
    await waitFor(() => fs.existsSync(`${data}/busbar.sock`), { what: 'the socket' });
    const attached = flows.map((node) =>
      node.type === 'busbar-runtime' ? { ...node, mode: 'attach' } : node,
    );
    const next = await startPalette(t, attached, { userDir, data, ownRuntime: true });
    assert.equal(await next.runtimePid(), service.pid);
    await goodMeters(next);
    await next.stop();
    await delay(500);
    assert.ok(service.running);
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
  expectNoGap(listener, 'meter-1', 6000);
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
    expectNoGap(listener, 'meter-1', 2500);
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

test('a device that only a direct route reads is told as lost and back', MOSQUITTO, async (t) => {
  const event = {
    ...{ id: 'ev', type: 'busbar-event', z: 'b05ba70000000300', x: 1, y: 1, devices: '' },
    ...{ deviceEvents: true, sinkEvents: false, runtimeEvents: false, wires: [['say']] },
  };
  const say = {
    ...{ id: 'say', type: 'function', z: 'b05ba70000000300', x: 2, y: 1, outputs: 1, libs: [] },
    ...{ func: 'return { topic: `event/${msg.payload.event}`, payload: msg.payload };' },
    wires: [['b05ba70000000305']],
  };
  const { listener, sims, palette, flows } = await startPlant(t, { extra: [event, say] });
  const direct = flows.map((node) =>
    node.id === READ_ALL ? { ...node, wires: [['b05ba70000000305']] } : node,
  );
  await palette.deploy(direct);
  await goodMeters(palette);
  await sims[1].stop('SIGKILL');
  const lost = await listener.waitFor(({ topic }) => topic === 'event/lost', { what: 'the loss' });
  assert.equal(lost.payload.device, 'meter-2');
});
