/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const mqtt = require('mqtt');
const {
  atEnd,
  freePort,
  isListening,
  lacks,
  makeCertificates,
  startInflux1,
  startMosquitto,
  startProgram,
  startVictoria,
  tempDir,
  waitFor,
} = require('../support');

/** Publishes and receives one message. @param {string} url @param {mqtt.IClientOptions} [options] */
async function exchange(url, options) {
  const client = await mqtt.connectAsync(url, { ...options, reconnectPeriod: 0 });
  try {
    const received = new Promise((resolve) => {
      client.once('message', (_topic, payload) => resolve(payload.toString()));
    });
    await client.subscribeAsync('meter/fast');
    await client.publishAsync('meter/fast', '230.1', { qos: 1 });
    return await received;
  } finally {
    await client.endAsync();
  }
}

test('mosquitto passes a message on', async (t) => {
  const broker = await startMosquitto(t);
  assert.equal(await exchange(broker.url), '230.1');
});

test('mosquitto starts again on the same port', async (t) => {
  const broker = await startMosquitto(t);
  await broker.stop();
  assert.equal(await isListening(broker.port), false);
  await broker.start();
  assert.equal(await exchange(broker.url), '230.1');
});

test('mosquitto with a password lets nobody else in', async (t) => {
  const login = { username: 'meter', password: 'a secret' };
  const broker = await startMosquitto(t, { password: login });
  assert.equal(await exchange(broker.url, login), '230.1');
  await assert.rejects(exchange(broker.url, { ...login, password: 'wrong' }), /Not authorized/);
  await assert.rejects(exchange(broker.url), /Not authorized/);
});

test('mosquitto with TLS is trusted through its own authority only', async (t) => {
  const broker = await startMosquitto(t, { tls: true });
  assert.ok(broker.certificates);
  const ca = fs.readFileSync(broker.certificates.ca);
  assert.equal(await exchange(broker.url, { ca }), '230.1');
  const other = fs.readFileSync((await makeCertificates(tempDir(t))).ca);
  await assert.rejects(exchange(broker.url, { ca: other }), /certificate/);
});

test('mosquitto with client certificates refuses a client without one', async (t) => {
  const broker = await startMosquitto(t, { clientCerts: true });
  assert.ok(broker.certificates);
  const { ca, clientCert, clientKey } = broker.certificates;
  const trust = { ca: fs.readFileSync(ca) };
  const cert = fs.readFileSync(clientCert);
  const key = fs.readFileSync(clientKey);
  assert.equal(await exchange(broker.url, { ...trust, cert, key }), '230.1');
  await assert.rejects(exchange(broker.url, trust));
});

test('InfluxDB 1 gives back the value and its type', { skip: lacks('influxd') }, async (t) => {
  const influx = await startInflux1(t, { databases: ['energy'] });
  const response = await fetch(`${influx.url}/write?db=energy`, {
    method: 'POST',
    body: 'm,asset=a volts=230.1,count=7i 1000000000',
  });
  assert.equal(response.status, 204, await response.text());
  assert.deepEqual(await influx.query('energy', 'SELECT * FROM m'), [
    { time: 1000000000, asset: 'a', count: 7, volts: 230.1 },
  ]);
  const keys = await influx.query('energy', 'SHOW FIELD KEYS FROM m');
  assert.deepEqual(keys, [
    { fieldKey: 'count', fieldType: 'integer' },
    { fieldKey: 'volts', fieldType: 'float' },
  ]);
});

test('InfluxDB 1 with a login refuses others', { skip: lacks('influxd') }, async (t) => {
  const login = { username: 'writer', password: 'secret' };
  const influx = await startInflux1(t, { databases: ['energy'], login });
  const write = (/** @type {string} */ query) =>
    fetch(`${influx.url}/write?db=energy${query}`, { method: 'POST', body: 'm v=1 1' });
  assert.equal((await write('&u=writer&p=secret')).status, 204);
  assert.equal((await write('&u=writer&p=wrong')).status, 401);
});

test(
  'VictoriaMetrics takes an InfluxDB v2 write',
  { skip: lacks('victoria-metrics') },
  async (t) => {
    const victoria = await startVictoria(t);
    const now = Date.now();
    const response = await fetch(
      `${victoria.url}/api/v2/write?org=plant&bucket=energy&precision=ms`,
      {
        method: 'POST',
        body: `m,asset=a volts=230.1 ${now}`,
      },
    );
    assert.equal(response.status, 204, await response.text());
    const [series] = await waitFor(
      async () => {
        const found = await victoria.export('m_volts');
        return found.length > 0 && found;
      },
      { what: 'the series m_volts' },
    );
    assert.deepEqual(
      [series.metric.asset, series.values, series.timestamps],
      ['a', [230.1], [now]],
    );
  },
);

test('a program that ends too early is named with what it printed', async (t) => {
  const program = startProgram(t, { command: 'sh', args: ['-c', 'echo no luck; exit 3'] });
  await assert.rejects(program.waitForOutput(/ready/), /exit code 3[^]*no luck/);
});

test('a program that does not obey is killed, and that is an error', async (t) => {
  const script = 'trap "" TERM; echo ready; while :; do sleep 0.05; done';
  const program = startProgram(t, { command: 'sh', args: ['-c', script], stopMs: 200 });
  await program.waitForOutput(/ready/);
  await assert.rejects(program.stop(), /did not end within 200 ms/);
  assert.equal(program.running, false);
});

test('a program that a test leaves running must end well', async (t) => {
  const program = startProgram(t, { command: 'sh', args: ['-c', 'exit 3'] });
  await program.ended;
  await assert.rejects(program.finish(), /sh -c exit 3 ended with exit code 3/);
  assert.deepEqual(await program.end(), { code: 3, signal: null });
});

test('a temporary folder goes after the program that uses it', async (t) => {
  let folder = '';
  let seen = false;
  await t.test('inner', (inner) => {
    folder = tempDir(inner);
    atEnd(inner, () => (seen = fs.existsSync(folder)));
  });
  assert.deepEqual({ seen, left: fs.existsSync(folder) }, { seen: true, left: false });
});

test('waitFor says what it waited for and what it saw last', async () => {
  await assert.rejects(
    waitFor(() => false, { timeoutMs: 30, what: 'the moon' }),
    /waited 30 ms for the moon; the last look gave: false/,
  );
});

test('a free port is free, a missing program is named', async () => {
  assert.equal(await isListening(await freePort()), false);
  assert.equal(lacks('sh'), false);
  assert.equal(lacks('no-such-program'), 'no-such-program not installed');
});
