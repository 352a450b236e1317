/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the ends and deaths of Node-RED, of the runtime and of a device do to the devices that are read: as
   little as can be. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { lacks, waitFor } = require('../support');
const { startBusbar } = require('../support/busbar');
const { READ_ALL, expectNoGap, goodMeters, startPlant } = require('./support/life_plant');
const { startPalette } = require('./support/palette');

const MOSQUITTO = { skip: lacks('mosquitto') };

/** @param {number} pid */
function isAlive(pid) {
  return (
    fs.existsSync(`/proc/${pid}/stat`) &&
    !/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))
  );
}

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
