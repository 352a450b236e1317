/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Patterns as in the config document: `*` stands for any characters. */

/** "power/*, voltage/l1-n" as a list.
 * @param {unknown} text @returns {string[]} */
function splitList(text) {
  return String(text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** @param {string} pattern @returns {(text: string) => boolean} */
function compilePattern(pattern) {
  if (!pattern.includes('*')) return (text) => text === pattern;
  const literals = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  const expression = new RegExp(`^${literals.join('[^]*')}$`);
  return (text) => expression.test(text);
}

/** Whether one of the patterns fits; an empty list fits all.
 * @param {string[]} patterns @returns {(text: string) => boolean} */
function compileList(patterns) {
  if (patterns.length === 0) return () => true;
  const parts = patterns.map(compilePattern);
  return (text) => parts.some((fits) => fits(text));
}

/** "line=l1, area=*": every tag must be there and fit. A word without `=` asks for the tag alone.
 * @param {unknown} text @returns {(tags: Record<string, string>) => boolean} */
function compileTags(text) {
  const conditions = splitList(text).map((word) => {
    const at = word.indexOf('=');
    const key = at < 0 ? word : word.slice(0, at).trim();
    return { key, fits: compilePattern(at < 0 ? '*' : word.slice(at + 1).trim()) };
  });
  return (tags) =>
    conditions.every(({ key, fits }) => Object.hasOwn(tags, key) && fits(String(tags[key])));
}

module.exports = { compileList, compilePattern, compileTags, splitList };
