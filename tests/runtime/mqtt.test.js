/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* From a meter to a real broker and to those who listen there. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { lacks, makeCertificates, startMosquitto, tempDir, waitFor } = require('../support');
const { listen } = require('../support/listener');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */

/** A simulated device with value/1 set to 230.1, and the document that reads it.
 * @param {TestContext} t @param {Record<string, unknown>} mqtt
 * @param {Parameters<typeof describeMeter>[2]} [options] */
async function describeSite(t, mqtt, options) {
  const sim = await startSim(t, ['generic/modbus-60']);
  await sim.tell('set value/1 230.1');
  const config = {
    ...describeMeter('meter-1', sim.port, { scan: { fast: '500ms' }, ...options }),
    sinks: [{ id: 'bus', mqtt, devices: ['*'] }],
  };
  return { sim, config };
}

/** @param {import('../support/listener').Message} message */
function isGood(message) {
  return message.topic === 'plant/meter-1/fast' && message.payload.values['value/1'] === 230.1;
}

const MOSQUITTO = { skip: lacks('mosquitto', 'openssl') };

test('a batch is one message with all its values', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url);
  const { config } = await describeSite(t, { url: broker.url });
  const before = Date.now();
  await startRuntime(t, config);
  const { payload, qos, retain } = await listener.waitFor(isGood, { what: 'a batch' });
  assert.equal(payload.device, 'meter-1');
  assert.equal(payload.scan, 'fast');
  assert.equal(Object.keys(payload.values).length, 60);
  assert.equal(payload.quality, undefined);
  assert.ok(payload.timestamp >= before && payload.timestamp <= Date.now(), payload.timestamp);
  assert.deepEqual({ qos, retain }, { qos: 1, retain: false });
});

test('a point is one message below its own topic', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const listener = await listen(t, broker.url, { topic: 'values/#' });
  const { config } = await describeSite(
    t,
    { url: broker.url, payload: 'point', topic: 'values/{line}/{asset}/{point}', tags: true },
    { tags: { asset: 'pump 7', line: 'l1' } },
  );
  await startRuntime(t, config);
  const topic = 'values/l1/pump 7/value/1';
  const found = await listener.waitFor((message) => message.topic === topic, { what: topic });
  assert.equal(found.payload.value, 230.1);
  await listener.waitFor((message) => message.topic.endsWith('/value/60'), { what: 'the last' });
});

test('TLS with a client certificate', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t, { clientCerts: true });
  const { ca, clientCert, clientKey } = /** @type {import('../support/mosquitto').Certificates} */ (
    broker.certificates
  );
  const listener = await listen(t, broker.url, {
    options: {
      ca: fs.readFileSync(ca),
      cert: fs.readFileSync(clientCert),
      key: fs.readFileSync(clientKey),
    },
  });
  const { config } = await describeSite(t, {
    url: broker.url,
    ca_file: ca,
    cert_file: clientCert,
    key_file: clientKey,
  });
  await startRuntime(t, config);
  await listener.waitFor(isGood, { what: 'a batch through TLS' });
});

test(
  'TLS is refused without our certificate, and to a broker of another authority',
  MOSQUITTO,
  async (t) => {
    const broker = await startMosquitto(t, { clientCerts: true });
    const { ca, clientCert, clientKey } =
      /** @type {import('../support/mosquitto').Certificates} */ (broker.certificates);
    const other = await makeCertificates(tempDir(t));
    const without = { url: broker.url, ca_file: ca };
    const foreign = {
      url: broker.url,
      ca_file: other.ca,
      cert_file: clientCert,
      key_file: clientKey,
    };
    const { config } = await describeSite(t, without);
    config.sinks.push({ id: 'foreign', mqtt: foreign, devices: ['*'] });
    const runtime = await startRuntime(t, config);
    await runtime.program.waitForOutput(/\bbus: .*(certificate|TLS|SSL|alert)/i);
    await runtime.program.waitForOutput(/\bforeign: .*(certificate|TLS|SSL|verif)/i);
    const ready = await runtime.get('/readyz');
    assert.equal(ready.status, 503);
    assert.match(ready.text, /bus/);
    assert.match(ready.text, /foreign/);
  },
);

test(
  'a wrong password is told, never shown, and put right without a restart',
  MOSQUITTO,
  async (t) => {
    const login = { username: 'runtime', password: 'a secret word' };
    const broker = await startMosquitto(t, { password: login });
    const listener = await listen(t, broker.url, { options: login });
    const file = path.join(tempDir(t), 'password');
    fs.writeFileSync(file, 'another secret\n', { mode: 0o600 });
    const { config } = await describeSite(t, {
      url: broker.url,
      user: login.username,
      password_file: file,
    });
    const runtime = await startRuntime(t, config);
    await runtime.program.waitForOutput(/\bbus: .*(password|authori[sz]ed|user name)/i);
    fs.writeFileSync(file, `${login.password}\n`);
    /* A broker that refuses is asked once a minute; who has put it right need not wait. */
    process.kill(runtime.program.pid, 'SIGHUP');
    await listener.waitFor(isGood, { what: 'a batch with the right password' });
    const { text } = await runtime.get('/metrics');
    for (const shown of [runtime.log, text]) assert.doesNotMatch(shown, /secret/);
  },
);

/** @param {import('../support/listener').Listener} listener @param {boolean} online */
function waitForState(listener, online, from = 0) {
  return listener.waitFor(
    ({ topic, payload }) => topic === 'sinks/bus' && payload.online === online,
    { from, what: `the state online: ${online}` },
  );
}

test('the state is retained: born, dead by kill -9, gone in order', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t);
  const { config } = await describeSite(t, { url: broker.url, state_topic: 'sinks/bus' });
  const listener = await listen(t, broker.url);

  const killed = await startRuntime(t, config);
  await waitForState(listener, true);
  await listener.waitFor(isGood, { what: 'a batch' });
  const topics = listener.messages.map(({ topic }) => topic);
  assert.equal(topics[0], 'sinks/bus', 'the birth comes before the first batch');
  await waitForState(await listen(t, broker.url), true);
  const sent = listener.messages.length;
  await killed.stop('SIGKILL');
  await waitForState(listener, false, sent);
  const late = await waitForState(await listen(t, broker.url), false);
  assert.equal(late.retain, true);

  const again = listener.messages.length;
  const ended = await startRuntime(t, config);
  await waitForState(listener, true, again);
  const before = listener.messages.length;
  const end = await ended.stop();
  assert.equal(end.code, 0, 'after a kill it ended in order');
  const { payload } = await waitForState(listener, false, before);
  assert.equal(typeof payload.timestamp, 'number');
});

test(
  'what is read while the broker is away arrives later, marked as historical',
  MOSQUITTO,
  async (t) => {
    const kept = `${tempDir(t)}/`;
    const broker = await startMosquitto(t, {
      config: ['persistence true', `persistence_location ${kept}`, 'max_queued_messages 0'],
    });
    const listener = await listen(t, broker.url, {
      topic: 'plant/#',
      options: { clientId: 'listener', clean: false },
    });
    const { config } = await describeSite(t, { url: broker.url, qos: 1 });
    const runtime = await startRuntime(t, config);
    await listener.waitFor(isGood, { what: 'a batch before the broker goes' });
    await broker.stop();
    const gone = Date.now();
    const read = () => runtime.metric('busbar_scan_polls_answered_total', { device: 'meter-1' });
    const before = await read();
    await waitFor(async () => (await read()) >= before + 16, {
      timeoutMs: 30000,
      what: '16 more reads without a broker',
    });
    const back = Date.now();
    await broker.start();
    const live = (/** @type {import('../support/listener').Message} */ { payload }) =>
      payload.timestamp > back && !payload.historical;
    await listener.waitFor(live, { timeoutMs: 30000, what: 'a live batch after the return' });
    const total = await read();
    const upTo = Date.now();
    const batches = () =>
      listener.messages
        .filter(({ payload }) => payload.timestamp <= upTo)
        .map(({ topic, payload }) => `${topic} ${payload.timestamp}`);
    await waitFor(() => new Set(batches()).size >= total, {
      timeoutMs: 30000,
      what: `all ${total} batches`,
    });
    const old = listener.messages.filter(
      ({ payload }) => payload.timestamp > gone && payload.timestamp < back - 6000,
    );
    assert.ok(old.length > 0, 'something is older than what counts as live');
    for (const { payload } of old)
      assert.equal(payload.historical, true, String(payload.timestamp));
    const inOrder = old.map(({ payload }) => payload.timestamp);
    assert.deepEqual(
      inOrder,
      [...inOrder].sort((a, b) => a - b),
    );
  },
);
