/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The examples that the package brings into Node-RED's import dialog, and the reference flows: all of
   them import without a node that is not set right. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { listFiles, readFile } = require('../../scripts/files');
const { lacksBrowser } = require('./support/browser');
const { startPlant } = require('./support/plant');

/** @typedef {import('./support/editor').Editor} Editor */

const FILES = listFiles('examples', /\.json$/);
const NAMES = FILES.map((file) => path.basename(file, '.json'));

/** @param {Editor} editor @param {string[]} ids */
async function checkAndUndo(editor, ids) {
  await editor.until(({ RED }, each) => each.every(RED.nodes.node), ids);
  const faulty = await editor.run(
    ({ RED }, each) => each.filter((/** @type {string} */ id) => !RED.nodes.node(id).valid),
    ids,
  );
  assert.deepEqual(faulty, []);
  await editor.invoke('core:undo');
  await editor.until(({ RED }, each) => !each.some(RED.nodes.node), ids);
}

test('examples', { skip: lacksBrowser() }, async (t) => {
  const plant = await startPlant(t, { modules: ['@flowfuse/node-red-dashboard'] });

  await plant.test('each example stands in the import dialog', async (editor) => {
    const { page } = editor;
    assert.ok(FILES.length > 0, 'there are no examples');
    for (const [i, file] of FILES.entries()) {
      await editor.invoke('core:show-examples-import-dialog');
      const dialog = page.locator('#red-ui-clipboard-dialog');
      await dialog.getByText('@busbar/node-red', { exact: true }).click();
      await dialog.getByText(NAMES[i], { exact: true }).click();
      await page.locator('#red-ui-clipboard-dialog-ok').click();
      await checkAndUndo(editor, editor.idsOf(JSON.parse(readFile(file))));
    }
  });

  await plant.test('each reference flow, as it is', async (editor) => {
    for (const file of listFiles('flows', /\.json$/)) {
      const flow = JSON.parse(readFile(file));
      await editor.importFlow(flow);
      await checkAndUndo(editor, editor.idsOf(flow));
    }
  });
});
