/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Chromium without a window, and pages in it that keep what they complain of. One browser serves a
   test file; each test has a page of its own, which finds nothing stored, only what was loaded before:
   const browser = await startBrowser(t);
   await onPage(t, browser, { locale: 'de-DE' }, async (page) => { … }); */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { chromium } = require('playwright-core');
const { NO_CHROMIUM, findChromium } = require('../../../scripts/peers/chromium');
const { atEnd } = require('../../support/end');

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').Browser} Browser */
/** @typedef {import('playwright-core').BrowserContext} BrowserContext */

const SIZE = { width: 1280, height: 800 };
const WAIT_MS = 15000;

const program = findChromium();

/** For `test(name, { skip: lacksBrowser() }, …)`. @returns {string | false} */
function lacksBrowser() {
  return program ? false : NO_CHROMIUM;
}

/** @param {TestContext} t @returns {Promise<Browser>} */
async function startBrowser(t) {
  const browser = await chromium.launch({ executablePath: program });
  atEnd(t, () => browser.close());
  return browser;
}

/** Loading the editor anew takes seconds, so that pages of one language share what was loaded.
 * @type {WeakMap<Browser, Map<string, Promise<BrowserContext>>>} */
const contexts = new WeakMap();

/** @param {Browser} browser @param {string} locale */
async function makeContext(browser, locale) {
  const context = await browser.newContext({ viewport: SIZE, locale });
  await context.addInitScript(() => {
    const { localStorage, location } = /** @type {any} */ (globalThis);
    if (location.protocol === 'http:') localStorage.clear();
  });
  return context;
}

/** @param {Browser} browser @param {string} locale */
async function openPage(browser, locale) {
  const known = contexts.get(browser) ?? new Map();
  contexts.set(browser, known);
  if (!known.has(locale)) known.set(locale, makeContext(browser, locale));
  const page = await (await known.get(locale)).newPage();
  page.setDefaultTimeout(WAIT_MS);
  return page;
}

/* What Node-RED's code editor says of any node, also those of its core, when its dialog is closed while the
   editor still looks at the text: it is thrown away with its text, and nobody waits for it. */
const MONACO = /^page error: Error: Model is disposed!\n[^]*\/vendor\/monaco\//;

/** Keeps errors of scripts, of the console and of requests, which all belong to a defect.
 * @param {Page} page @returns {string[]} */
function collectComplaints(page) {
  /** @type {string[]} */
  const complaints = [];
  page.on('pageerror', (error) => void complaints.push(`page error: ${error.stack}`));
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    complaints.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('response', (response) => {
    if (response.status() < 400) return;
    complaints.push(`${response.status()} for ${response.request().method()} ${response.url()}`);
  });
  return complaints;
}

/** What the page looked like when the test failed. @param {Page} page @param {string} name */
async function keepPicture(page, name) {
  const folder = path.join(os.tmpdir(), 'busbar-browser');
  const file = path.join(folder, `${name.replace(/\W+/g, '-').slice(0, 80)}.png`);
  fs.mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: file });
  return file;
}

/**
 * Gives the work a page; what that complained of fails the test.
 * @param {TestContext} t @param {Browser} browser
 * @param {{locale?: string, expected?: RegExp}} options `expected`: complaints that the test provokes.
 * @param {(page: Page, complaints: string[]) => Promise<unknown>} work
 */
async function onPage(t, browser, { locale = 'en-US', expected }, work) {
  const page = await openPage(browser, locale);
  const complaints = collectComplaints(page);
  const unexpected = () => complaints.filter((each) => !MONACO.test(each) && !expected?.test(each));
  try {
    await work(page, complaints);
  } catch (error) {
    const picture = await keepPicture(page, t.name).catch(() => 'no picture');
    const said = unexpected().map((each) => `\n  ${each}`);
    if (error instanceof Error) error.message += `\n${picture}${said.join('')}`;
    throw error;
  } finally {
    await page.close();
  }
  assert.deepEqual(unexpected(), []);
}

/** Whether pictures for the documentation are wanted, and where. */
const pictures = process.env.BUSBAR_SCREENSHOTS;

/** A picture for the documentation, where BUSBAR_SCREENSHOTS names a folder.
 * @param {Page} page @param {string} name */
async function takePicture(page, name) {
  const folder = pictures;
  if (!folder) return;
  fs.mkdirSync(folder, { recursive: true });
  await page.screenshot({
    path: path.join(folder, `${name}.png`),
    animations: 'disabled',
    style: '#red-ui-notifications { display: none; }',
  });
}

module.exports = { lacksBrowser, onPage, pictures, startBrowser, takePicture };
