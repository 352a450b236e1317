/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The reference flow dashboard.json as its user sees it: charts with a line or bars a meter, and a card
   a meter. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { waitFor } = require('../support');
const { lacksBrowser, onPage, pictures, takePicture } = require('./support/browser');
const { startPlant } = require('./support/plant');

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Record<string, (number | '-')[]>} Series */

const COLORS = { 'meter-1': '#b4541a', 'meter-2': '#0d74ce', 'meter-3': '#2a7e3b' };
const METERS = Object.keys(COLORS);
const LINES = ['Power, kW', 'Voltage L1-N, V'];
const BARS = 'Energy per minute, kWh';
const CHARTS = [...LINES, BARS];
/* How many readings of each meter make a picture; one comes each second. */
const FOR_PICTURE = 25;
/* How many minutes. */
const BARS_FOR_PICTURE = 3;
const PICTURE_MS = 280000;

/** @param {Page} page @param {string} name */
function chartOf(page, name) {
  return page.locator(`[role="img"][aria-label*='"${name}"']`);
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

/** Meter → what its bars or its line show; '-': a gap. @param {Page} page @param {string} name Of the chart.
 * @returns {Promise<Series>} */
function readSeries(page, name) {
  return page.evaluate((title) => {
    const charts = Object.values(/** @type {any} */ (globalThis).uiCharts);
    const options = charts.map(({ chart }) => chart.getOption());
    const { series } = options.find((each) => each.title[0].text === title);
    const heightOf = (/** @type {any} */ item) => [item?.value ?? item].flat().at(-1);
    return Object.fromEntries(
      series.map((/** @type {any} */ each) => [each.name, each.data.map(heightOf)]),
    );
  }, name);
}

/** @param {Page} page @param {string} name @param {(now: Series) => boolean} fits @param {number} [timeoutMs] */
function waitForSeries(page, name, fits, timeoutMs) {
  const look = async () => {
    const now = await readSeries(page, name);
    if (!fits(now)) throw new Error(JSON.stringify(now));
    return now;
  };
  return waitFor(look, { timeoutMs, what: `${fits} of ${name}` });
}

/** @param {Page} page @param {string} meter Its name. @param {'green' | 'red'} color */
function cardOf(page, meter, color) {
  return page.locator(`.meter.${color}`, { hasText: meter });
}

/* The energy comes as often as the rest, so that nobody waits for it. */
const soon = (/** @type {any} */ node) => {
  if (node.type !== 'busbar-device') return node;
  const scans = node.scans.map((/** @type {any} */ scan) => ({ ...scan, period: '1s' }));
  return { ...node, scans };
};

/** What a person would see after a few minutes, without what the test has set.
 * @param {Page} page @param {Awaited<ReturnType<typeof startPlant>>} plant */
async function showUsual(page, plant) {
  for (const sim of plant.sims) {
    await sim.tell('set voltage/l1-n auto');
    await sim.tell('set energy/active/import auto');
  }
  await plant.deploy([]);
  await plant.deploy(await plant.flows('dashboard'));
  await page.reload();
  for (const name of CHARTS) {
    const least = name === BARS ? BARS_FOR_PICTURE : FOR_PICTURE;
    const isLong = (/** @type {Series} */ now) =>
      METERS.every((meter) => now[meter]?.length > least);
    await waitForSeries(page, name, isLong, PICTURE_MS);
  }
}

test('the dashboard: charts and cards of three meters', { skip: lacksBrowser() }, async (t) => {
  const plant = await startPlant(t, { modules: ['@flowfuse/node-red-dashboard'] });
  await plant.sims[1].tell('set voltage/l1-n 233.3');
  await plant.sims[1].tell('set energy/active/import 5000000');
  await plant.deploy((await plant.flows('dashboard')).map(soon));
  await onPage(t, plant.browser, {}, async (page) => {
    /* The dashboard hands its charts to tests of this name. */
    await page.addInitScript('globalThis.Cypress = true');
    await page.goto(`${plant.palette.url}/dashboard/meters`);
    await waitForLines(page);
    for (const name of LINES) {
      const values = await waitForSeries(page, name, (now) =>
        METERS.every((meter) => now[meter]?.some((value) => Number(value) > 0)),
      );
      assert.deepEqual(Object.keys(values).sort(), METERS, name);
      const [first] = values['meter-2'].filter(Number);
      if (/^Voltage/.test(name)) assert.equal(first, 233.3);
    }
    for (const meter of ['Meter 1', 'Meter 2', 'Meter 3']) {
      await cardOf(page, meter, 'green').getByText('all 65 points good').waitFor();
    }
    await plant.sims[1].tell('set energy/active/import 5002500');
    const bars = await waitForSeries(
      page,
      BARS,
      (now) => now['meter-2'].includes(2.5) && now['meter-1'].some((kwh) => Number(kwh) > 0),
    );
    assert.deepEqual(Object.keys(bars), METERS);
    const each = CHARTS.map(() => Object.entries(COLORS));
    assert.deepEqual(await readColors(page), each);
    await page.reload();
    await waitForLines(page);
    assert.deepEqual(await readColors(page), each, 'after a reload');
    assert.ok((await readSeries(page, BARS))['meter-2'].includes(2.5), 'after a reload');

    await plant.sims[2].tell('fault silence');
    await cardOf(page, 'Meter 3', 'red')
      .getByText(/^no answer, \d+ s$/)
      .waitFor();
    await plant.sims[2].tell('fault none');
    await cardOf(page, 'Meter 3', 'green').waitFor();
    /* Once it is back its line goes on behind a gap. */
    const isBack = (/** @type {(number | '-')[]} */ line) =>
      /\d,-(,-)*,\d/.test(`${line.map(String)}`);
    for (const name of LINES) await waitForSeries(page, name, (now) => isBack(now['meter-3']));
    if (!pictures) return;
    await showUsual(page, plant);
    await takePicture(page, 'dashboard');
  });
});
