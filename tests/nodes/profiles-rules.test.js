/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the fields of the dialogs may hold, and profile documents as the dialogs change them. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const points = require('../../resources/busbar-points');
const rules = require('../../resources/busbar-rules');
const { mergeProfile } = require('../../lib/profiles');

/** @type {[(value: string) => {key: string} | undefined, string, string | undefined][]} */
const FIELDS = [
  [rules.deviceId, 'meter-1', undefined],
  [rules.deviceId, '${METER}', undefined],
  [rules.deviceId, 'meter 1', 'deviceId'],
  [rules.deviceId, '-meter', 'deviceId'],
  [rules.deviceId, 'a'.repeat(65), 'deviceId'],
  [rules.host, '192.168.1.20', undefined],
  [rules.host, 'gateway-1.plant.local', undefined],
  [rules.host, 'fe80::1', undefined],
  [rules.host, 'http://10.0.0.1', 'host'],
  [rules.host, '10.0.0.1:502', 'host'],
  [rules.host, 'two words', 'host'],
  [rules.listen, '127.0.0.1:9464', undefined],
  [rules.listen, '[::]:9464', undefined],
  [rules.listen, '9464', 'listen'],
  [rules.listen, '127.0.0.1:99999', 'listen'],
  [(value) => rules.duration(value, '10ms', '60s'), '1.5s', undefined],
  [(value) => rules.duration(value, '10ms', '60s'), '1min', undefined],
  [(value) => rules.duration(value, '10ms', '60s'), '', undefined],
  [(value) => rules.duration(value, '10ms', '60s'), '5', 'duration'],
  [(value) => rules.duration(value, '10ms', '60s'), '1ms', 'durationRange'],
  [(value) => rules.duration(value, '10ms', '60s'), '2min', 'durationRange'],
  [(value) => rules.size(value, '1MiB', '4GiB'), '16MiB', undefined],
  [(value) => rules.size(value, '1MiB', '4GiB'), '16 MB', undefined],
  [(value) => rules.size(value, '1MiB', '4GiB'), '16 mb', 'size'],
  [(value) => rules.size(value, '1MiB', '4GiB'), '64KiB', 'sizeRange'],
  [(value) => rules.size(value, '1MiB', '1TiB'), '1 TiB', undefined],
  [(value) => rules.size(value, '1MiB', '1TiB'), '1.1 TB', 'sizeRange'],
  [(value) => rules.whole(value, 1, 247), '247', undefined],
  [(value) => rules.whole(value, 1, 247), '0', 'whole'],
  [(value) => rules.whole(value, 1, 247), '1.5', 'whole'],
];

for (const [rule, value, key] of FIELDS) {
  test(`a field says ${key ?? 'nothing'} of "${value.slice(0, 24)}"`, () => {
    assert.equal(rule(value)?.key, key);
  });
}

test('tags are read as they are written', () => {
  const tags = { line: 'l1', asset: 'press 3, left', area: 'hall=2' };
  const text = rules.writeTags(tags);
  assert.equal(text, 'line=l1, asset=press 3\\, left, area=hall=2');
  assert.deepEqual(rules.readTags(text), { tags });
  assert.equal(rules.readTags('line l1').mistake?.key, 'tagText');
  assert.equal(rules.readTags('my line=1').mistake?.key, 'tagName');
  assert.equal(rules.readTags('a=1, a=2').mistake?.key, 'tagTwice');
});

test('a list of tags needs names and values, each once', () => {
  const key = (/** @type {[string, string][]} */ ...rows) =>
    rules.tagList(rows.map(([name, value]) => ({ key: name, value })))?.key;
  assert.equal(key(['line', 'l1'], ['area', 'x']), undefined);
  assert.equal(key(['line', '']), 'tagEmpty');
  assert.equal(key(['my line', 'x']), 'tagName');
  assert.equal(key(['line', 'l1'], ['line', 'l2']), 'tagTwice');
});

test('a sentence is whole in the language that has it, and in English else', () => {
  const mistake = { key: 'whole', given: 'x', min: 1, max: 9 };
  assert.equal(rules.sentence(mistake), '"x" does not fit. Allowed: a whole number from 1 to 9.');
  assert.equal(
    rules.sentence(mistake, () => '__given__: __min__–__max__'),
    'x: 1–9',
  );
});

const BASE = {
  profile: 1,
  id: 'acme/meter',
  modbus: { word_order: 'ABCD' },
  points: [
    { name: 'a', type: 'float32', unit: 'V', holding: 0 },
    { name: 'b', type: 'float32', holding: 2, order: 'DCBA' },
  ],
};

test('an own profile says only what is different', () => {
  const [a] = BASE.points;
  assert.equal(points.diffPoint(a, { ...a }), undefined);
  assert.deepEqual(points.diffPoint(a, { ...a, scan: 'slow' }), { name: 'a', scan: 'slow' });
  const moved = { name: 'a', type: 'float32', unit: 'V', input: 0 };
  assert.deepEqual(points.diffPoint(a, moved), moved);
  const less = { name: 'a', type: 'float32', holding: 0 };
  assert.deepEqual(points.diffPoint(a, less), less);
});

for (const wanted of [
  { name: 'a', type: 'float32', unit: 'kV', holding: 0 },
  { name: 'a', type: 'float32', holding: 0 },
  { name: 'a', type: 'int16', unit: 'V', input: 9 },
]) {
  test(`merging what is different gives ${JSON.stringify(wanted)}`, () => {
    const own = points.diffPoint(BASE.points[0], wanted);
    assert.deepEqual(mergeProfile(BASE, { points: [own] }).points[0], wanted);
  });
}

test('a word order is set for all points that have none of their own', () => {
  const own = points.setOrder({ points: [] }, BASE, 'a', 'CDAB');
  assert.deepEqual(own, { points: [], modbus: { word_order: 'CDAB' } });
  const merged = mergeProfile(BASE, own);
  assert.equal(points.orderOf(merged, 'a'), 'CDAB');
  assert.equal(points.orderOf(merged, 'b'), 'DCBA');
});

test('a word order is set at the point that has one', () => {
  const own = points.setOrder({ points: [] }, BASE, 'b', 'CDAB');
  assert.deepEqual(own, { points: [{ name: 'b', order: 'CDAB' }] });
  assert.equal(points.orderOf(mergeProfile(BASE, own), 'b'), 'CDAB');
  const again = points.setOrder(own, BASE, 'b', 'BADC');
  assert.deepEqual(again.points, [{ name: 'b', order: 'BADC' }]);
});

test('a document is laid out with a line a point, and says the same', () => {
  const text = points.layOut(BASE);
  assert.deepEqual(JSON.parse(text), BASE);
  assert.equal(text.split('\n').filter((line) => line.includes('"name"')).length, 2);
});
