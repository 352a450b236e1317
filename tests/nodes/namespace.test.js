/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A container that is taken away: when the first process of a PID namespace dies, the kernel kills all
   others in it, the runtime among them, wherever it put itself. What it had committed is sent by the
   next one. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { lacks, startMosquitto, waitFor } = require('../support');
const { listen } = require('../support/listener');
const { makeFlows, startMeters, startPalette } = require('./support/palette');

const NAMESPACE = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--mount-proc'];
const PERIOD_MS = 1000;
/* How long a reading may wait for the disk: the sync interval, and what the machine needs. */
const SYNC_MS = 1500;

function skip() {
  if (lacks('mosquitto')) return lacks('mosquitto');
  const [command, ...args] = [...NAMESPACE, 'true'];
  return spawnSync(command, args).status === 0 ? false : 'no namespaces can be made here';
}

/** Times of the fast readings of a meter, in their order. @param {import('../support/listener').Listener} listener */
function timesOf({ messages }) {
  return messages
    .filter(({ topic }) => topic === 'plant/meter-1/fast')
    .map(({ payload }) => payload.timestamp)
    .sort((a, b) => a - b);
}

test('a PID namespace torn down: what was committed arrives', { skip: skip() }, async (t) => {
  const broker = await startMosquitto(t);
  const before = await listen(t, broker.url);
  const sims = await startMeters(t);
  const flows = (await makeFlows(['pm500-direct'], { sims, broker: broker.url })).filter(
    ({ type }) => type !== 'busbar-influxdb' && type !== 'busbar-influx-out',
  );
  /* Process ids in there mean others out here, so that nobody may end it by its id. */
  const wrap = [...NAMESPACE, '--kill-child'];
  const palette = await startPalette(t, flows, { ownRuntime: true, wrap });
  await waitFor(() => timesOf(before).length >= 2, { what: 'readings' });
  await broker.stop();
  const lastLive = timesOf(before).at(-1) ?? 0;
  await delay(4000);
  process.kill(palette.child.pid, 'SIGKILL');
  palette.child.asked = true;
  await palette.child.ended;
  const killed = Date.now();
  await waitFor(async () => (await sims[0].status()).clients === 0, {
    what: 'the runtime to be gone',
  });

  await broker.start();
  const after = await listen(t, broker.url);
  const { userDir, data } = palette;
  await startPalette(t, flows, { userDir, data });
  const committed = () => timesOf(after).filter((time) => time < killed - SYNC_MS);
  await waitFor(() => committed().length >= 2 && timesOf(after).some((time) => time > killed), {
    what: 'what was committed, and live readings',
  });
  const all = [lastLive, ...committed().filter((time) => time > lastLive)];
  for (let i = 1; i < all.length; i++) {
    assert.ok(all[i] - all[i - 1] < 1.5 * PERIOD_MS, `a gap of ${all[i] - all[i - 1]} ms`);
  }
  assert.ok(killed - SYNC_MS - (all.at(-1) ?? 0) < 1.5 * PERIOD_MS, 'up to the sync interval');
});
