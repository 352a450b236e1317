/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Documents that come through the control socket. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { freePort, startBusbar, tempDir, waitFor } = require('../support');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');
const { connectSocket } = require('../support/socket');

/** A document without metrics, as the palette would send it. @param {Record<string, any>} parts */
function documentOf(parts) {
  const runtime = { owner: 'editor', metrics: 'off' };
  return JSON.stringify({ busbar: 1, site: { id: 'plant' }, runtime, ...parts });
}

test('a runtime with a config file refuses to be told otherwise', async (t) => {
  const runtime = await startRuntime(t, {});
  const client = await connectSocket(t, runtime.data);
  const answer = await client.ask('apply', { document: documentOf({}) });
  assert.deepEqual([answer.ok, answer.code], [false, 'DENIED']);
  assert.match(answer.error, /follows its config file/);
  assert.equal((await client.ask('check', { document: documentOf({}) })).ok, true);
});

test('check and apply name all mistakes, and nothing is applied', async (t) => {
  const runtime = await startRuntime(t, { runtime: { owner: 'editor' } });
  const client = await connectSocket(t, runtime.data);
  const document =
    'busbar: 1\nconnections:\n  - { id: a, modbus-tcp: { host: h, prot: 502 } }\n' +
    'devices:\n  - { id: "bad id", connection: b }\n';
  for (const op of ['check', 'apply']) {
    const answer = await client.ask(op, { document, name: 'site.yaml' });
    assert.deepEqual([answer.ok, answer.code], [false, 'CONFIG']);
    const lines = answer.mistakes.map((/** @type {any} */ m) => `${m.file}:${m.line}: ${m.text}`);
    assert.ok(answer.mistakes.length >= 2, lines.join('\n'));
    assert.match(lines.join('\n'), /site\.yaml:3: .*port/);
    assert.match(lines.join('\n'), /site\.yaml:5: /);
  }
  assert.equal((await client.must('status')).applied, 1);
});

test('an applied document runs, is kept, and has one owner', async (t) => {
  const sim = await startSim(t, ['generic/modbus-60']);
  const data = tempDir(t);
  const first = startBusbar(t, ['run', '--data', data]);
  const client = await connectSocket(t, data);
  const other = await connectSocket(t, data, { name: 'other' });
  await other.must('subscribe', {});
  const document = documentOf(describeMeter('meter-1', sim.port));
  const applied = await client.must('apply', { document });
  assert.equal(applied.kept, true);
  await other.waitForEvent(({ event }) => event === 'applied', 'the event applied');
  await other.waitForBatch(({ device }) => device === 'meter-1', 'a batch of the new device');
  const refused = await other.ask('apply', { document });
  assert.equal(refused.code, 'BUSY');
  client.close();
  await waitFor(async () => (await other.ask('apply', { document })).ok, {
    what: 'the owner to go',
  });
  await first.stop();

  startBusbar(t, ['run', '--data', data]);
  const later = await connectSocket(t, data);
  await waitFor(async () => (await later.must('status')).devices[0].up, {
    what: 'the device of the document that was applied last',
  });
});

test('metrics are served once a document says where, and nowhere before', async (t) => {
  const data = tempDir(t);
  const record = () => JSON.parse(fs.readFileSync(path.join(data, 'runtime.json'), 'utf8'));
  const first = startBusbar(t, ['run', '--data', data]);
  const client = await connectSocket(t, data);
  assert.equal(record().metrics, null);
  assert.doesNotMatch(first.output, /\/metrics|cannot listen/);
  const address = `127.0.0.1:${await freePort()}`;
  const runtime = { owner: 'editor', metrics: address };
  await client.must('apply', { document: documentOf({ runtime }) });
  assert.equal(record().metrics, address);
  assert.equal((await fetch(`http://${address}/healthz`)).status, 200);
  await first.stop();

  startBusbar(t, ['run', '--data', data]);
  await connectSocket(t, data);
  assert.equal(record().metrics, address, 'by the document that was kept');
  assert.equal((await fetch(`http://${address}/healthz`)).status, 200);
});

test('documents of many megabytes are taken', async (t) => {
  const runtime = await startRuntime(t, {});
  const client = await connectSocket(t, runtime.data);
  const port = await freePort();
  const devices = Array.from({ length: 20000 }, (_, i) => ({
    ...{ id: `meter-${i}`, connection: 'a', profile: 'generic/modbus-60', unit: (i % 200) + 1 },
    tags: { place: 'x'.repeat(100) },
  }));
  const connections = [{ id: 'a', 'modbus-tcp': { host: '127.0.0.1', port } }];
  const document = documentOf({ connections, devices });
  assert.ok(document.length > 3 << 20);
  const answer = await client.ask('check', { document });
  assert.equal(answer.ok, true, JSON.stringify(answer).slice(0, 500));
  assert.equal(answer.devices, 20000);
});
