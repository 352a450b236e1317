/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What waits, in the sidebar, with a plant that is told: how full the store is, why it fails, a backlog
   whose sink is gone, and what sinks have refused. What a person decides goes to the server. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { waitFor } = require('../support');
const { lacksBrowser, takePicture } = require('./support/browser');
const { startPlant } = require('./support/plant');
const { findWrong, listEnglishOnly } = require('./support/texts');

/** @typedef {import('playwright-core').Page} Page */

const MIB = 1024 * 1024;

/* As it would be: three meters of 28 values in a batch, 3.6 batches a second and 120 bytes each, whose
   broker is away for 37 hours, while the database takes all of them. */
function makePlant() {
  const now = Date.now();
  const store = {
    ...{ open: true, failing: false, reason: '', path: '/var/lib/busbar/store.db' },
    ...{ bytes: 57 * MIB, maxBytes: 1024 * MIB, records: 490921, dead: 3, deadBytes: 2100 },
  };
  const orphans = [{ sink: 'old-broker', batches: 4711, bytes: 1 * MIB }];
  const runtime = {
    ...{ id: '', state: 'up', sentence: '', keepsAlive: 'kept alive by systemd (busbar.service)' },
    ...{ version: '0.1.0', refusal: null, mistakes: [], store, orphans },
  };
  const sink = { nodeId: 'x', name: '', runtime: '', store: 'disk', refused: 0, dropped: 0 };
  const reason = 'no connection to 10.0.0.5:1883: connection refused; next try in 8 s';
  const sinks = [
    {
      ...{
        ...sink,
        id: 'broker',
        kind: 'mqtt',
        state: 'waiting',
        text: 'backlog 486 k, sink away',
      },
      ...{ reason, queue: 486213, saved: 486210, delivered: 2104377 },
    },
    {
      ...{ ...sink, id: 'history', kind: 'influxdb', state: 'ready', text: 'connected' },
      ...{ queue: 3, saved: 0, delivered: 2590585, refused: 2 },
    },
  ];
  const refusal = 'field type conflict: power/active/total is float, already exists as integer';
  const dead = [
    { id: 9, sink: 'history', reason: refusal, time: now - 40000, device: 'press', scan: 'fast' },
    { id: 7, sink: 'history', reason: refusal, time: now - 9e5, device: 'oven', scan: 'fast' },
    {
      ...{ id: 4, sink: 'broker', topic: 'power/hall-7/press-line-2/energy/active/import' },
      ...{ reason: 'the broker refuses the topic: not authorized', time: now - 144e6 },
    },
  ];
  return { runtime, sinks, dead };
}

/** @param {Page} page @param {ReturnType<typeof makePlant>} plant */
async function pretend(page, plant) {
  /** @type {[string, any][]} */
  const asked = [];
  const { runtime } = plant;
  await page.route('**/busbar/overview', (route) =>
    route.fulfill({
      json: { runtime, runtimes: [runtime], devices: [], sinks: plant.sinks },
    }),
  );
  await page.route('**/busbar/dead*', (route) => {
    if (route.request().method() === 'GET') return route.fulfill({ json: { dead: plant.dead } });
    const wish = route.request().postDataJSON();
    asked.push(['dead', wish]);
    plant.dead = plant.dead.filter(({ id }) => id !== wish.id);
    runtime.store.dead = plant.dead.length;
    return route.fulfill({ json: { requeued: 0, left: 1 } });
  });
  await page.route('**/busbar/orphans', (route) => {
    asked.push(['orphans', route.request().postDataJSON()]);
    runtime.orphans = [];
    return route.fulfill({ json: { batches: 4711 } });
  });
  return asked;
}

test('what waits, in the sidebar', { skip: lacksBrowser() }, async (t) => {
  const plant = await startPlant(t);

  await plant.test('a backlog is given away or dropped, letters sent again', async (editor) => {
    const { page } = editor;
    const told = makePlant();
    const asked = await pretend(page, told);
    await editor.invoke('busbar:show-sidebar');
    const part = page.locator('.busbar-part-store');
    await part.getByText('57 MiB of 1 GiB on the disk').waitFor();
    const orphan = part.locator('.busbar-side-item', { hasText: 'old-broker' });
    assert.deepEqual(await orphan.locator('option').allTextContents(), [
      ...['Give to…', 'broker', 'history'],
    ]);
    await part.getByText('3 refused for good').click();
    const letters = part.locator('.busbar-side-dead .busbar-side-item');
    await letters.nth(2).waitFor();
    assert.match((await letters.first().textContent()) ?? '', /^press\/fast[45]\d s agofield type/);
    await takePicture(page, 'sidebar-store');

    await orphan.getByRole('button', { name: 'Drop' }).click();
    await orphan.getByText('Drop 4\u202f711 readings for good?').waitFor();
    await orphan.getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(asked, []);
    await orphan.locator('select').selectOption('history');
    await orphan.getByText('to history?').waitFor();
    await orphan.getByRole('button', { name: 'Give' }).click();
    await orphan.waitFor({ state: 'detached' });
    await letters.first().getByRole('button', { name: 'Send again' }).click();
    await page.getByText('because their sink is gone: 1').waitFor();
    await waitFor(async () => (await letters.count()) === 2, { what: 'the letter to be gone' });
    await letters.first().getByRole('button', { name: 'Delete' }).click();
    await part.getByText('1 refused for good').waitFor();
    assert.deepEqual(asked, [
      ['orphans', { runtime: '', sink: 'old-broker', do: 'reassign', to: 'history' }],
      ['dead', { runtime: '', id: 9, do: 'requeue' }],
      ['dead', { runtime: '', id: 7, do: 'drop' }],
    ]);
  });

  await plant.test('the bar of a store with nothing in it is empty', async (editor) => {
    const { page } = editor;
    const told = makePlant();
    Object.assign(told.runtime.store, { bytes: 1, records: 1 });
    await pretend(page, told);
    await editor.invoke('busbar:show-sidebar');
    const part = page.locator('.busbar-part-store');
    const fill = part.locator('.busbar-side-bar > span');
    await part.getByText('1 B of 1 GiB on the disk').waitFor();
    await fill.waitFor({ state: 'visible' });
    Object.assign(told.runtime.store, { bytes: 0, records: 0 });
    await part.getByText('0 B of 1 GiB on the disk').waitFor();
    await fill.waitFor({ state: 'hidden' });
    assert.ok(await part.locator('.busbar-side-bar').isVisible());
  });

  await plant.test(
    'a store that fails says why, de-DE',
    async (editor) => {
      const { page } = editor;
      const told = makePlant();
      const reason =
        '/var/lib/busbar/store.db: the disk is full (SQLITE_FULL 13); free space there';
      Object.assign(told.runtime.store, { failing: true, reason });
      await pretend(page, told);
      await editor.invoke('busbar:show-sidebar');
      const part = page.locator('.busbar-part-store');
      await part.getByText('Auf der Platte lässt sich nichts behalten').waitFor();
      await part.getByText('3 endgültig abgelehnt').click();
      await part.getByText('Alle löschen').click();
      await part.getByText('Alle 3 endgültig löschen?').waitFor();
      await part.getByRole('button', { name: 'Verwerfen' }).click();
      const foreign = listEnglishOnly();
      assert.deepEqual(await findWrong(page.locator('.busbar-sidebar'), foreign), []);
    },
    { locale: 'de-DE' },
  );
});
