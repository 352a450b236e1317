/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The reference flow dashboard.json as its user sees it: charts with a line a meter, and a text a
   meter. A chart tells its values to screen readers, and so to this test. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacksBrowser, onPage, takePicture } = require('./support/browser');
const { startPlant } = require('./support/plant');

const METERS = ['meter-1', 'meter-2', 'meter-3'];
const CHARTS = ['Power, kW', 'Voltage L1-N, V', 'Energy, kWh'];
const SERIES = /representing ([\w-]+?)\.\s*The data is as follows: ([^a-z]*)/g;

/** Meter → the values of its line. @param {string} label Of the chart. */
function readChart(label) {
  const lines = [...label.matchAll(SERIES)].map(([, meter, data]) => {
    const numbers = data.match(/-?\d+(\.\d+)?/g)?.map(Number) ?? [];
    return [meter, numbers.filter((_, i) => i % 2 === 1)];
  });
  return Object.fromEntries(lines);
}

test('the dashboard: charts and texts of three meters', { skip: lacksBrowser() }, async (t) => {
  const plant = await startPlant(t, { modules: ['@flowfuse/node-red-dashboard'] });
  await plant.sims[1].tell('set voltage/l1-n 233.3');
  await plant.deploy(await plant.flows('dashboard'));
  await onPage(t, plant.browser, {}, async (page) => {
    await page.goto(`${plant.palette.url}/dashboard/meters`);
    /** @type {Record<string, Record<string, number[]>>} */
    const charts = {};
    for (const name of CHARTS) {
      const chart = page.locator(`[role="img"][aria-label*='"${name}"']`);
      for (const meter of METERS) {
        await chart.and(page.locator(`[aria-label*="representing ${meter}"]`)).waitFor();
      }
      charts[name] = readChart((await chart.getAttribute('aria-label')) ?? '');
      assert.deepEqual(Object.keys(charts[name]).sort(), METERS, name);
      for (const meter of METERS) assert.ok(charts[name][meter][0] > 0, `${name}, ${meter}`);
    }
    assert.equal(charts['Voltage L1-N, V']['meter-2'][0], 233.3);
    for (const meter of ['Meter 1', 'Meter 2', 'Meter 3']) {
      const text = page.locator('.nrdb-ui-text', { hasText: meter }).last();
      await text.getByText(/\b65\b/).waitFor();
    }
    await takePicture(page, 'dashboard');
  });
});
