/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The texts of a page and of the catalogues, to find what a person should not read: keys in place of
   sentences, words of another language, values that are none. */

const fs = require('node:fs');
const path = require('node:path');

const LOCALES = path.join(__dirname, '../../../nodes/locales');
/* "busbar-in.label.name", "__n__", "undefined" */
const WRONG = /\bbusbar-[\w-]+\.\w|__\w+__|\bundefined\b|\bNaN\b|\[object /;

/* Sentences that come from the server are in no catalogue of the editor. */
const ENGLISH = /\b(the|which|does not|mean|expected)\b/i;

/** All sentences of a catalogue. @param {unknown} catalogue @returns {string[]} */
function sentencesOf(catalogue) {
  if (typeof catalogue === 'string') return [catalogue.trim()];
  return Object.values(Object(catalogue)).flatMap(sentencesOf);
}

/** Of all types. @param {string} language */
function readSentences(language) {
  const folder = path.join(LOCALES, language);
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.json'));
  return new Set(
    files.flatMap((file) =>
      sentencesOf(JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))),
    ),
  );
}

/** What only the English catalogues say. */
function listEnglishOnly() {
  const german = readSentences('de');
  return new Set([...readSentences('en-US')].filter((text) => !german.has(text)));
}

/**
 * Each text below the element, also in parts that are not shown now: text, placeholders, titles and
 * labels for screen readers. Names of points are data.
 * @param {import('playwright-core').Locator} place @returns {Promise<string[]>}
 */
async function textsOf(place) {
  return place.evaluate((/** @type {any} */ element) => {
    const { document } = /** @type {any} */ (globalThis);
    const texts = [];
    const walker = document.createTreeWalker(element, 4 /* Texts */);
    while (walker.nextNode()) {
      const isData = walker.currentNode.parentElement.closest('td.busbar-name');
      if (!isData) texts.push(walker.currentNode.nodeValue);
    }
    for (const each of element.querySelectorAll('[placeholder], [title], [aria-label]')) {
      for (const name of ['placeholder', 'title', 'aria-label'])
        texts.push(each.getAttribute(name));
    }
    return texts.filter(Boolean).map((/** @type {string} */ text) => text.trim());
  });
}

/**
 * What a person should not read there.
 * @param {import('playwright-core').Locator} place
 * @param {Set<string>} [foreign] What only another language says.
 * @returns {Promise<string[]>}
 */
async function findWrong(place, foreign = new Set()) {
  const texts = await textsOf(place);
  const wrong = texts.filter((text) => WRONG.test(text) || foreign.has(text));
  if (foreign.size === 0) return wrong;
  const said = await place.locator('.busbar-notice, .busbar-sentence').allTextContents();
  return [...wrong, ...said.filter((text) => ENGLISH.test(text))];
}

module.exports = { findWrong, listEnglishOnly };
