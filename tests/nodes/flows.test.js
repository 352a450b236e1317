/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Each reference flow in a real Node-RED, and its data at a real broker or database. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { readFile } = require('../../scripts/files');
const { lacks, startInflux1, startMosquitto, waitFor } = require('../support');
const { listen } = require('../support/listener');
const { hasNodeRed, makeFlows, startMeters, startPalette } = require('./support/palette');

const MOSQUITTO = { skip: lacks('mosquitto') };
const INFLUX = { skip: lacks('influxd', 'mosquitto') };
const METERS = ['meter-1', 'meter-2', 'meter-3'];

/** @typedef {import('../support/listener').Message} Message */

/** @param {import('../support/listener').Listener} listener @param {string} topic @param {number} [from] */
function voltageOf(listener, topic, from) {
  const fits = (/** @type {Message} */ message) => message.topic === topic;
  return listener.waitFor(fits, { from, what: topic, timeoutMs: 20000 });
}

/** What the function of pm500-to-influxdb adds stands beside what the meters give.
 * @param {Awaited<ReturnType<typeof startInflux1>>} influx */
async function waitForRows(influx) {
  const query =
    'SELECT last(current_unbalance) AS u, last(voltage_l1_n) AS v FROM powermonitor_500 GROUP BY asset';
  const look = async () => {
    const rows = await influx.query('energy', query);
    return rows.length === 3 && rows[0];
  };
  const row = await waitFor(look, { what: 'a row a meter', timeoutMs: 20000 });
  assert.ok(row.u >= 0 && row.v > 200, JSON.stringify(row));
}

/** The flow of the README with the addresses of the test, as who has set them deploys it.
 * @param {number} port @param {string} broker */
function readReadmeFlow(port, broker) {
  const [, json] = /```json\n(\[[^]*?\])\n```/.exec(readFile('README.md')) ?? [];
  const flow = /** @type {import('./support/palette').FlowNode[]} */ (JSON.parse(json));
  const set = (/** @type {string} */ type, /** @type {object} */ fields) => {
    const found = flow.filter((node) => node.type === type);
    assert.equal(found.length, 1, type);
    Object.assign(found[0], fields);
  };
  set('busbar-connection', { host: '127.0.0.1', port: String(port) });
  set('busbar-mqtt', { url: broker });
  /* Several tests run at a time; the runtime is that of the flows before. */
  const runtime = { id: 'b05ba70000000001', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' };
  return [...flow, runtime];
}

for (const version of /** @type {const} */ ([4, 5])) {
  const skip = hasNodeRed(version) ? INFLUX.skip : `Node-RED ${version} is not installed`;
  test(`reference flows and that of the README in Node-RED ${version}`, { skip }, async (t) => {
    const broker = await startMosquitto(t);
    const listener = await listen(t, broker.url);
    const sims = await startMeters(t);
    await sims[0].tell('set voltage/l1-n 230.1');
    const flows = await makeFlows(['pm500-to-mqtt'], { sims, broker: broker.url });
    const palette = await startPalette(t, flows, { version });
    for (const meter of METERS) {
      const { payload } = await voltageOf(listener, `plant/${meter}/fast`);
      assert.equal(payload.device, meter);
      assert.ok(payload.values['power/active/total'] > 0);
    }
    await voltageOf(listener, 'plant/meter-1/energy');
    const { devices, sinks, runtime } = await palette.waitForOverview(
      (overview) => overview.devices.every((/** @type {any} */ one) => one.state === 'good'),
      'all meters to be good',
    );
    assert.deepEqual(
      devices.map((/** @type {any} */ { id }) => id),
      METERS,
    );
    assert.equal(sinks[0].state, 'ready');
    assert.equal(runtime.refusal, null);

    const influx = await startInflux1(t, { databases: ['energy'] });
    const others = ['pm500-direct', 'pm500-to-influxdb', 'pm500-alarms'];
    const urls = { sims, broker: broker.url, influx: influx.url };
    let from = listener.messages.length;
    await palette.deploy(await makeFlows(others, urls));
    await waitForRows(influx);
    await voltageOf(listener, 'plant/meter-3/fast', from);
    const all = await palette.overview();
    assert.deepEqual([all.runtime.refusal, all.runtime.mistakes], [null, []]);

    await palette.deploy(readReadmeFlow(sims[0].port, broker.url));
    await palette.waitForOverview(
      ({ devices: [first, ...more] }) => first?.state === 'good' && more.length === 0,
      'the one meter to be good',
    );
    from = listener.messages.length;
    const { payload } = await voltageOf(listener, 'plant/meter-1/fast', from);
    assert.equal(payload.values['voltage/l1-n'], 230.1);
  });
}

test(
  'pm500-to-influxdb: the value that the function adds stands beside those of the meter',
  INFLUX,
  async (t) => {
    const influx = await startInflux1(t, { databases: ['energy'] });
    const sims = await startMeters(t);
    const flows = await makeFlows(['pm500-to-influxdb'], { sims, influx: influx.url });
    await startPalette(t, flows);
    await waitForRows(influx);
  },
);

test(
  'pm500-direct: no message in Node-RED, all of it at broker and database',
  INFLUX,
  async (t) => {
    const influx = await startInflux1(t, { databases: ['energy'] });
    const broker = await startMosquitto(t);
    const listener = await listen(t, broker.url);
    const sims = await startMeters(t);
    const flows = await makeFlows(['pm500-direct'], {
      sims,
      influx: influx.url,
      broker: broker.url,
    });
    await startPalette(t, flows);
    for (const meter of METERS) {
      const { payload } = await voltageOf(listener, `plant/${meter}/fast`);
      assert.equal(payload.device, meter);
    }
    await waitFor(
      async () => {
        const rows = await influx.query(
          'energy',
          'SELECT last(energy_active_import) FROM powermonitor_500 GROUP BY asset',
        );
        return rows.length === 3;
      },
      { what: 'a row a meter', timeoutMs: 20000 },
    );
  },
);

test('pm500-alarms: out of band, lost, back, and why nothing comes', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url, { topic: 'alarm/#' });
  const sims = await startMeters(t);
  await sims[0].tell('set voltage/l1-n 230');
  const flows = await makeFlows(['pm500-alarms', 'pm500-to-mqtt'], { sims, broker: broker.url });
  /* What the flow shows in the debug sidebar goes to the broker here. */
  const [debug] = flows.filter(({ name }) => name === 'alarms');
  Object.assign(debug, {
    type: 'function',
    func: 'return { topic: `alarm/${msg.topic}`, payload: msg.payload };',
  });
  Object.assign(debug, { outputs: 1, libs: [], wires: [['b05ba70000000105']] });
  const palette = await startPalette(t, flows);
  await palette.waitForOverview(
    ({ devices }) => devices.every((/** @type {any} */ one) => one.state === 'good'),
    'all meters to be good',
  );
  const alarm = (/** @type {(payload: any) => unknown} */ fits, /** @type {string} */ what) =>
    listener.waitFor(({ payload }) => fits(payload), { what, timeoutMs: 20000 });
  await sims[0].tell('set voltage/l1-n 260');
  await alarm(
    (p) => p.source === 'meter-1/voltage/l1-n' && p.alarm === true && p.value === 260,
    'the alarm',
  );
  await sims[0].tell('set voltage/l1-n 231');
  await alarm((p) => p.source === 'meter-1/voltage/l1-n' && p.alarm === false, 'its end');
  await sims[1].stop();
  await alarm((p) => p.source === 'meter-2' && p.alarm === true, 'the loss');
  await palette.ask('/inject/b05ba70000000408', { method: 'POST', body: '{}' });
  const { payload } = await alarm(Array.isArray, 'the diagnosis');
  assert.match(payload.join('\n'), /meter-2: .*connection/);
});

test('dashboard: imports without complaint and is served', MOSQUITTO, async (t) => {
  const sims = await startMeters(t);
  const flows = await makeFlows(['dashboard'], { sims });
  const palette = await startPalette(t, flows, { modules: ['@flowfuse/node-red-dashboard'] });
  const page = await fetch(`${palette.url}/dashboard/meters`);
  assert.equal(page.status, 200);
  assert.doesNotMatch(palette.child.lines.join('\n'), /missing types|\[error\]/i);
});

for (const output of ['object', 'influx']) {
  test(`both routes write the same lines, from ${output}`, INFLUX, (t) => compareRoutes(t, output));
}

/** @param {import('node:test').TestContext} t @param {string} output Of busbar-in. */
async function compareRoutes(t, output) {
  const influx = await startInflux1(t, { databases: ['direct', 'wired'] });
  const sims = await startMeters(t);
  const flows = await makeFlows(['pm500-direct', 'pm500-to-influxdb'], {
    sims,
    influx: influx.url,
  });
  const byId = new Map(flows.map((node) => [node.id, node]));
  const sink = /** @type {any} */ (byId.get('b05ba70000000032'));
  Object.assign(sink, { database: 'direct' });
  const other = { ...sink, id: 'f00d', sinkId: 'wired', database: 'wired' };
  /* The function only hands on; its end leads to the other database. */
  Object.assign(/** @type {any} */ (byId.get('b05ba70000000204')), { func: 'return msg;' });
  Object.assign(/** @type {any} */ (byId.get('b05ba70000000205')), { sink: 'f00d' });
  for (const node of flows) {
    if (node.type === 'busbar-in') node.output = output;
    if (node.type === 'busbar-runtime') {
      Object.assign(node, { siteId: 'plant-7', siteTags: [{ key: 'hall', value: 'h 2' }] });
    }
  }
  /* No broker in this test. */
  const kept = flows.filter(({ id, type }) => type !== 'busbar-mqtt' && !/0030[45]$/.test(id));
  await startPalette(t, [...kept, other]);
  const count = async (/** @type {string} */ database) => {
    const rows = await influx.query(database, 'SELECT * FROM powermonitor_500');
    return rows.length;
  };
  await waitFor(async () => (await count('wired')) > 12 && (await count('direct')) > 12, {
    what: 'lines in both databases',
    timeoutMs: 30000,
  });
  const key = (/** @type {any} */ row) => `${row.time} ${row.asset} ${Object.keys(row).sort()}`;
  const direct = new Map(
    (await influx.query('direct', 'SELECT * FROM powermonitor_500')).map((row) => [key(row), row]),
  );
  const wired = await influx.query('wired', 'SELECT * FROM powermonitor_500');
  const both = wired.filter((row) => direct.has(key(row)));
  assert.ok(both.length > 8, `${both.length} of ${wired.length} lines are in both`);
  for (const row of both) assert.deepEqual(row, direct.get(key(row)));
  const types = async (/** @type {string} */ database) => influx.query(database, 'SHOW FIELD KEYS');
  /* A scan may have come by one of the routes only so far. */
  const sameTypes = async () => {
    assert.deepEqual(await types('wired'), await types('direct'));
    return true;
  };
  await waitFor(sameTypes, { what: 'the same fields in both' });
  const tags = async (/** @type {string} */ database) => influx.query(database, 'SHOW TAG KEYS');
  assert.deepEqual(await tags('wired'), await tags('direct'));
}
