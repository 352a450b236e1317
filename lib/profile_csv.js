/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The points of a profile as a table for spreadsheets, and tag lists as points. A column a key of the
   profile format; maps are written as `0=open | 1=closed`, lists with spaces. Of other people's lists
   the usual headings are understood, addresses as manuals have them (40001, 400001), and decimal
   commas where the comma is not the delimiter. What comes back is what left. */

const { parseCsv, writeCsv } = require('./csv');
const { describePoints, pointsOf } = require('../resources/busbar-points');
const rules = require('../resources/busbar-rules');

/** @typedef {import('./csv').RowMistake} RowMistake */
/** @typedef {Record<string, any>} Point */

/** Those that are always written, and then those that some point has. */
const FIRST = ['name', 'table', 'address', 'type', 'unit', 'scale', 'scan', 'write'];
const DECIMALS = ['scale', 'add', 'deadband', 'min', 'max', 'step', 'valid_min', 'valid_max'];
const COUNTS = ['offset', 'length', 'bit', 'bits', 'function', 'sign'];
const FLAGS = ['write', 'inferred', 'alias', 'read_back'];
const MAPS = ['enum', 'flags'];
const TEXTS = ['order', 'byte', 'scale_from', 'description', 'block', 'sentinels'];
const COLUMNS = [...FIRST, ...TEXTS, ...DECIMALS, ...COUNTS, ...FLAGS, ...MAPS].filter(
  (name, index, all) => all.indexOf(name) === index,
);
/** Keys within `write`, and the columns they stand in. */
const WRITE_KEYS = ['min', 'max', 'step', 'block', 'read_back', 'function'];

/** What people call the columns, in letters and digits only. @type {Record<string, string[]>} */
const ALIASES = {
  name: ['point', 'pointname', 'tag', 'tagname', 'variable', 'signal', 'bezeichnung', 'datenpunkt'],
  table: ['registertype', 'space', 'area', 'tabelle', 'registertyp', 'objecttype'],
  address: ['register', 'registeraddress', 'offsetaddress', 'startaddress', 'adresse', 'addr'],
  type: ['datatype', 'format', 'typ', 'datentyp'],
  unit: ['units', 'einheit', 'engunit'],
  scale: ['factor', 'multiplier', 'gain', 'faktor', 'skalierung'],
  add: ['plus', 'summand'],
  scan: ['group', 'scanclass', 'pollgroup', 'abfrage', 'gruppe'],
  write: ['writable', 'writeable', 'schreibbar', 'rw', 'access', 'readwrite'],
  order: ['wordorder', 'byteorder', 'endianness', 'wortfolge', 'swap'],
  description: ['comment', 'label', 'beschreibung', 'kommentar', 'text'],
  length: ['len', 'registers', 'quantity', 'laenge'],
};

/** @type {Record<string, string>} */
const TYPE_WORDS = {
  bool: 'bit',
  boolean: 'bit',
  sint: 'int8',
  usint: 'uint8',
  int: 'int16',
  short: 'int16',
  word: 'uint16',
  uint: 'uint16',
  ushort: 'uint16',
  dint: 'int32',
  long: 'int32',
  dword: 'uint32',
  udint: 'uint32',
  ulong: 'uint32',
  lint: 'int64',
  ulint: 'uint64',
  lword: 'uint64',
  real: 'float32',
  float: 'float32',
  single: 'float32',
  lreal: 'float64',
  double: 'float64',
  string: 'text',
};

/** @type {Record<string, string>} */
const TABLE_WORDS = {
  coils: 'coil',
  discreteinput: 'discrete',
  discreteinputs: 'discrete',
  inputregister: 'input',
  inputregisters: 'input',
  holdingregister: 'holding',
  holdingregisters: 'holding',
  '0x': 'coil',
  '1x': 'discrete',
  '3x': 'input',
  '4x': 'holding',
};

/** @type {Record<string, string>} */
const ORDER_WORDS = {
  big: 'ABCD',
  bigendian: 'ABCD',
  bigswapped: 'CDAB',
  wordswap: 'CDAB',
  littleswapped: 'BADC',
  byteswap: 'BADC',
  little: 'DCBA',
  littleendian: 'DCBA',
};

const YES = ['true', 'yes', 'y', 'x', '1', 'ja', 'w', 'rw', 'r/w', 'readwrite', 'write'];
const NO = ['false', 'no', 'n', '0', 'nein', 'r', 'ro', 'read', 'readonly', '-'];

/** @param {string} text */
const plain = (text) => text.toLowerCase().replace(/[^a-z0-9]/g, '');

/** The column that a heading means. @param {string} heading */
function columnOf(heading) {
  const exact = heading
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');
  if (COLUMNS.includes(exact)) return exact;
  const word = plain(heading);
  return Object.keys(ALIASES).find((name) => name === word || ALIASES[name].includes(word));
}

/** A number where it is one, exact as it was written; else the text, for the rules to complain of.
 * @param {string} text @param {boolean} hasCommas */
function readDecimal(text, hasCommas) {
  const decimal = hasCommas && /^[+-]?\d*,\d+$/.test(text) ? text.replace(',', '.') : text;
  const number = Number(decimal);
  if (!rules.isDecimal(decimal)) return text;
  const isExact = Math.abs(number) <= Number.MAX_SAFE_INTEGER && decimal.length <= 15;
  return isExact ? number : decimal;
}

/** "0=open | 1=closed" @param {string} text */
function readMap(text) {
  const pairs = text.split('|').map((pair) => /^\s*(\S+?)\s*=\s*(.*?)\s*$/.exec(pair));
  if (pairs.some((pair) => pair === null)) return undefined;
  return Object.fromEntries(pairs.map((pair) => [pair?.[1], pair?.[2]]));
}

/** 40001 and 400001 are holding 0 where no table is named. @param {string} text */
function readManualAddress(text) {
  const [, digit, number] = /^([0134])(\d{4,5})$/.exec(text) ?? [];
  const table = { 0: 'coil', 1: 'discrete', 3: 'input', 4: 'holding' }[digit];
  return table && Number(number) > 0 ? { table, address: Number(number) - 1 } : undefined;
}

/** @typedef {(column: string, mistake: {key: string, [word: string]: any}) => void} Complain */

/** @param {Point} point @param {Record<string, string>} cells @param {Complain} complain */
function readPlace(point, cells, complain) {
  const { table = '', address = '' } = cells;
  if (address === '') return complain('address', { key: 'addressMissing' });
  const word = TABLE_WORDS[plain(table)] ?? table.toLowerCase();
  const manual = table === '' ? readManualAddress(address) : undefined;
  if (manual) {
    point[manual.table] = manual.address;
    return undefined;
  }
  if (table === '') return complain('table', { key: 'addressTable', given: address });
  const mistake = rules.choice(word, rules.ADDRESS_KEYS) ?? rules.whole(address, 0, 65535);
  if (!mistake) point[word] = rules.wholeNumber(address);
  else complain(rules.ADDRESS_KEYS.includes(word) ? 'address' : 'table', mistake);
  return undefined;
}

/** @param {string} column @param {string} text @param {boolean} hasCommas
 * @param {Complain} complain @returns {any} */
function readCell(column, text, hasCommas, complain) {
  if (DECIMALS.includes(column)) return readDecimal(text, hasCommas);
  if (COUNTS.includes(column)) return /^-?\d+$/.test(text) ? Number(text) : text;
  if (FLAGS.includes(column)) {
    const word = text.toLowerCase().replace(/[\s-]/g, '');
    if (!YES.includes(word) && !NO.includes(word)) {
      complain(column, { key: 'choice', given: text, allowed: 'yes, no' });
    }
    return YES.includes(word);
  }
  if (MAPS.includes(column)) {
    const map = readMap(text);
    if (!map) complain(column, { key: 'choice', given: text, allowed: '0=open | 1=closed' });
    return map;
  }
  if (column === 'sentinels') {
    return text
      .split(/[\s|]+/)
      .map((each) => (/^0x/i.test(each) ? each : readDecimal(each, false)));
  }
  if (column === 'type') return TYPE_WORDS[text.toLowerCase()] ?? text.toLowerCase();
  if (column === 'order') return ORDER_WORDS[plain(text)] ?? text.toUpperCase();
  return text;
}

/** `write`, from its columns: true, or a map where one of the others is filled in.
 * @param {Point} point @param {Record<string, any>} values */
function readWrite(point, values) {
  if (values.write === false) return;
  const map = Object.fromEntries(
    WRITE_KEYS.filter((key) => values[key] !== undefined).map((key) => [key, values[key]]),
  );
  const isGiven = Object.keys(map).length > 0;
  if (isGiven) point.write = map;
  else if (values.write) point.write = true;
}

/** @param {Record<string, string>} cells By column. @param {boolean} hasCommas
 * @param {Complain} complain @returns {Point} */
function readPoint(cells, hasCommas, complain) {
  /** @type {Point} */
  const point = {};
  /** @type {Record<string, any>} */
  const values = {};
  for (const [column, text] of Object.entries(cells)) {
    if (text !== '' && column !== 'address' && column !== 'table') {
      values[column] = readCell(column, text, hasCommas, complain);
    }
  }
  point.name = values.name ?? '';
  if (values.type !== undefined) point.type = values.type;
  if (values.unit !== undefined) point.unit = values.unit;
  readPlace(point, cells, complain);
  for (const column of COLUMNS) {
    const isOwn = FIRST.includes(column) && column !== 'scale' && column !== 'scan';
    if (isOwn || WRITE_KEYS.includes(column) || column.startsWith('valid_')) continue;
    if (values[column] !== undefined) point[column] = values[column];
  }
  const [min, max] = [values.valid_min, values.valid_max];
  if (min !== undefined || max !== undefined) {
    point.valid = { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  }
  readWrite(point, values);
  return point;
}

/** @param {string[]} headings */
function readHeadings(headings) {
  const columns = headings.map((heading) => columnOf(heading) ?? '');
  const ignored = headings.filter((heading, index) => heading.trim() && !columns[index]);
  const twice = columns.filter((name, index) => name && columns.indexOf(name) !== index);
  return { columns, ignored, twice };
}

/** @param {string[]} columns @param {string[]} twice @param {number} row @returns {RowMistake[]} */
function checkHead(columns, twice, row) {
  const missing = ['name', 'address'].filter((name) => !columns.includes(name));
  const mistakes = [
    ...missing.map((given) => ({ key: 'pointColumn', given })),
    ...twice.map((given) => ({ key: 'columnTwice', given })),
  ];
  return mistakes.map((mistake) => ({
    ...{ row, column: mistake.given, text: rules.sentence(mistake) },
    ...mistake,
  }));
}

/**
 * @param {string} csv
 * @returns {{points: Point[], errors: RowMistake[], ignored: string[], rows: number}} The points of
 *   the rows that are right; `ignored`: headings that mean nothing here; `rows`: how many there are.
 */
function readPoints(csv) {
  const { delimiter, rows, mistakes } = parseCsv(csv);
  /** @type {RowMistake[]} */
  const errors = [...mistakes];
  const [head, ...body] = rows;
  if (!head) return { points: [], errors: checkHead([], [], 1), ignored: [], rows: 0 };
  const { columns, ignored, twice } = readHeadings(head.cells);
  errors.push(...checkHead(columns, twice, head.row));
  if (errors.some(({ row }) => row === head.row)) {
    return { points: [], errors, ignored, rows: body.length };
  }
  const points = readBody({ body, columns, hasCommas: delimiter !== ',', errors });
  return { points, errors: errors.sort((a, b) => a.row - b.row), ignored, rows: body.length };
}

/** @param {{body: import('./csv').Row[], columns: string[], hasCommas: boolean, errors: RowMistake[]}} from
 * @returns {Point[]} */
function readBody({ body, columns, hasCommas, errors }) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  const broken = new Set(errors.map(({ row }) => row));
  const points = [];
  for (const { row, cells } of body) {
    if (broken.has(row)) continue;
    /** @type {Map<string, RowMistake>} */
    const found = new Map();
    const complain = (/** @type {string} */ column, /** @type {any} */ mistake) => {
      if (!found.has(column)) {
        found.set(column, { row, column, text: rules.sentence(mistake), ...mistake });
      }
    };
    const named = Object.fromEntries(
      columns.map((column, index) => [column, (cells[index] ?? '').trim()]).filter(([key]) => key),
    );
    const point = readPoint(named, hasCommas, complain);
    for (const { column, ...mistake } of rules.checkPoint(point)) {
      const isTold = column === 'address' && (found.has('table') || found.has('address'));
      if (!isTold) complain(column, mistake);
    }
    const before = seen.get(point.name);
    if (before !== undefined) {
      complain('name', { key: 'pointTwice', given: point.name, first: before });
    }
    if (point.name) seen.set(point.name, before ?? row);
    if (found.size === 0) points.push(point);
    errors.push(...found.values());
  }
  if (points.length > rules.MAX_POINTS) {
    const given = String(points.length);
    errors.push({ row: 1, text: rules.sentence({ key: 'pointsMany', given }), key: 'pointsMany' });
  }
  return points;
}

/** @param {Point} point @param {string} column @returns {unknown} */
function valueOf(point, column) {
  const write = Object(point.write);
  if (column === 'write') return point.write ? 'yes' : '';
  if (WRITE_KEYS.includes(column)) return write[column];
  if (column === 'valid_min') return point.valid?.min;
  if (column === 'valid_max') return point.valid?.max;
  return point[column];
}

/** @param {Point} point @param {string} column @param {string} delimiter */
function writeValue(point, column, delimiter) {
  const value = valueOf(point, column);
  if (value === undefined || value === null) return '';
  if (MAPS.includes(column)) {
    return Object.entries(value)
      .map(([key, name]) => `${key}=${name}`)
      .join(' | ');
  }
  if (Array.isArray(value)) return value.join(' ');
  if (value === true) return 'yes';
  if (value === false) return column === 'read_back' ? 'no' : '';
  const isDecimal = DECIMALS.includes(column) && delimiter !== ',';
  return isDecimal ? String(value).replace('.', ',') : String(value);
}

/** @param {Record<string, any>} profile @param {string} [delimiter] With others than the comma, decimals
 * have commas, as spreadsheets of those countries expect it. */
function writePoints(profile, delimiter = ',') {
  const points = describePoints(profile);
  const own = pointsOf(profile);
  const isUsed = (/** @type {string} */ column) =>
    own.some((point) => writeValue(point, column, delimiter) !== '');
  const columns = COLUMNS.filter((column) => FIRST.includes(column) || isUsed(column));
  const rows = points.map((point, index) =>
    columns.map((column) => {
      const isGiven = column === 'table' || column === 'address' || column === 'type';
      return isGiven ? point[column] : writeValue(own[index], column, delimiter);
    }),
  );
  return writeCsv([columns, ...rows], delimiter);
}

module.exports = { readPoints, writePoints };
