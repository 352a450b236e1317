/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A flow of another palette moved over in the editor: nothing changes before its user imports it. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { readFile } = require('../../scripts/files');
const { lacksBrowser, takePicture } = require('./support/browser');
const { startPlant } = require('./support/plant');

/** @typedef {import('./support/editor').Editor} Editor */

const OLD = JSON.parse(readFile('tests/nodes/vectors/migrate/03-Node-Read-Polling.json'));

/** How many nodes of Busbar the editor has. @param {Editor} editor */
function count(editor) {
  return editor.run(({ RED }) => {
    let found = 0;
    const take = (/** @type {any} */ { type }) => void (found += /^busbar-/.test(type) ? 1 : 0);
    RED.nodes.eachNode(take);
    RED.nodes.eachConfig(take);
    return found;
  });
}

/** The old nodes as they stand in the editor now. @param {Editor} editor */
function readOld(editor) {
  return Promise.all(editor.idsOf(OLD).map((id) => editor.settings(id)));
}

test('migrate', { skip: lacksBrowser() }, async (t) => {
  const plant = await startPlant(t, { modules: ['node-red-contrib-modbus'] });

  await plant.test('the tab that is open, and its import', async (editor) => {
    const { page } = editor;
    await editor.importFlow(OLD);
    const old = await readOld(editor);
    await editor.openTab(OLD[0].label);
    await editor.invoke('busbar:show-sidebar');
    const sidebar = page.locator('.busbar-sidebar');
    await sidebar.getByText('Nothing is read yet').waitFor();
    await sidebar.getByText('Migrate flow…').click();
    await editor.waitForTrays(1);
    await editor.tray.getByText(`this tab: ${OLD[0].label}`).waitFor();
    assert.equal(await page.locator('#busbar-migrate-import').isDisabled(), true);
    await editor.tray.locator('.busbar-bar').getByRole('button').click();
    const said = await editor.tray.getByText(/^\d+ nodes of Busbar were made/).innerText();
    await takePicture(page, 'migrate');
    assert.equal(await count(editor), 0, 'nothing before the import');
    await page.locator('#busbar-migrate-import').click();
    await page.locator('#red-ui-clipboard-dialog-ok').click();
    await page.getByRole('button', { name: 'Import copy' }).click();
    await editor.until(({ RED }) => RED.nodes.filterNodes({ type: 'busbar-in' }).length > 0);
    assert.equal(await count(editor), Number(/\d+/.exec(said)?.[0]), said);
    assert.deepEqual(await readOld(editor), old);
  });
});
