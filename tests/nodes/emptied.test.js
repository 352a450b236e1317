/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A password that was there and is empty after a deploy, as when Node-RED has lost the key of its
   credentials: what ran before goes on, and the nodes of that sink say why. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { describeEmptied, findEmptied } = require('../../lib/secrets');
const { lacks, startMosquitto, waitFor } = require('../support');
const { startPalette } = require('./support/palette');

const MOSQUITTO = { skip: lacks('mosquitto') };
const SENTENCE = /its password was there and is empty now: enter it again, or deploy once more/;

/** A function node that writes into the log of Node-RED. @param {string} id @param {string} text */
function writer(id, text) {
  const more = { z: 'tab', x: 1, y: 1, outputs: 0, libs: [], wires: [] };
  return { id, type: 'function', func: `node.warn(${text})`, ...more };
}

/** @param {string} url @param {string} password */
function makeFlows(url, password) {
  const watch = { z: 'tab', x: 1, y: 1, scope: null };
  return [
    { id: 'tab', type: 'tab', label: 'emptied' },
    { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off' },
    {
      ...{ id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url },
      credentials: { user: 'edge', password },
    },
    { id: 'to', type: 'busbar-mqtt-out', z: 'tab', x: 1, y: 1, sink: 'mq', topic: 'a', wires: [] },
    { id: 'catch', type: 'catch', ...watch, wires: [['caught']] },
    writer('caught', '`caught ${msg.error.source.id}: ${msg.error.message}`'),
    { id: 'status', type: 'status', ...watch, wires: [['stated']] },
    writer('stated', '`dot ${msg.status.source.id} ${msg.status.fill}: ${msg.status.text}`'),
  ];
}

test('what the runtime has and the deploy has not, of sinks that are used', () => {
  const sinks = new Map([
    ['a.b', { nodeId: 'n1', kind: 'mqtt', used: true }],
    ['off', { nodeId: 'n2', kind: 'mqtt', used: false }],
  ]);
  const assembly = /** @type {any} */ ({ sinks, secrets: { 'a.b.password': 'x' } });
  const known = ['a.b.password', 'a.b.key', 'off.password', 'gone.token'];
  assert.deepEqual(findEmptied(assembly, known), ['a.b.key']);
  const [{ nodeId, short }] = describeEmptied(assembly, ['a.b.key']);
  assert.deepEqual([nodeId, short], ['n1', 'its private key is empty now']);
});

test('a password that a deploy leaves empty', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t, { password: { username: 'edge', password: 's3cret' } });
  const palette = await startPalette(t, makeFlows(broker.url, ''));
  const { lines } = palette.child;
  const listLines = (/** @type {RegExp} */ pattern) => lines.filter((line) => pattern.test(line));
  const waitForSink = (/** @type {string} */ state) =>
    palette.waitForOverview(({ sinks }) => sinks[0]?.state === state, `the sink to be ${state}`);
  const waitForLine = (/** @type {RegExp} */ pattern) =>
    waitFor(() => listLines(pattern).length > 0, { what: String(pattern) });
  await palette.deploy(makeFlows(broker.url, 's3cret'));
  await waitForSink('ready');

  await palette.deploy(makeFlows(broker.url, ''));
  await waitForLine(/caught mq: its password/);
  await waitForLine(/dot to red: its password is empty now/);
  assert.match(listLines(/caught mq/)[0], SENTENCE);
  const { runtime, sinks } = await palette.overview();
  assert.match(runtime.refusal, /bus\.password/);
  assert.equal(sinks[0].state, 'ready');

  /* A runtime that comes back is no second deploy. */
  const pid = await palette.runtimePid();
  process.kill(pid, 'SIGKILL');
  await palette.runtimePid(pid);
  const back = await waitForSink('ready');
  assert.match(back.runtime.refusal, /bus\.password/);

  await palette.deploy(makeFlows(broker.url, ''));
  await palette.waitForOverview((overview) => !overview.runtime.refusal, 'the deploy to be taken');
  await waitForSink('waiting');
  assert.equal(listLines(/caught mq/).length, 1);
});
