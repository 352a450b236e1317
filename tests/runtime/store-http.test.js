/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Databases that stop, sleep, refuse, hang, crawl, break off and lose their answers: each number must be
   in them afterwards, under its time. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacks, tempDir, waitFor } = require('../support');
const { startCounter } = require('../support/counter');
const {
  DATABASES,
  checkRows,
  describeSite,
  findRepeated,
  numbersIn,
  openVictoriaOnce,
} = require('../support/database');
const { startHttpWay } = require('../support/http_way');
const { startRuntime } = require('../support/runtime');

/**
 * @typedef {import('../support/http_way').HttpWay} Way
 * @typedef {import('../support/counter').Counter} Counter
 */

/** Spoils the way, sends, waits until that was noticed, and puts it right.
 * @param {Way} way @param {Counter} counter @param {import('../support/http_way').Mode} mode */
async function suffer(way, counter, mode) {
  way.set(mode);
  await counter.send(200);
  await waitFor(() => way.asked > 0, { timeoutMs: 30000, what: `a request (${mode})` });
  await counter.send(200);
  way.set('pass');
  await counter.send(10);
  await counter.drained('hist');
}

for (const { name, open, skip } of DATABASES) {
  test(`${name}: what it is owed comes once it takes it again`, { skip }, async (t) => {
    const database = await open(t);
    const way = await startHttpWay(t, database.url);
    const runtime = await startRuntime(t, describeSite(database, way.url));
    const counter = await startCounter(t, runtime);
    await counter.send(100);
    await counter.drained('hist');
    for (const mode of /** @type {const} */ ([503, 'break', 'slow', 'hang'])) {
      await suffer(way, counter, mode);
      await checkRows(database, way, counter.last);
    }
    assert.deepEqual(findRepeated(way), [], 'nothing was acknowledged twice');
    await suffer(way, counter, 'lose');
    process.kill(database.program().pid, 'SIGSTOP');
    await counter.send(300);
    await counter.isReady('hist', false);
    process.kill(database.program().pid, 'SIGCONT');
    await counter.drained('hist');
    await checkRows(database, way, counter.last);
    assert.equal((await counter.sinks()).hist.dropped, 0);
  });

  test(`${name}: stopped, started, and refusing over two lives`, { skip }, async (t) => {
    const database = await open(t);
    const way = await startHttpWay(t, database.url);
    const data = tempDir(t);
    const config = describeSite(database, way.url);
    const first = await startRuntime(t, config, { data });
    const before = await startCounter(t, first);
    await before.send(100);
    await before.drained('hist');
    await database.stop();
    await before.send(300);
    await before.isReady('hist', false);
    await database.start();
    await before.send(10);
    await before.drained('hist');
    way.set(401);
    await before.send(300);
    await before.isReady('hist', false);
    const reason = (await before.sinks()).hist.reason;
    assert.match(reason, /401/);
    await before.send(200);
    await before.committed('hist', { payload: 'mark n=0' });
    await first.stop('SIGKILL');
    way.set('pass');
    const second = await startRuntime(t, config, { data });
    const after = await startCounter(t, second, { last: before.last });
    await after.send(50);
    await after.drained('hist');
    await checkRows(database, way, after.last);
    assert.deepEqual(findRepeated(way), []);
  });
}

test(
  'VictoriaMetrics keeps one where it is told to',
  { skip: lacks('victoria-metrics') },
  async (t) => {
    const database = await openVictoriaOnce(t);
    const way = await startHttpWay(t, database.url);
    const runtime = await startRuntime(t, describeSite(database, way.url));
    const counter = await startCounter(t, runtime);
    await suffer(way, counter, 'lose');
    assert.ok(numbersIn(way.written).length > counter.last, 'some were written twice');
    await checkRows(database, way, counter.last);
  },
);
