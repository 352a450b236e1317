/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What becomes of `influxdb out`, `influxdb batch` and their server, setting by setting; the defaults
   are those of node-red-contrib-influxdb 0.7.0. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run: migrated } = require('./support/migrate');

const SERVER = {
  id: 'server',
  type: 'influxdb',
  hostname: '10.0.0.5',
  port: '8086',
  protocol: 'http',
  database: 'energy',
  name: 'History',
  usetls: false,
  tls: '',
  influxdbVersion: '1.x',
  url: 'http://localhost:8086',
  timeout: '10',
  rejectUnauthorized: true,
};
const SERVER2 = { ...SERVER, influxdbVersion: '2.0', url: 'http://influx:8086' };
const FLUX = { ...SERVER, influxdbVersion: '1.8-flux', url: 'http://influx:8086' };
const OUT = {
  id: 'out',
  type: 'influxdb out',
  z: 'tab',
  name: 'power',
  influxdb: 'server',
  measurement: 'power',
  precision: '',
  retentionPolicy: '',
  database: 'flux',
  precisionV18FluxV20: 'ms',
  retentionPolicyV18Flux: '',
  org: 'plant',
  bucket: 'energy2',
  x: 10,
  y: 20,
  wires: [],
};
const SECRETS = /An export has no secrets/;

/** What is said but of secrets. @param {any[]} flow */
function run(...flow) {
  const done = migrated(...flow);
  return {
    ...done,
    sinks: done.flows.filter(({ type }) => type === 'busbar-influxdb'),
    /** @param {string} id */
    said: (id) => done.said(id).filter((text) => !SECRETS.test(text)),
  };
}

test('influxdb out keeps its place, measurement and precision', () => {
  const { get, said } = run(SERVER, { ...OUT, d: true, g: 'g', precision: 's' });
  assert.deepEqual(get('out'), {
    id: 'out',
    type: 'busbar-influx-out',
    z: 'tab',
    g: 'g',
    d: true,
    x: 10,
    y: 20,
    name: 'power',
    sink: 'server',
    measurement: 'power',
    precision: 's',
    wires: [],
  });
  assert.deepEqual(said('out'), []);
});

test('influxdb batch becomes the same, without a measurement', () => {
  const { get } = run(SERVER, { ...OUT, type: 'influxdb batch', measurement: undefined });
  const { type, measurement, sink } = get('out');
  assert.deepEqual([type, measurement, sink], ['busbar-influx-out', '', 'server']);
});

test('a server of 1.x becomes busbar-influxdb with its database', () => {
  const { get, notes } = run(SERVER, { ...OUT, retentionPolicy: 'year' });
  assert.deepEqual(get('server'), {
    id: 'server',
    type: 'busbar-influxdb',
    name: 'History',
    sinkId: 'History',
    version: '1',
    url: 'http://10.0.0.5:8086',
    org: '',
    bucket: '',
    database: 'energy',
    retentionPolicy: 'year',
    tls: '',
    precision: 'ms',
  });
  assert.equal(notes.length, 1);
  assert.match(notes[0].text, /enter user and password again/);
});

test('a server of 2.0 becomes busbar-influxdb with org and bucket of what writes to it', () => {
  const { get, notes } = run(SERVER2, { ...OUT, precisionV18FluxV20: 'us', precision: 's' });
  const { version, url, org, bucket, database, retentionPolicy, precision } = get('server');
  assert.deepEqual([version, url, org, bucket], ['2', 'http://influx:8086', 'plant', 'energy2']);
  assert.deepEqual([database, retentionPolicy, precision], ['', '', 'us']);
  assert.equal(get('out').precision, 'us');
  assert.match(notes[0].text, /enter the token again/);
});

test('a server of 1.8 with Flux is written to as 1.x, to the policy that it names', () => {
  const own = { ...OUT, id: 'own', retentionPolicyV18Flux: 'year' };
  const { sinks } = run(FLUX, OUT, own);
  assert.deepEqual(
    sinks.map(({ version, url, database, retentionPolicy }) => [
      version,
      url,
      database,
      retentionPolicy,
    ]),
    [
      ['1', 'http://influx:8086', 'flux', 'autogen'],
      ['1', 'http://influx:8086', 'flux', 'year'],
    ],
  );
});

/** Setting of the server, of ours, and a word of the note. @type {[any, any, RegExp | undefined][]} */
const SETTINGS = [
  [{ influxdbVersion: undefined }, { version: '1' }, undefined],
  [{ usetls: true, tls: 'tls' }, { url: 'https://10.0.0.5:8086', tls: 'tls' }, undefined],
  [{ protocol: 'https' }, { url: 'https://10.0.0.5:8086', tls: '' }, undefined],
  [{ tls: 'tls' }, { url: 'http://10.0.0.5:8086', tls: '' }, undefined],
  [{ usetls: true, tls: 'gone' }, { tls: 'gone' }, /gone is not in this file/],
  [{ hostname: '::1' }, { url: 'http://[::1]:8086' }, undefined],
  [{ hostname: '${H}' }, { url: 'http://${H}:8086' }, /one text with a variable in it/],
  [{ database: '${DB}' }, { database: '${DB}' }, undefined],
  [{ name: '' }, { name: '', sinkId: 'influxdb' }, undefined],
  [{ timeout: '30' }, {}, undefined],
  [{ influxdbVersion: '2.0', timeout: '30' }, {}, /timeout of 30 s is not carried over/],
  [{ influxdbVersion: '1.8-flux' }, { version: '1' }, /7i was an integer, and is a float now/],
  [{ influxdbVersion: '2.0', url: '${URL}' }, { url: '${URL}' }, undefined],
  [{ influxdbVersion: '2.0', rejectUnauthorized: false }, { tls: '' }, undefined],
];

for (const [given, wanted, note] of SETTINGS) {
  test(`a server with ${JSON.stringify(given)} gives ${JSON.stringify(wanted)}`, () => {
    const { get, said } = run({ ...SERVER, ...given }, { id: 'tls', type: 'tls-config' }, OUT);
    const sink = get('server');
    assert.equal(sink.type, 'busbar-influxdb');
    assert.deepEqual({ ...sink, ...wanted }, sink);
    if (note) assert.match(said('server').join('\n'), note);
    else assert.deepEqual(said('server'), []);
  });
}

/** @type {[string, string, RegExp | undefined][]} */
const PRECISIONS = [
  ['', '', undefined],
  ['n', 'ns', undefined],
  ['u', 'us', undefined],
  ['ms', 'ms', undefined],
  ['s', 's', undefined],
  ['m', '', /precision "m" is not one of ns, us, ms and s/],
  ['h', '', /precision "h"/],
];

for (const [precision, wanted, note] of PRECISIONS) {
  test(`precision "${precision}" is "${wanted}", and "${wanted || 'ms'}" at the server`, () => {
    const { get, said } = run(SERVER, { ...OUT, precision });
    assert.equal(get('out').precision, wanted);
    assert.equal(get('server').precision, wanted || 'ms');
    if (note) assert.match(said('out').join(), note);
    else assert.deepEqual(said('out'), []);
  });
}

test('the finest precision that is asked for is that of the server', () => {
  const outs = ['s', 'ns', 'ms'].map((precision, i) => ({ ...OUT, id: `o${i}`, precision }));
  assert.equal(run(SERVER, ...outs).get('server').precision, 'ns');
});

test('a server whose nodes write to several places becomes several', () => {
  const outs = ['energy', 'alarms', 'energy'].map((bucket, i) => ({ ...OUT, id: `o${i}`, bucket }));
  const { get, sinks, said } = run(SERVER2, ...outs);
  assert.deepEqual(
    sinks.map(({ bucket, name, sinkId }) => [bucket, name, sinkId]),
    [
      ['energy', 'History', 'History'],
      ['alarms', 'History alarms', 'History-alarms'],
    ],
  );
  const used = outs.map(({ id }) => get(id).sink);
  assert.deepEqual(used, ['server', sinks[1].id, 'server']);
  assert.match(said('server').join(), /write to 2 places, so it became 2 of ours/);
});

test('a server that influxdb in needs stays, with ours beside it', () => {
  const query = { id: 'query', type: 'influxdb in', influxdb: 'server', wires: [[]] };
  const server = { ...SERVER, z: 'tab' };
  const { get, sinks, said } = run(server, OUT, query);
  assert.deepEqual([get('server'), get('query')], [server, query]);
  assert.deepEqual([sinks.length, sinks[0].z], [1, 'tab']);
  assert.equal(get('out').sink, sinks[0].id);
  assert.match(said('server').join(), /for 1 influxdb in/);
});

test('a server of 2.0 that is not verified gets a TLS configuration that says so', () => {
  const server = { ...SERVER2, url: 'https://influx:8086', rejectUnauthorized: false };
  const { get, flows, said } = run(server, OUT);
  const tls = flows.find(({ type }) => type === 'tls-config');
  assert.equal(tls?.verifyservercert, false);
  assert.equal(get('server').tls, tls?.id);
  assert.match(said('server').join(), /was not verified, and still is not/);
});

test('secrets that are in the file are carried over', () => {
  const credentials = { username: 'edge', password: 'secret', token: 't', other: 'x' };
  const { get, notes } = run({ ...SERVER2, credentials }, OUT);
  assert.deepEqual(get('server').credentials, { user: 'edge', password: 'secret', token: 't' });
  assert.deepEqual(notes, []);
});

/** @type {[any, RegExp][]} */
const OBSTACLES = [
  [{ influxdb: '' }, /has no server/],
  [{ influxdb: 'gone' }, /its server gone is not in this file/],
  [{ influxdb: 'other' }, /its server is a tls-config/],
];

for (const [given, why] of OBSTACLES) {
  test(`influxdb out with ${JSON.stringify(given)} stays`, () => {
    const flow = [SERVER, { id: 'other', type: 'tls-config' }, { ...OUT, ...given }];
    const { flows, said } = run(...flow);
    assert.deepEqual(flows, flow);
    assert.match(said('out').join(), why);
  });
}
