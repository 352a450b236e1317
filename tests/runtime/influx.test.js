/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* From a meter into real databases, and back out of them by queries. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { lacks, startInflux1, startVictoria, tempDir, waitFor } = require('../support');
const { startForwarder } = require('../support/forwarder');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */

const INFLUX = { skip: lacks('influxd') };
const VICTORIA = { skip: lacks('victoria-metrics') };
const SCANS = { fast: '500ms', slow: '1s', energy: '1s', info: '1s' };

/** @param {TestContext} t @param {string} profile @param {Record<string, unknown>} influxdb */
async function describeSite(t, profile, influxdb) {
  const sim = await startSim(t, [profile]);
  const meter = describeMeter('meter-1', sim.port, {
    profile,
    scan: profile === 'generic/modbus-60' ? { fast: '500ms' } : SCANS,
    tags: { asset: 'pump 7', line: 'l=1,a' },
  });
  const batch = { age: '200ms' };
  return {
    sim,
    config: { ...meter, sinks: [{ id: 'hist', influxdb: { batch, ...influxdb }, devices: ['*'] }] },
  };
}

test('InfluxDB 1 keeps types and values as the device has them', INFLUX, async (t) => {
  const influx = await startInflux1(t, { databases: ['plant'] });
  const { sim, config } = await describeSite(t, 'generic/modbus', {
    url: influx.url,
    database: 'plant',
  });
  const set = { temperature: '23.4', count: '4000000000', frequency: '50.01', label: 'a "b" \\c' };
  for (const [point, value] of Object.entries(set)) await sim.tell(`set ${point} ${value}`);
  await sim.tell('set relay/1 1');
  await startRuntime(t, config);
  const fields = await waitFor(
    async () => {
      const rows = await influx.query('plant', 'SHOW FIELD KEYS');
      const types = Object.fromEntries(rows.map((row) => [row.fieldKey, row.fieldType]));
      return types.label && types.energy && types.temperature && types;
    },
    { timeoutMs: 20000, what: 'the fields of all scans' },
  );
  assert.equal(fields.temperature, 'float');
  assert.equal(fields.count, 'integer');
  assert.equal(fields.energy, 'integer');
  assert.equal(fields.frequency, 'float');
  assert.equal(fields.relay_1, 'boolean');
  assert.equal(fields.label, 'string');
  const [row] = await influx.query(
    'plant',
    'SELECT last(temperature) AS t, last(count) AS c, last(frequency) AS f, last(label) AS l, ' +
      'last(relay_1) AS r FROM modbus',
  );
  const { t: temperature, c: count, f: frequency, l: label, r: relay } = row;
  assert.deepEqual(
    { temperature, count, frequency, label, relay },
    { temperature: 23.4, count: 4000000000, frequency: 50.01, label: 'a "b" \\c', relay: true },
  );
});

test('the PowerMonitor 500 has the measurement and tags of its contract', INFLUX, async (t) => {
  const login = { username: 'runtime', password: 'a secret word' };
  const influx = await startInflux1(t, { databases: ['plant'], login });
  const file = path.join(tempDir(t), 'password');
  fs.writeFileSync(file, `${login.password}\n`, { mode: 0o600 });
  const { sim, config } = await describeSite(t, 'rockwell/powermonitor-500', {
    url: influx.url,
    database: 'plant',
    user: login.username,
    password_file: file,
  });
  await sim.tell('set voltage/l1-n 230.1');
  const runtime = await startRuntime(t, config);
  const [row] = await waitFor(
    async () => {
      const rows = await influx.query(
        'plant',
        'SELECT voltage_l1_n, asset, site, line FROM powermonitor_500 LIMIT 1',
      );
      return rows.length > 0 && rows;
    },
    { timeoutMs: 20000, what: 'a row of powermonitor_500' },
  );
  const { voltage_l1_n: voltage, asset, site, line } = row;
  assert.deepEqual(
    { voltage, asset, site, line },
    { voltage: 230.1, asset: 'pump 7', site: 'plant', line: 'l=1,a' },
  );
  assert.doesNotMatch(runtime.log, /secret word/);
});

test('VictoriaMetrics takes the API of InfluxDB 2', VICTORIA, async (t) => {
  const victoria = await startVictoria(t);
  const { sim, config } = await describeSite(t, 'generic/modbus-60', {
    url: victoria.url,
    org: 'plant',
    bucket: 'energy',
    token_env: 'BUSBAR_TEST_TOKEN',
  });
  await sim.tell('set value/1 230.1');
  await startRuntime(t, config, { env: { BUSBAR_TEST_TOKEN: 'none is needed' } });
  const series = await waitFor(
    async () => {
      const found = await victoria.export('{__name__="modbus_60_value_1"}');
      return found.length > 0 && found[0].values.length >= 3 && found;
    },
    { timeoutMs: 20000, what: 'three samples of value/1' },
  );
  assert.equal(series.length, 1);
  const { metric, values, timestamps } = series[0];
  assert.equal(metric.site, 'plant');
  assert.equal(metric.asset, 'pump 7');
  assert.ok(
    values.every((value) => value === 230.1),
    String(values),
  );
  assert.ok(
    timestamps.every((time, i) => i === 0 || time > timestamps[i - 1]),
    String(timestamps),
  );
  assert.equal((await victoria.export('{__name__=~"modbus_60_value_.*"}')).length, 60);
});

test(
  'a database that is missing is told, and what waited arrives once it is there',
  INFLUX,
  async (t) => {
    const influx = await startInflux1(t);
    const { config } = await describeSite(t, 'generic/modbus-60', {
      url: influx.url,
      database: 'plant',
    });
    const runtime = await startRuntime(t, config);
    await runtime.program.waitForOutput(/\bhist: .*database.*plant/);
    const ready = await runtime.get('/readyz');
    assert.equal(ready.status, 503);
    assert.match(ready.text, /hist: .*database/);
    const read = () =>
      runtime.metric('busbar_scan_polls_answered_total', { device: 'meter-1', scan: 'fast' });
    await waitFor(async () => (await read()) >= 4, { what: 'four reads' });
    const created = Date.now();
    await influx.ask('CREATE DATABASE plant');
    /* It is asked again after a minute. */
    const rows = await waitFor(
      async () => {
        const found = await influx.query('plant', 'SELECT value_1 FROM modbus_60');
        return found.length > 0 && found;
      },
      { timeoutMs: 90000, what: 'a row after the database was created' },
    );
    const before = rows.map(({ time }) => time / 1e6).filter((time) => time < created);
    assert.ok(before.length >= 4, `${before.length} rows from before ${created}: ${before}`);
  },
);

test('a server that is away loses nothing', INFLUX, async (t) => {
  const influx = await startInflux1(t, { databases: ['plant'] });
  const way = await startForwarder(t, Number(new URL(influx.url).port));
  const { config } = await describeSite(t, 'generic/modbus-60', {
    url: `http://127.0.0.1:${way.port}`,
    database: 'plant',
  });
  const runtime = await startRuntime(t, config);
  const count = async () => {
    const rows = await influx.query('plant', 'SELECT count(value_1) FROM modbus_60');
    return rows[0]?.count ?? 0;
  };
  const read = () =>
    runtime.metric('busbar_scan_polls_answered_total', { device: 'meter-1', scan: 'fast' });
  await waitFor(async () => (await count()) >= 2, { what: 'two rows' });
  await way.stop();
  await runtime.program.waitForOutput(/\bhist: /);
  const before = await read();
  await waitFor(async () => (await read()) >= before + 6, { what: '6 reads without a server' });
  const there = await count();
  await way.start();
  const total = await read();
  assert.ok(total >= there + 6, `${total} read, ${there} delivered`);
  await waitFor(async () => (await count()) >= total, {
    timeoutMs: 60000,
    what: `all ${total} rows`,
  });
});
