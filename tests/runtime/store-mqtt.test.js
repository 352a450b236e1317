/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A broker that goes, comes, sleeps, refuses, crawls and flaps, and a network that is cut: each number
   must arrive, live ones and history in their order. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { lacks, startMosquitto, tempDir, waitFor } = require('../support');
const {
  arrivalsOf,
  checkArrivals,
  describeCounters,
  startCounter,
  waitForAll,
} = require('../support/counter');
const { startForwarder } = require('../support/forwarder');
const { listen } = require('../support/listener');
const { startRuntime } = require('../support/runtime');

/** @typedef {import('node:test').TestContext} TestContext */

const MOSQUITTO = { skip: lacks('mosquitto') };
const UNLIMITED = ['max_queued_messages 0', 'max_inflight_messages 0'];
const LONG = Boolean(process.env.BUSBAR_LONG);
const FLAPS = LONG ? 15 : 3; /* of 2 s down and 2 s up */
const STOPS = LONG ? 5 : 1;
/* The runtime waits longer each time when a connection breaks as soon as it stands. */
const CUTS = LONG ? 5 : 2;
const FLAP_MS = 2000;
const WINDOW = 100; /* messages that may be on their way when a connection ends */

/** @param {string} url @param {Record<string, unknown>} [more] */
function describeSite(url, more) {
  return {
    ...describeCounters('m'),
    sinks: [{ id: 'bus', mqtt: { url, keepalive: '5s', ...more }, devices: ['*'] }],
    runtime: { store: { sync: '100ms' } },
  };
}

/** A broker, a way to it that can be spoilt, someone who listens at the broker itself, and a runtime.
 * @param {TestContext} t @param {Record<string, unknown>} [mqtt] */
async function openPlant(t, mqtt) {
  const broker = await startMosquitto(t, { config: UNLIMITED });
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const way = await startForwarder(t, broker.port);
  const config = describeSite(`mqtt://127.0.0.1:${way.port}`, mqtt);
  const runtime = await startRuntime(t, config);
  const counter = await startCounter(t, runtime);
  await counter.isReady('bus', true);
  return { broker, listener, way, config, runtime, counter };
}

/** Everything has arrived as it should.
 * @param {import('../support/listener').Listener} listener
 * @param {import('../support/counter').Counter} counter */
async function settle(listener, counter) {
  await waitForAll(() => arrivalsOf(listener), counter.last);
  await counter.drained('bus');
  await listener.caughtUp();
  assert.equal((await counter.sinks()).bus.dropped, 0);
  return checkArrivals(arrivalsOf(listener), counter);
}

test('a broker that is stopped and started again', MOSQUITTO, async (t) => {
  const kept = `${tempDir(t)}/`;
  const broker = await startMosquitto(t, {
    config: [...UNLIMITED, 'persistence true', `persistence_location ${kept}`],
  });
  const options = { clientId: 'listener', clean: false };
  const listener = await listen(t, broker.url, { topic: 'plant/#', options });
  const runtime = await startRuntime(t, describeSite(broker.url));
  const counter = await startCounter(t, runtime);
  await counter.isReady('bus', true);
  const stop = counter.keepSending();
  for (let i = 0; i < STOPS; i++) {
    await waitFor(() => arrivalsOf(listener).length > 50 * (i + 1), { what: 'live ones' });
    await broker.stop();
    await counter.isReady('bus', false);
    const { last } = counter;
    await waitFor(() => counter.last > last + 100, { what: '100 more' });
    await broker.start();
    await counter.isReady('bus', true);
  }
  await stop();
  await settle(listener, counter);
});

test('a broker that is paused', MOSQUITTO, async (t) => {
  const { broker, listener, counter } = await openPlant(t);
  await counter.send(100);
  process.kill(/** @type {any} */ (broker.program).pid, 'SIGSTOP');
  await counter.send(1000);
  if (LONG) await counter.isReady('bus', false);
  assert.ok((await counter.sinks()).bus.waiting >= 1000 - WINDOW);
  process.kill(/** @type {any} */ (broker.program).pid, 'SIGCONT');
  await counter.send(100);
  const { repeated } = await settle(listener, counter);
  assert.ok(repeated.length <= WINDOW, `${repeated.length} came again`);
});

test('a broker that refuses until the password is right', MOSQUITTO, async (t) => {
  const login = { username: 'runtime', password: 'right' };
  const broker = await startMosquitto(t, { password: login, config: UNLIMITED });
  const listener = await listen(t, broker.url, { topic: 'plant/#', options: login });
  const file = path.join(tempDir(t), 'password');
  fs.writeFileSync(file, 'wrong\n', { mode: 0o600 });
  const config = describeSite(broker.url, { user: login.username, password_file: file });
  const data = tempDir(t);
  const refused = await startRuntime(t, config, { data });
  const before = await startCounter(t, refused);
  await refused.program.waitForOutput(/\bbus: .*(password|authori[sz]ed|user name)/i);
  await before.send(500);
  await before.committed('bus');
  fs.writeFileSync(file, `${login.password}\n`);
  /* It is asked again after a minute, but by another process at once. */
  if (LONG) await before.drained('bus', 90000);
  await refused.stop('SIGKILL');
  const runtime = await startRuntime(t, config, { data });
  const counter = await startCounter(t, runtime, { last: before.last });
  await counter.send(50);
  await settle(listener, counter);
});

test('a broker that is slow', MOSQUITTO, async (t) => {
  const { listener, way, counter } = await openPlant(t);
  way.rate = 40000;
  await counter.send(1500);
  await waitFor(() => arrivalsOf(listener).length > 200, {
    timeoutMs: 30000,
    what: 'some of them',
  });
  assert.ok((await counter.sinks()).bus.waiting > 0, 'it is not through');
  way.rate = 0;
  await counter.send(100);
  const { repeated } = await settle(listener, counter);
  assert.deepEqual(repeated, []);
});

test(`a broker that flaps ${FLAPS} times`, MOSQUITTO, async (t) => {
  const { listener, way, counter } = await openPlant(t);
  const stop = counter.keepSending({ everyMs: 10, count: 2 });
  for (let i = 0; i < FLAPS; i++) {
    await delay(FLAP_MS);
    await way.stop();
    await delay(FLAP_MS);
    await way.start();
  }
  await stop();
  const found = await settle(listener, counter);
  const { repeated, live, history } = found;
  t.diagnostic(`${live.length} live, ${history.length} history, ${repeated.length} again`);
  assert.ok(repeated.length <= WINDOW * FLAPS, `${repeated.length} came again`);
});

for (const how of /** @type {const} */ (['reset', 'cut'])) {
  test(`a connection that is ${how}`, MOSQUITTO, async (t) => {
    const { listener, way, counter } = await openPlant(t);
    const stop = counter.keepSending({ everyMs: 5, count: 10 });
    for (let i = 1; i <= CUTS; i++) {
      await waitFor(() => arrivalsOf(listener).length > 100 * i, {
        timeoutMs: 30000,
        what: 'some',
      });
      way[how]();
      await counter.isReady('bus', false);
      await counter.isReady('bus', true);
    }
    await stop();
    const { repeated } = await settle(listener, counter);
    assert.ok(repeated.length <= WINDOW * CUTS, `${repeated.length} came again`);
  });
}

test('a network that is cut without a word; history is not retained', MOSQUITTO, async (t) => {
  const { broker, listener, way, counter } = await openPlant(t, { retain: true });
  await counter.send(50);
  await waitForAll(() => arrivalsOf(listener), 50);
  way.lose();
  await counter.send(500);
  await counter.isReady('bus', false);
  const { last } = counter;
  way.find();
  await counter.isReady('bus', true);
  await counter.send(20);
  const { history, live } = await settle(listener, counter);
  /* It took longer to notice than what counts as live. */
  assert.ok(history.length >= last - 50 - WINDOW, `${history.length} came as history`);
  const late = await listen(t, broker.url, { topic: 'plant/#' });
  const kept = await late.waitFor(({ retain }) => retain, { what: 'what is retained' });
  assert.equal(kept.payload.values.n, live.at(-1));
  assert.equal(kept.payload.historical, undefined);
});
