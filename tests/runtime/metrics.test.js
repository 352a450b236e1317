/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The pages of a running busbar: /metrics, /healthz, /readyz, and how the server treats strangers. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');
const {
  atEnd,
  freePort,
  openPort,
  runBusbar,
  startBusbar,
  tempDir,
  waitFor,
} = require('../support');
const { startRefused } = require('../support/backlog');
const { startSim } = require('../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {{status: number, headers: http.IncomingHttpHeaders, body: string}} Answer */

/**
 * @param {TestContext} t @param {number[]} ports A meter at each.
 * @param {{metrics?: string, more?: string, scan?: string}} [options]
 */
async function startRun(
  t,
  ports,
  { metrics = '127.0.0.1:0', more = '', scan = '{ fast: 100ms }' } = {},
) {
  const folder = tempDir(t);
  const file = path.join(folder, 'site.yaml');
  const lines = ports.map(
    (port, i) => `  - { id: line-${i + 1}, modbus-tcp: { host: 127.0.0.1, port: ${port} } }`,
  );
  const devices = ports.map(
    (_, i) => `  - id: meter-${i + 1}
    connection: line-${i + 1}
    profile: rockwell/powermonitor-500
    scan: ${scan}`,
  );
  fs.writeFileSync(
    file,
    `busbar: 1
connections:
${lines.join('\n')}
devices:
${devices.join('\n')}
runtime: { metrics: '${metrics}' }
${more}`,
  );
  return startBusbar(t, ['run', file]);
}

/** @param {import('../support').Program} program */
async function portOf(program) {
  const found = await program.waitForOutput(/http:\/\/127\.0\.0\.1:(\d+)\/metrics/);
  return Number(found[1]);
}

/** @param {number} port @param {string} page @param {http.RequestOptions} [options]
 * @returns {Promise<Answer>} */
function get(port, page, options = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path: page, ...options }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text) => (body += text));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }),
      );
      answer.on('error', reject);
    });
    request.on('error', reject).end();
  });
}

/** The value of a series. @param {string} text @param {string} series */
function valueOf(text, series) {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? NaN : Number(line.slice(series.length + 1));
}

/** What Prometheus asks of the text, format 0.0.4. @param {string} text */
function checkExposition(text) {
  const families = new Set();
  const seen = new Set();
  let family = '';
  let type = '';
  assert.ok(text.endsWith('\n'));
  for (const line of text.trimEnd().split('\n')) {
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S/.exec(line);
    if (help) {
      family = help[1];
      type = '';
      assert.ok(!families.has(family), `${family} stands twice`);
      families.add(family);
      continue;
    }
    const kind = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (kind) {
      assert.equal(kind[1], family);
      type = kind[2];
      assert.equal(type === 'counter', family.endsWith('_total'), line);
      continue;
    }
    const sample =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)+\})? (\S+)$/.exec(
        line,
      );
    assert.ok(sample, line);
    const names = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    assert.ok(
      names.some((suffix) => sample[1] === family + suffix),
      `${line} stands in ${family}`,
    );
    assert.ok(Number.isFinite(Number(sample[3])), line);
    const series = `${sample[1]}${sample[2] ?? ''}`;
    assert.ok(!seen.has(series), `${series} stands twice`);
    seen.add(series);
  }
  return seen;
}

test('metrics count polls and samples of each device', async (t) => {
  const sim = await startSim(t, ['pm500', '--count', '3'], { devices: 3 });
  const program = await startRun(
    t,
    sim.devices.map((device) => device.port),
  );
  const port = await portOf(program);
  const polls = (/** @type {number} */ i) =>
    `busbar_scan_polls_answered_total{device="meter-${i}",scan="fast"}`;
  const answer = await waitFor(
    async () => {
      const now = await get(port, '/metrics');
      return [1, 2, 3].every((i) => valueOf(now.body, polls(i)) >= 3) && now;
    },
    { what: 'three polls of each meter' },
  );
  assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(answer.headers['transfer-encoding'], 'chunked');
  const series = checkExposition(answer.body);
  assert.ok(series.size > 150, `${series.size} series`);
  const value = (/** @type {string} */ name) => valueOf(answer.body, name);
  for (const i of [1, 2, 3]) {
    assert.equal(value(`busbar_device_up{device="meter-${i}"}`), 1);
    assert.equal(value(`busbar_connection_up{connection="line-${i}"}`), 1);
    assert.equal(value(`busbar_scan_polls_failed_total{device="meter-${i}",scan="fast"}`), 0);
    assert.ok(
      value(`busbar_scan_samples_total{device="meter-${i}",scan="fast",quality="good"}`) >= 96,
    );
  }
  const resident = value('process_resident_memory_bytes');
  const status = fs.readFileSync(`/proc/${program.pid}/status`, 'utf8');
  const kernel = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  assert.ok(Math.abs(resident - kernel) < 4e6, `${resident} and ${kernel}`);
  const open = fs.readdirSync(`/proc/${program.pid}/fd`).length;
  assert.ok(Math.abs(value('process_open_fds') - open) <= 3);
  assert.ok(value('busbar_driver_latency_seconds_count{driver="modbus-tcp"}') > 9);
});

test('readyz says what is missing, healthz that the loop runs', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const dead = await freePort();
  const away = await freePort();
  const program = await startRun(t, [sim.port, dead], {
    more: `sinks:\n  - { id: broker, mqtt: { url: 'mqtt://127.0.0.1:${away}' }, devices: '*' }\n`,
  });
  const port = await portOf(program);
  const health = await get(port, '/healthz');
  assert.deepEqual([health.status, health.body], [200, 'ok\n']);
  const page = await waitFor(
    async () => {
      const now = await get(port, '/readyz');
      return /meter-2: does not answer/.test(now.body) && !/meter-1/.test(now.body) && now;
    },
    { what: 'meter-2 to be known as lost' },
  );
  assert.equal(page.status, 503);
  assert.match(page.body, /^not ready\n/);
  assert.match(page.body, /^sink broker: not ready for \d+ (ms|s): .+$/m);
  assert.doesNotMatch(page.body, /next try/);
  assert.match(page.body, new RegExp(`^device meter-2: .*127.0.0.1:${dead}.*refused`, 'm'));
});

test('both pages name what was refused for good, and what shows it, as long as it is there', async (t) => {
  const { runtime } = await startRefused(t, 2);
  const ready = await waitFor(
    async () => {
      const page = await runtime.get('/readyz');
      return page.status === 200 && page;
    },
    { what: 'readiness' },
  );
  const line =
    /^store: 2 batches that a sink refused for good are set aside: `busbar (.*)` shows why$/;
  const words = line.exec(ready.text.split('\n')[1])?.[1].split(' ');
  assert.ok(words, ready.text);
  assert.match(
    runtime.log,
    /refused for good and set aside: .*\d so far; `busbar store dead` shows them\)/,
  );
  assert.deepEqual(await runtime.get('/healthz'), {
    status: 200,
    text: ready.text.replace('ready', 'ok'),
  });
  const { code, stdout } = await runBusbar(words);
  assert.equal(code, 0);
  assert.equal(stdout.split('field type conflict').length, 3, stdout);
  const dropped = await runBusbar(['store', 'drop-dead', '--data', runtime.data]);
  assert.equal(dropped.code, 0, dropped.stderr);
  await waitFor(async () => (await runtime.get('/readyz')).text === 'ready\n', {
    what: 'the line to be gone',
  });
  assert.equal((await runtime.get('/healthz')).text, 'ok\n');
});

test('readyz turns to 200', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const port = await portOf(await startRun(t, [sim.port]));
  await waitFor(async () => (await get(port, '/readyz')).status === 200, { what: 'readiness' });
  assert.equal((await get(port, '/readyz')).body, 'ready\n');
  assert.equal(valueOf((await get(port, '/metrics')).body, 'busbar_ready'), 1);
});

test('readyz is silent of a device that is read on request and was never asked', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const scan = '{ fast: on-request, slow: on-request, energy: on-request }';
  const port = await portOf(await startRun(t, [sim.port], { scan }));
  const page = await waitFor(
    async () => {
      const now = await get(port, '/readyz');
      return now.status === 200 && now;
    },
    { what: 'readiness' },
  );
  assert.equal(page.body, 'ready\n');
});

test('other pages and methods', async (t) => {
  const port = await portOf(await startRun(t, []));
  assert.equal((await get(port, '/')).status, 404);
  assert.equal((await get(port, '/metrics/')).status, 404);
  const post = await get(port, '/metrics', { method: 'POST', headers: { 'content-length': 0 } });
  assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD']);
  for (const page of ['/metrics', '/healthz']) {
    const head = await get(port, page, { method: 'HEAD' });
    assert.deepEqual([head.status, head.body], [200, '']);
  }
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  atEnd(t, () => agent.destroy());
  for (let i = 0; i < 3; i++) {
    const answer = await get(port, '/metrics', { agent });
    assert.equal(answer.headers.connection, 'keep-alive');
    checkExposition(answer.body);
  }
});

/** All that comes until the other side closes. @param {TestContext} t @param {number} port
 * @param {string | Buffer} bytes */
async function exchange(t, port, bytes) {
  const socket = net.connect(port, '127.0.0.1');
  atEnd(t, () => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (piece) => (text += piece));
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

test('what is no request is refused and closed', async (t) => {
  const port = await portOf(await startRun(t, []));
  const wrong = /** @type {[string, RegExp][]} */ ([
    ['hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['GET / HTTP/3.0\r\nHost: a\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello', /^HTTP\/1\.1 413 /],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['GET /metrics HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 200 [^]*busbar_sink_left_out_fields_total/],
    [
      'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 200 [^]*ok\nHTTP\/1\.1 200 [^]*ok\n$/,
    ],
  ]);
  for (const [bytes, pattern] of wrong) assert.match(await exchange(t, port, bytes), pattern);
  assert.equal((await get(port, '/healthz')).status, 200);
});

test('one client too many is turned away, and the others stay', async (t) => {
  const port = await portOf(await startRun(t, []));
  /** @type {net.Socket[]} */
  const sockets = [];
  atEnd(t, () => sockets.forEach((socket) => socket.destroy()));
  for (let i = 0; i < 16; i++) {
    const socket = net.connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
  }
  assert.match(await exchange(t, port, ''), /^HTTP\/1\.1 503 [^]*16 clients/);
  sockets[0].write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
  const [bytes] = await once(sockets[0], 'data');
  assert.match(String(bytes), /200 OK/);
  sockets.pop()?.destroy();
  await waitFor(async () => (await get(port, '/healthz')).status === 200, { what: 'a free place' });
});

test('a client that takes nothing does not hold up the rest', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const port = await portOf(await startRun(t, [sim.port]));
  const socket = net.connect(port, '127.0.0.1');
  atEnd(t, () => socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(200));
  for (let i = 0; i < 5; i++) assert.equal((await get(port, '/metrics')).status, 200);
});

test('a port that is taken is a warning', async (t) => {
  const port = await openPort(t, net.createServer());
  const sim = await startSim(t, ['pm500']);
  const program = await startRun(t, [sim.port], { metrics: `127.0.0.1:${port}` });
  await program.waitForOutput(
    new RegExp(`warn .*cannot listen on 127.0.0.1:${port}: address already in use`),
  );
  await waitFor(async () => (await sim.status()).requests > 2, { what: 'polls' });
});

test('other machines are let in only with a warning', async (t) => {
  const program = await startRun(t, [], { metrics: '0.0.0.0:0' });
  await program.waitForOutput(/warn .*0\.0\.0\.0:\d+ can be read by other machines/);
});

test('off means that nothing listens', async (t) => {
  const sim = await startSim(t, ['pm500']);
  const program = await startRun(t, [sim.port], { metrics: 'off' });
  await waitFor(async () => (await sim.status()).requests > 2, { what: 'polls' });
  assert.doesNotMatch(program.output, /\/metrics/);
});
