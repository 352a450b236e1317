/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The forms of messages: those that leave busbar-in, and those that the sinks take. Shapes of the core
   mqtt out and of node-red-contrib-influxdb 0.7 are those of their sources. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { isBusbarMessage, readInfluxPoints } = require('../../lib/input_influx');
const { isPublished, readMqttMessage } = require('../../lib/input_mqtt');
const { describeLeftOut, listProperties, packProperties } = require('../../lib/mqtt_properties');
const { encodeInflux } = require('../../lib/influx_lines');
const { makeMessages } = require('../../lib/output');
const { isLonger } = require('../../lib/size');

const DEVICE = { id: 'meter-1', tags: { line: 'l1' }, profile: 'rockwell/powermonitor-500' };
const READING = {
  ...{ device: DEVICE, scan: 'fast', timestamp: 1763688000123 },
  points: [{ name: 'voltage', unit: 'V' }, { name: 'power', unit: 'W' }, { name: 'state' }],
  payload: { voltage: 230.1, state: 'on' },
  quality: { power: 'bad, no answer' },
};
const HEAD = { timestamp: 1763688000123, device: DEVICE, scan: 'fast' };

test('object: a point without a good value is absent', () => {
  assert.deepEqual(makeMessages(READING, 'object'), [
    { topic: 'meter-1', payload: READING.payload, quality: READING.quality, ...HEAD },
  ]);
  const good = { ...READING, quality: undefined };
  assert.ok(!('quality' in makeMessages(good, 'object')[0]));
  for (const form of ['object', 'points', 'influx']) {
    const [mean] = makeMessages({ ...READING, aggregate: 'mean' }, form);
    assert.equal(mean.aggregate, 'mean', form);
    assert.ok(!('aggregate' in makeMessages(READING, form)[0]), form);
  }
});

test('points: one message each, also of the one that is lost', () => {
  const [voltage, power, state] = makeMessages(READING, 'points');
  assert.deepEqual(voltage, {
    ...{ topic: 'meter-1/voltage', payload: 230.1, point: 'voltage', unit: 'V', ...HEAD },
  });
  assert.ok(!('payload' in power));
  assert.equal(power.quality, 'bad, no answer');
  assert.equal(state.payload, 'on');
});

test('influx: fields and tags, as influxdb out takes them', () => {
  const [message] = makeMessages(READING, 'influx');
  assert.equal(message.measurement, 'powermonitor_500');
  const tags = { asset: 'meter-1', line: 'l1' };
  assert.deepEqual(message.payload, [{ voltage: 230.1, state: 'on', time: 1763688000123 }, tags]);
  assert.deepEqual(makeMessages({ ...READING, payload: {} }, 'influx'), []);
  const [point] = readInfluxPoints(message, {});
  assert.deepEqual(point, {
    ...{ measurement: 'powermonitor_500', fields: { voltage: 230.1, state: 'on' }, tags },
    timeNs: 1763688000123000000n,
  });
});

test('registers: as modbus-read gives them', () => {
  const words = { ...READING, points: [{ name: 'r0' }, { name: 'r1' }], quality: undefined };
  const [message] = makeMessages({ ...words, payload: { r0: 17254, r1: 6554 } }, 'registers');
  assert.deepEqual(message.payload, [17254, 6554]);
  assert.deepEqual(message.responseBuffer.buffer, Buffer.from([0x43, 0x66, 0x19, 0x9a]));
  const [bits] = makeMessages({ ...words, payload: { r0: true, r1: false } }, 'registers');
  assert.deepEqual(bits.payload, [true, ...Array(7).fill(false)]);
  assert.deepEqual(bits.responseBuffer.buffer, Buffer.from([1]));
  assert.deepEqual(makeMessages({ ...words, payload: { r0: 1 } }, 'registers'), []);
});

test('mqtt out: payload, topic, QoS and retain as the core node has them', () => {
  const read = (/** @type {any} */ msg, node = {}) => readMqttMessage({ topic: 't', ...msg }, node);
  assert.equal(String(read({ payload: { a: 1 } }).payload), '{"a":1}');
  assert.equal(String(read({ payload: 5 }).payload), '5');
  assert.equal(String(read({ payload: true }).payload), 'true');
  assert.equal(read({}).payload.length, 0);
  assert.deepEqual(read({ payload: Buffer.from([0, 255]) }).payload, Buffer.from([0, 255]));
  assert.equal(read({ payload: '' }, { topic: 'own' }).topic, 'own');
  const { qos, retain } = read({ qos: '2', retain: 'true' });
  assert.deepEqual({ qos, retain }, { qos: 2, retain: true });
  assert.equal(read({ retain: true }, { retain: 'false' }).retain, false);
  assert.equal(read({}).qos, undefined);
});

test('mqtt out: what is published, and what is for the connection of the core node', () => {
  for (const payload of [null, undefined, '', 0]) assert.equal(isPublished({ payload }), true);
  assert.equal(isPublished({ topic: 't', retain: true }), false);
  assert.equal(isPublished({ action: 'alarm', payload: 1 }), true);
  for (const action of ['connect', 'disconnect']) {
    assert.throws(() => isPublished({ action, payload: 1 }), /msg.action is .*so it stays/);
  }
});

test('mqtt out: what cannot be sent, in one sentence', () => {
  /** @type {any} */
  const circle = {};
  circle.self = circle;
  /** @type {[any, RegExp][]} */
  const rows = [
    [{ payload: 1 }, /no topic/],
    [{ topic: 5, payload: 1 }, /no topic/],
    [{ topic: 'a/#', payload: 1 }, /must not hold \+, # or a control character/],
    [{ topic: 'a\tb', payload: 1 }, /must not hold/],
    [{ topic: 'a', payload: 1, qos: 3 }, /msg.qos is 3; allowed: 0, 1, 2/],
    [{ topic: 'a', payload: circle }, /cannot be written as JSON/],
    [{ topic: 'a', payload: () => 1 }, /is a function/],
    [{ topic: 'a', payload: Buffer.alloc(60000) }, /60001 bytes is too long/],
  ];
  for (const [msg, text] of rows) {
    assert.throws(() => readMqttMessage(msg, {}), { code: 'BUSBAR_INVALID', message: text });
  }
});

test('mqtt out: properties of MQTT 5 as bytes', () => {
  const pack = (/** @type {any} */ msg, node = {}) => packProperties(msg, node)?.toString('hex');
  /** @type {[any, any, string | undefined][]} After the standard, 2.2.2.2. */
  const rows = [
    [{}, {}, undefined],
    [{ userProperties: {}, contentType: '', responseTopic: 5, topicAlias: 3 }, {}, undefined],
    [{ contentType: 'x' }, {}, '03000178'],
    [{ contentType: 'x' }, { contentType: 'y' }, '03000179'],
    [{ responseTopic: 'a/b' }, {}, '080003612f62'],
    [{ correlationData: Buffer.from([0, 255]) }, {}, '09000200ff'],
    [{ correlationData: 'é' }, {}, '090002c3a9'],
    [{ messageExpiryInterval: '60' }, {}, '020000003c'],
    [{ messageExpiryInterval: 0 }, {}, '0200000000'],
    [{ messageExpiryInterval: -1 }, { expiry: '' }, undefined],
    [{}, { expiry: '4294967295' }, '02ffffffff'],
    [{ payloadFormatIndicator: true }, {}, '0101'],
    [{ payloadFormatIndicator: 'false' }, {}, '0100'],
    [{ userProperties: { k: 'v', no: null } }, {}, '2600016b000176'],
    [{ userProperties: { k: 'v' } }, { userProps: '{"n": 1}' }, '2600016e000131'],
    [{ userProperties: { k: { a: 1 } } }, {}, '2600016b00077b2261223a317d'],
  ];
  for (const [msg, node, hex] of rows) {
    assert.equal(pack(msg, node), hex, JSON.stringify([msg, node]));
  }
});

test('mqtt out: properties that no broker should get, in one sentence', () => {
  /** @type {[any, RegExp][]} */
  const rows = [
    [{ contentType: 'a\n' }, /contentType holds a control character/],
    [{ userProperties: { k: '\ud800' } }, /userProperties "k" holds a control character/],
    [{ responseTopic: 'a/#' }, /responseTopic "a\/#" cannot be published to/],
    [{ correlationData: 5 }, /correlationData is a number/],
    [{ messageExpiryInterval: 2 ** 32 }, /allowed: 0 to 4294967295/],
    [{ userProperties: { k: 'v'.repeat(9000) } }, /at most 8192 may be/],
  ];
  for (const [more, text] of rows) {
    const msg = { topic: 't', payload: 1, ...more };
    const refusal = { code: 'BUSBAR_INVALID', message: text };
    assert.throws(() => readMqttMessage(msg, {}, true), refusal);
    assert.equal(readMqttMessage(msg, {}, false).properties, undefined);
  }
});

test('mqtt out: properties that are left out are named', () => {
  assert.deepEqual(listProperties({ topic: 't', userProperties: {}, contentType: '' }, {}), []);
  const names = listProperties({ userProperties: { a: '1' } }, { contentType: 'text/plain' });
  assert.match(
    describeLeftOut(names, 'why'),
    /not sent \(msg.userProperties, msg.contentType\): why/,
  );
});

test('influxdb out: every shape of the payload', () => {
  const read = (/** @type {any} */ payload, /** @type {any} */ more = {}) =>
    readInfluxPoints({ measurement: 'm', payload, ...more }, {});
  assert.deepEqual(read(5)[0].fields, { value: 5 });
  assert.deepEqual(read('text')[0].fields, { value: 'text' });
  assert.deepEqual(read({ a: 1, b: '7i', c: undefined })[0].fields, { a: 1, b: 7n });
  const pair = read([{ a: 1 }, { line: 'l1', empty: null }])[0];
  assert.deepEqual([pair.fields, pair.tags], [{ a: 1 }, { line: 'l1' }]);
  const many = read([[{ a: 1, time: 1000 }, { line: 1 }], [{ a: 2, time: new Date(2000) }]]);
  assert.deepEqual(
    many.map(({ timeNs, tags }) => [timeNs, tags]),
    [
      [1000000000n, { line: '1' }],
      [2000000000n, {}],
    ],
  );
  assert.equal(read({ a: 1, time: 5 }, { precision: 's' })[0].timeNs, 5000000000n);
  const batch = [
    { measurement: 'n', fields: { a: 1 }, tags: { t: 'x' }, timestamp: 1 },
    { fields: { a: 2 } },
  ];
  assert.deepEqual(
    read(batch).map(({ measurement }) => measurement),
    ['n', 'm'],
  );
  const now = Number(read(1)[0].timeNs / 1000000n);
  assert.ok(Math.abs(now - Date.now()) < 1000);
});

/* What the nodes of node-red-contrib-influxdb 0.7 wrote into InfluxDB 1 for the same messages. */
test('influxdb out and batch: texts of integers are what they are to these nodes', () => {
  const typeOf = (/** @type {any} */ payload, /** @type {boolean} */ isVersion1) => {
    const [{ fields }] = readInfluxPoints({ measurement: 'm', payload }, { isVersion1 });
    return fields;
  };
  const batch = [{ measurement: 'm', fields: { x: '-3i', y: 1 } }];
  assert.deepEqual(typeOf('7i', true), { value: 7 });
  assert.deepEqual(typeOf([{ x: '-3i', y: '3u' }, {}], true), { x: -3, y: '3u' });
  assert.deepEqual(typeOf([[{ x: '-3i' }, {}]], true), { x: -3 });
  assert.deepEqual(typeOf(batch, true), { x: '-3i', y: 1 });
  assert.deepEqual(typeOf('7i', false), { value: 7n });
  assert.deepEqual(typeOf(batch, false), { x: -3n, y: 1 });
  assert.deepEqual(typeOf({ x: 7n }, true), { x: 7n }, 'an integer that is one stays one');
});

test('influxdb out: what cannot be written, in one sentence', () => {
  /** @type {[any, RegExp][]} */
  const rows = [
    [{ payload: 5 }, /no measurement/],
    [{ measurement: 'm' }, /no payload/],
    [{ measurement: 'm', payload: [] }, /empty list/],
    [{ measurement: 'm', payload: {} }, /without a field/],
    [{ measurement: 'm', payload: [{ a: 1 }, 'l1'] }, /tags are no map/],
    [{ measurement: 'm', payload: [[1]] }, /fields are no map/],
    [{ measurement: 'm', payload: { a: 1, time: 'soon' } }, /the time "soon" is none/],
    [{ measurement: 'm', payload: 1, precision: 'h' }, /allowed: ns, us, u, ms, s/],
  ];
  for (const [msg, text] of rows) {
    assert.throws(() => readInfluxPoints(msg, {}), { code: 'BUSBAR_INVALID', message: text });
  }
});

const SINK = { id: 'db', tags: [{ key: 'unit', value: 'u1' }], precision: 's' };
const TYPES = {
  points: [
    { name: 'voltage/l1', type: 'float32' },
    { name: 'starts', type: 'uint32' },
    { name: 'label', type: 'text' },
  ],
};

/** Lines of a message at a busbar-influx-out. @param {Record<string, any>} msg @param {object} [sink] */
function write(msg, sink = {}) {
  const lines = encodeInflux(msg, { id: 'to' }, { ...SINK, ...sink }, () => TYPES);
  return lines.map(String).join('\n');
}

test('influx: both forms of a reading are the same lines, by the settings of the sink', () => {
  const reading = {
    ...{ device: { ...DEVICE, site: 'plant-7' }, scan: 'fast', timestamp: 1763688000123 },
    ...{ points: TYPES.points, payload: { 'voltage/l1': 230.1, starts: 7, label: '7i' } },
  };
  const line =
    'powermonitor_500,asset=meter-1,line=l1,site=plant-7,unit=u1 ' +
    'voltage_l1=230.1,starts=7i,label="7i" 1763688000';
  for (const form of ['object', 'influx']) {
    const [msg] = makeMessages(reading, form);
    assert.equal(write(msg), line, form);
    assert.match(write(msg, { measurement: 'energy' }), /^energy,/);
    assert.match(
      write(msg, { fieldNames: 'as-is', numbers: 'float' }),
      / voltage\/l1=230.1,starts=7,/,
    );
    assert.match(write({ ...msg, measurement: 'mine' }), /^mine,/);
    /* As the runtime stores a mean of integers. */
    assert.match(write({ ...msg, aggregate: 'mean' }), /,starts=7,/);
  }
  const [pair] = makeMessages(reading, 'influx');
  pair.payload[0].load = '5i';
  pair.payload[0].time = 1763688001;
  delete pair.payload[1].line;
  assert.match(write(pair), /^powermonitor_500,asset=meter-1,site=\S+ .*,load=5i 1763688001$/);
});

test('influx: what holds nothing is an error, but a device that is lost', () => {
  const [lost] = makeMessages({ ...READING, payload: {} }, 'object');
  assert.equal(write(lost), '');
  const plain = { measurement: 'm', payload: { a: NaN } };
  const [empty] = makeMessages({ ...READING, quality: undefined, payload: {} }, 'object');
  for (const msg of [plain, { ...plain, payload: NaN }, empty, { ...lost, payload: { a: NaN } }]) {
    const message = /a point of \w+ without a field that has a value.*; InfluxDB takes none/;
    assert.throws(() => write(msg), { code: 'BUSBAR_INVALID', message });
  }
  assert.match(write({ measurement: 'm', payload: { a: NaN, b: 1 } }), /^m,unit=u1 b=1 /);
});

test('a payload that is too long by far is refused before it is written', () => {
  let written = 0;
  const last = { toJSON: () => written++ };
  const long = { list: Array.from({ length: 1e6 }, (_, i) => ({ i, text: 'x'.repeat(10) })), last };
  const text = 'x'.repeat(16 << 20);
  const tooLong = { code: 'BUSBAR_INVALID', message: /of more than 60000 bytes is too long/ };
  for (const payload of [long, text, { text }, Buffer.alloc(16 << 20), [[[long]]]]) {
    assert.throws(() => readMqttMessage({ topic: 't', payload }, {}), tooLong);
  }
  for (const payload of [{ long }, { text }, text, [{ text }, {}]]) {
    assert.throws(() => write({ measurement: 'm', payload }), tooLong);
  }
  assert.equal(written, 0);
  /** @type {any} */
  const circle = { again: [] };
  circle.again.push(circle);
  assert.equal(isLonger(circle, 100), false);
  for (const value of [undefined, null, 5, 'text', { a: undefined }, new Date(), [1, [2]], {}]) {
    const bytes = JSON.stringify(value)?.length ?? 0;
    assert.equal(isLonger(value, bytes), false, JSON.stringify(value));
  }
  assert.equal(isLonger('x'.repeat(11), 10), true);
});

test('what busbar-in sends is known again', () => {
  assert.ok(isBusbarMessage(makeMessages(READING, 'object')[0]));
  assert.ok(!isBusbarMessage(makeMessages(READING, 'influx')[0]));
  assert.ok(!isBusbarMessage({ payload: {} }));
});
