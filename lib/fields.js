/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* From the fields of a node, which are texts, to what the config document takes. */

/** Without what is empty: undefined, null, '', an empty list or map.
 * @param {Record<string, any>} map @returns {Record<string, any>} */
function leaveOutEmpty(map) {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => !isEmpty(value)));
}

/** @param {any} value */
function isEmpty(value) {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** A number where the text is one; else the text, for the runtime to complain of.
 * @param {unknown} text */
function readNumber(text) {
  const trimmed = String(text ?? '').trim();
  if (trimmed === '') return undefined;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : trimmed;
}

/** @param {unknown} value A boolean, or its word. */
function readBoolean(value) {
  if (value === undefined || value === null || value === '') return undefined;
  return value === true || value === 'true';
}

/** [{key, value}] → {key: value}; rows without a key are left out.
 * @param {unknown} rows @returns {Record<string, string>} */
function readTagList(rows) {
  if (!Array.isArray(rows)) return {};
  const named = rows.filter((row) => row && String(row.key ?? '').trim() !== '');
  return Object.fromEntries(
    named.map(({ key, value }) => [String(key).trim(), String(value ?? '')]),
  );
}

module.exports = { leaveOutEmpty, readBoolean, readNumber, readTagList };
