/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The runtime is killed, again and again, and nothing that it answered for is lost. */

const assert = require('node:assert/strict');
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
const { seeded } = require('../support/random');
const { startRuntime } = require('../support/runtime');
const { TYPE, connectSocket } = require('../support/socket');
const { packPut } = require('../support/put');

/**
 * @typedef {import('node:test').TestContext} TestContext
 * @typedef {Awaited<ReturnType<typeof startForwarder>>} Forwarder
 */

const MOSQUITTO = { skip: lacks('mosquitto') };
const LONG = Boolean(process.env.BUSBAR_LONG);
/* With 0s everything is written at once, so an answer comes early and a kill finds more under way. */
const ROUNDS = [
  { sync: '100ms', syncMs: 100, kills: LONG ? 200 : 12 },
  { sync: '0s', syncMs: 0, kills: LONG ? 100 : 5 },
];
const AT_ONCE = 20;
/* What a busy machine takes for confirming, writing, and hearing of it. */
const SLACK_MS = 300;
const SYNC_MS = 1000;

/** @typedef {{from: number, to: number}} Break From just before to just after it, times. */

/** For each message that came again, how long before the next kill or cut it had come first.
 * @param {import('../support/listener').Message[]} messages @param {Break[]} breaks */
function findRepeated(messages, breaks) {
  /** @type {Map<number, number>} */
  const seen = new Map();
  const ages = [];
  for (const { payload, atMs } of messages) {
    const before = seen.get(payload.n);
    seen.set(payload.n, atMs);
    if (before === undefined) continue;
    const next = breaks.find(({ from, to }) => to + SLACK_MS >= before && from <= atMs);
    ages.push(next === undefined ? Infinity : Math.max(0, next.from - before));
  }
  return ages;
}

/** Puts numbered messages until it is closed, and notes which the runtime has answered for. */
class Putter {
  /** @param {import('../support/socket').SocketClient} client @param {number} last */
  constructor(client, last) {
    this.client = client;
    this.last = last;
  }

  put() {
    const messages = Array.from({ length: AT_ONCE }, () => {
      this.last++;
      return { id: this.last, topic: 'n', payload: JSON.stringify({ n: this.last }) };
    });
    this.client.send(TYPE.put, packPut('bus', messages));
  }

  /** Of those that this client put, those that are the runtime's. @param {number} first */
  taken(first) {
    const untaken = new Set(
      this.client.events.filter(({ event }) => event === 'untaken').map(({ id }) => id),
    );
    const upTo = this.client.events
      .filter(({ event }) => event === 'taken')
      .reduce((most, { id }) => Math.max(most, id), 0);
    const numbers = [];
    for (let n = first; n <= upTo; n++) if (!untaken.has(n)) numbers.push(n);
    return numbers;
  }
}

/** @param {Break[]} breaks @param {() => Promise<unknown>} work That breaks something off. */
async function noteBreak(breaks, work) {
  const from = Date.now();
  await work();
  breaks.push({ from, to: Date.now() });
}

/** One life of the runtime: it is killed while messages are put and the broker comes and goes.
 * @param {TestContext} t @param {object} config @param {string} data
 * @param {{way: Forwarder, last: number,
 *   breaks: Break[], random: (below: number) => number}} state
 * @returns {Promise<number[]>} What it has answered for. */
async function liveAndDie(t, config, data, state) {
  const runtime = await startRuntime(t, config, { data, awake: false });
  const putter = new Putter(await connectSocket(t, data), state.last);
  const first = state.last + 1;
  const steps = 5 + state.random(40);
  for (let step = 0; step < steps; step++) {
    putter.put();
    if (state.random(10) < 1) {
      await noteBreak(state.breaks, () => state.way.stop());
    } else if (state.random(5) < 1 && !state.way.server) await state.way.start();
    await delay(state.random(15));
  }
  /* Of each third life something must have been answered for; the others end wherever they are. */
  if (state.random(3) < 1) {
    await waitFor(() => putter.taken(first).length > 0, { timeoutMs: 30000, what: 'an answer' });
  }
  await noteBreak(state.breaks, async () => {
    await runtime.stop('SIGKILL');
    await putter.client.waitForClose();
  });
  state.last = putter.last;
  return putter.taken(first);
}

for (const { sync, syncMs, kills } of ROUNDS) {
  test(
    `killed ${kills} times with sync: ${sync}, nothing that was answered for is lost`,
    MOSQUITTO,
    async (t) => {
      const broker = await startMosquitto(t, {
        config: ['max_queued_messages 0', 'max_inflight_messages 0'],
      });
      const listener = await listen(t, broker.url, { topic: 'n' });
      const way = await startForwarder(t, broker.port);
      const data = tempDir(t);
      const config = {
        sinks: [{ id: 'bus', mqtt: { url: `mqtt://127.0.0.1:${way.port}` } }],
        runtime: { store: { sync } },
      };
      const breaks = /** @type {Break[]} */ ([]);
      const state = { way, last: 0, random: seeded(t), breaks };
      /** @type {Set<number>} */
      const owed = new Set();
      for (let life = 0; life < kills; life++) {
        (await liveAndDie(t, config, data, state)).forEach((n) => owed.add(n));
      }
      if (!way.server) await way.start();
      const runtime = await startRuntime(t, config, { data });
      const client = await connectSocket(t, data);
      const waiting = async () => (await client.must('status')).sinks[0].waiting;
      await waitFor(async () => (await waiting()) === 0, {
        timeoutMs: 60000,
        what: 'the rest to go',
      });
      const missing = () => {
        const came = new Set(listener.messages.map(({ payload }) => payload.n));
        return [...owed].filter((n) => !came.has(n));
      };
      await waitFor(() => missing().length === 0, { what: 'all that was answered for' }).catch(
        () => {},
      );
      assert.deepEqual(missing(), [], `of ${owed.size} that were answered for`);
      const repeated = findRepeated(listener.messages, state.breaks);
      t.diagnostic(
        `${state.last} put, ${owed.size} answered for, ${repeated.length} came more than once, the ` +
          `oldest ${Math.max(0, ...repeated)} ms before what broke it off`,
      );
      /* What was confirmed in the last sync interval, or was on its way. */
      const unexplained = repeated.filter((ageMs) => ageMs > syncMs + SLACK_MS);
      assert.deepEqual(unexplained, [], `came again although nothing broke off`);
      assert.equal(runtime.log.match(/damaged|gone: /g), null, runtime.log);
    },
  );
}

/** Counted batches, a broker behind a way that can be closed, and a runtime that can be killed.
 * @param {TestContext} t */
async function openPlant(t) {
  const broker = await startMosquitto(t, {
    config: ['max_queued_messages 0', 'max_inflight_messages 0'],
  });
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const way = await startForwarder(t, broker.port);
  const data = tempDir(t);
  const config = {
    ...describeCounters('m'),
    sinks: [{ id: 'bus', mqtt: { url: `mqtt://127.0.0.1:${way.port}` }, devices: ['*'] }],
    runtime: { store: { sync: '100ms' } },
  };
  return { listener, way, data, config };
}

test('what is in the store comes once, and as history', MOSQUITTO, async (t) => {
  const { listener, way, data, config } = await openPlant(t);
  await way.stop();
  const killed = await startRuntime(t, config, { data });
  const before = await startCounter(t, killed);
  await before.send(3000);
  await before.committed('bus');
  await killed.stop('SIGKILL');
  await way.start();
  const runtime = await startRuntime(t, config, { data });
  const after = await startCounter(t, runtime, { last: before.last });
  await after.send(10);
  await waitForAll(() => arrivalsOf(listener), after.last);
  await after.drained('bus');
  await listener.caughtUp();
  const found = checkArrivals(arrivalsOf(listener), after);
  assert.deepEqual(found.repeated, []);
  assert.equal(found.history.length, 3000);
});

test('a kill costs no more than what came in the sync interval', MOSQUITTO, async (t) => {
  const { listener, way, data, config } = await openPlant(t);
  await way.stop();
  const patient = { ...config, runtime: { store: { sync: `${SYNC_MS}ms` } } };
  const killed = await startRuntime(t, patient, { data });
  const before = await startCounter(t, killed);
  /** @type {{n: number, atMs: number}[]} */
  const sent = [];
  /* Not much longer than that: the next write would take along what the first one should have. */
  const end = Date.now() + SYNC_MS + SLACK_MS + 200;
  while (Date.now() < end) {
    await before.send(1);
    sent.push({ n: before.last, atMs: Date.now() });
    await delay(10);
  }
  const killedMs = Date.now();
  await killed.stop('SIGKILL');
  await way.start();
  const runtime = await startRuntime(t, patient, { data });
  const after = await startCounter(t, runtime, { last: before.last });
  await after.send(1);
  await after.drained('bus');
  await listener.caughtUp();
  const came = new Set(arrivalsOf(listener).map(({ n }) => n));
  assert.ok(came.has(after.last), 'what was sent last');
  const ages = sent.filter(({ n }) => !came.has(n)).map(({ atMs }) => killedMs - atMs);
  t.diagnostic(
    `${ages.length} of ${sent.length} are lost, the oldest of ${Math.max(0, ...ages)} ms`,
  );
  const unpromised = ages.filter((ageMs) => ageMs > SYNC_MS + SLACK_MS);
  assert.deepEqual(unpromised, [], 'lost though they are older than the sync interval');
});

test('what went live during a drain does not come again', MOSQUITTO, async (t) => {
  const { listener, way, data, config } = await openPlant(t);
  await way.stop();
  const slow = { ...config, sinks: [{ ...config.sinks[0], store: { history_rate: 200 } }] };
  const first = await startRuntime(t, slow, { data });
  const backlog = await startCounter(t, first);
  await backlog.send(5000);
  await backlog.committed('bus');
  await first.stop('SIGKILL');
  await way.start();
  const second = await startRuntime(t, slow, { data });
  const live = await startCounter(t, second, { last: backlog.last });
  await live.isReady('bus', true);
  const stop = live.keepSending();
  const heard = () => checkKinds(arrivalsOf(listener));
  await waitFor(() => heard().live > 50 && heard().history > 50, { what: 'live ones and history' });
  await stop();
  /* All that is live is acknowledged, and with the mark the store knows of it. */
  await waitFor(() => heard().live === live.last - backlog.last, { what: 'all live ones' });
  const { length } = arrivalsOf(listener);
  const delivered = async () => (await live.sinks()).bus.delivered;
  await waitFor(async () => (await delivered()) >= length, { what: 'them to be acknowledged' });
  await way.stop();
  await live.isReady('bus', false);
  await live.committed('bus');
  const gone = new Set(arrivalsOf(listener).map(({ n }) => n));
  await second.stop('SIGKILL');
  assert.ok(gone.size < live.last, `the drain was under way, ${gone.size} had come`);
  const place = arrivalsOf(listener).length;
  await way.start();
  const third = await startRuntime(t, config, { data });
  const rest = await startCounter(t, third, { last: live.last });
  await waitForAll(() => arrivalsOf(listener), rest.last);
  await rest.drained('bus');
  await listener.caughtUp();
  const found = checkArrivals(arrivalsOf(listener), rest);
  const again = arrivalsOf(listener)
    .slice(place)
    .filter(({ n }) => n > backlog.last);
  assert.deepEqual(again, [], 'live ones that came again');
  /* Of the history only what was on its way when the connection was cut. */
  assert.ok(found.repeated.length <= 100, `${found.repeated.length} of the history came again`);
});

/** @param {import('../support/counter').Arrival[]} arrivals */
function checkKinds(arrivals) {
  const history = arrivals.filter((arrival) => arrival.history).length;
  return { history, live: arrivals.length - history };
}
