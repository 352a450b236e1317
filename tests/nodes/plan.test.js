/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* From the nodes of a deploy to the document: what is polled, what is routed, and what is wrong. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Deploy, findMissing } = require('../../lib/deploy');
const { lastKey } = require('../../lib/document_path');
const { BusbarError } = require('../../lib/errors');
const { planRuntime, wiredOf } = require('../../lib/plan');

/** @typedef {import('../../lib/document').LiveNode} LiveNode */

/** @param {string} type @param {string} id @param {Record<string, any>} [fields] @returns {LiveNode} */
function node(type, id, fields = {}) {
  return { type: `busbar-${type}`, id, ...fields };
}

const CONNECTION = node('connection', 'c1', {
  ...{ name: 'Main meter', protocol: 'modbus-tcp', host: '10.0.0.21', port: '502', timeout: '' },
});
const DEVICE = node('device', 'd1', {
  ...{ deviceId: 'meter-1', connection: 'c1', profileType: 'bundled', unit: '1' },
  ...{ profile: 'rockwell/powermonitor-500', tags: [{ key: 'line', value: 'l1' }] },
  scans: [
    { scan: 'fast', period: '500ms' },
    { scan: 'slow', period: '' },
  ],
});
const MQTT = node('mqtt', 'm1', {
  sinkId: 'bus',
  url: 'mqtt://10.0.0.5',
  qos: '1',
  credentials: {},
});
const OUT = node('mqtt-out', 'o1', { sink: 'm1', wires: [] });

/** @param {Record<string, any>} [fields] */
function reader(fields = {}) {
  return node('in', 'i1', { source: 'device', device: 'd1', wires: [['o1']], ...fields });
}

/** @param {...LiveNode} nodes */
function plan(...nodes) {
  return planRuntime('', new Deploy(nodes));
}

/** The wires that carry messages, of the only source. @param {import('../../lib/plan').Plan} made */
function wired(made) {
  return wiredOf(made.sources[0], made.direct);
}

test('a wire straight into a sink is a route inside the runtime', () => {
  const made = plan(CONNECTION, DEVICE, MQTT, OUT, reader());
  const { assembly, direct } = made;
  assert.deepEqual(assembly.problems, []);
  assert.deepEqual(assembly.document, {
    busbar: 1,
    connections: [{ id: 'Main-meter', 'modbus-tcp': { host: '10.0.0.21', port: 502 } }],
    devices: [
      {
        ...{ id: 'meter-1', connection: 'Main-meter', profile: 'rockwell/powermonitor-500' },
        ...{ unit: 1, tags: { line: 'l1' }, scan: { fast: '500ms' } },
      },
    ],
    sinks: [{ id: 'bus', mqtt: { url: 'mqtt://10.0.0.5', qos: 1 }, devices: [] }],
    routes: [{ sink: 'bus', devices: ['meter-1'] }],
    runtime: { owner: 'editor' },
  });
  assert.deepEqual(wired(made), [[]]);
  assert.deepEqual([...direct], [['i1', new Set(['o1'])]]);
});

test('with a node between, and to other nodes, messages are sent', () => {
  const fan = reader({ wires: [['o1', 'f1']] });
  const made = plan(CONNECTION, DEVICE, MQTT, OUT, fan);
  assert.deepEqual(wired(made), [['f1']]);
  assert.deepEqual(made.sources[0].devices, ['meter-1']);
  assert.equal(made.assembly.document.routes.length, 1);
  const through = plan(CONNECTION, DEVICE, MQTT, OUT, reader({ wires: [['f1']] }));
  assert.equal(through.assembly.document.routes, undefined);
  assert.equal(through.assembly.document.sinks[0].id, 'bus');
});

test('a straight wire and one through a function into the same sink are both there', () => {
  const twice = reader({ wires: [['o1', 'f1']] });
  const between = { id: 'f1', type: 'function', wires: [['o1']] };
  const made = plan(CONNECTION, DEVICE, MQTT, OUT, between, twice);
  assert.deepEqual(wired(made), [['f1']]);
  assert.deepEqual(made.assembly.document.routes, [{ sink: 'bus', devices: ['meter-1'] }]);
});

test('what a sink does not make by itself goes by messages', () => {
  for (const fields of [{ output: 'points' }, { output: 'registers' }, { mode: 'snapshot' }]) {
    const made = plan(CONNECTION, DEVICE, MQTT, OUT, reader(fields));
    assert.deepEqual(wired(made), [['o1']], JSON.stringify(fields));
  }
  for (const own of [{ topic: 'mine' }, { contentType: 'text/plain' }, { expiry: '60' }]) {
    const made = plan(CONNECTION, DEVICE, MQTT, { ...OUT, ...own }, reader());
    assert.deepEqual(wired(made), [['o1']], JSON.stringify(own));
  }
});

test('points and scans that no device of a reader has', () => {
  const other = node('device', 'd2', {
    ...{ deviceId: 'meter-2', connection: 'c1', profileType: 'bundled', unit: '2' },
    profile: 'generic/modbus',
  });
  /** @param {Record<string, any>} fields @param {LiveNode[]} devices */
  const listUnknown = (fields, ...devices) => {
    const { assembly } = plan(CONNECTION, ...devices, reader({ wires: [['f1']], ...fields }));
    return assembly.problems.map(({ nodeId, text }) => `${nodeId}: ${text.split(';')[0]}`);
  };
  const all = { source: 'all', device: '' };
  assert.deepEqual(listUnknown({ points: 'nope' }, DEVICE), [
    'i1: no point of its devices fits "nope"',
  ]);
  assert.deepEqual(listUnknown({ points: 'power/*, count, x*', scans: 'fast, often' }, DEVICE), [
    'i1: no point of its devices fits "count"',
    'i1: no point of its devices fits "x*"',
    'i1: no scan of its devices fits "often"',
  ]);
  assert.deepEqual(listUnknown({ ...all, points: 'power/*, count' }, DEVICE, other), []);
  assert.deepEqual(listUnknown({ points: 'count' }, DEVICE, other).length, 1, 'of other devices');
  /* Of several runtimes, another one may have it. */
  const others = [node('runtime', 'r1'), node('runtime', 'r2')];
  const places = [
    { ...CONNECTION, runtime: 'r1' },
    { ...CONNECTION, id: 'c2', runtime: 'r2' },
  ];
  const deploy = new Deploy([
    ...[...others, ...places, DEVICE, { ...other, connection: 'c2' }],
    reader({ ...all, points: 'count', wires: [['f1']] }),
  ]);
  for (const key of ['r1', 'r2']) {
    assert.deepEqual(planRuntime(key, deploy).assembly.problems, [], key);
  }
  /* Which only the runtime can read. */
  const file = { ...other, profileType: 'path', profile: '/etc/meter.yaml' };
  assert.deepEqual(listUnknown({ ...all, points: 'nope' }, DEVICE, file), []);
});

test('what waits is kept as sink and runtime say, and empty fields are left out', () => {
  /** @param {Record<string, any>} sink @param {Record<string, any>} runtime */
  const storesOf = (sink, runtime) => {
    const nodes = [CONNECTION, DEVICE, OUT, reader(), { ...MQTT, ...sink }];
    const deploy = new Deploy([...nodes, node('runtime', 'r1', runtime)]);
    const { document } = planRuntime([...deploy.runtimes()][0], deploy, {}).assembly;
    return [document.sinks[0].store, document.runtime.store];
  };
  const empty = { storeMode: '', storeBytes: '', storeAge: '', historyRate: '' };
  assert.deepEqual(storesOf(empty, { storeBytes: '', queueAge: '1d' }), [undefined, undefined]);
  assert.deepEqual(
    storesOf(
      { storeMode: 'disk', storeBytes: '64MiB', storeAge: '7d', historyRate: '200' },
      { storeSync: '0s', storeBytes: '2GiB', storeAge: '10d', queueAge: '2h' },
    ),
    [
      { mode: 'disk', max_bytes: '64MiB', max_age: '7d', history_rate: 200 },
      { sync: '0s', max_bytes: '2GiB', max_age: '10d' },
    ],
  );
  assert.deepEqual(
    storesOf({ storeMode: 'memory', storeBytes: '64MiB', storeAge: '7d' }, { queueAge: '2h' }),
    [{ mode: 'memory' }, { max_age: '2h' }],
  );
});

test('a route reports as its node says', () => {
  const fields = { mode: 'changes', heartbeat: '60s', points: 'power/*, frequency', scans: 'fast' };
  const { assembly } = plan(CONNECTION, DEVICE, MQTT, OUT, reader(fields));
  assert.deepEqual(assembly.document.routes[0], {
    ...{ sink: 'bus', devices: ['meter-1'], scans: ['fast'] },
    ...{ points: ['power/*', 'frequency'], report: 'changes', heartbeat: '60s' },
  });
  const mean = plan(CONNECTION, DEVICE, MQTT, OUT, reader({ every: '1min', aggregate: 'mean' }));
  const { every, aggregate } = mean.assembly.document.routes[0];
  assert.deepEqual({ every, aggregate }, { every: '1min', aggregate: 'mean' });
});

test('events go along a straight wire whose end wants them', () => {
  const quiet = { ...OUT, id: 'o2', events: false };
  const nodes = [CONNECTION, DEVICE, MQTT, { ...OUT, events: true }, quiet];
  const { assembly } = plan(...nodes, reader({ wires: [['o2', 'o1']], points: 'power/*' }));
  const route = { sink: 'bus', devices: ['meter-1'], points: ['power/*'] };
  assert.deepEqual(assembly.document.routes, [route, { ...route, events: true }]);
  assert.deepEqual(assembly.warnings, []);
  assert.equal(assembly.placeOf('routes[0].events').nodeId, 'o2');
  assert.equal(assembly.placeOf('routes[1].events').nodeId, 'o1');
  assert.equal(assembly.placeOf('routes[1].points').nodeId, 'i1');
});

test('an end that wants events and has no straight wire is warned of', () => {
  /** @param {LiveNode} end @param {Record<string, any>} [source] */
  const warningsOf = (end, source) => {
    const { document, warnings } = plan(CONNECTION, DEVICE, MQTT, end, reader(source)).assembly;
    assert.equal(document.routes, undefined);
    return warnings.map(({ nodeId, text }) => `${nodeId}: ${text}`);
  };
  const rows = [
    warningsOf({ ...OUT, events: true }, { wires: [['f1']] }),
    warningsOf({ ...OUT, events: true, topic: 'mine' }),
    warningsOf({ ...OUT, events: true }, { device: 'gone' }),
  ];
  for (const [text, ...others] of rows) {
    assert.match(text, /^o1: .*events of devices, and none come: .*straight/);
    assert.deepEqual(others, []);
  }
  assert.deepEqual(warningsOf(OUT, { wires: [['f1']] }), []);
});

test('what nothing uses is neither polled nor opened', () => {
  const { assembly } = plan(CONNECTION, DEVICE, MQTT);
  assert.deepEqual(assembly.document, { busbar: 1, runtime: { owner: 'editor' } });
  assert.equal(assembly.devices.get('meter-1')?.used, false);
  assert.equal(assembly.sinks.get('bus')?.used, false);
});

test('a device that is only asked has its scans on request', () => {
  const { assembly } = plan(CONNECTION, DEVICE, node('read', 'r1', { device: 'd1' }));
  const { scan } = assembly.document.devices[0];
  assert.ok(Object.keys(scan).length > 1);
  assert.ok(Object.values(scan).every((period) => period === 'on-request'));
});

test('a table of devices, and a choice of them by tags', () => {
  const table = node('device', 'd2', {
    ...{ connection: 'c1', profileType: 'bundled', profile: 'generic/modbus', unit: '9' },
    tags: [{ key: 'area', value: 'hall' }],
    devices: [
      { id: 'a', unit: '1', tags: { line: 'l1' } },
      { id: 'b', unit: 2, tags: { line: 'l2' } },
      { id: 'c' },
    ],
  });
  const all = plan(CONNECTION, table, reader({ source: 'all', wires: [['f']] }));
  assert.deepEqual(
    all.assembly.document.devices.map((/** @type {any} */ d) => [d.id, d.unit, d.tags]),
    [
      ['a', 1, { area: 'hall', line: 'l1' }],
      ['b', 2, { area: 'hall', line: 'l2' }],
      ['c', 9, { area: 'hall' }],
    ],
  );
  const some = plan(
    CONNECTION,
    table,
    reader({ source: 'tags', tags: 'area=h*, line=l2', wires: [['f']] }),
  );
  assert.deepEqual(some.sources[0].devices, ['b']);
  assert.deepEqual(
    some.assembly.document.devices.map((/** @type {any} */ d) => d.id),
    ['b'],
  );
});

test('a disabled device is left out', () => {
  const { assembly } = plan(CONNECTION, { ...DEVICE, enabled: false }, reader({ wires: [['f']] }));
  assert.equal(assembly.document.devices, undefined);
});

test('a mistake in a profile is that of its node, by the name of the point', () => {
  const text = JSON.stringify({ id: 'own', points: [{ name: 'v', type: 'float33', holding: 1 }] });
  const own = node('profile', 'p1', { name: 'own', profile: text });
  const table = [{ id: 'm.1', unit: '1' }, { id: 'm.2' }];
  const fields = { profileType: 'node', profileNode: 'p1', devices: table };
  const { assembly } = plan(CONNECTION, own, { ...DEVICE, ...fields }, reader());
  assert.deepEqual(assembly.placeOf('devices[m.2].profile.points[0].type'), {
    nodeId: 'p1',
    path: 'points[v].type',
  });
  assert.equal(assembly.placeOf('devices[m.1].unit').nodeId, 'd1');
  const broken = { ...own, profile: '{' };
  const twice = [DEVICE, { ...DEVICE, id: 'd2', deviceId: 'meter-2' }];
  const both = twice.map((device) => ({ ...device, ...fields, devices: [] }));
  const { problems } = plan(CONNECTION, broken, ...both, reader()).assembly;
  assert.deepEqual(
    problems.map(({ nodeId, text: why }) => `${nodeId}: ${why.slice(0, 26)}`),
    ['p1: the profile own is no JSON'],
  );
});

test('the last word of a path, where ids have dots', () => {
  const rows = [
    ['devices[m.1].unit', 'unit'],
    ['connections[10.0.0.1].modbus-tcp.port', 'port'],
    ['devices[m.1]', 'm.1'],
    ['points[power/l1.n].type', 'type'],
    ['routes[0].points[1]', 'points'],
  ];
  for (const [path, key] of rows) assert.equal(lastKey(path), key);
});

test('two nodes with one device id: told at both', () => {
  const twin = { ...DEVICE, id: 'd9' };
  const { assembly } = plan(CONNECTION, DEVICE, twin, reader({ source: 'all' }));
  assert.deepEqual(assembly.problems.map(({ nodeId }) => nodeId).sort(), ['d1', 'd9']);
  assert.match(assembly.problems[0].text, /"meter-1" is given twice/);
});

test('a device without connection, profile or id: one sentence each', () => {
  /** @type {[Record<string, any>, RegExp][]} */
  const rows = [
    [{ connection: 'gone' }, /no connection/],
    [{ profile: '' }, /no profile/],
    [{ profileType: 'node', profileNode: 'gone' }, /profile node is missing/],
    [{ deviceId: ' ' }, /without an id/],
  ];
  for (const [fields, text] of rows) {
    const { assembly } = plan(CONNECTION, { ...DEVICE, ...fields }, reader());
    assert.equal(assembly.problems.length, 1, JSON.stringify(fields));
    assert.equal(assembly.problems[0].nodeId, 'd1');
    assert.match(assembly.problems[0].text, text);
  }
});

test('mistakes of the runtime are led back to their nodes', () => {
  const { assembly } = plan(CONNECTION, DEVICE, MQTT, OUT, reader());
  assert.equal(assembly.placeOf('devices[meter-1].unit').nodeId, 'd1');
  assert.equal(assembly.placeOf('connections[Main-meter].modbus-tcp.host').nodeId, 'c1');
  assert.equal(assembly.placeOf('sinks[bus].mqtt.url').nodeId, 'm1');
  assert.equal(assembly.placeOf('routes[0].points').nodeId, 'i1');
  assert.equal(assembly.placeOf('nonsense').nodeId, '');
});

test('secrets go beside the document, by name', () => {
  const credentials = { user: 'edge', password: 's3cret' };
  const { assembly } = plan(CONNECTION, DEVICE, { ...MQTT, credentials }, OUT, reader());
  assert.deepEqual(assembly.secrets, { 'bus.password': 's3cret' });
  assert.equal(assembly.document.sinks[0].mqtt.password_file, 'secret:bus.password');
  assert.equal(assembly.document.sinks[0].mqtt.user, 'edge');
  assert.doesNotMatch(JSON.stringify(assembly.document), /s3cret/);
});

/** What a deploy with these TLS settings makes. @param {any} tls @param {any} [sink] @param {any} [more] */
function planTls(tls, sink, more) {
  const nodes = [CONNECTION, DEVICE, { ...MQTT, tls: 't1', ...sink }, OUT, reader()];
  const own = { type: 'tls-config', id: 't1', ...tls };
  return planRuntime('', new Deploy([...nodes, own]), more).assembly;
}

test('certificates are handed over beside the document, wherever Node-RED has them from', () => {
  const uploaded = { cadata: 'CA', certdata: 'CERT', keydata: 'KEY', passphrase: 'pass' };
  const read = { ca: Buffer.from('CA'), cert: 'CERT', key: Buffer.from('KEY') };
  for (const tls of [{ credentials: uploaded }, { ...read, credentials: { passphrase: 'pass' } }]) {
    const { document, secrets, warnings } = planTls(tls);
    const { mqtt } = document.sinks[0];
    for (const key of ['ca', 'cert', 'key', 'key_password']) {
      assert.equal(mqtt[`${key}_file`], `secret:bus.${key}`);
    }
    const given = { ca: 'CA', cert: 'CERT', key: 'KEY', key_password: 'pass' };
    for (const [key, text] of Object.entries(given)) assert.equal(secrets[`bus.${key}`], text);
    assert.doesNotMatch(JSON.stringify(document), /"CA"|CERT|KEY|"pass"/);
    assert.deepEqual(warnings, []);
  }
});

test('a runtime of another user reads the files that are named, and is given the rest', () => {
  const pemFile = (/** @type {any} */ _, /** @type {string} */ what) =>
    what === 'ca' ? undefined : `/etc/busbar/${what}.pem`;
  const { document, secrets } = planTls(
    { valid: false, credentials: { cadata: 'CA' } },
    {},
    { pemFile },
  );
  const { ca_file: ca, cert_file: cert, key_file: key } = document.sinks[0].mqtt;
  assert.deepEqual(
    [ca, cert, key],
    ['secret:bus.ca', '/etc/busbar/cert.pem', '/etc/busbar/key.pem'],
  );
  assert.deepEqual(secrets, { 'bus.ca': 'CA' });
});

test('TLS settings that mean something else than with the core nodes are told', () => {
  const url = 'mqtts://broker:8883';
  const textsOf = (/** @type {any} */ tls) =>
    planTls(tls, { url }).warnings.map(({ text }) => text);
  assert.deepEqual(textsOf({ servername: 'broker' }), []);
  assert.match(textsOf({ servername: 'other' }).join(), /name the server other/);
  assert.match(textsOf({ alpnprotocol: 'mqtt' }).join(), /ALPN protocol mqtt .* is not sent/);
  assert.match(textsOf({ verifyservercert: false }).join(), /certificate .* is not verified/);
  const own = plan(CONNECTION, DEVICE, { ...MQTT, url, verify: false }, OUT, reader()).assembly;
  assert.match(own.warnings[0].text, /certificate .* is not verified/);
});

test('TLS settings that cannot be handed over are a mistake of the sink', () => {
  const problemsOf = (/** @type {any} */ tls) =>
    planTls(tls).problems.map(({ nodeId, text }) => `${nodeId}: ${text}`);
  const [text, ...others] = problemsOf({ valid: false });
  assert.match(text, /^m1: its certificates could not be read by Node-RED/);
  assert.deepEqual(others, []);
  assert.match(problemsOf({ ca: 'x'.repeat(65536) })[0], /more than 65535 bytes/);
  const lost = plan(CONNECTION, DEVICE, { ...MQTT, tls: 'gone' }, OUT, reader());
  assert.match(lost.assembly.problems[0].text, /TLS settings are missing/);
});

test('each runtime gets what belongs to it', () => {
  const two = [
    ...[node('runtime', 'r1', { siteId: 'plant' }), node('runtime', 'r2')],
    ...[
      { ...CONNECTION, runtime: 'r1' },
      { ...CONNECTION, id: 'c2', runtime: 'r2' },
    ],
    ...[DEVICE, { ...DEVICE, id: 'd2', connection: 'c2', deviceId: 'meter-2' }],
    ...[{ ...MQTT, runtime: 'r1' }, OUT, reader({ source: 'all' })],
  ];
  const deploy = new Deploy(two);
  assert.deepEqual(deploy.runtimes().sort(), ['r1', 'r2']);
  const first = planRuntime('r1', deploy);
  assert.equal(first.assembly.document.site.id, 'plant');
  assert.deepEqual([...first.assembly.devices.keys()], ['meter-1']);
  assert.deepEqual([...planRuntime('r2', deploy).assembly.devices.keys()], ['meter-2']);
});

test('what should be alive and is not is named; templates and what is off are not', () => {
  const raws = [
    { id: 't', type: 'tab' },
    { id: 'off', type: 'tab', disabled: true },
    { id: 's', type: 'subflow' },
    { id: 'a', type: 'busbar-device' },
    { id: 'b', type: 'busbar-in', z: 't', d: true },
    { id: 'c', type: 'busbar-in', z: 'off' },
    { id: 'd', type: 'busbar-in', z: 's' },
    { id: 'e', type: 'busbar-in', z: 't' },
    { id: 'f', type: 'inject', z: 't' },
  ];
  assert.deepEqual(
    findMissing(raws, (id) => id === 'e').map(({ id }) => id),
    ['a'],
  );
});

test('what reads all belongs to each of several runtimes, and then goes by messages', () => {
  const two = [
    ...[node('runtime', 'r1'), node('runtime', 'r2')],
    ...[
      { ...CONNECTION, runtime: 'r1' },
      { ...CONNECTION, id: 'c2', runtime: 'r2' },
    ],
    ...[DEVICE, { ...DEVICE, id: 'd2', connection: 'c2', deviceId: 'meter-2' }],
    ...[{ ...MQTT, runtime: 'r1' }, OUT, reader({ source: 'all' })],
  ];
  const deploy = new Deploy(two);
  for (const [key, device] of [
    ['r1', 'meter-1'],
    ['r2', 'meter-2'],
  ]) {
    const made = planRuntime(key, deploy);
    assert.deepEqual(made.sources[0].devices, [device]);
    assert.deepEqual(wired(made), [['o1']]);
  }
});

test('what names nothing that is there belongs to the runtime, as a mistake', () => {
  const lost = { ...DEVICE, connection: 'gone' };
  const deploy = new Deploy([node('runtime', 'r1'), CONNECTION, lost, reader()]);
  assert.deepEqual(deploy.runtimes(), ['r1']);
  assert.match(planRuntime('r1', deploy).assembly.problems[0].text, /no connection/);
});

test('connections keep their ids, whatever order their nodes come in', () => {
  const ids = new Map();
  const [a, b] = ['c1', 'c2'].map((id) => ({ ...CONNECTION, id, name: '', host: '10.0.0.5' }));
  const devices = [a, b].map(({ id }) => ({
    ...DEVICE,
    id: `d${id}`,
    connection: id,
    deviceId: id,
  }));
  const name = (/** @type {LiveNode[]} */ ...nodes) => {
    const deploy = new Deploy([...nodes, ...devices, reader({ source: 'all' })]);
    planRuntime('', deploy, { connectionIds: ids });
    return [ids.get('c1'), ids.get('c2')];
  };
  assert.deepEqual(name(b, a), ['10.0.0.5', '10.0.0.5-2']);
  assert.deepEqual(name(a, { ...b, name: 'Hall' }), ['10.0.0.5', '10.0.0.5-2']);
});

test('what is no profile, no row and no scan is a mistake at most', () => {
  const rows = [{ profile: '{"points":[null]}' }, { profile: 'null' }, { profile: '[]' }];
  for (const fields of rows) {
    for (const base of ['', 'rockwell/powermonitor-500']) {
      const own = node('profile', 'p1', { name: 'own', extends: base, ...fields });
      const device = { ...DEVICE, profileType: 'node', profileNode: 'p1' };
      plan(CONNECTION, own, device, reader());
    }
  }
  plan(CONNECTION, { ...DEVICE, devices: [null], scans: [null], tags: [null] }, reader());
});
