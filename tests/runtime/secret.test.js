/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Secrets that a client hands over by name. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const { test } = require('node:test');
const {
  lacks,
  makeCertificates,
  openPort,
  startBusbar,
  startMosquitto,
  tempDir,
  waitFor,
} = require('../support');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');
const { connectSocket } = require('../support/socket');

/** @typedef {import('node:test').TestContext} TestContext */

const USER = 'runtime';
const NAME = 'hist.password';
const MOSQUITTO = { skip: lacks('mosquitto') };
const RIGHT = 'the right "hush" \u20ac';

/** As InfluxDB 1 does it: /ping answers anyone, /write who has the password.
 * @param {TestContext} t @param {string} password */
async function startDatabase(t, password) {
  const login = `Basic ${Buffer.from(`${USER}:${password}`).toString('base64')}`;
  const counts = { written: 0, refused: 0 };
  const server = http.createServer((request, response) => {
    const let_in = request.url?.startsWith('/ping') || request.headers.authorization === login;
    request.resume().on('end', () => {
      if (request.url?.startsWith('/write')) counts[let_in ? 'written' : 'refused']++;
      response.writeHead(let_in ? 204 : 401).end();
    });
  });
  return { url: `http://127.0.0.1:${await openPort(t, server)}`, counts };
}

/** A document with a meter and that database, and how a runtime on what was kept is started, with a
 * client of it. @param {TestContext} t @param {object} influxdb */
async function preparePlant(t, influxdb) {
  const sim = await startSim(t, ['generic/modbus-60']);
  const data = tempDir(t);
  const document = JSON.stringify({
    busbar: 1,
    runtime: { owner: 'editor', metrics: 'off' },
    ...describeMeter('meter-1', sim.port, { scan: { fast: '200ms' } }),
    sinks: [{ id: 'hist', influxdb, devices: ['*'] }],
  });
  const start = async () => {
    const program = startBusbar(t, ['run', '--data', data]);
    return { program, client: await connectSocket(t, data) };
  };
  return { data, document, start };
}

/** The same with a sink that refers to the secret. @param {TestContext} t */
async function startSite(t) {
  const database = await startDatabase(t, RIGHT);
  const plant = await preparePlant(t, {
    ...{ url: database.url, database: 'plant', user: USER },
    password_file: `secret:${NAME}`,
  });
  return { database, ...plant, file: path.join(plant.data, 'secrets') };
}

/** @param {import('../support/socket').SocketClient} client */
async function sinkOf(client) {
  return (await client.must('status')).sinks[0];
}

/** @param {import('../support/socket').SocketClient} client @param {RegExp} reason */
function waitForReason(client, reason) {
  return waitFor(async () => reason.test((await sinkOf(client)).reason), { what: String(reason) });
}

/** Much sooner than the sink would try again by itself.
 * @param {import('../support/socket').SocketClient} client */
function waitForReady(client) {
  return waitFor(async () => (await sinkOf(client)).ready, {
    timeoutMs: 20000,
    what: 'the sink to be ready',
  });
}

test('a sink waits for its secret, takes it at once, and keeps it for the next life', async (t) => {
  const { database, document, file, start } = await startSite(t);
  const { program, client } = await start();
  await client.must('apply', { document });
  await waitForReason(client, /^the secret hist\.password was not handed over; deploy in Node-RED/);
  const answer = await client.must('secret', { secrets: { [NAME]: RIGHT, 'old.token': 'old' } });
  assert.deepEqual([answer.names, answer.kept], [[NAME, 'old.token'], true]);
  await waitForReady(client);
  await waitFor(() => database.counts.written > 0, { what: 'a write with the password' });
  assert.equal(database.counts.refused, 0);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), {
    [NAME]: RIGHT,
    'old.token': 'old',
  });
  await client.must('secret', { secrets: { 'old.token': null } });
  assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), { [NAME]: RIGHT });
  const told = JSON.stringify([await client.must('status'), await client.must('secret')]);
  for (const text of [told, program.output]) assert.doesNotMatch(text, /hush/);
  await program.stop();

  const { written } = database.counts;
  await start();
  await waitFor(() => database.counts.written > written, {
    what: 'a write of the next life',
    timeoutMs: 20000,
  });
  assert.equal(database.counts.refused, 0);
});

/** A broker that wants the password, and a runtime without a document. @param {TestContext} t */
async function startWithBroker(t) {
  const broker = await startMosquitto(t, { password: { username: USER, password: RIGHT } });
  const data = tempDir(t);
  const program = startBusbar(t, ['run', '--data', data]);
  const client = await connectSocket(t, data);
  return { broker, program, client, mqtt: { url: broker.url, user: USER } };
}

/** @param {object[]} sinks */
function describeSinks(sinks) {
  return JSON.stringify({ busbar: 1, runtime: { owner: 'editor', metrics: 'off' }, sinks });
}

test(
  'a broker is asked again as soon as the password is there, or another one',
  MOSQUITTO,
  async (t) => {
    const { program, client, mqtt } = await startWithBroker(t);
    const document = describeSinks([
      { id: 'bus', mqtt: { ...mqtt, password_file: 'secret:bus.password' } },
    ]);
    await client.must('apply', { document });
    await waitForReason(
      client,
      /^the secret bus\.password was not handed over; deploy in Node-RED/,
    );
    await client.must('secret', { secrets: { 'bus.password': 'a wrong hush' } });
    await waitForReason(client, /password|authori[sz]ed|user name/);
    await client.must('secret', { secrets: { 'bus.password': RIGHT } });
    await waitForReady(client);
    assert.doesNotMatch(program.output, /hush/);
  },
);

/** @param {Awaited<ReturnType<typeof startMosquitto>>} broker @param {string} id */
function connections(broker, id) {
  const told = new RegExp(`New client connected from \\S+ as ${id} `, 'g');
  return broker.program?.output.match(told)?.length ?? 0;
}

test(
  'a sink that is connected connects anew when its password changes, and no other one does',
  MOSQUITTO,
  async (t) => {
    const { broker, program, client, mqtt } = await startWithBroker(t);
    const file = path.join(tempDir(t), 'password');
    fs.writeFileSync(file, RIGHT);
    const document = describeSinks([
      { id: 'bus', mqtt: { ...mqtt, client_id: 'bus', password_file: 'secret:bus.password' } },
      { id: 'other', mqtt: { ...mqtt, client_id: 'other', password_file: 'secret:other' } },
      { id: 'filed', mqtt: { ...mqtt, client_id: 'filed', password_file: file } },
    ]);
    const counts = () => ['bus', 'other', 'filed'].map((id) => connections(broker, id));
    const allReady = async () => {
      const { sinks } = await client.must('status');
      return sinks.every((/** @type {any} */ sink) => sink.ready);
    };
    await client.must('secret', { secrets: { 'bus.password': RIGHT, other: RIGHT } });
    await client.must('apply', { document });
    await waitFor(allReady, { what: 'the sinks to be ready' });
    await client.must('secret', { secrets: { 'bus.password': RIGHT } });
    await client.must('apply', { document });
    await waitFor(() => String(counts()) === '1,1,1', { what: 'the broker to tell of each' });

    await client.must('secret', { secrets: { 'bus.password': 'a wrong hush' } });
    await waitForReason(client, /password|authori[sz]ed|user name/);
    await program.waitForOutput(/bus: its password or a certificate has changed/);
    await client.must('secret', { secrets: { 'bus.password': RIGHT } });
    await waitForReady(client);
    await waitFor(() => connections(broker, 'bus') === 2, { what: 'the second connection' });

    fs.writeFileSync(file, 'another wrong hush');
    await client.must('apply', { document });
    await waitFor(async () => !(await allReady()), {
      what: 'the sink with the file to be refused',
    });
    fs.writeFileSync(file, RIGHT);
    await client.must('apply', { document });
    await waitFor(allReady, { timeoutMs: 20000, what: 'the sinks to be ready' });
    await waitFor(() => connections(broker, 'filed') === 2, { what: 'its second connection' });
    assert.deepEqual(counts(), [2, 1, 2]);
    assert.doesNotMatch(program.output, /hush/);
  },
);

/** A database behind TLS, which writes down whose certificate each request came with.
 * @param {TestContext} t @param {import('../support/mosquitto').Certificates} server */
async function startSafe(t, { serverCert, serverKey, ca }) {
  /** @type {Set<string>} */
  const names = new Set();
  const options = { cert: fs.readFileSync(serverCert), key: fs.readFileSync(serverKey) };
  const safe = https.createServer(
    { ...options, ca: fs.readFileSync(ca), requestCert: true },
    (request, response) => {
      const socket = /** @type {import('node:tls').TLSSocket} */ (request.socket);
      names.add(String(socket.getPeerCertificate().subject?.CN));
      request.resume().on('end', () => response.writeHead(204).end());
    },
  );
  return { url: `https://localhost:${await openPort(t, safe)}`, names };
}

test(
  'a certificate that is replaced is shown from the next request on',
  { skip: lacks('openssl') },
  async (t) => {
    const folder = tempDir(t);
    const made = await makeCertificates(folder);
    const safe = await startSafe(t, made);
    const sim = await startSim(t, ['generic/modbus-60']);
    const cert = path.join(folder, 'own.pem');
    const replace = (/** @type {string} */ pem, /** @type {string} */ key) =>
      fs.writeFileSync(cert, fs.readFileSync(pem, 'utf8') + fs.readFileSync(key, 'utf8'));
    replace(made.clientCert, made.clientKey);
    const influxdb = { url: safe.url, database: 'plant', ca_file: made.ca, cert_file: cert };
    const runtime = await startRuntime(t, {
      ...describeMeter('meter-1', sim.port, { scan: { fast: '200ms' } }),
      sinks: [{ id: 'hist', influxdb: { ...influxdb, batch: { age: '100ms' } }, devices: ['*'] }],
    });
    await waitFor(() => safe.names.has('client'), { what: 'a request with the first' });
    replace(made.serverCert, made.serverKey);
    process.kill(runtime.pid, 'SIGHUP');
    await waitFor(() => safe.names.has('server'), { what: 'a request with the second' });
    safe.names.clear();
    await waitFor(() => safe.names.size > 0, { what: 'one more' });
    assert.deepEqual([...safe.names], ['server']);
  },
);

test(
  'certificates that are handed over are shown, replaced and outlive the process',
  { skip: lacks('openssl') },
  async (t) => {
    const made = await makeCertificates(tempDir(t));
    const safe = await startSafe(t, made);
    const read = (/** @type {string} */ file) => fs.readFileSync(file, 'utf8');
    const { data, document, start } = await preparePlant(t, {
      ...{ url: safe.url, database: 'plant', batch: { age: '100ms' } },
      ...{ ca_file: 'secret:ca', cert_file: 'secret:cert', key_file: 'secret:key' },
    });
    const { program, client } = await start();
    const hand = (/** @type {Record<string, string>} */ secrets) =>
      client.must('secret', { secrets });
    await client.must('apply', { document });
    await waitForReason(client, /the secret ca was not handed over/);
    await hand({ ca: read(made.ca), cert: read(made.clientCert), key: read(made.clientKey) });
    await waitFor(() => safe.names.has('client'), { what: 'a request with the first' });
    await hand({ cert: read(made.serverCert), key: read(made.serverKey) });
    await waitFor(() => safe.names.has('server'), { what: 'a request with the second' });
    await program.stop();
    safe.names.clear();
    await start();
    await waitFor(() => safe.names.has('server'), { what: 'a request of the next runtime' });
    assert.equal(fs.statSync(path.join(data, 'secrets')).mode & 0o777, 0o600);
  },
);

test('a wrong secret is put right at once', async (t) => {
  const { database, document, start } = await startSite(t);
  const { program, client } = await start();
  await client.must('secret', { secrets: { [NAME]: 'a wrong hush' } });
  await client.must('apply', { document });
  await waitFor(async () => database.counts.refused > 0 && !(await sinkOf(client)).ready, {
    what: 'the database to refuse',
  });
  await client.must('secret', { secrets: { [NAME]: RIGHT } });
  await waitForReady(client);
  await waitFor(() => database.counts.written > 0, { what: 'a write with the right password' });
  assert.doesNotMatch(program.output, /hush/);
});

test('a secret for the memory only is gone with the process', async (t) => {
  const { document, file, start } = await startSite(t);
  const { program, client } = await start();
  await client.must('apply', { document });
  const secrets = { [NAME]: RIGHT };
  assert.equal((await client.must('secret', { secrets })).kept, true);
  assert.ok(fs.existsSync(file));
  assert.equal((await client.must('secret', { secrets, memory: true })).kept, false);
  assert.equal(fs.existsSync(file), false);
  await waitForReady(client);
  await program.stop();
  const next = await start();
  await waitForReason(next.client, /was not handed over/);
  assert.deepEqual((await next.client.must('secret')).names, []);
});

test('only the owner hands over, and only where no file rules', async (t) => {
  const data = tempDir(t);
  startBusbar(t, ['run', '--data', data]);
  const owner = await connectSocket(t, data, { name: 'node-red' });
  const other = await connectSocket(t, data);
  const secrets = { a: 'hush' };
  assert.equal((await other.ask('secret', { secrets })).ok, true, 'nobody owns it yet');
  await owner.must('apply', { document: '{"busbar":1,"runtime":{"metrics":"off"}}' });
  const busy = await other.ask('secret', { secrets });
  assert.equal(busy.code, 'BUSY');
  assert.match(busy.error, /another client node-red applies to this runtime/);
  assert.deepEqual((await other.must('secret')).names, ['a']);
  assert.equal((await owner.ask('secret', { secrets: { a: null } })).ok, true);

  const runtime = await startRuntime(t, {});
  const client = await connectSocket(t, runtime.data);
  const denied = await client.ask('secret', { secrets });
  assert.equal(denied.code, 'DENIED');
  assert.match(denied.error, /follows its config file/);
  assert.deepEqual((await client.must('secret')).names, []);
});

test('secrets with mistakes are refused whole, and no value is told', async (t) => {
  const data = tempDir(t);
  const program = startBusbar(t, ['run', '--data', data]);
  const client = await connectSocket(t, data);
  for (const wrong of [{ 'a b': 'hush' }, { a: ['hush'] }, { a: 5 }, { a: '' }]) {
    const answer = await client.ask('secret', { secrets: { good: 'hush', ...wrong } });
    assert.deepEqual([answer.ok, answer.code], [false, 'CONFIG']);
    assert.equal(answer.mistakes.length, 1);
    assert.doesNotMatch(JSON.stringify(answer), /hush/);
  }
  assert.deepEqual((await client.must('secret')).names, []);
  assert.doesNotMatch(program.output, /hush/);
});
