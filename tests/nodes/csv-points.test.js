/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Points as a table: what leaves comes back, lists of other people are understood, and what is wrong
   is told by row and column. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { readPoints, writePoints } = require('../../lib/profile_csv');
const { listProfiles, loadProfile } = require('../../lib/profiles');

/** As the export has it: the table that `register` stands for. @param {any} profile */
function pointsOf(profile) {
  const table = profile.modbus?.table ?? 'holding';
  return profile.points.map((/** @type {any} */ point) => {
    const { register, type, ...rest } = point;
    const isBit = rest.coil !== undefined || rest.discrete !== undefined;
    const place = register === undefined ? {} : { [table]: register };
    return { ...rest, ...place, ...((type || isBit) && { type: type ?? 'bit' }) };
  });
}

/** Names of values are texts in a table. @param {any} points */
function asText(points) {
  return points.map((/** @type {any} */ point) => {
    const text = (/** @type {any} */ map) =>
      Object.fromEntries(Object.entries(map).map(([key, name]) => [key, String(name)]));
    return {
      ...point,
      ...(point.enum && { enum: text(point.enum) }),
      ...(point.flags && { flags: text(point.flags) }),
    };
  });
}

for (const { id } of listProfiles()) {
  for (const delimiter of [',', ';', '\t']) {
    test(`${id} comes back from a table with ${JSON.stringify(delimiter)}`, () => {
      const profile = loadProfile(id);
      assert.ok(profile);
      const { points, errors, ignored } = readPoints(writePoints(profile, delimiter));
      assert.deepEqual(errors, []);
      assert.deepEqual(ignored, []);
      assert.deepEqual(points, asText(pointsOf(profile)));
    });
  }
}

test('decimals have commas where the comma is free', () => {
  const profile = { points: [{ name: 'a', type: 'int16', holding: 0, scale: 0.1 }] };
  assert.match(writePoints(profile, ';'), /a;holding;0;int16;;0,1;/);
  assert.match(writePoints(profile, ','), /a,holding,0,int16,,0\.1,/);
  assert.equal(readPoints('name;address;type;scale\na;40001;int16;0,1').points[0].scale, 0.1);
});

/** One row each, with the headings before it. @type {[string, string, object][]} */
const LISTS = [
  [
    'a list as other tools have it',
    'Tag Name,Register,Data Type,Units,Scale\nVoltage_L1,40001,REAL,V,1',
    { name: 'Voltage_L1', type: 'float32', unit: 'V', holding: 0, scale: 1 },
  ],
  [
    'a German one',
    'Datenpunkt;Tabelle;Adresse;Datentyp;Einheit;Faktor\nP;Input Register;100;INT;kW;0,01',
    { name: 'P', type: 'int16', unit: 'kW', input: 100, scale: 0.01 },
  ],
  [
    'an address in hex',
    'name,table,address,type\na,holding,0x1000,uint16',
    { name: 'a', type: 'uint16', holding: 4096 },
  ],
  [
    'an address of a manual with six digits',
    'name,address,type\na,300081,float32',
    { name: 'a', type: 'float32', input: 80 },
  ],
  ['a coil of a manual', 'name,address\na,00017', { name: 'a', coil: 16 }],
  [
    'a large address where the table is named',
    'name,table,address,type\na,holding,40001,uint16',
    { name: 'a', type: 'uint16', holding: 40001 },
  ],
  [
    'a word order by name',
    'name,address,type,word order\na,40001,float32,little',
    { name: 'a', type: 'float32', holding: 0, order: 'DCBA' },
  ],
  [
    'what may be written',
    'name,address,type,R/W,min,max\na,40001,uint16,RW,0,100',
    { name: 'a', type: 'uint16', holding: 0, write: { min: 0, max: 100 } },
  ],
  [
    'what may not',
    'name,address,type,access\na,40001,uint16,R',
    { name: 'a', type: 'uint16', holding: 0 },
  ],
  [
    'bits past what a number holds',
    'name,address,type,sentinels\na,40001,uint64,0xffffffffffffffff 0',
    { name: 'a', type: 'uint64', holding: 0, sentinels: ['0xffffffffffffffff', 0] },
  ],
  [
    'names of values',
    'name,address,type,enum\na,40001,uint16,0=off | 1=on',
    { name: 'a', type: 'uint16', holding: 0, enum: { 0: 'off', 1: 'on' } },
  ],
];

for (const [name, csv, expected] of LISTS) {
  test(`points are read from ${name}`, () => {
    const { points, errors } = readPoints(csv);
    assert.deepEqual(errors, []);
    assert.deepEqual(points, [expected]);
  });
}

const HEAD = 'name,table,address,type,scale,scan,order,sentinels,length,bit,write,enum';
/** What stands in row 3. @type {[string, string, string, RegExp][]} */
const WRONG = [
  ['no name', ',holding,1,uint16', 'name', /needs a name/],
  ['a name with a space', 'a b,holding,1,uint16', 'name', /"a b" cannot be a name/],
  ['a name that is taken', 'first,holding,1,uint16', 'name', /twice; the first is in row 2/],
  ['no address', 'a,holding,,uint16', 'address', /address is missing/],
  ['an address past the end', 'a,holding,65536,uint16', 'address', /0 to 65535/],
  ['a value past the end', 'a,holding,65535,float32', 'address', /would be 65536/],
  ['an address without its table', 'a,,12,uint16', 'table', /table of address 12 is missing/],
  ['an unknown table', 'a,holdng,1,uint16', 'table', /mean holding/],
  ['no type', 'a,holding,1,', 'type', /type is missing/],
  ['an unknown type', 'a,holding,1,flaot32', 'type', /mean float32/],
  ['registers at a coil', 'a,coil,1,uint16', 'type', /is a bit/],
  ['a scale that is none', 'a,holding,1,uint16,big', 'scale', /"big" is no number/],
  ['a scale of a text', 'a,holding,1,text,2,,,,4', 'scale', /does not go with the type text/],
  ['a scan with a space', 'a,holding,1,uint16,,my scan', 'scan', /cannot be a name/],
  ['an unknown word order', 'a,holding,1,float32,,,ACBD', 'order', /no word order/],
  ['a sentinel that is none', 'a,holding,1,int16,,,,none', 'sentinels', /no raw value/],
  ['a text without its length', 'a,holding,1,text', 'length', /How many registers/],
  ['a bit without its place', 'a,holding,1,bit', 'bit', /Which bit/],
  ['a writable input register', 'a,input,1,uint16,,,,,,,yes', 'write', /Only coils and holding/],
  ['a word for yes that is none', 'a,holding,1,uint16,,,,,,,maybe', 'write', /Allowed: yes, no/],
  ['names that are no pairs', 'a,holding,1,uint16,,,,,,,,off', 'enum', /0=open/],
];

for (const [name, row, column, text] of WRONG) {
  test(`a row is refused for ${name}`, () => {
    const { points, errors } = readPoints(`${HEAD}\nfirst,holding,9,uint16\n${row}\n`);
    assert.deepEqual(
      points.map((point) => point.name),
      ['first'],
    );
    assert.deepEqual(
      errors.map((error) => [error.row, error.column]),
      [[3, column]],
    );
    assert.match(errors[0].text, text);
  });
}

test('headings are asked for', () => {
  const { points, errors } = readPoints('power,100,float32\nx,1,uint16');
  assert.deepEqual(points, []);
  assert.deepEqual(
    errors.map(({ row, column }) => [row, column]),
    [
      [1, 'name'],
      [1, 'address'],
    ],
  );
});

test('two columns of one meaning are told', () => {
  const { errors } = readPoints('name,tag,address\na,b,40001');
  assert.match(errors[0].text, /Two columns mean "name"/);
});

test('headings that mean nothing here are named', () => {
  const { points, ignored, rows } = readPoints('name,address,type,plc,rack\na,40001,uint16,x,1');
  assert.deepEqual(ignored, ['plc', 'rack']);
  assert.equal(points.length, 1);
  assert.equal(rows, 1);
});
