/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The editor of Node-RED 5, which is laid out anew: that the palette works there too. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { hasNodeRed } = require('../nodes/support/palette');
const { lacksBrowser } = require('./support/browser');
const { startPlant } = require('./support/plant');

const skip = lacksBrowser() || (!hasNodeRed(5) && 'Node-RED 5 is not installed');
const READ = 'b05ba70000000102';
const PUBLISH = 'b05ba70000000105';

test('Node-RED 5', { skip }, async (t) => {
  const plant = await startPlant(t, { version: 5, monaco: true });
  const flows = await plant.flows('pm500-to-mqtt');

  await plant.test('import, deploy, green dots, dialog, test read, sidebar', async (editor) => {
    const { page } = editor;
    await editor.importFlow(flows);
    await editor.openTab('PM500 to MQTT');
    await editor.deploy();
    assert.equal(await editor.waitForGreen(READ), '3 devices');
    assert.equal(await editor.waitForGreen(PUBLISH), 'connected');
    await editor.openNode(PUBLISH);
    await editor.save();
    await editor.openConfig('busbar-device', 'b05ba70000000021');
    await editor.tray.getByRole('button', { name: 'Test read' }).click();
    await editor.waitForTrays(2);
    await editor.tray.getByText(/^All 65 points read in/).waitFor();
    await editor.tray.getByRole('button', { name: 'Close' }).click();
    await editor.waitForTrays(1);
    await editor.cancel();
    await editor.invoke('busbar:show-sidebar');
    await page.locator('.busbar-part-devices').getByText('3 of 3 answer').waitFor();
  });
});
