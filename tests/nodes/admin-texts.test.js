/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The texts of the dialogs: each that is used is there, in every language, and the sentences of the
   rules are the same in the dialogs and on the server. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const rules = require('../../resources/busbar-rules');
const { readFile } = require('../../scripts/files');

const TYPES = ['busbar-runtime', 'busbar-connection', 'busbar-profile', 'busbar-device'];
/** Those whose texts stand in busbar-device.json. */
const SCRIPTS = [
  'csv',
  'device',
  'device-form',
  'editor',
  'profile',
  'profile-form',
  'table',
  'test-read',
];
const LANGUAGES = ['en-US', 'de'];

/** @param {any} texts @param {string} [prefix] @returns {[string, string][]} */
function flatten(texts, prefix = '') {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'string'
      ? /** @type {[string, string][]} */ ([[prefix + key, value]])
      : flatten(value, `${prefix}${key}.`),
  );
}

/** @param {string} language @param {string} type */
function textsOf(language, type) {
  return new Map(flatten(JSON.parse(readFile(`nodes/locales/${language}/${type}.json`))));
}

/** @param {string} text */
const wordsIn = (text) => [...new Set(text.match(/__\w+?__/g) ?? [])].sort();

for (const type of TYPES) {
  const english = textsOf('en-US', type);

  for (const language of LANGUAGES) {
    const texts = textsOf(language, type);

    test(`${type} says the same in ${language}`, () => {
      assert.deepEqual([...texts.keys()].sort(), [...english.keys()].sort());
      for (const [key, text] of texts) {
        assert.deepEqual(wordsIn(text), wordsIn(english.get(key) ?? ''), `${language} ${key}`);
      }
    });

    test(`${type} has help in ${language}`, () => {
      const help = readFile(`nodes/locales/${language}/${type}.html`);
      assert.match(help, new RegExp(`data-help-name="${type}"`));
    });
  }

  test(`${type} finds the texts that its dialog names`, () => {
    const html = readFile(`nodes/${type}.html`);
    const named = [...html.matchAll(/data-i18n="(?:\[\w+\])?([\w.-]+)"/g)].map(([, key]) => key);
    assert.ok(named.length > 0);
    assert.deepEqual(
      named.filter((key) => !english.has(key)),
      [],
    );
  });
}

test('the sentences of the rules are those of the dialogs', () => {
  const texts = JSON.parse(readFile('nodes/locales/en-US/busbar-device.json'));
  assert.deepEqual(texts['busbar-editor'].rules, rules.SENTENCES);
});

test('the scripts of the dialogs find their texts', () => {
  const texts = textsOf('en-US', 'busbar-device');
  for (const name of SCRIPTS) {
    const file = `resources/busbar-${name}.js`;
    const source = readFile(file);
    const [, group = ''] = /busbarEditor\.text\(`(\w+)\.\$\{key\}`/.exec(source) ?? [];
    const prefix = group ? `${group}.` : '';
    const named = [...source.matchAll(/(?<![\w.])text\(\s*'([\w.]+)'/g)].map(
      ([, key]) => prefix + key,
    );
    const shared = [...source.matchAll(/busbarEditor\.text\(\s*'([\w.]+)'/g)].map(([, key]) => key);
    const missing = [...named, ...shared].filter((key) => !texts.has(`busbar-editor.${key}`));
    assert.deepEqual(missing, [], file);
  }
});

test('every mistake that is made has its sentence', () => {
  const known = Object.keys(rules.SENTENCES);
  for (const file of [
    'resources/busbar-rules.js',
    'resources/busbar-device-form.js',
    'lib/device_csv.js',
    'lib/profile_csv.js',
  ]) {
    const made = [...readFile(file).matchAll(/\{ key: '(\w+)'/g)].map(([, key]) => key);
    assert.ok(made.length > 0, file);
    assert.deepEqual(
      made.filter((key) => !known.includes(key)),
      [],
      file,
    );
  }
});
