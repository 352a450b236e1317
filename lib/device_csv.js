/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The device table as a table for spreadsheets: id, unit, and a column a tag.

     id,unit,asset,line
     meter-1,1,mdb-a-main,l1      →  {id: 'meter-1', unit: '1', tags: {asset: 'mdb-a-main', line: 'l1'}} */

const { parseCsv, writeCsv } = require('./csv');
const rules = require('../resources/busbar-rules');

/** @typedef {import('./csv').RowMistake} RowMistake */
/** @typedef {{id: string, unit?: string, tags: Record<string, string>}} Device */

const ID_WORDS = ['id', 'deviceid', 'device', 'meter', 'geraet', 'gerät', 'zaehler', 'zähler'];
const UNIT_WORDS = ['unit', 'unitid', 'slave', 'slaveid', 'address', 'modbusaddress', 'adresse'];
const MAX_UNIT = 255;

/** @param {string} heading */
function columnOf(heading) {
  const word = heading.toLowerCase().replace(/[\s_.-]/g, '');
  if (ID_WORDS.includes(word)) return 'id';
  return UNIT_WORDS.includes(word) ? 'unit' : heading.trim();
}

/** @param {string[]} columns @param {number} row @returns {RowMistake[]} */
function checkHead(columns, row) {
  /** @type {RowMistake[]} */
  const errors = [];
  const complain = (/** @type {string} */ column, /** @type {string} */ key) => {
    const mistake = { key, given: column };
    errors.push({ row, column, text: rules.sentence(mistake), ...mistake });
  };
  if (!columns.includes('id')) complain('id', 'deviceColumn');
  columns.forEach((column, index) => {
    if (column === '') return;
    if (columns.indexOf(column) < index) complain(column, 'columnTwice');
    else if (!rules.isTagName(column)) complain(column, 'tagName');
  });
  return errors;
}

/** @param {Record<string, string>} cells @returns {Device} */
function readDevice({ id = '', unit = '', ...tags }) {
  const filled = Object.entries(tags).filter(([key, value]) => key !== '' && value !== '');
  return { id, ...(unit !== '' && { unit }), tags: Object.fromEntries(filled) };
}

/** @param {Device} device @param {number | undefined} before The row that has this id already. */
function checkDevice({ id, unit }, before) {
  /** @type {{column: string, mistake: ReturnType<typeof rules.deviceId>}[]} */
  const found = [
    { column: 'id', mistake: id === '' ? { key: 'deviceIdMissing' } : rules.deviceId(id) },
    { column: 'unit', mistake: rules.whole(unit, 0, MAX_UNIT) },
  ];
  if (before !== undefined) {
    found.push({ column: 'id', mistake: { key: 'deviceIdTwice', given: id, first: before } });
  }
  return found;
}

/**
 * @param {string} csv
 * @returns {{devices: Device[], errors: RowMistake[], rows: number}} The devices of the rows that are right.
 */
function readDevices(csv) {
  const { rows, mistakes } = parseCsv(csv);
  const [head, ...body] = rows;
  if (!head) return { devices: [], errors: checkHead([], 1), rows: 0 };
  const columns = head.cells.map(columnOf);
  const wrong = checkHead(columns, head.row);
  const errors = [...mistakes, ...wrong];
  if (wrong.length > 0) return { devices: [], errors, rows: body.length };
  /** @type {Map<string, number>} */
  const seen = new Map();
  const broken = new Set(mistakes.map(({ row }) => row));
  const devices = [];
  for (const { row, cells } of body.filter((each) => !broken.has(each.row))) {
    const named = columns.map((column, index) => [column, (cells[index] ?? '').trim()]);
    const device = readDevice(Object.fromEntries(named));
    let isRight = true;
    for (const { column, mistake } of checkDevice(device, seen.get(device.id))) {
      if (!mistake) continue;
      errors.push({ row, column, text: rules.sentence(mistake), ...mistake });
      isRight = false;
    }
    if (device.id !== '' && !seen.has(device.id)) seen.set(device.id, row);
    if (isRight) devices.push(device);
  }
  return { devices, errors: errors.sort((a, b) => a.row - b.row), rows: body.length };
}

/** @param {Device[]} devices @param {string} [delimiter] */
function writeDevices(devices, delimiter = ',') {
  const tagsOf = devices.map(({ tags }) => Object.fromEntries(rules.tagEntries(tags)));
  const names = [...new Set(tagsOf.flatMap((tags) => Object.keys(tags)))];
  const rows = devices.map(({ id, unit }, index) => [
    id,
    unit ?? '',
    ...names.map((name) => tagsOf[index][name] ?? ''),
  ]);
  return writeCsv([['id', 'unit', ...names], ...rows], delimiter);
}

module.exports = { readDevices, writeDevices };
