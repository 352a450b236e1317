/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Each dialog of the palette, in English and German: opened, looked through, saved. Nothing may
   complain, no text may be missing, and saving without a change changes nothing. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { CONFIG_TYPES, makeAllTypes, makeBareNodes } = require('./support/all_types');
const { lacksBrowser, takePicture } = require('./support/browser');
const { startPlant } = require('./support/plant');
const { findWrong, listEnglishOnly } = require('./support/texts');

/** @typedef {import('./support/editor').Editor} Editor */
/** @typedef {import('./support/editor').FlowNode} FlowNode */

/* Whose fields are right whatever they hold. */
const FREE = ['busbar-profile', 'busbar-influx-out'];

/** @param {FlowNode} node */
const isOurs = ({ type }) => /^busbar-/.test(type);
/** @param {FlowNode} node */
const isConfig = ({ type }) => CONFIG_TYPES.includes(type);

/** @param {string} locale @returns {Set<string>} Texts that do not belong there. */
const foreignTo = (locale) => (locale === 'de-DE' ? listEnglishOnly() : new Set());

/** @param {Editor} editor @param {FlowNode} node */
async function open(editor, node) {
  if (isConfig(node)) await editor.openConfig(node.type, node.id);
  else await editor.openNode(node.id);
}

/** @param {Editor} editor @param {Set<string>} foreign @param {string} where */
async function checkTexts(editor, foreign, where) {
  assert.deepEqual(await findWrong(editor.tray, foreign), [], where);
}

/** Each choice of each select, one after the other, looking at all texts.
 * @param {Editor} editor @param {Set<string>} foreign @param {string} type */
async function chooseAll(editor, foreign, type) {
  const selects = await editor.tray.locator('.busbar select').all();
  for (const select of selects) {
    if (!(await select.isVisible()) || !(await select.isEnabled())) continue;
    const values = await select
      .locator('option')
      .evaluateAll((options) => options.map((each) => /** @type {any} */ (each).value));
    for (const value of values.slice(0, 12)) {
      await select.selectOption(value);
      await editor.rest();
      await checkTexts(editor, foreign, `${type}, ${await select.getAttribute('id')}: ${value}`);
    }
  }
}

/** Something wrong in each field, whose sentences then stand below it.
 * @param {Editor} editor @param {Set<string>} foreign @param {string} type */
async function fillWrong(editor, foreign, type) {
  const folded = editor.tray.locator('.busbar-more:not([open]) > summary:visible');
  for (const summary of await folded.all()) await summary.click();
  const lists = editor.tray.locator('.red-ui-editableList-addButton:visible');
  for (const add of await lists.all()) await add.click();
  const inputs = await editor.tray.locator('.busbar input[type="text"]').all();
  for (const input of inputs) {
    if (!(await input.isVisible()) || !(await input.isEnabled())) continue;
    await input.fill('\u00a7 {');
    await input.blur();
  }
  if (FREE.includes(type)) return;
  await editor.tray.locator('.busbar-sentence:not(:empty)').first().waitFor();
  await checkTexts(editor, foreign, `${type}, wrong values`);
}

/** Each page of a dialog that has several; the last one stays.
 * @param {Editor} editor @param {Set<string>} foreign @param {string} type */
async function leafThrough(editor, foreign, type) {
  const pages = await editor.tray.locator('.busbar .red-ui-tab:visible').all();
  assert.equal(pages.length, type === 'busbar-profile' ? 3 : 0, `pages of ${type}`);
  for (const page of pages) {
    await page.click();
    await editor.rest();
    await checkTexts(editor, foreign, `${type}, ${await page.innerText()}`);
  }
}

test('dialogs', { skip: lacksBrowser() }, async (t) => {
  const plant = await startPlant(t, { monaco: true });
  const flows = makeAllTypes({ port: plant.sims[0].port, broker: plant.broker.url });
  const nodes = flows.filter(isOurs);
  const bare = makeBareNodes().filter(isOurs);

  for (const locale of ['en-US', 'de-DE']) {
    const foreign = foreignTo(locale);
    await plant.test(
      `each is opened and saved, ${locale}`,
      async (editor) => {
        for (const node of nodes) {
          const before = await editor.settings(node.id);
          await open(editor, node);
          await checkTexts(editor, foreign, node.type);
          await leafThrough(editor, foreign, node.type);
          if (node.id === 'c4' && locale === 'en-US') await takePicture(editor.page, 'device');
          await editor.save();
          const after = await editor.settings(node.id);
          const kept = Object.keys(before).filter((key) => before[key] !== undefined);
          const pick = (/** @type {any} */ settings) => kept.map((key) => [key, settings[key]]);
          assert.deepEqual(pick(after), pick(before), node.type);
        }
        await editor.deploy();
        const isGood = (/** @type {any} */ device) =>
          /main$/.test(device.id) && device.state === 'good';
        const { runtime } = await plant.palette.waitForOverview(
          ({ devices }) => devices.some(isGood),
          'the main meter to be good',
        );
        assert.equal(runtime.refusal, null);
      },
      { flows, locale },
    );
  }

  /* What goes wrong when a choice is made does so in any language. */
  await plant.test(
    'new nodes: each choice of each dialog, and wrong values, de-DE',
    async (editor) => {
      const foreign = foreignTo('de-DE');
      for (const node of [...CONFIG_TYPES.map((type) => ({ type, id: '_ADD_' })), ...bare]) {
        await open(editor, node);
        await checkTexts(editor, foreign, node.type);
        await fillWrong(editor, foreign, node.type);
        await chooseAll(editor, foreign, node.type);
        await editor.cancel();
      }
    },
    { flows: makeBareNodes(), locale: 'de-DE' },
  );

  const twins = ['first', 'second', 'other'].map((name) => {
    const dataDir = name === 'other' ? 'other' : '';
    return { id: name, type: 'busbar-runtime', name, dataDir };
  });
  await plant.test(
    'a second runtime for one folder is wrong, the first is not',
    async (editor) => {
      const wrong = await editor.run(({ RED }) => {
        /** @type {string[][]} */
        const found = [];
        RED.nodes.eachConfig((/** @type {any} */ node) => {
          if (node.valid === false) found.push([node.name, ...node.validationErrors].map(String));
        });
        return found;
      });
      assert.equal(wrong.length, 1, JSON.stringify(wrong));
      assert.equal(wrong[0][0], 'second');
      assert.match(wrong[0][1], /The runtime "first" has this data folder already/);
    },
    { flows: twins },
  );
});
