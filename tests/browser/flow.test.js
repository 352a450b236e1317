/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The way of a reference flow into the editor, and what is seen there once it runs. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { version } = require('../../package.json');
const { waitFor } = require('../support');
const { lacksBrowser, takePicture } = require('./support/browser');
const { startPlant } = require('./support/plant');
const { findWrong, listEnglishOnly } = require('./support/texts');

const READ = 'b05ba70000000102';
const PUBLISH = 'b05ba70000000105';
const DEBUG = 'b05ba70000000106';
const METERS = ['meter-1', 'meter-2', 'meter-3'];

/** @typedef {import('playwright-core').Locator} Locator */

/** Opens the objects of these keys, one in the other. @param {Locator} message @param {string[]} keys */
async function unfold(message, keys) {
  await message.locator('.red-ui-debug-msg-object-handle').first().click();
  for (const key of keys) {
    const row = `.red-ui-debug-msg-row:has(> .red-ui-debug-msg-object-key:text-is("${key}"))`;
    await message.locator(`${row} > .red-ui-debug-msg-object-handle`).click();
  }
}

/** Devices or sinks of the sidebar. @param {import('playwright-core').Page} page @param {string} part */
function rowsOf(page, part) {
  return page.locator(`.busbar-sidebar .busbar-part-${part} .busbar-row`);
}

/** "12 s ago" → 12, "now" → 0. @param {Locator} row */
async function ageOf(row) {
  const text = (await row.locator('.busbar-row-aside').textContent()) ?? '';
  return text === 'now' ? 0 : Number(/^(\d+) s ago$/.exec(text)?.[1] ?? NaN);
}

test('a reference flow in the editor', { skip: lacksBrowser() }, async (t) => {
  const plant = await startPlant(t);
  const flows = await plant.flows('pm500-to-mqtt');
  await plant.sims[0].tell('set frequency 50.125');

  await plant.test('import, deploy, green dots, values in the debug sidebar', async (editor) => {
    const { page } = editor;
    await editor.importFlow(flows);
    await editor.openTab('PM500 to MQTT');
    await editor.deploy();
    assert.equal(await editor.waitForGreen(READ), '3 devices');
    assert.equal(await editor.waitForGreen(PUBLISH), 'connected');
    await editor.showSidebar('debug');
    await editor.node(DEBUG).locator('.red-ui-flow-node-button-button').click();
    const message = page.locator('.red-ui-debug-msg', { hasText: 'plant/meter-1/fast' }).first();
    await message.waitFor();
    await editor.node(DEBUG).locator('.red-ui-flow-node-button-button').click();
    await unfold(message, ['payload', 'values']);
    assert.match(await message.innerText(), /frequency"?: 50\.125\b/);
    await message.evaluate((/** @type {any} */ element) => element.scrollIntoView());
    await takePicture(page, 'editor');
  });

  await plant.test('a deploy is told without a warning', async (editor) => {
    await editor.importFlow(flows);
    await editor.deploy();
    const notices = editor.page.locator('#red-ui-notifications');
    await notices.getByText('Successfully deployed').waitFor();
    assert.doesNotMatch(await notices.innerText(), /unused/);
  });

  await plant.test(
    'the dashboard flow without the dashboard: what is missing is named, ours is right',
    async (editor) => {
      const { page } = editor;
      const dashboard = await plant.flows('dashboard');
      await editor.importFlow(dashboard);
      const notices = page.locator('#red-ui-notifications');
      await notices.getByText('@flowfuse/node-red-dashboard', { exact: true }).waitFor();
      await notices.getByRole('button', { name: 'Install all' }).waitFor();
      const ours = dashboard.filter(({ type }) => /^busbar-/.test(type));
      assert.deepEqual(await editor.listFaulty(editor.idsOf(ours)), []);
      const deployed = editor.waitForDeploy();
      await page.locator('#red-ui-header-button-deploy').click();
      await notices.getByText('The workspace contains some unknown node types').waitFor();
      await page.locator('#red-ui-deploy-dialog-confirm-deploy-deploy').click();
      await deployed;
      await notices.getByText('Flows stopped due to missing node types').waitFor();
      assert.equal((await plant.palette.overview()).runtime.refusal, null);
    },
  );

  await plant.test(
    'the sidebar: runtime, meters, sink, and each row leads to its node',
    async (editor) => {
      const { page } = editor;
      await editor.invoke('busbar:show-sidebar');
      const runtime = page.locator('.busbar-part-runtime');
      await runtime.getByText(`Busbar ${version} runs`).waitFor();
      await runtime.getByText('spawned by Node-RED').waitFor();
      const devices = rowsOf(page, 'devices');
      await devices.nth(2).waitFor();
      assert.deepEqual(await devices.locator('.busbar-row-title').allTextContents(), METERS);
      await devices.locator('.busbar-dot-green').nth(2).waitFor();
      await page.locator('.busbar-part-devices').getByText('3 of 3 answer').waitFor();
      await devices
        .first()
        .getByText(/65 points · \d+ values\/s/)
        .waitFor();
      const sinks = rowsOf(page, 'sinks');
      await sinks.locator('.busbar-dot-green').waitFor();
      assert.match(
        await sinks.innerText(),
        /^broker\s+Broker\s+MQTT\s+\d+ waiting[^·]* · \d+ delivered$/,
      );
      await takePicture(page, 'sidebar');
      await devices.nth(1).click();
      await editor.waitForTrays(1);
      assert.equal(await page.locator('#node-config-input-deviceId').inputValue(), 'meter-2');
    },
    { flows },
  );

  await plant.test(
    'the sidebar: a lost meter comes first, says why, and ages',
    async (editor) => {
      await editor.invoke('busbar:show-sidebar');
      const devices = rowsOf(editor.page, 'devices');
      await devices.locator('.busbar-dot-green').nth(2).waitFor();
      await plant.sims[2].tell('fault silence');
      const row = devices.first();
      await row.locator('.busbar-dot-red-ring').waitFor();
      assert.equal(await row.locator('.busbar-row-title').textContent(), 'meter-3');
      assert.match(await row.innerText(), /no answer/);
      await editor.page.getByText('2 of 3 answer').waitFor();
      const age = await waitFor(() => ageOf(row), { what: 'the age to be more than now' });
      await waitFor(async () => (await ageOf(row)) > age, { what: 'the age to go on' });
      await plant.sims[2].tell('fault none');
      await editor.page.getByText('3 of 3 answer').waitFor();
      /* Points that are read once an hour would be missing until then. */
      await plant.deploy([]);
    },
    { flows },
  );

  await plant.test(
    'the sidebar: a deploy that is refused, why, and the way to the node',
    async (editor) => {
      const { page } = editor;
      await editor.invoke('busbar:show-sidebar');
      const notice = page.locator('.busbar-side-notice');
      await notice.getByText('The last deploy does not run').waitFor();
      assert.match(await notice.innerText(), /meter-1/);
      await notice.getByRole('link').first().click();
      await editor.waitForTrays(1);
      const said = editor.tray.locator('.busbar-sentence:not(:empty)').first();
      assert.match(await said.innerText(), /has the id "meter-1" already/);
    },
    {
      flows: flows.map((node) =>
        node.type === 'busbar-device' ? { ...node, deviceId: 'meter-1' } : node,
      ),
    },
  );

  await plant.test(
    'the sidebar and the migration, de-DE',
    async (editor) => {
      const foreign = listEnglishOnly();
      await editor.invoke('busbar:show-sidebar');
      const sidebar = editor.page.locator('.busbar-sidebar');
      await sidebar.getByText('3 von 3 antworten').waitFor();
      assert.deepEqual(await findWrong(sidebar, foreign), []);
      await editor.invoke('busbar:migrate-flow');
      await editor.waitForTrays(1);
      await editor.tray.locator('.busbar-bar').getByRole('button').click();
      await editor.tray.locator('.busbar-notice').waitFor();
      assert.deepEqual(await findWrong(editor.tray, foreign), []);
    },
    { flows, locale: 'de-DE' },
  );
});
