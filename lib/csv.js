/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Tables as text, RFC 4180, and what spreadsheets make of it: a byte order mark, semicolons or tabs
   instead of commas, a first line `sep=;`. Rows keep the number that the spreadsheet shows for them, so
   that a message can name it: cells with line breaks count as one row, empty rows count too.

     name,unit\r\n"power, total",W\r\n  →  rows [{row: 1, cells: ['name', 'unit']}, {row: 2, …}] */

const rules = require('../resources/busbar-rules');

/** @typedef {{row: number, cells: string[]}} Row */
/** @typedef {{row: number, column?: string, text: string, key?: string}} RowMistake */

const DELIMITERS = [',', ';', '\t'];
const BYTE_ORDER_MARK = '\ufeff';

/** The one that the first line has most of, outside of quotes. @param {string} text */
function detectDelimiter(text) {
  /** @type {Record<string, number>} */
  const counts = { ',': 0, ';': 0, '\t': 0 };
  let isQuoted = false;
  for (const char of text) {
    if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (char === '\n' || char === '\r')) break;
    else if (!isQuoted && char in counts) counts[char]++;
  }
  return DELIMITERS.reduce((best, each) => (counts[each] > counts[best] ? each : best));
}

/** @param {string} text Without a byte order mark. @param {string} delimiter @param {number} first
 * The number of the first row. @returns {{rows: Row[], mistakes: RowMistake[]}} */
function splitRows(text, delimiter, first) {
  const stop = delimiter.replace(/[\\\]^-]/, '\\$&');
  const cell = new RegExp(`"([^"]*(?:""[^"]*)*)"|([^${stop}\\r\\n]*)`, 'y');
  /** @type {Row[]} */
  const rows = [];
  /** @type {RowMistake[]} */
  const mistakes = [];
  /** @type {string[]} */
  let cells = [];
  let row = first;
  const complain = (/** @type {string} */ key) =>
    void mistakes.push({ row, key, text: rules.sentence({ key }) });
  for (let at = 0; at <= text.length;) {
    cell.lastIndex = at;
    const [whole, quoted, plain] = /** @type {RegExpExecArray} */ (cell.exec(text));
    at += whole.length;
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (quoted === undefined && plain.startsWith('"')) {
      complain('quoteOpen');
      rows.push({ row, cells });
      return { rows, mistakes };
    }
    if (text[at] === delimiter) {
      at++;
      continue;
    }
    const isEnd = at >= text.length;
    if (!isEnd && text[at] !== '\r' && text[at] !== '\n') {
      complain('quoteText');
      while (at < text.length && text[at] !== '\n') at++;
    }
    if (text.startsWith('\r\n', at)) at++;
    at++;
    if (!(isEnd && cells.length === 1 && cells[0] === '')) rows.push({ row, cells });
    cells = [];
    row++;
    if (isEnd) break;
  }
  return { rows, mistakes };
}

/**
 * @param {string} text
 * @returns {{delimiter: string, rows: Row[], mistakes: RowMistake[]}} Empty rows are left out.
 */
function parseCsv(text) {
  const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  const [line, given] = /^sep=(.)\r?\n/i.exec(body) ?? ['', undefined];
  const rest = body.slice(line.length);
  const delimiter = given ?? detectDelimiter(rest);
  const { rows, mistakes } = splitRows(rest, delimiter, line ? 2 : 1);
  const isFilled = (/** @type {Row} */ { cells }) => cells.some((each) => each.trim() !== '');
  return { delimiter, rows: rows.filter(isFilled), mistakes };
}

/** @param {unknown} value @param {string} delimiter */
function writeCell(value, delimiter) {
  const text = value === undefined || value === null ? '' : String(value);
  const needsQuotes = /["\r\n]|^\s|\s$/.test(text) || text.includes(delimiter);
  return needsQuotes ? `"${text.replaceAll('"', '""')}"` : text;
}

/** With a byte order mark, so that spreadsheets read °C as what it is.
 * @param {unknown[][]} rows @param {string} [delimiter] */
function writeCsv(rows, delimiter = ',') {
  const lines = rows.map((cells) =>
    cells.map((cell) => writeCell(cell, delimiter)).join(delimiter),
  );
  return BYTE_ORDER_MARK + lines.map((line) => `${line}\r\n`).join('');
}

module.exports = { parseCsv, writeCsv };
