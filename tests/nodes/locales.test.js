/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The texts of the palette: the same in each language, all that the dialogs ask for, and a help for
   every node that Node-RED's renderer understands. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { REPO } = require('../../scripts/files');

const NODES = path.join(REPO, 'nodes');
const LANGUAGES = ['en-US', 'de'];
/** The parts of a help, in their order. @type {Record<string, string[]>} */
const HEADS = {
  'en-US': ['Inputs', 'Outputs', 'Details', 'References'],
  de: ['Eingaben', 'Ausgaben', 'Details', 'Referenzen'],
};
const manifest = JSON.parse(fs.readFileSync(path.join(REPO, 'package.json'), 'utf8'));
const TYPES = Object.keys(manifest['node-red'].nodes);
const CATALOGUES = [...TYPES, ...Object.keys(manifest['node-red'].plugins)];

/** @param {string} language @param {string} file */
function readLocale(language, file) {
  return fs.readFileSync(path.join(NODES, 'locales', language, file), 'utf8');
}

/** Every text of a catalogue by its path. @param {Record<string, any>} tree @param {string} prefix
 * @returns {[string, string][]} */
function listTexts(tree, prefix = '') {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[prefix + key, value]] : listTexts(value, `${prefix}${key}.`),
  );
}

/** @param {string} language @param {string} name @returns {Map<string, string>} */
function readCatalogue(language, name) {
  return new Map(listTexts(JSON.parse(readLocale(language, `${name}.json`))));
}

/** @param {string} text What is filled in. */
const wordsOf = (text) => [...text.matchAll(/__\w+?__/g)].map(([word]) => word).sort();

for (const name of CATALOGUES) {
  test(`${name}: each text is there in both languages, with the same words to be filled in`, () => {
    const [english, german] = LANGUAGES.map((language) => readCatalogue(language, name));
    assert.deepEqual([...german.keys()].sort(), [...english.keys()].sort());
    for (const [key, text] of english) {
      assert.notEqual(text.trim(), '', key);
      assert.deepEqual(wordsOf(german.get(key) ?? ''), wordsOf(text), key);
    }
  });
}

for (const name of TYPES) {
  test(`${name}: the dialog asks for no text that is not there`, () => {
    const html = fs.readFileSync(path.join(NODES, `${name}.html`), 'utf8');
    const asked = [...html.matchAll(/data-i18n="(?:\[\w+\])?([^"]+)"/g)].map(([, key]) => key);
    const known = readCatalogue('en-US', name);
    assert.ok(asked.length > 0);
    assert.deepEqual(
      asked.filter((key) => !known.has(key)),
      [],
    );
  });

  for (const language of LANGUAGES) {
    test(`${name}: a help in ${language}, with what Node-RED shows as a table`, () => {
      const html = readLocale(language, `${name}.html`);
      const [, named, help] =
        /<script type="text\/markdown" data-help-name="([\w-]+)">\n([^]*)<\/script>/.exec(html) ??
        [];
      assert.equal(named, name);
      assert.match(help.trim(), /^[^#:\s]/, 'it begins with what the tooltip says');
      const heads = [...help.matchAll(/^\s*### (\S.*)$/gm)].map(([, head]) => head);
      assert.ok(heads.includes('Details'));
      const places = heads.map((head) => HEADS[language].indexOf(head));
      assert.deepEqual(places, [...places].sort(), heads.join());
      assert.ok(!places.includes(-1), heads.join());
      for (const line of help.split('\n').filter((text) => /^\s*:/.test(text))) {
        assert.match(line, /^: [^:]+\([^:]+\) *: [^:]+$/, 'a property as `: name (type) : text`');
      }
    });
  }
}
