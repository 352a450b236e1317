/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

const assert = require('node:assert/strict');
const net = require('node:net');
const { test } = require('node:test');
const { freePort } = require('../../scripts/peers/place');
const { openPort } = require('../support/place');

/** Nobody listens there any more. @param {import('node:test').TestContext} t */
async function leavePort(t) {
  const server = net.createServer();
  const port = await openPort(t, server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('of the preferred ports the first that is free is taken, and given once', async (t) => {
  const taken = await openPort(t, net.createServer());
  const [first, second] = [await leavePort(t), await leavePort(t)];
  assert.equal(await freePort([taken, first, second]), first);
  assert.equal(await freePort([taken, first, second]), second);
});

test('where no preferred port is free, any other is taken', async (t) => {
  const taken = await openPort(t, net.createServer());
  const port = await freePort([taken]);
  assert.notEqual(port, taken);
  assert.ok(port > 1024, String(port));
});
