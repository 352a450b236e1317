/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* busbar store, beside a runtime that runs and where none does. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');
const { atEnd, runBusbar, tempDir, waitFor } = require('../support');
const { describeAbsent, startRefused, startWaiting } = require('../support/backlog');
const { describeMeter, startRuntime } = require('../support/runtime');
const { startSim } = require('../support/sim');
const { connectSocket } = require('../support/socket');

/** The exit code, and what was said. @param {string} data @param {...string} words */
async function store(data, ...words) {
  const { code, stdout, stderr } = await runBusbar(['store', ...words, '--data', data]);
  return { code, stdout, stderr };
}

/** The same, which must go well. @param {string} data @param {...string} words */
async function must(data, ...words) {
  const { code, stdout, stderr } = await store(data, ...words);
  assert.deepEqual([code, stderr], [0, ''], stdout);
  return stdout;
}

/** @param {string} data @param {...string} words */
const json = async (data, ...words) => JSON.parse(await must(data, ...words, '--json'));

/** The rows of a table as lists of cells. @param {string} text */
function readTable(text) {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));
}

test('wrong usage is told, with what is nearest', async (t) => {
  const data = tempDir(t);
  for (const [words, expected] of /** @type {[string[], RegExp][]} */ ([
    [[], /which order is missing/],
    [['lits'], /there is no order lits; did you mean list\? busbar/],
    [['list', '--jsn'], /there is no option --jsn; did you mean --json\? busbar/],
    [['drop'], /store drop: the sink is missing/],
    [['drop', 'a', 'b'], /what is b for\?/],
    [['drop', 'a b'], /a b is no id of a sink/],
    [['reassign', 'a'], /is missing/],
    [['reassign', 'a', 'a'], /need not be given to a/],
    [['export'], /the file to copy into is missing/],
    [['drop', 'a', '--file', 'x.db'], /--file only looks at a store/],
    [['status', '--data'], /--data needs an argument/],
  ])) {
    const { code, stdout, stderr } = await runBusbar(['store', ...words], {
      env: { BUSBAR_DATA: data },
    });
    assert.deepEqual([code, stdout], [2, ''], words.join(' '));
    assert.match(stderr, expected);
  }
  const help = await runBusbar(['store', '--help']);
  assert.deepEqual([help.code, help.stderr], [0, '']);
  assert.match(help.stdout, /requeue-dead/);
  assert.match(help.stdout, /drop-dead/);
  assert.match(
    help.stdout,
    /messages of\n +flows go as they are, so those only to one of the same/,
  );
});

test('where there is no store, it says so', async (t) => {
  const data = tempDir(t);
  for (const words of [['status'], ['list'], ['dead'], ['verify'], ['drop', 'bus']]) {
    const { code, stdout, stderr } = await store(data, ...words);
    assert.deepEqual([code, stdout], [1, ''], words.join(' '));
    assert.match(stderr, /there is no store .*store\.db; --data names the data directory/);
  }
});

test('what waits is shown the same, whether the runtime runs or not', async (t) => {
  const { runtime } = await startWaiting(t, 3);
  for (const state of ['runs', 'does not run']) {
    if (state !== 'runs') await runtime.stop();
    const status = await must(runtime.data, 'status');
    assert.match(status, new RegExp(`^runtime +${state}$`, 'm'));
    assert.match(status, /^waiting +3 batches, \d+ B$/m);
    assert.match(status, /^file +\d+ KiB, 0 B of it unused$/m);
    assert.equal(/^log +[\d.]+ KiB in store\.db-wal, /m.test(status), state === 'runs', status);
    const [head, row, ...rest] = readTable(await must(runtime.data, 'list'));
    assert.deepEqual(head, ['SINK', 'STREAM', 'KIND', 'BATCHES', 'SIZE', 'OLDEST']);
    assert.deepEqual([row.slice(0, 4), rest], [['bus', 'bus', 'readings', '3'], []]);
    assert.match(row[5], /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const { waiting } = await json(runtime.data, 'list');
    assert.deepEqual([waiting.length, waiting[0].kind, waiting[0].records], [1, 'readings', 3]);
    const about = await json(runtime.data, 'status');
    assert.deepEqual([Object.keys(about), about.store.records], [['store'], 3]);
    assert.equal(await must(runtime.data, 'verify'), 'ok: nothing in it is damaged\n');
    assert.equal(await must(runtime.data, 'dead'), 'there are no dead letters\n');
  }
});

/** What lies in a folder, and when it was written last. @param {string} folder */
function describeFolder(folder) {
  return fs.readdirSync(folder).map((name) => {
    const { ino, mtimeNs, mode } = fs.statSync(path.join(folder, name), { bigint: true });
    return { name, ino, mtimeNs, mode, bytes: fs.readFileSync(path.join(folder, name), 'hex') };
  });
}

test('one batch is told as one', async (t) => {
  const { runtime } = await startWaiting(t, 1);
  await runtime.stop();
  assert.match(runtime.log, / bus: 1 batch waits in the store for the next start\n/);
  assert.match(await must(runtime.data, 'status'), /^waiting +1 batch, \d+ B$/m);
  assert.equal(await must(runtime.data, 'drop', 'bus', '--live'), '1 batch of bus dropped\n');
});

test('who only looks at a store leaves the data directory as it is', async (t) => {
  const { runtime } = await startWaiting(t, 3);
  await runtime.stop();
  const before = describeFolder(runtime.data);
  for (const words of [['status'], ['list'], ['dead'], ['verify']])
    await must(runtime.data, ...words);
  await must(runtime.data, 'export', path.join(tempDir(t), 'copy.db'));
  assert.deepEqual(describeFolder(runtime.data), before);
});

test('status tells what a sample took on the disk', async (t) => {
  const sim = await startSim(t, ['generic/modbus-60']);
  const runtime = await startRuntime(t, {
    ...describeMeter('meter-1', sim.port, { scan: { fast: '200ms', slow: 'off' } }),
    sinks: [{ ...(await describeAbsent('bus')), devices: ['*'] }],
    runtime: { store: { sync: '100ms' } },
  });
  const client = await connectSocket(t, runtime.data);
  const about = () => client.must('status');
  await waitFor(async () => (await about()).store.saved >= 3, { what: 'three readings saved' });
  await client.must('pause');
  const { now, text } = await waitFor(
    async () => {
      const { store: before } = await json(runtime.data, 'status');
      const said = await must(runtime.data, 'status');
      const { store: after } = await json(runtime.data, 'status');
      return before.written_bytes === after.written_bytes && { now: after, text: said };
    },
    { what: 'nothing more to be saved' },
  );
  assert.equal(now.saved_samples, 60 * now.saved);
  const each = (now.written_bytes / now.saved_samples).toFixed(1);
  const pattern = `^written +\\S+ .?i?B since the start of the runtime, ${each} bytes a sample$`;
  assert.match(text, new RegExp(pattern, 'm'));
  await runtime.stop();
  assert.doesNotMatch(await must(runtime.data, 'status'), /^written/m);
});

test('the store is exported, and the copy can be looked at', async (t) => {
  const { runtime } = await startWaiting(t, 3);
  const folder = tempDir(t);
  for (const name of ['running.db', 'stopped.db']) {
    if (name === 'stopped.db') await runtime.stop();
    const file = path.join(folder, name);
    assert.equal(await must(runtime.data, 'export', file), `copied to ${file}\n`);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    const again = await store(runtime.data, 'export', file);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /its copy cannot be made as .*: File exists/);
    const copy = JSON.parse((await runBusbar(['store', 'list', '--file', file, '--json'])).stdout);
    assert.equal(copy.waiting[0].records, 3);
  }
});

test('what waits for a sink is dropped where no runtime runs', async (t) => {
  const { runtime, bus } = await startWaiting(t, 3);
  await runtime.stop();
  const wrong = await store(runtime.data, 'drop', 'bos');
  assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
  assert.match(
    wrong.stderr,
    /nothing waits for a sink bos in .*store\.db; did you mean bus\? busbar/,
  );
  const unsure = await store(runtime.data, 'drop', 'bus');
  assert.deepEqual([unsure.code, unsure.stdout], [1, '']);
  assert.match(unsure.stderr, /: 3 batches that wait for bus would be lost, and no runtime runs/);
  assert.match(unsure.stderr, /add --live to drop them all the same/);
  assert.equal((await json(runtime.data, 'list')).waiting[0].records, 3, 'nothing is lost');
  assert.equal(await must(runtime.data, 'drop', 'bus', '--live'), '3 batches of bus dropped\n');
  assert.equal(await must(runtime.data, 'list'), 'nothing waits\n');
  assert.equal(await must(runtime.data, 'verify'), 'ok: nothing in it is damaged\n');
  const next = await startRuntime(t, { sinks: [bus] }, { data: runtime.data });
  const client = await connectSocket(t, next.data);
  const { store: after, sinks } = await client.must('status');
  assert.deepEqual([after.records, sinks[0].waiting], [0, 0]);
});

test('what waits for a sink is given to another where no runtime runs', async (t) => {
  const { runtime } = await startWaiting(t, 3);
  await runtime.stop();
  const given = await must(runtime.data, 'reassign', 'bus', 'other');
  assert.equal(given, '3 batches of bus given to other\n');
  assert.equal(await must(runtime.data, 'verify'), 'ok: nothing in it is damaged\n');
  const sinks = [await describeAbsent('other')];
  const next = await startRuntime(t, { sinks }, { data: runtime.data });
  const client = await connectSocket(t, next.data);
  assert.equal((await client.must('status')).sinks[0].waiting, 3);
});

test('a runtime that runs is asked to drop and to reassign', async (t) => {
  const { runtime, client } = await startWaiting(t, 3);
  const refused = await store(runtime.data, 'drop', 'bus');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /bus is a sink of the config that runs.*add --live to busbar store/);
  const sinks = [
    await describeAbsent('other'),
    { ...(await describeAbsent('bus')), enabled: false },
  ];
  const document = { busbar: 1, runtime: { owner: 'editor', metrics: 'off' }, sinks };
  await client.must('apply', { document: JSON.stringify(document) });
  await waitFor(async () => (await client.must('status')).store.orphans.length > 0, {
    what: 'the orphan',
  });
  assert.match(await must(runtime.data, 'status'), /^orphan +bus \(disabled\): 3 batches/m);
  const nobody = await store(runtime.data, 'reassign', 'bus', 'nobody');
  assert.match(nobody.stderr, /there is no sink nobody in the config that runs/);
  const given = await must(runtime.data, 'reassign', 'bus', 'other');
  assert.equal(given, '3 batches of bus given to other\n');
  const dropped = await must(runtime.data, 'drop', 'other', '--live');
  assert.equal(dropped, '3 batches of other dropped\n');
});

test('dead letters are shown and sent again, through a runtime', async (t) => {
  const { runtime, database } = await startRefused(t, 120);
  const table = readTable(await must(runtime.data, 'dead'));
  assert.equal(table.length, 121, 'more than one page');
  assert.deepEqual([table[1][1], table[1][4]], ['hist', 'lines']);
  assert.equal((await json(runtime.data, 'dead')).letters.length, 120);
  database.refuses = false;
  const said = await must(runtime.data, 'requeue-dead', 'hist');
  assert.equal(said, '120 dead letters will be sent again\n');
  await waitFor(() => database.lines.length === 120, { what: 'all lines' });
  assert.equal(new Set(database.lines).size, 120);
});

test('dead letters are sent again by the next runtime', async (t) => {
  const { runtime, database, sinks } = await startRefused(t, 120);
  await runtime.stop();
  assert.equal(readTable(await must(runtime.data, 'dead')).length, 121);
  const wrong = await store(runtime.data, 'requeue-dead', 'hits');
  assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
  assert.match(
    wrong.stderr,
    /no dead letter of a sink hits in .*store\.db; did you mean hist\? busbar/,
  );
  assert.equal(await must(runtime.data, 'requeue-dead'), '120 dead letters will be sent again\n');
  assert.equal(await must(runtime.data, 'verify'), 'ok: nothing in it is damaged\n');
  assert.equal((await json(runtime.data, 'list')).waiting[0].records, 120);
  database.refuses = false;
  await startRuntime(t, { sinks }, { data: runtime.data });
  await waitFor(() => database.lines.length >= 120, { what: 'all lines' });
  assert.equal(new Set(database.lines).size, 120);
});

for (const how of ['through a runtime', 'in the file']) {
  test(`dead letters are dropped by their sink, ${how}`, async (t) => {
    const { runtime } = await startRefused(t, 120);
    if (how === 'in the file') await runtime.stop();
    const wrong = await store(runtime.data, 'drop-dead', 'hits');
    assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
    assert.match(wrong.stderr, /there is no dead letter of a sink hits.*; did you mean hist\?/);
    assert.equal((await json(runtime.data, 'dead')).letters.length, 120);
    assert.equal(await must(runtime.data, 'drop-dead', 'hist'), '120 dead letters dropped\n');
    assert.deepEqual((await json(runtime.data, 'dead')).letters, []);
    assert.equal((await json(runtime.data, 'status')).store.dead, 0);
    assert.equal(await must(runtime.data, 'verify'), 'ok: nothing in it is damaged\n');
  });
}

/** Spoils each page behind the first two. @param {string} file */
function damage(file) {
  const bytes = fs.readFileSync(file);
  for (let at = 2 * 4096; at < bytes.length; at += 512) bytes[at] ^= 0xff;
  fs.writeFileSync(file, bytes);
}

test('a runtime that runs names the damage in its store', async (t) => {
  const { runtime: first, bus } = await startWaiting(t, 200);
  await first.stop();
  const config = { sinks: [bus], runtime: { store: { sync: '100ms' } } };
  const { data } = await startRuntime(t, config, { data: first.data });
  assert.equal(await must(data, 'verify'), 'ok: nothing in it is damaged\n');
  const file = path.join(data, 'store.db');
  const bytes = fs.readFileSync(file);
  /* Of the last message, so within the bytes of a pack. */
  const at = bytes.lastIndexOf('plant/200');
  assert.ok(at > 0, 'the message is in the file');
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, 'p', at + 1);
  fs.closeSync(fd);
  const { code, stdout } = await store(data, 'verify');
  assert.equal(code, 1);
  const sentence = 'stream 1, records 0 to 199: its bytes are damaged';
  assert.equal(stdout.split('\n')[0], sentence);
  const client = await connectSocket(t, data);
  const { n, sentences } = await client.must('store', { do: 'verify' });
  assert.deepEqual([n, sentences], [1, [sentence]]);
  assert.equal((await client.must('status')).sinks[0].waiting, 200, 'it goes on');
});

test('a damaged store is told, and no store', async (t) => {
  const { runtime } = await startWaiting(t, 200);
  await runtime.stop();
  const file = path.join(runtime.data, 'store.db');
  damage(file);
  const verify = await store(runtime.data, 'verify');
  assert.equal(verify.code, 1);
  assert.match(
    verify.stderr,
    /store\.db: the file is damaged .*; busbar run sets it aside by itself and begins a fresh one/,
  );
  const { stderr: beside } = await runBusbar(['store', 'verify', '--file', file]);
  assert.doesNotMatch(beside, /busbar run/, 'not of a file that no runtime opens');
  fs.writeFileSync(file, 'this is no store, but long enough to be looked at\n'.repeat(100));
  for (const words of [['status'], ['drop', 'bus']]) {
    const { code, stderr } = await store(runtime.data, ...words);
    assert.equal(code, 1);
    assert.match(stderr, /store\.db/);
  }
});

test('a runtime that does not answer is told', async (t) => {
  const data = tempDir(t);
  const server = net.createServer((socket) => socket.end());
  await new Promise((resolve) => server.listen(path.join(data, 'busbar.sock'), () => resolve(0)));
  atEnd(t, () => server.close());
  fs.writeFileSync(
    path.join(data, 'runtime.json'),
    JSON.stringify({ socket: path.join(data, 'busbar.sock') }),
  );
  const { code, stderr } = await store(data, 'status');
  assert.equal(code, 1);
  assert.match(stderr, /the connection to the runtime at .*busbar\.sock broke: /);
});

test('a directory that is in use without a socket is left alone', async (t) => {
  const runtime = await startRuntime(t, {});
  fs.rmSync(path.join(runtime.data, 'busbar.sock'));
  const { code, stderr } = await store(runtime.data, 'status');
  assert.equal(code, 1);
  assert.match(
    stderr,
    /is in use by process \d+ \(.*busbar run .*\).*nobody answers at its socket/,
  );
});
