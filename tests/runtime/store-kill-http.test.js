/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The runtime is killed, again and again, while what is read goes straight to a database: what was delivered
   or saved is in it afterwards. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { lacks, startInflux1, tempDir, waitFor } = require('../support');
const { startCounter, timeOf } = require('../support/counter');
const { DATABASES, checkRows, describeSite, numbersIn } = require('../support/database');
const { startForwarder } = require('../support/forwarder');
const { startHttpWay } = require('../support/http_way');
const { seeded } = require('../support/random');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');
const { connectSocket } = require('../support/socket');

/** @typedef {import('node:test').TestContext} TestContext */

const INFLUX = { skip: lacks('influxd') };
const KILLS = process.env.BUSBAR_LONG ? 100 : 10;
const BACKLOG = 4000;
const SYNC_MS = 100;
/* What a busy machine takes for writing. */
const SLACK_MS = 300;

/** A database, a network to it, and what runtimes are started with.
 * @param {TestContext} t @param {(typeof DATABASES)[number]['open']} open */
async function openPlant(t, open) {
  const database = await open(t);
  const way = await startHttpWay(t, database.url);
  const network = await startForwarder(t, Number(new URL(way.url).port));
  const config = describeSite(database, `http://127.0.0.1:${network.port}`);
  return { database, way, network, config, data: tempDir(t) };
}

/** One life of the runtime: it is killed while it is sent to and the database comes and goes.
 * @param {TestContext} t @param {Awaited<ReturnType<typeof openPlant>>} plant
 * @param {{last: number, owed: Set<number>, random: (below: number) => number}} state */
async function liveAndDie(t, { network, config, data }, { last, owed, random }) {
  const runtime = await startRuntime(t, config, { data });
  const counter = await startCounter(t, runtime, { last });
  /* What waits is saved, so all that was sent is that or delivered. */
  const isSafe = async () => {
    const { hist } = await counter.sinks();
    if (hist.waiting !== hist.saved) return false;
    for (let n = last + 1; n <= counter.last; n++) owed.add(n);
    return true;
  };
  const steps = 5 + random(30);
  for (let step = 0; step < steps; step++) {
    await counter.send(1 + Math.floor(random(30)));
    await isSafe();
    if (random(8) < 1) await network.stop();
    else if (random(4) < 1 && !network.server) await network.start();
    await delay(random(25));
  }
  /* Of each third life all must be safe; the others end wherever they are. */
  if (random(3) < 1) await waitFor(isSafe, { timeoutMs: 30000, what: 'all to be safe' });
  await runtime.stop('SIGKILL');
  await counter.client.waitForClose();
  return counter.last;
}

for (const { name, open, skip } of DATABASES) {
  test(`${name}: killed ${KILLS} times, nothing that was safe is lost`, { skip }, async (t) => {
    const plant = await openPlant(t, open);
    const { database, way, network, config, data } = plant;
    const owed = /** @type {Set<number>} */ (new Set());
    const random = seeded(t);
    let last = 0;
    for (let life = 0; life < KILLS; life++) {
      last = await liveAndDie(t, plant, { last, owed, random });
    }
    if (!network.server) await network.start();
    const runtime = await startRuntime(t, config, { data });
    const counter = await startCounter(t, runtime, { last });
    await counter.send(10);
    await counter.drained('hist');
    const isThere = async () =>
      way.underWay === 0 && new Set((await database.read()).map(([, n]) => n)).has(counter.last);
    await waitFor(isThere, { timeoutMs: 30000, what: 'the last one' });
    const rows = await database.read();
    const came = new Set(rows.map(([, n]) => n));
    const lost = [...owed].filter((n) => !came.has(n));
    const written = numbersIn(way.written);
    t.diagnostic(
      `${counter.last} sent, ${owed.size} of them safe, ${came.size} came, ` +
        `${written.length - new Set(written).size} were written again`,
    );
    assert.deepEqual(lost, [], `of ${owed.size} that were safe`);
    for (const [time, n] of rows) assert.equal(time, timeOf(n), `the time of ${n}`);
    assert.equal(rows.length, database.keepsOne ? came.size : written.length);
    assert.equal(runtime.log.match(/damaged|gone: /g), null, runtime.log);
  });

  test(`${name}: killed during a drain, the rest follows`, { skip }, async (t) => {
    const { database, way, network, config, data } = await openPlant(t, open);
    await network.stop();
    const slow = { ...config, sinks: [{ ...config.sinks[0], store: { history_rate: 1000 } }] };
    const first = await startRuntime(t, slow, { data });
    const backlog = await startCounter(t, first);
    await backlog.send(BACKLOG);
    await backlog.committed('hist', { payload: 'mark n=0' });
    await first.stop('SIGKILL');
    await network.start();
    const second = await startRuntime(t, slow, { data });
    const live = await startCounter(t, second, { last: BACKLOG });
    await live.isReady('hist', true);
    await live.send(200);
    const isLive = (/** @type {number} */ n) => n > BACKLOG;
    const drained = () => numbersIn(way.acknowledged);
    await waitFor(() => drained().filter(isLive).length === 200 && drained().length > 1200, {
      timeoutMs: 30000,
      what: 'all that is live, and some of the backlog',
    });
    await network.stop();
    await live.isReady('hist', false);
    await live.committed('hist', { payload: 'mark n=0' });
    const { length } = numbersIn(way.written);
    await second.stop('SIGKILL');
    assert.ok(length < live.last, `the drain was under way, ${length} were written`);
    await network.start();
    const third = await startRuntime(t, config, { data });
    const rest = await startCounter(t, third, { last: live.last });
    await rest.send(10);
    await rest.drained('hist');
    await checkRows(database, way, rest.last);
    const before = new Set(numbersIn(way.written).slice(0, length));
    const again = numbersIn(way.written)
      .slice(length)
      .filter((n) => before.has(n));
    t.diagnostic(`${length} were written before the kill, ${again.length} of them again`);
    assert.deepEqual(again.filter(isLive), [], 'live ones that were written again');
    /* Of the history only what was on its way when the network was cut. */
    assert.ok(again.length <= 200, `${again.length} of the history were written again`);
  });
}

test(
  'a kill costs no reading of a meter that is older than the sync interval',
  INFLUX,
  async (t) => {
    const influx = await startInflux1(t, { databases: ['plant'] });
    const network = await startForwarder(t, Number(new URL(influx.url).port));
    const sim = await startSim(t, ['generic/modbus-60', '--clients', 'any']);
    const data = tempDir(t);
    const influxdb = { url: `http://127.0.0.1:${network.port}`, database: 'plant' };
    const config = {
      ...describeMeter('m', sim.port, { scan: { fast: '100ms', slow: 'off', energy: 'off' } }),
      sinks: [{ id: 'hist', influxdb: { ...influxdb, batch: { age: '50ms' } }, devices: ['*'] }],
      runtime: { store: { sync: `${SYNC_MS}ms` } },
    };
    const random = seeded(t);
    /** What a client of the socket saw of it, by time. @type {Map<number, Record<string, any>>} */
    const owed = new Map();
    for (let life = 0; life < KILLS / 2; life++) {
      if (life % 3 === 1) await network.stop();
      else if (!network.server) await network.start();
      const runtime = await startRuntime(t, config, { data });
      const client = await connectSocket(t, data);
      await client.must('subscribe', { devices: ['m'], snapshot: false });
      const { length } = client.batches;
      const wanted = length + 5 + random(8);
      await waitFor(() => client.batches.length >= wanted, { what: 'some readings' });
      const killedMs = Date.now();
      await runtime.stop('SIGKILL');
      for (const { timeNs, values } of client.batches) {
        const timeMs = Number(timeNs / 1000000n);
        if (timeMs < killedMs - SYNC_MS - SLACK_MS) owed.set(timeMs, values);
      }
    }
    if (!network.server) await network.start();
    await startRuntime(t, config, { data });
    const client = await connectSocket(t, data);
    await client.must('pause');
    await waitFor(async () => (await client.must('status')).sinks[0].waiting === 0, {
      timeoutMs: 30000,
      what: 'all to be delivered',
    });
    const rows = await influx.query('plant', 'SELECT * FROM modbus_60');
    const byTime = new Map(rows.map((row) => [Math.round(row.time / 1e6), row]));
    t.diagnostic(`${owed.size} readings are owed, ${rows.length} are there`);
    assert.ok(owed.size >= KILLS, `${owed.size} readings are owed`);
    for (const [timeMs, values] of owed) {
      const row = byTime.get(timeMs);
      assert.ok(row, `the reading of ${new Date(timeMs).toISOString()}`);
      for (const [name, value] of Object.entries(values)) {
        assert.equal(Math.fround(row[name.replaceAll('/', '_')]), value, `${name} at ${timeMs}`);
      }
    }
  },
);
