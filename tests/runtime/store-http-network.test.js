/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A network to a database that is reset, cut without a word, and flaps: each number must be in it
   afterwards, under its time. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { waitFor } = require('../support');
const { startCounter } = require('../support/counter');
const { DATABASES, checkRows, describeSite, numbersIn } = require('../support/database');
const { startForwarder } = require('../support/forwarder');
const { startHttpWay } = require('../support/http_way');
const { startRuntime } = require('../support/runtime');

const LONG = Boolean(process.env.BUSBAR_LONG);
const FLAPS = LONG ? 15 : 3; /* of 2 s down and 2 s up */
const RESETS = LONG ? 10 : 3;
const FLAP_MS = 2000;

/** A database, a network to it, and a runtime that has delivered the first hundred.
 * @param {import('node:test').TestContext} t @param {(typeof DATABASES)[number]['open']} open */
async function openPlant(t, open) {
  const database = await open(t);
  const way = await startHttpWay(t, database.url);
  const network = await startForwarder(t, Number(new URL(way.url).port));
  const runtime = await startRuntime(t, describeSite(database, `http://127.0.0.1:${network.port}`));
  const counter = await startCounter(t, runtime);
  await counter.send(100);
  await counter.drained('hist');
  return { database, way, network, counter };
}

/** Everything has arrived as it should. @param {Awaited<ReturnType<typeof openPlant>>} plant */
async function settle({ database, way, counter }) {
  await counter.drained('hist');
  await checkRows(database, way, counter.last);
  assert.equal((await counter.sinks()).hist.dropped, 0);
}

for (const { name, open, skip } of DATABASES) {
  test(`${name}: connections that are reset`, { skip }, async (t) => {
    const plant = await openPlant(t, open);
    const { way, network, counter } = plant;
    const stop = counter.keepSending({ everyMs: 5, count: 10 });
    for (let i = 0; i < RESETS; i++) {
      const { length } = numbersIn(way.acknowledged);
      await waitFor(() => numbersIn(way.acknowledged).length > length + 100, {
        timeoutMs: 30000,
        what: '100 more',
      });
      way.set('slow');
      await waitFor(() => way.asked > 0, { what: 'a request that is under way' });
      network.reset();
      way.set('pass');
    }
    await stop();
    await settle(plant);
    assert.ok(numbersIn(way.written).length > counter.last, 'a request had to be made again');
  });

  test(`${name}: a network that is cut without a word`, { skip }, async (t) => {
    const plant = await openPlant(t, open);
    const { way, network, counter } = plant;
    network.lose();
    await counter.send(500);
    await counter.isReady('hist', false);
    assert.equal(numbersIn(way.written).length, 100, 'nothing came through');
    network.find();
    await counter.isReady('hist', true);
    await counter.send(20);
    await settle(plant);
  });

  test(`${name}: a network that flaps ${FLAPS} times`, { skip }, async (t) => {
    const plant = await openPlant(t, open);
    const { way, network, counter } = plant;
    const stop = counter.keepSending({ everyMs: 10, count: 2 });
    for (let i = 0; i < FLAPS; i++) {
      await delay(FLAP_MS);
      await network.stop();
      await delay(FLAP_MS);
      await network.start();
    }
    await stop();
    await settle(plant);
    t.diagnostic(`${counter.last} numbers, ${numbersIn(way.written).length} written`);
  });
}
