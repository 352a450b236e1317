/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Runtimes with something in their stores: messages for a sink that is away, and dead letters. */

const http = require('node:http');
const { freePort, openPort } = require('./place');
const { packPut } = require('./put');
const { startRuntime } = require('./runtime');
const { TYPE, connectSocket } = require('./socket');
const { waitFor } = require('./wait');

/** @typedef {import('node:test').TestContext} TestContext */

/** A sink that nobody answers. @param {string} id */
async function describeAbsent(id) {
  return { id, mqtt: { url: `mqtt://127.0.0.1:${await freePort()}` } };
}

/** A runtime with that many messages waiting on the disk for the sink "bus".
 * @param {TestContext} t @param {number} n */
async function startWaiting(t, n) {
  const bus = await describeAbsent('bus');
  const runtime = await startRuntime(t, {
    runtime: { owner: 'editor', store: { sync: '100ms' } },
    sinks: [bus],
  });
  const client = await connectSocket(t, runtime.data);
  await client.must('subscribe');
  const ids = Array.from({ length: n }, (_, i) => i + 1);
  const messages = ids.map((id) => ({ id, topic: `plant/${id}`, payload: `${id}` }));
  client.send(TYPE.put, packPut('bus', messages));
  await client.waitForEvent(({ event, id }) => event === 'taken' && id === n, 'all to be taken');
  return { runtime, client, bus };
}

/** A database that refuses lines for good while `refuses` is set. @param {TestContext} t */
async function startDatabase(t) {
  const database = { refuses: true, lines: /** @type {string[]} */ ([]), url: '' };
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      if (!database.refuses) database.lines.push(...body.split('\n').filter(Boolean));
      response.writeHead(database.refuses ? 400 : 204);
      response.end(database.refuses ? '{"error":"field type conflict"}' : '');
    });
  });
  return Object.assign(database, { url: `http://127.0.0.1:${await openPort(t, server)}` });
}

/** A runtime with that many dead letters of the sink "hist". @param {TestContext} t @param {number} n */
async function startRefused(t, n) {
  const database = await startDatabase(t);
  const sinks = [{ id: 'hist', influxdb: { url: database.url, database: 'plant', gzip: false } }];
  const runtime = await startRuntime(t, { runtime: { store: { sync: '100ms' } }, sinks });
  const client = await connectSocket(t, runtime.data);
  const ids = Array.from({ length: n }, (_, i) => i + 1);
  client.send(
    TYPE.put,
    packPut(
      'hist',
      ids.map((id) => ({ id, payload: `m,n=${id} v=${id}` })),
    ),
  );
  await waitFor(async () => (await client.must('status')).store.dead === n, {
    what: `${n} dead letters`,
  });
  return { runtime, client, database, sinks };
}

module.exports = { describeAbsent, startDatabase, startRefused, startWaiting };
