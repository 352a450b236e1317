/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The reference flow dashboard.json as its user sees it: charts with a line a meter, and a text a
   meter. A chart tells its values to screen readers, and so to this test. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { lacksBrowser, onPage, pictures, takePicture } = require('./support/browser');
const { startPlant } = require('./support/plant');

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').Locator} Locator */

const COLORS = { 'meter-1': '#b4541a', 'meter-2': '#0d74ce', 'meter-3': '#2a7e3b' };
const METERS = Object.keys(COLORS);
const CHARTS = ['Power, kW', 'Voltage L1-N, V', 'Energy, kWh'];
const SERIES = /representing ([\w-]+?)\.\s*The data is as follows: ([^a-z]*)/g;
/* How many readings of each meter make a picture; one comes each second. */
const FOR_PICTURE = 25;

/** @param {Page} page @param {string} name */
function chartOf(page, name) {
  return page.locator(`[role="img"][aria-label*='"${name}"']`);
}

/** Meter → the values of its line. @param {Locator} chart @returns {Promise<Record<string, number[]>>} */
async function readChart(chart) {
  const label = (await chart.getAttribute('aria-label')) ?? '';
  const lines = [...label.matchAll(SERIES)].map(([, meter, data]) => {
    const numbers = data.match(/-?\d+(\.\d+)?/g)?.map(Number) ?? [];
    return [meter, numbers.filter((_, i) => i % 2 === 1)];
  });
  return Object.fromEntries(lines);
}

/** Each chart has a line a meter. @param {Page} page */
async function waitForLines(page) {
  for (const name of CHARTS) {
    for (const meter of METERS) {
      const line = page.locator(`[aria-label*="representing ${meter}"]`);
      await chartOf(page, name).and(line).waitFor();
    }
  }
}

/** Of each chart, in the order of its legend: meter and color. @param {Page} page
 * @returns {Promise<[string, string][][]>} */
function readColors(page) {
  return page.evaluate(() =>
    Object.values(/** @type {any} */ (globalThis).uiCharts).map(({ chart }) => {
      const { series, legend } = chart.getOption();
      return legend[0].data.map((/** @type {string} */ name) => [
        name,
        series.find((/** @type {any} */ each) => each.name === name)?.color,
      ]);
    }),
  );
}

test('the dashboard: charts and texts of three meters', { skip: lacksBrowser() }, async (t) => {
  const plant = await startPlant(t, { modules: ['@flowfuse/node-red-dashboard'] });
  await plant.sims[1].tell('set voltage/l1-n 233.3');
  await plant.deploy(await plant.flows('dashboard'));
  await onPage(t, plant.browser, {}, async (page) => {
    /* The dashboard hands its charts to tests of this name. */
    await page.addInitScript('globalThis.Cypress = true');
    await page.goto(`${plant.palette.url}/dashboard/meters`);
    await waitForLines(page);
    for (const name of CHARTS) {
      const values = await readChart(chartOf(page, name));
      assert.deepEqual(Object.keys(values).sort(), METERS, name);
      for (const meter of METERS) assert.ok(values[meter][0] > 0, `${name}, ${meter}`);
      if (/^Voltage/.test(name)) assert.equal(values['meter-2'][0], 233.3);
    }
    for (const meter of ['Meter 1', 'Meter 2', 'Meter 3']) {
      const text = page.locator('.nrdb-ui-text', { hasText: meter }).last();
      await text.getByText(/\b65\b/).waitFor();
    }
    const each = CHARTS.map(() => Object.entries(COLORS));
    assert.deepEqual(await readColors(page), each);
    await page.reload();
    await waitForLines(page);
    assert.deepEqual(await readColors(page), each, 'after a reload');
    if (!pictures) return;
    const isLong = `Object.values(uiCharts)[0].chart.getOption().series[0].data.length > ${FOR_PICTURE}`;
    await page.waitForFunction(isLong, undefined, { timeout: 60000 });
    await takePicture(page, 'dashboard');
  });
});
