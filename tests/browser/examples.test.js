/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The examples that the package brings into Node-RED's import dialog, and the reference flows: all of
   them import without a node that is not set right or lies on another. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { listFiles, readFile } = require('../../scripts/files');
const { lacksBrowser } = require('./support/browser');
const { startPlant } = require('./support/plant');

/** @typedef {import('./support/editor').Editor} Editor */

const FILES = listFiles('examples', /\.json$/);
const NAMES = FILES.map((file) => path.basename(file, '.json'));

/** Pairs of nodes that touch each other as they are drawn, which their labels decide.
 * @param {Editor} editor @param {string[]} ids @returns {Promise<string[]>} */
async function listTouching(editor, ids) {
  await editor.until(({ RED, document }, each) => {
    const nodes = each.map(RED.nodes.node).filter((/** @type {any} */ { x }) => x);
    RED.workspaces.show(nodes[0].z);
    return nodes.every((/** @type {any} */ { id }) => document.getElementById(id));
  }, ids);
  return editor.run(({ RED }, each) => {
    const nodes = each.map(RED.nodes.node).filter((/** @type {any} */ { x }) => x);
    const touch = (/** @type {any} */ a, /** @type {any} */ b) =>
      Math.abs(a.x - b.x) < (a.w + b.w) / 2 + 5 && Math.abs(a.y - b.y) < (a.h + b.h) / 2;
    return nodes.flatMap((/** @type {any} */ a, /** @type {number} */ i) =>
      nodes
        .slice(i + 1)
        .filter((/** @type {any} */ b) => a.z === b.z && touch(a, b))
        .map((/** @type {any} */ b) => `${a.type} "${a.name}" and ${b.type} "${b.name}"`),
    );
  }, ids);
}

/** @param {Editor} editor @param {string[]} ids */
async function checkAndUndo(editor, ids) {
  await editor.until(({ RED }, each) => each.every(RED.nodes.node), ids);
  assert.deepEqual(await editor.listFaulty(ids), []);
  assert.deepEqual(await listTouching(editor, ids), []);
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
