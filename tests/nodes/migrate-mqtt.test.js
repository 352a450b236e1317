/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What becomes of `mqtt out` and mqtt-broker, setting by setting; the defaults are those of
   @node-red/nodes 4.1.15. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { example, run } = require('./support/migrate');

const BROKER = {
  id: 'broker',
  type: 'mqtt-broker',
  name: '',
  broker: 'broker.local',
  port: '1883',
  tls: '',
  clientid: '',
  autoConnect: true,
  usetls: false,
  protocolVersion: '4',
  keepalive: '60',
  cleansession: true,
  autoUnsubscribe: true,
  birthTopic: '',
  closeTopic: '',
  willTopic: '',
  userProps: '',
  sessionExpiry: '',
};
const OUT = {
  id: 'out',
  type: 'mqtt out',
  z: 'tab',
  name: 'to site',
  topic: 'plant/power',
  qos: '1',
  retain: 'true',
  respTopic: 'plant/answer',
  contentType: 'application/json',
  userProps: '{"a":"b"}',
  correl: 'abc',
  expiry: '60',
  broker: 'broker',
  x: 10,
  y: 20,
  wires: [],
};
const IN = { id: 'in', type: 'mqtt in', topic: 'a', broker: 'broker', wires: [[]] };
const TLS = { id: 'tls', type: 'tls-config', verifyservercert: true };
const SECRETS = /An export has no secrets/;

test('mqtt out keeps its place and settings', () => {
  const { get, said } = run(BROKER, OUT);
  const { broker, ...same } = OUT;
  assert.deepEqual(get('out'), { ...same, type: 'busbar-mqtt-out', sink: broker });
  assert.deepEqual(said('out'), []);
});

test('a broker with the defaults becomes busbar-mqtt in its place', () => {
  const { get, said } = run(BROKER, OUT);
  assert.deepEqual(get('broker'), {
    id: 'broker',
    type: 'busbar-mqtt',
    name: '',
    sinkId: 'broker.local',
    url: 'mqtt://broker.local:1883',
    clientId: '',
    version: '3.1.1',
    keepalive: '1min',
    tls: '',
    verify: 'true',
    maxBytes: '',
  });
  assert.equal(said('broker').length, 1);
  assert.match(said('broker')[0], SECRETS);
});

/** Setting of the broker, of ours, and a word of the note. @type {[any, any, RegExp | undefined][]} */
const SETTINGS = [
  [{ name: 'Site / A' }, { name: 'Site / A', sinkId: 'Site-A' }, undefined],
  [{ port: '' }, { url: 'mqtt://broker.local:1883' }, undefined],
  [{ port: 2883 }, { url: 'mqtt://broker.local:2883' }, undefined],
  [{ broker: '' }, { url: 'mqtt://localhost:1883', sinkId: 'mqtt' }, undefined],
  [{ broker: 'fe80::1' }, { url: 'mqtt://[fe80::1]:1883' }, undefined],
  [{ broker: '10.0.0.5' }, { url: 'mqtt://10.0.0.5:1883' }, undefined],
  [{ broker: 'tcp://b:1' }, { url: 'mqtt://b:1', sinkId: 'b-1' }, undefined],
  [{ broker: 'MQTT://b' }, { url: 'mqtt://b' }, undefined],
  [{ broker: 'ssl://b:2' }, { url: 'mqtts://b:2', verify: 'false' }, /still is not/],
  [{ broker: '${B}' }, { url: 'mqtt://${B}:1883' }, /a variable in it, mqtt:\/\/\$\{B\}:1883/],
  [{ usetls: true }, { url: 'mqtts://broker.local:1883', verify: 'false' }, /still is not/],
  [{ usetls: true, verifyservercert: true }, { verify: 'true' }, undefined],
  [{ usetls: true, tls: 'tls' }, { tls: 'tls', verify: 'true' }, undefined],
  [{ usetls: true, tls: 'gone' }, { tls: 'gone' }, /gone is not in this file/],
  [{ usetls: false, tls: 'tls' }, { tls: '', url: 'mqtt://broker.local:1883' }, undefined],
  [{ clientid: 'plant-7' }, { clientId: 'plant-7' }, undefined],
  [{ protocolVersion: '5' }, { version: '5' }, undefined],
  [{ protocolVersion: 5 }, { version: '5' }, undefined],
  [{ protocolVersion: 3 }, { version: '3.1.1' }, /spoke MQTT 3\.1/],
  [{ compatmode: true }, { version: '3.1.1' }, /spoke MQTT 3\.1/],
  [{ keepalive: 30 }, { keepalive: '30s' }, undefined],
  [{ keepalive: '2' }, { keepalive: '5s' }, /keep-alive of 2s is now 5s/],
  [{ keepalive: '0' }, { keepalive: '60s' }, /no keep-alive/],
  [{ keepalive: '' }, { keepalive: '60s' }, undefined],
  [{ keepalive: '${K}' }, { keepalive: '${K}' }, /name its unit now, such as 5s/],
  [{ birthTopic: 'a/birth' }, {}, /birth message on "a\/birth" is not carried over/],
  [{ closeTopic: 'a/close' }, {}, /close message on "a\/close"/],
  [{ willTopic: 'a/will' }, {}, /last will message on "a\/will"/],
  [{ cleansession: false }, {}, /kept its session/],
  [{ userProps: '{"a":1}' }, {}, /user properties/],
  [{ autoConnect: false }, {}, /only when a message said so/],
];

for (const [given, wanted, note] of SETTINGS) {
  test(`a broker with ${JSON.stringify(given)} gives ${JSON.stringify(wanted)}`, () => {
    const { get, said } = run({ ...BROKER, ...given }, TLS, OUT);
    const sink = get('broker');
    assert.equal(sink.type, 'busbar-mqtt');
    assert.deepEqual({ ...sink, ...wanted }, sink);
    const notes = said('broker').filter((text) => !SECRETS.test(text));
    if (note) assert.match(notes.join('\n'), note);
    else assert.deepEqual(notes, []);
  });
}

test('a TLS configuration that verifies nothing is said', () => {
  const tls = { ...TLS, verifyservercert: false };
  const { get, said } = run({ ...BROKER, usetls: true, tls: 'tls' }, tls, OUT);
  assert.deepEqual([get('broker').tls, get('broker').verify], ['tls', 'false']);
  assert.match(said('broker').join(), /was not verified, and still is not/);
});

test('secrets that are in the file are carried over', () => {
  const credentials = { user: 'edge', password: 'secret' };
  const { get, said } = run({ ...BROKER, credentials }, OUT);
  assert.deepEqual(get('broker').credentials, credentials);
  assert.deepEqual(said('broker'), []);
});

test('user and password of an address become credentials', () => {
  const { get, said } = run({ ...BROKER, broker: 'mqtt://ed%40ge:p:w@b:1' }, OUT);
  assert.equal(get('broker').url, 'mqtt://b:1');
  assert.equal(get('broker').sinkId, 'b-1');
  assert.deepEqual(get('broker').credentials, { user: 'ed@ge', password: 'p:w' });
  assert.match(said('broker').join(), /they are credentials now/);
});

test('a broker that mqtt in needs stays, and ours has a client id of its own', () => {
  const broker = { ...BROKER, z: 'tab', clientid: 'plant-7' };
  const { get, flows, said } = run(broker, OUT, IN);
  assert.deepEqual([get('broker'), get('in')], [broker, IN]);
  const sink = flows.find(({ type }) => type === 'busbar-mqtt');
  assert.deepEqual([sink?.clientId, sink?.z], ['plant-7-busbar', 'tab']);
  assert.equal(get('out').sink, sink?.id);
  assert.match(said('broker').join(), /for 1 mqtt in; the new one has the client id/);
});

test('a broker of mqtt in only stays, without a word', () => {
  const flow = [BROKER, IN];
  const { flows, notes } = run(...flow);
  assert.deepEqual({ flows, notes }, { flows: flow, notes: [] });
});

/** @type {[any, any, RegExp][]} */
const OBSTACLES = [
  [{ broker: 'ws://b:9001' }, {}, /ws:\/\/ is not spoken, only mqtt:\/\/ and mqtts:\/\//],
  [{ broker: 'wss://b' }, {}, /wss:\/\/ is not spoken/],
  [{}, { broker: '' }, /has no broker/],
  [{}, { broker: 'gone' }, /its broker gone is not in this file/],
  [{}, { broker: 'tls' }, /its broker is a tls-config/],
];

for (const [broker, out, why] of OBSTACLES) {
  test(`mqtt out stays with ${JSON.stringify({ ...broker, ...out })}`, () => {
    const flow = [{ ...BROKER, ...broker }, TLS, { ...OUT, ...out }];
    const { flows, said } = run(...flow);
    assert.deepEqual(flows, flow);
    assert.match(said('out').join(), why);
  });
}

test('the plant: two outputs of one broker, one of them disabled, in their group', () => {
  const { get, flows } = run(...example('plant.json'));
  const sink = flows.find(({ type }) => type === 'busbar-mqtt');
  const { url, version, keepalive, tls } = /** @type {any} */ (sink);
  assert.deepEqual(
    [url, version, keepalive, tls],
    ['mqtts://broker.local:8883', '5', '30s', 'tls1'],
  );
  assert.deepEqual(
    [get('mqtt1').sink, get('mqtt1').g, get('mqtt1').d],
    [sink?.id, 'g1', undefined],
  );
  assert.deepEqual([get('mqtt2').sink, get('mqtt2').d], [sink?.id, true]);
});
