/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the ends and deaths of Node-RED, of the runtime and of a device do to the devices that are read: as
   little as can be. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { lacks, tempDir, waitFor } = require('../support');
const { startBusbar } = require('../support/busbar');
const { startProgram } = require('../support/program');
const { METERS, PERIOD_MS, READ_ALL, TAB, TO_BROKER } = require('./support/life_plant');
const { expectNoGap, goodMeters, readingAfter, startPlant } = require('./support/life_plant');
const { startPalette } = require('./support/palette');

const MOSQUITTO = { skip: lacks('mosquitto') };

/** @param {number} pid */
function isAlive(pid) {
  return (
    fs.existsSync(`/proc/${pid}/stat`) &&
    !/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))
  );
}

/** The process group. @param {number} pid */
function groupOf(pid) {
  const [, , group] = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(group);
}

/** Takes the lock of a data directory in the moment in which a runtime dies, and keeps it for a while.
 * @param {import('node:test').TestContext} t @param {string} data @param {number} seconds */
async function holdUp(t, data, seconds) {
  const args = [path.join(data, 'lock'), 'sleep', String(seconds)];
  const { pid } = startProgram(t, { command: 'flock', args });
  const waits = new RegExp(`-> FLOCK +ADVISORY +WRITE ${pid} `);
  await waitFor(() => waits.test(fs.readFileSync('/proc/locks', 'utf8')), {
    what: 'it to stand in line for the lock',
  });
}

/** What a node has shown so far. @param {import('./support/palette').Palette['child']} child */
function listStatuses(child) {
  /** @type {string[]} */
  const lines = [];
  const take = (/** @type {string} */ line) => {
    const [, status] = /STATUS (.*)/.exec(line) ?? [];
    if (status) lines.push(status);
  };
  child.lines.forEach(take);
  child.onLine(take);
  return (/** @type {string} */ id) => lines.filter((line) => line.startsWith(`${id} `));
}

/** What these nodes show, in the log of Node-RED. @param {string[]} scope */
function sayStatus(scope) {
  const func =
    'const { source, fill, text } = msg.status; node.warn(`STATUS ${source.id} ${fill}: ${text}`);';
  return [
    { id: 'shows', type: 'status', z: TAB, x: 1, y: 1, scope, wires: [['says']] },
    { id: 'says', type: 'function', z: TAB, x: 2, y: 1, outputs: 0, libs: [], func, wires: [] },
  ];
}

test('Node-RED killed: the runtime goes on, and the next one finds it', MOSQUITTO, async (t) => {
  const { palette, flows, listener, sims } = await startPlant(t);
  const pid = await palette.runtimePid();
  const { connections } = await sims[0].status();
  process.kill(palette.child.pid, 'SIGKILL');
  palette.child.asked = true;
  await palette.child.ended;
  await readingAfter(listener, 'meter-1', Date.now() + 2 * PERIOD_MS);
  assert.ok(isAlive(pid), 'the runtime lingers');
  const { userDir, data } = palette;
  const next = await startPalette(t, flows, { userDir, data });
  assert.equal(await next.runtimePid(), pid);
  await goodMeters(next);
  for (const meter of METERS) await readingAfter(listener, meter, Date.now());
  assert.equal((await sims[0].status()).connections, connections);
  for (const meter of METERS) expectNoGap(listener, meter);
});

test('the whole process group signalled: the runtime is not in it', MOSQUITTO, async (t) => {
  const { palette, flows, listener } = await startPlant(t);
  const pid = await palette.runtimePid();
  assert.notEqual(groupOf(pid), groupOf(palette.child.pid));
  palette.child.asked = true;
  process.kill(-palette.child.pid, 'SIGTERM');
  assert.match(await palette.child.ended, /exit code 0/);
  await waitFor(() => !isAlive(pid), { what: 'the runtime to end in order' });

  const next = await startPalette(t, flows, { userDir: palette.userDir, data: palette.data });
  const nextPid = await next.runtimePid();
  assert.notEqual(nextPid, pid);
  await goodMeters(next);
  const from = Date.now();
  next.child.asked = true;
  process.kill(-next.child.pid, 'SIGKILL');
  await next.child.ended;
  const after = from + 3 * PERIOD_MS;
  for (const meter of METERS) await readingAfter(listener, meter, after);
  assert.ok(isAlive(nextPid), 'the runtime lingers');
  for (const meter of METERS) expectNoGap(listener, meter, { fromMs: from - PERIOD_MS });
});

test('Node-RED ends in order: the runtime that it spawned goes with it', MOSQUITTO, async (t) => {
  const { palette } = await startPlant(t);
  const pid = await palette.runtimePid();
  await palette.stop();
  await waitFor(() => !isAlive(pid), { what: 'the runtime to end', timeoutMs: 6000 });
});

test('the runtime killed: back within two seconds, one status meanwhile', MOSQUITTO, async (t) => {
  const { palette, listener } = await startPlant(t, { extra: sayStatus([READ_ALL, TO_BROKER]) });
  const statuses = listStatuses(palette.child);
  const pid = await palette.runtimePid();
  const killedAt = Date.now();
  process.kill(pid, 'SIGKILL');
  const nextPid = await palette.runtimePid(pid);
  assert.ok(Date.now() - killedAt < 2000, `back after ${Date.now() - killedAt} ms`);
  await goodMeters(palette);
  for (const meter of METERS) await readingAfter(listener, meter, Date.now());
  expectNoGap(listener, 'meter-1', { longestMs: 4000 });
  const lines = palette.child.lines.filter((line) => /busbar: .*(gone|ended|lost)/.test(line));
  assert.ok(lines.length >= 1 && lines.length <= 2, lines.join('\n'));

  /* So soon that there may be nothing to see: dots change once a second. */
  const isGreen = (/** @type {string} */ id) => / green: /.test(statuses(id).at(-1) ?? '');
  const areGreen = () => isGreen(READ_ALL) && isGreen(TO_BROKER);
  await waitFor(areGreen, { what: 'both dots to be green' });
  const before = new Map([READ_ALL, TO_BROKER].map((id) => [id, statuses(id).length]));
  await holdUp(t, palette.data, 3);
  process.kill(nextPid, 'SIGKILL');
  await waitFor(() => !areGreen(), { what: 'the dots to tell of it' });
  await waitFor(areGreen, { what: 'both dots to be green again', timeoutMs: 15000 });
  for (const [id, count] of before) {
    /* On the way back to green the moment between may be seen. */
    const [first, ...others] = new Set(statuses(id).slice(count, -1));
    assert.equal(first, `${id} red: the runtime ended`);
    assert.deepEqual(
      others.filter((text) => !text.endsWith(' yellow: connecting')),
      [],
    );
  }
});

test('a runtime of its own: nothing happens, whatever Node-RED does', MOSQUITTO, async (t) => {
  const data = tempDir(t);
  const service = startBusbar(t, ['run', '--data', data]);
  await waitFor(() => fs.existsSync(`${data}/busbar.sock`), { what: 'the socket' });
  const options = { data, ownRuntime: true };
  const { palette, flows, listener, sims } = await startPlant(t, { mode: 'attach', options });
  assert.equal(await palette.runtimePid(), service.pid);
  const { connections } = await sims[0].status();
  const goesOn = async () => {
    const after = Date.now() + 3 * PERIOD_MS;
    for (const meter of METERS) await readingAfter(listener, meter, after);
  };
  await palette.stop();
  await goesOn();

  const next = await startPalette(t, flows, { ...options, userDir: palette.userDir });
  assert.equal(await next.runtimePid(), service.pid);
  await goodMeters(next);
  process.kill(next.child.pid, 'SIGKILL');
  next.child.asked = true;
  await next.child.ended;
  await goesOn();
  assert.ok(service.running);
  assert.equal((await sims[0].status()).connections, connections);
  for (const meter of METERS) expectNoGap(listener, meter);
});

test('a device that only a direct route reads is told as lost and back', MOSQUITTO, async (t) => {
  const event = {
    ...{ id: 'ev', type: 'busbar-event', z: TAB, x: 1, y: 1, devices: '' },
    ...{ deviceEvents: true, sinkEvents: false, runtimeEvents: false, wires: [['say']] },
  };
  const say = {
    ...{ id: 'say', type: 'function', z: TAB, x: 2, y: 1, outputs: 1, libs: [] },
    ...{ func: 'return { topic: `event/${msg.payload.event}`, payload: msg.payload };' },
    wires: [[TO_BROKER]],
  };
  const { listener, sims, palette, flows } = await startPlant(t, { extra: [event, say] });
  const direct = flows.map((node) =>
    node.id === READ_ALL ? { ...node, wires: [[TO_BROKER]] } : node,
  );
  await palette.deploy(direct);
  await goodMeters(palette);
  await sims[1].stop('SIGKILL');
  const lost = await listener.waitFor(({ topic }) => topic === 'event/lost', { what: 'the loss' });
  assert.equal(lost.payload.device, 'meter-2');
});
