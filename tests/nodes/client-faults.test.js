/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A client and whoever else may listen on a control socket: nobody, garbage, somebody slow. */

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { Client } = require('../../lib/client');
const { TYPE, packMessage } = require('../../lib/runtime_message');
const { atEnd, tempDir, waitFor } = require('../support');
const { HELLO, greeting, startServer } = require('./support/fake_server');

/** @param {import('node:test').TestContext} t @param {string} file */
async function connect(t, file) {
  const client = new Client({ path: file, name: 'test' });
  atEnd(t, () => client.close());
  const hello = await client.connect();
  return { client, hello };
}

/** @param {string} file @param {{timeoutMs?: number}} [options] @returns {Promise<any>} */
async function connectError(file, options) {
  const client = new Client({ path: file });
  client.on('close', () => assert.fail('a connection that never was is not closed'));
  try {
    await client.connect(options);
  } catch (error) {
    return error;
  }
  return assert.fail('it connected');
}

test('where nobody is, it is said what is there', async (t) => {
  const folder = tempDir(t);
  const missing = await connectError(path.join(folder, 'none.sock'));
  assert.deepEqual([missing.code, missing.details.code], ['BUSBAR_DOWN', 'ENOENT']);
  assert.match(missing.message, /no runtime is there: .*none\.sock does not exist/);

  const file = path.join(folder, 'file.sock');
  fs.writeFileSync(file, '');
  const blocked = await connectError(file);
  assert.equal(blocked.code, 'BUSBAR_PATH', blocked.message);
  assert.match(blocked.message, /file\.sock is in the way: it is no socket; remove it/);

  const left = path.join(folder, 'left.sock');
  const listener =
    'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
  spawnSync(process.execPath, ['-e', listener, left]);
  const stale = await connectError(left);
  assert.deepEqual([stale.code, stale.details.code], ['BUSBAR_DOWN', 'ECONNREFUSED']);
  assert.match(stale.message, /nobody listens at .*left\.sock/);

  const long = await connectError(`/tmp/${'x'.repeat(120)}/busbar.sock`);
  assert.equal(long.code, 'BUSBAR_PATH');
  assert.match(long.message, /has 137 bytes, and at most 107 are possible.*shorter data directory/);
});

test('who may not use the socket is told who may', async (t) => {
  const server = await startServer(t, greeting());
  fs.chmodSync(path.dirname(server.file), 0o755);
  fs.chmodSync(server.file, 0o000);
  const script = `
    const { Client } = require(process.argv[1]);
    if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); }
    new Client({ path: process.argv[2] }).connect().then(
      () => console.log('{}'),
      ({ code, message }) => console.log(JSON.stringify({ code, message })));`;
  const lib = path.join(__dirname, '../../lib/client.js');
  const child = spawn(process.execPath, ['-e', script, lib, server.file]);
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  await once(child, 'close');
  const error = JSON.parse(output);
  assert.equal(error.code, 'BUSBAR_PERMISSION', output);
  assert.match(error.message, /user \S+ \(\d+\) may not use the socket .*busbar\.sock/);
  assert.match(error.message, /owner \d+, group \d+, mode 0\).*same user.*group/);
});

test('who is no runtime is found out', async (t) => {
  /** @type {Record<string, (peer: import('./support/fake_server').Peer) => void>} */
  const servers = {
    'an HTTP server': (peer) => peer.socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    zeros: (peer) => peer.socket.write(Buffer.alloc(64)),
    'text that is not JSON': (peer) => peer.send(TYPE.answer, Buffer.from('hello')),
    'JSON that is no object': (peer) => peer.send(TYPE.answer, Buffer.from('null')),
    'an answer without ok': (peer) => peer.send(TYPE.answer, { id: 1 }),
    'an answer without id': (peer) => peer.send(TYPE.answer, { ok: true }),
    'a greeting without a pid': (peer) =>
      peer.send(TYPE.answer, { id: 1, ok: true, protocol: 1, version: '1' }),
    'a greeting of another protocol': (peer) =>
      peer.send(TYPE.answer, { ...HELLO, id: 1, ok: true, protocol: 3 }),
  };
  for (const [name, onConnect] of Object.entries(servers)) {
    const server = await startServer(t, () => {}, { onConnect });
    const error = await connectError(server.file);
    assert.equal(error.code, 'BUSBAR_PROTOCOL', `${name}: ${error.message}`);
    assert.match(error.message, /busbar\.sock is no runtime of busbar: what /, name);
  }
});

test('another protocol is told by its own code', async (t) => {
  const server = await startServer(t, ({ id }, peer) => {
    const error = 'busbar 9.0.0 speaks protocol 7 to 8; use a client of its version';
    peer.send(TYPE.answer, { id, ok: false, code: 'VERSION', error });
  });
  const error = await connectError(server.file);
  assert.deepEqual([error.code, error.details.code], ['BUSBAR_VERSION', 'VERSION']);
  assert.match(error.message, /speaks protocol 7 to 8/);
});

test('who does not answer the greeting, or hangs up, is given up', async (t) => {
  const silent = await startServer(t, () => {});
  const started = Date.now();
  const slow = await connectError(silent.file, { timeoutMs: 200 });
  assert.equal(slow.code, 'BUSBAR_TIMEOUT', slow.message);
  assert.match(slow.message, /busbar\.sock does not answer; it hangs, or is overloaded/);
  assert.ok(Date.now() - started < 2000, `${Date.now() - started} ms`);
  await waitFor(() => silent.peers[0].socket.destroyed, { what: 'the connection to be closed' });

  const closing = await startServer(t, (_, peer) => peer.socket.end());
  const gone = await connectError(closing.file);
  assert.equal(gone.code, 'BUSBAR_DOWN');
  assert.match(gone.message, /closed the connection/);
});

test('requests are told apart, whatever the order of the answers', async (t) => {
  /** @type {any[]} */
  const requests = [];
  const server = await startServer(
    t,
    greeting((request, peer) => {
      requests.push(request);
      if (requests.length < 3) return;
      for (const one of requests.reverse()) peer.answer(one, { said: one.text });
    }),
  );
  const { client, hello } = await connect(t, server.file);
  assert.deepEqual([hello.pid, hello.mode], [4711, 'service']);
  const texts = ['a', 'ä\u2028', 'c'];
  const answers = await Promise.all(texts.map((text) => client.request('say', { text })));
  assert.deepEqual(
    answers,
    texts.map((said) => ({ said })),
  );
});

test('a refusal has its code, its sentence and its mistakes', async (t) => {
  const mistakes = [{ file: 'a', line: 3, path: 'sinks[0]', text: 'wrong' }];
  const server = await startServer(
    t,
    greeting(({ id }, peer) => {
      peer.send(TYPE.answer, { id, ok: false, code: 'CONFIG', error: 'mistakes', mistakes });
    }),
  );
  const { client } = await connect(t, server.file);
  await assert.rejects(client.request('apply', { document: '' }), {
    name: 'BusbarError',
    code: 'BUSBAR_REFUSED',
    message: 'mistakes',
    mistakes,
    details: { code: 'CONFIG', error: 'mistakes', mistakes },
  });
});

test('a late answer is nothing to anybody', async (t) => {
  /** @type {any} */
  let late;
  const server = await startServer(
    t,
    greeting((request, peer) => {
      if (request.op === 'slow') late = request;
      else peer.answer(request);
    }),
  );
  const { client } = await connect(t, server.file);
  await assert.rejects(client.request('slow', {}, { timeoutMs: 50 }), {
    code: 'BUSBAR_TIMEOUT',
    message: 'slow: the runtime gave no answer for 50 ms',
  });
  server.peers[0].answer(late);
  assert.deepEqual(await client.request('quick'), {});
});

test('garbage ends a connection, and all that waits for it', async (t) => {
  const bodies = {
    'a message that is none': Buffer.from([3, 0, 0, 0, 9, 1, 2]),
    'frames that are none': Buffer.from([6, 0, 0, 0, TYPE.frames, 1, 2, 3, 4, 5]),
  };
  for (const [name, bytes] of Object.entries(bodies)) {
    const server = await startServer(
      t,
      greeting((_, peer) => {
        peer.tell({ event: 'one' });
        peer.socket.write(bytes);
        peer.tell({ event: 'two' });
      }),
    );
    const { client } = await connect(t, server.file);
    /** @type {any[]} */
    const events = [];
    client.on('event', (event) => events.push(event));
    const closed = once(client, 'close');
    await assert.rejects(client.request('status'), { code: 'BUSBAR_PROTOCOL' }, name);
    const [error] = await closed;
    assert.equal(error.code, 'BUSBAR_PROTOCOL', name);
    assert.match(error.message, /^the connection to the runtime at .*busbar\.sock was given up: /);
    assert.deepEqual(events, [{ event: 'one' }], name);
    assert.throws(() => client.put('a', []), { code: 'BUSBAR_PROTOCOL' });
    await waitFor(() => server.peers[0].socket.destroyed, { what: 'the connection to go' });
  }
});

test('who goes away ends all that waits, once', async (t) => {
  const server = await startServer(
    t,
    greeting((_, peer) => peer.socket.destroy()),
  );
  const { client } = await connect(t, server.file);
  /** @type {any[]} */
  const closes = [];
  client.on('close', (error) => closes.push(error));
  const asked = [1, 2].map(() => client.request('status'));
  for (const one of asked) await assert.rejects(one, { code: 'BUSBAR_DOWN' });
  await client.close();
  assert.deepEqual(
    closes.map(({ code }) => code),
    ['BUSBAR_DOWN'],
  );
  await assert.rejects(client.request('status'), { code: 'BUSBAR_DOWN' });
});

test('close sends what was given before, and then tells null', async (t) => {
  const server = await startServer(t, greeting());
  const { client } = await connect(t, server.file);
  const closed = once(client, 'close');
  const payload = Buffer.alloc(50000, 1);
  const messages = Array.from({ length: 100 }, (_, id) => ({ id, topic: 't', payload }));
  client.put('bus', messages);
  const asked = assert.rejects(client.request('status'), { code: 'BUSBAR_DOWN' });
  await client.close();
  assert.deepEqual(await closed, [null]);
  await asked;
  const [peer] = server.peers;
  await waitFor(() => peer.socket.destroyed, { what: 'the end' });
  const got = peer.others.reduce((sum, { body }) => sum + body.length, 0);
  assert.equal(got, peer.others.length * 4 + 100 * (11 + 1 + 50000));
});

for (const protocol of [1, 2]) {
  test(`a runtime of protocol ${protocol} gets ${protocol > 1 ? '' : 'no '}properties`, async (t) => {
    const server = await startServer(t, greeting(undefined, { ...HELLO, protocol }));
    const { client } = await connect(t, server.file);
    client.put('a', [
      { id: 1, topic: 't', payload: '1', properties: Buffer.from([3, 0, 1, 0x78]) },
    ]);
    const [peer] = server.peers;
    const { body } = await waitFor(() => peer.others[0], { what: 'the put' });
    /* The examples of native/runtime/put_frame.h, not retained. */
    const known = ['0161' + '0900000001000000' + '00' + '0100' + '7431'];
    known.push('0161' + '0f00000001000000' + '08' + '0100' + '0400' + '74' + '03000178' + '31');
    assert.equal(body.toString('hex'), known[protocol - 1]);
  });
}

test('close does not wait for one who takes nothing', async (t) => {
  const server = await startServer(t, greeting());
  const { client } = await connect(t, server.file);
  server.peers[0].socket.pause();
  const payload = Buffer.alloc(50000, 1);
  client.put(
    'bus',
    Array.from({ length: 100 }, (_, id) => ({ id, topic: 't', payload })),
  );
  const started = Date.now();
  await client.close();
  const took = Date.now() - started;
  assert.ok(took >= 500 && took < 3000, `${took} ms`);
});

test('what is not taken does not pile up without end', async (t) => {
  const server = await startServer(t, greeting());
  const { client } = await connect(t, server.file);
  server.peers[0].socket.pause();
  const payload = Buffer.alloc(50000, 1);
  const messages = Array.from({ length: 100 }, (_, id) => ({ id, topic: 't', payload }));
  let puts = 0;
  assert.throws(
    () => {
      for (; puts < 100; puts++) client.put('bus', messages);
    },
    { code: 'BUSBAR_FULL', message: /not keeping up: 0 requests .* MiB for being sent/ },
  );
  assert.ok(puts >= 12 && puts <= 15, `${puts} puts of 5 MB`);
  await assert.rejects(client.request('status'), { code: 'BUSBAR_FULL' });
});

test('what a listener throws is not taken for garbage', async (t) => {
  const server = await startServer(
    t,
    greeting((request, peer) => {
      peer.tell({ event: 'one' });
      peer.answer(request);
    }),
  );
  const { client } = await connect(t, server.file);
  client.on('event', () => {
    throw new Error('mine');
  });
  /** @type {unknown[]} */
  const thrown = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => thrown.push(error.message));
  atEnd(t, () => others.forEach((other) => process.on('uncaughtException', other)));
  assert.deepEqual(await client.request('status'), {});
  await waitFor(() => thrown.length > 0, { what: 'the error of the listener' });
  assert.deepEqual(thrown, ['mine']);
});

test('a burst is taken turn by turn, in order, and all of it before the end', async (t) => {
  const COUNT = 1000;
  const all = Array.from({ length: COUNT }, (_, i) => i);
  const events = all.map((i) => Buffer.from(JSON.stringify({ i, text: 'x'.repeat(80) })));
  const burst = Buffer.concat(events.map((event) => packMessage(TYPE.event, event)));
  const server = await startServer(
    t,
    greeting(({ last }, { socket }) => (last ? socket.end(burst) : socket.write(burst))),
  );
  const { client } = await connect(t, server.file);
  /** @type {number[]} */
  let taken = [];
  let [inTurn, most] = [0, 0];
  client.on('event', ({ i }) => {
    taken.push(i);
    most = Math.max(most, ++inTurn);
    if (inTurn === 1) setImmediate(() => (inTurn = 0));
  });
  client.request('status').catch(() => {});
  await waitFor(() => taken.length === COUNT, { what: 'the first burst' });
  assert.deepEqual(taken, all);
  assert.ok(most < COUNT / 4, `${most} of ${COUNT} in one turn`);
  taken = [];
  const closed = once(client, 'close');
  client.request('status', { last: true }).catch(() => {});
  await closed;
  assert.deepEqual(taken, all);
});
