/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* CSV against RFC 4180 and what spreadsheets make of it. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { parseCsv, writeCsv } = require('../../lib/csv');

/** @param {string} text */
function cellsOf(text) {
  return parseCsv(text).rows.map(({ cells }) => cells);
}

/** Section 2 of the RFC, rule by rule, then the rest. @type {[string, string, string[][]][]} */
const TEXTS = [
  [
    'rule 1: records end with CRLF',
    'aaa,bbb\r\nzzz,yyy\r\n',
    [
      ['aaa', 'bbb'],
      ['zzz', 'yyy'],
    ],
  ],
  [
    'rule 2: the last may have none',
    'aaa,bbb\r\nzzz,yyy',
    [
      ['aaa', 'bbb'],
      ['zzz', 'yyy'],
    ],
  ],
  ['rule 4: spaces belong to the field', 'a, b ,c', [['a', ' b ', 'c']]],
  [
    'rule 5: quotes',
    '"aaa","bbb"\r\nzzz,yyy',
    [
      ['aaa', 'bbb'],
      ['zzz', 'yyy'],
    ],
  ],
  [
    'rule 6: breaks and commas in quotes',
    '"aaa","b\r\nbb","c,c"\r\nz',
    [['aaa', 'b\r\nbb', 'c,c'], ['z']],
  ],
  ['rule 7: quotes doubled', '"aaa","b""bb"', [['aaa', 'b"bb']]],
  [
    'line feeds alone',
    'a,b\nc,d\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    'carriage returns alone',
    'a,b\rc,d\r',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    'empty fields',
    ',a,\r\n,,b',
    [
      ['', 'a', ''],
      ['', '', 'b'],
    ],
  ],
  [
    'a byte order mark',
    '\ufeffname,unit\r\nx,°C',
    [
      ['name', 'unit'],
      ['x', '°C'],
    ],
  ],
  [
    'semicolons',
    'a;b,c;x\r\nd;e',
    [
      ['a', 'b,c', 'x'],
      ['d', 'e'],
    ],
  ],
  [
    'tabs',
    'a\tb\r\nc\td',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    'a delimiter in quotes does not count',
    '"a,b,c";d\r\ne;f',
    [
      ['a,b,c', 'd'],
      ['e', 'f'],
    ],
  ],
  [
    'what Excel writes first',
    'sep=;\r\na,b;c\r\nd;e',
    [
      ['a,b', 'c'],
      ['d', 'e'],
    ],
  ],
  ['one column', 'a\r\nb', [['a'], ['b']]],
  ['nothing', '', []],
  ['empty rows', '\r\n , \r\n', []],
];

for (const [name, text, expected] of TEXTS) {
  test(`csv is read: ${name}`, () => assert.deepEqual(cellsOf(text), expected));
}

test('rows have the number that a spreadsheet shows', () => {
  const { rows } = parseCsv('sep=,\r\nname,note\r\n\r\na,"two\r\nlines"\r\nb,c\r\n');
  assert.deepEqual(
    rows.map(({ row, cells }) => [row, cells[0]]),
    [
      [2, 'name'],
      [4, 'a'],
      [5, 'b'],
    ],
  );
});

test('a quotation mark that is never closed is told with its row', () => {
  const { mistakes } = parseCsv('a,b\r\nc,"d\r\ne,f\r\n');
  assert.equal(mistakes.length, 1);
  assert.equal(mistakes[0].row, 2);
  assert.match(mistakes[0].text, /never closed/);
});

test('text behind a closing quotation mark is told, and the rows behind it are read', () => {
  const { mistakes, rows } = parseCsv('a,b\r\n"c"x,d\r\ne,f');
  assert.deepEqual(
    mistakes.map(({ row }) => row),
    [2],
  );
  assert.deepEqual(rows.at(-1), { row: 3, cells: ['e', 'f'] });
});

test('a megabyte without a closing quotation mark is read in no time', () => {
  const started = Date.now();
  parseCsv(`"${'a'.repeat(1 << 20)}`);
  assert.ok(Date.now() - started < 2000, `${Date.now() - started} ms`);
});

for (const delimiter of [',', ';', '\t']) {
  test(`what is written with ${JSON.stringify(delimiter)} is read back`, () => {
    const rows = [
      ['name', 'note'],
      ['a,b;c\td', 'say "yes"'],
      ['two\r\nlines', ' spaces '],
      ['°C', ''],
    ];
    const text = writeCsv(rows, delimiter);
    assert.ok(text.startsWith('\ufeff'), 'has a byte order mark');
    assert.deepEqual(cellsOf(text), rows);
  });
}
