/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The dialog of a device at work: a test read of a real one, and tables from CSV. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { freePort } = require('../support');
const { makeAllTypes } = require('./support/all_types');
const { lacksBrowser, takePicture } = require('./support/browser');
const { startPlant } = require('./support/plant');
const { findWrong, listEnglishOnly } = require('./support/texts');

/** @typedef {import('./support/editor').Editor} Editor */
/** @typedef {import('playwright-core').Locator} Locator */

const TABLE = ['hall-7-press', 'hall-7-oven'];
const VOLTAGE = 230.1;
const ORDERS = ['ABCD', 'CDAB', 'BADC', 'DCBA'];
/* The PowerMonitor sends the low word first; this is 230.1 on the wire, most significant byte C. */
const WIRE = Buffer.from('199a4366', 'hex');

/** What these bytes come to in a word order. @param {string} order */
function readAs(order) {
  const bytes = [...'ABCD'].map((letter) => WIRE[order.indexOf(letter)]);
  return Buffer.from(bytes).readFloatBE();
}

/** To as many digits as are shown. @param {number} shown @param {string} order */
function checkOrder(shown, order) {
  const exact = readAs(order);
  assert.ok(Math.abs(shown / exact - 1) < 1e-4, `${order}: ${shown}, not ${exact}`);
}

/** @param {Editor} editor @param {string} name */
function button(editor, name) {
  return editor.tray.getByRole('button', { name });
}

/** From the dialog of the device. @param {Editor} editor */
async function testRead(editor) {
  await button(editor, 'Test read').click();
  await editor.waitForTrays(2);
  await editor.tray.locator('.busbar-notice-good, .busbar-notice-bad').first().waitFor();
}

/** @param {Editor} editor @param {string} point */
function rowOf(editor, point) {
  const name = editor.page.locator(`xpath=.//td[1][normalize-space(.)="${point}"]`);
  return editor.tray.locator('tbody > tr', { has: name });
}

/** Word order → the value that is shown for it. @param {Locator} row */
async function ordersOf(row) {
  const chips = await row.locator('xpath=following-sibling::tr[1]').locator('.busbar-order').all();
  const pairs = chips.map(async (chip) => {
    const order = await chip.locator('b').innerText();
    return [order, Number(await chip.locator('span').first().innerText())];
  });
  return Object.fromEntries(await Promise.all(pairs));
}

/** @param {Editor} editor @param {string} csv */
async function pasteCsv(editor, csv) {
  const checked = editor.page.waitForResponse(/\/busbar\/csv\//);
  await editor.tray.locator('textarea').fill(csv);
  await checked;
  await editor.rest();
}

/** The table is checked, the second row after its head is wrong: nothing can be imported.
 * @param {Editor} editor @param {RegExp} why */
async function expectRefusal(editor, why) {
  const notice = editor.tray.locator('.busbar-notice-bad');
  assert.match(await notice.innerText(), /Row 3/);
  assert.match(await notice.innerText(), why);
  assert.doesNotMatch(await notice.innerText(), /Row [124]/);
  assert.equal(await editor.page.locator('#busbar-csv-import').isDisabled(), true);
}

test('the dialog of a device', { skip: lacksBrowser() }, async (t) => {
  const plant = await startPlant(t);
  await plant.sims[0].tell(`set voltage/l1-n ${VOLTAGE}`);
  const place = { port: plant.sims[0].port, broker: plant.broker.url };
  const flows = makeAllTypes(place);

  await plant.test(
    'test read: values with units, raw bytes, and what other word orders would give',
    async (editor) => {
      await editor.openNode('f1');
      await editor.openBeside('device');
      await button(editor, 'Test read').click();
      await editor.waitForTrays(3);
      await editor.tray.getByText(/^All 65 points read in/).waitFor();
      const row = rowOf(editor, 'voltage/l1-n');
      const cells = await row.locator('td').allInnerTexts();
      assert.deepEqual(cells.slice(1, 3), [`${VOLTAGE} V`, 'good']);
      assert.equal(cells[3], '199a 4366');
      const orders = await ordersOf(row);
      assert.deepEqual(Object.keys(orders), ORDERS);
      for (const order of ORDERS) checkOrder(orders[order], order);
      assert.match(await rowOf(editor, 'power/active/total').innerText(), /\d W\b/);
      await takePicture(editor.page, 'test-read');
    },
    { flows },
  );

  await plant.test(
    'test read: the word order of a bundled profile is set in an own one',
    async (editor) => {
      await editor.openConfig('busbar-device', 'c4');
      await testRead(editor);
      const row = rowOf(editor, 'voltage/l1-n');
      const orders = row.locator('xpath=following-sibling::tr[1]');
      const swapped = orders.locator('.busbar-order', { hasText: 'DCBA' });
      await swapped.getByRole('button').click();
      await editor.tray.getByText('comes with Busbar and stays as it is').waitFor();
      await button(editor, 'Make an own profile').click();
      await editor.tray.locator('.busbar-order-used', { hasText: 'DCBA' }).first().waitFor();
      checkOrder(Number.parseFloat((await row.locator('td').allInnerTexts())[1]), 'DCBA');
      await button(editor, 'Close').click();
      await editor.waitForTrays(1);
      await editor.save();
      const { profileType, profileNode } = await editor.settings('c4');
      assert.equal(profileType, 'node');
      const own = await editor.settings(profileNode);
      assert.equal(own.extends, 'rockwell/powermonitor-500');
      assert.equal(JSON.parse(own.profile).modbus.word_order, 'DCBA');
    },
    { flows },
  );

  await plant.test(
    'test read: a device that cannot be reached is a sentence',
    async (editor) => {
      await editor.openConfig('busbar-device', 'c4');
      await testRead(editor);
      const said = await editor.tray.locator('.busbar-notice-bad').innerText();
      assert.match(said, /127\.0\.0\.1:\d+/);
    },
    {
      flows: makeAllTypes({ ...place, port: await freePort() }),
      expected: /nothing/,
    },
  );

  await plant.test(
    'test read: of a table, one device after the other',
    async (editor) => {
      await editor.openConfig('busbar-device', 'c5');
      await testRead(editor);
      const choice = editor.tray.getByLabel('Device');
      assert.deepEqual(await choice.locator('option').allInnerTexts(), TABLE);
      await choice.selectOption(TABLE[1]);
      await editor.tray.getByText(/no answer .*\(unit 2\)/).waitFor();
    },
    { flows, expected: /nothing/ },
  );

  await plant.test(
    'CSV of devices: a wrong row is named and nothing is imported; right ones are',
    async (editor) => {
      await editor.openConfig('busbar-device', 'c5');
      await button(editor, 'CSV import').click();
      await editor.waitForTrays(2);
      await pasteCsv(editor, 'id,unit,line\nnew-1,3,l1\nnew-2,999,l2\nnew-3,5,l3\n');
      await expectRefusal(editor, /999/);
      await takePicture(editor.page, 'csv-import');
      await editor.page.locator('#busbar-csv-import').click({ force: true });
      await editor.tray.getByRole('button', { name: 'Cancel' }).click();
      await editor.waitForTrays(1);
      const ids = editor.tray.locator('#busbar-devices .busbar-id-cell input');
      const read = () =>
        ids.evaluateAll((all) => all.map((each) => /** @type {any} */ (each).value));
      assert.deepEqual(await read(), TABLE);

      await button(editor, 'CSV import').click();
      await editor.waitForTrays(2);
      await pasteCsv(editor, 'id;unit;line\nnew-1;3;l1\nnew-2;4;l2\n');
      await editor.page.locator('#busbar-csv-import').click();
      await editor.waitForTrays(1);
      assert.deepEqual(await read(), [...TABLE, 'new-1', 'new-2']);
      await editor.save();
      const { devices } = await editor.settings('c5');
      assert.deepEqual(devices[3], { id: 'new-2', unit: '4', tags: { line: 'l2' } });
    },
    { flows },
  );

  await plant.test(
    'CSV of points: a wrong row is named and nothing is imported; right ones are',
    async (editor) => {
      await editor.openConfig('busbar-profile', 'c3');
      await button(editor, 'CSV import').click();
      await editor.waitForTrays(2);
      await pasteCsv(editor, 'name,table,address,type\na,holding,100,int16\nb,holding,101,int17\n');
      await expectRefusal(editor, /int17/);
      await pasteCsv(editor, 'name,table,address,type\na,holding,100,int16\nb,holding,101,int32\n');
      await editor.page.locator('#busbar-csv-import').click();
      await editor.waitForTrays(1);
      await editor.save();
      const { profile } = await editor.settings('c3');
      const names = JSON.parse(profile).points.map((/** @type {any} */ { name }) => name);
      assert.deepEqual(names, ['spare', 'a', 'b']);
    },
    { flows },
  );

  await plant.test(
    'test read and CSV, de-DE',
    async (editor) => {
      const foreign = listEnglishOnly();
      await editor.openConfig('busbar-device', 'c5');
      await button(editor, 'CSV-Import').click();
      await editor.waitForTrays(2);
      for (const csv of [
        'id,unit\nnew 1,999\n,4\na,5,6\n',
        'id,unit,line,line\na,1,x,y\n',
        'x\n1\n',
      ]) {
        await pasteCsv(editor, csv);
        await editor.tray.locator('.busbar-notice-bad').waitFor();
        assert.deepEqual(await findWrong(editor.tray, foreign), []);
      }
      await editor.tray.getByRole('button', { name: 'Abbrechen' }).click();
      await editor.waitForTrays(1);
      await editor.cancel();
      await editor.openConfig('busbar-device', 'c4');
      await button(editor, 'Testlesen').click();
      await editor.waitForTrays(2);
      await editor.tray.locator('.busbar-notice-good').waitFor();
      assert.deepEqual(await findWrong(editor.tray, foreign), []);
    },
    { flows, locale: 'de-DE' },
  );
});
