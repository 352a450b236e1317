/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A database that is reached by HTTPS, and only through a proxy. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');
const { freePort, openPort, tempDir, waitFor } = require('../support');
const { makeCertificates } = require('../support/certificates');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */

/** What a database has got, by HTTPS. @param {TestContext} t */
async function startDatabase(t) {
  const files = await makeCertificates(tempDir(t));
  const database = {
    ca: files.ca,
    port: 0,
    lines: /** @type {string[]} */ ([]),
    tokens: /** @type {Set<string | undefined>} */ (new Set()),
  };
  const options = {
    cert: fs.readFileSync(files.serverCert),
    key: fs.readFileSync(files.serverKey),
  };
  const server = https.createServer(options, async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    if (body !== '') database.tokens.add(request.headers.authorization);
    database.lines.push(...body.split('\n').filter(Boolean));
    response.writeHead(204).end();
  });
  database.port = await openPort(t, server);
  return database;
}

/** A proxy that leads each tunnel to that port, whatever was asked for, once it lets anybody in.
 * @param {TestContext} t @param {number} port */
async function startProxy(t, port) {
  const proxy = { letsIn: false, url: '', seen: /** @type {Set<string>} */ (new Set()) };
  const server = http.createServer((request, response) => {
    proxy.seen.add(`${request.method} ${request.url}`);
    response.writeHead(403).end();
  });
  server.on('connect', (request, client) => {
    proxy.seen.add(`${request.method} ${request.url}`);
    proxy.seen.add(`authorization: ${request.headers.authorization}`);
    client.on('error', () => {});
    if (!proxy.letsIn) return void client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const far = net.connect(port, '127.0.0.1');
    far.on('error', () => client.destroy());
    far.on('close', () => client.destroy());
    client.on('close', () => far.destroy());
    far.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(far).pipe(client);
    });
  });
  proxy.url = `http://127.0.0.1:${await openPort(t, server)}`;
  return proxy;
}

test('HTTPS goes through a tunnel of the proxy, which sees no token', async (t) => {
  const database = await startDatabase(t);
  const proxy = await startProxy(t, database.port);
  const sim = await startSim(t, ['generic/modbus-60']);
  const tokenFile = path.join(tempDir(t), 'token');
  fs.writeFileSync(tokenFile, 'open-sesame\n', { mode: 0o600 });
  const nowhere = await freePort();
  const influxdb = {
    ...{ url: `https://localhost:${nowhere}`, org: 'plant', bucket: 'energy' },
    ...{ proxy: proxy.url, ca_file: database.ca, token_file: tokenFile },
    ...{ gzip: false, batch: { age: '100ms' } },
  };
  const runtime = await startRuntime(t, {
    ...describeMeter('meter-1', sim.port, { scan: { fast: '500ms' } }),
    sinks: [{ id: 'hist', influxdb, devices: ['*'] }],
  });
  const why = `the proxy ${new URL(proxy.url).host} does not let through to localhost:${nowhere}: it answers 403`;
  await runtime.program.waitForOutput(new RegExp(`warn +hist: ${why}; next try in `));
  assert.deepEqual(database.lines, []);
  proxy.letsIn = true;
  await waitFor(() => database.lines.length >= 3, { what: 'three lines', timeoutMs: 30000 });
  for (const line of database.lines) assert.match(line, /^modbus_60,asset=meter-1,site=plant \w+=/);
  assert.deepEqual([...database.tokens], ['Token open-sesame']);
  assert.deepEqual([...proxy.seen], [`CONNECT localhost:${nowhere}`, 'authorization: undefined']);
});
