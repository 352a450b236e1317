/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The device table as CSV. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { readDevices, writeDevices } = require('../../lib/device_csv');

/** @type {import('../../lib/device_csv').Device[]} */
const DEVICES = [
  { id: 'meter-1', unit: '1', tags: { asset: 'mdb-a, main', line: 'l1' } },
  { id: 'meter-2', unit: '${UNIT}', tags: { line: 'l2' } },
  { id: 'meter-3', tags: {} },
];

for (const delimiter of [',', ';', '\t']) {
  test(`the device table comes back with ${JSON.stringify(delimiter)}`, () => {
    const { devices, errors } = readDevices(writeDevices(DEVICES, delimiter));
    assert.deepEqual(errors, []);
    assert.deepEqual(devices, DEVICES);
  });
}

test('tags may be a list of rows, as the dialog keeps them', () => {
  const text = writeDevices([
    { id: 'a', unit: '1', tags: /** @type {any} */ ([{ key: 'line', value: 'l1' }]) },
  ]);
  assert.match(text, /id,unit,line\r\na,1,l1/);
});

test('headings are understood in the words of the trade', () => {
  const { devices } = readDevices('Zähler;Slave ID;Halle\nm1;7;Süd\n');
  assert.deepEqual(devices, [{ id: 'm1', unit: '7', tags: { Halle: 'Süd' } }]);
});

/** @type {[string, string, number, string, RegExp][]} */
const WRONG = [
  ['an id with a space', 'id,unit\nmeter 1,1', 2, 'id', /"meter 1" cannot be an id/],
  ['an id with a leading dot', 'id,unit\n.a,1', 2, 'id', /cannot be an id/],
  ['no id', 'id,unit\n,1', 2, 'id', /needs an id/],
  ['an id that is there already', 'id,unit\na,1\na,2', 3, 'id', /the first is in row 2/],
  ['a unit past the end', 'id,unit\na,256', 2, 'unit', /0 to 255/],
  ['a tag with a space', 'id,unit,my tag\na,1,x', 1, 'my tag', /cannot name a tag/],
  ['no id column', 'name,unit\na,1', 1, 'id', /column "id" is missing/],
  ['two columns of one meaning', 'id,unit,slave\na,1,2', 1, 'unit', /Two columns/],
];

for (const [name, csv, row, column, text] of WRONG) {
  test(`a device table is refused for ${name}`, () => {
    const { errors } = readDevices(csv);
    assert.deepEqual(
      errors.map((error) => [error.row, error.column]),
      [[row, column]],
    );
    assert.match(errors[0].text, text);
  });
}

test('the rows that are right are there beside the mistakes', () => {
  const { devices, rows } = readDevices('id,unit\na,1\nb b,2\nc,3');
  assert.deepEqual(
    devices.map(({ id }) => id),
    ['a', 'c'],
  );
  assert.equal(rows, 3);
});
