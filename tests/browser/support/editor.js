/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a person does in Node-RED's editor, in versions 4 and 5. What stands on the screen is asked of
   the page itself; only ways through it that differ between the versions go through the editor's
   own interface, `RED`. */

const { waitFor } = require('../../support');

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Record<string, any> & {id: string, type: string}} FlowNode */

const TRAY = '#red-ui-editor-stack > .red-ui-tray';

/** As an expression for the page. @param {Function} work @param {unknown} given */
function callOf(work, given) {
  return `(${work})(globalThis, ${JSON.stringify(given)})`;
}

class Editor {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
  }

  /** @param {string} url Of Node-RED. */
  async open(url) {
    await this.page.goto(url);
    await this.until(
      ({ RED, $ }) =>
        RED?.nodes?.getType?.('busbar-in') &&
        RED.nodes.version() !== undefined &&
        $('#red-ui-header-button-deploy').length > 0 &&
        $('#red-ui-loading-progress').is(':hidden'),
    );
  }

  /** Runs in the page. @param {(window: any, given: any) => any} work @param {unknown} [given]
   * @returns {Promise<any>} */
  run(work, given) {
    return this.page.evaluate(callOf(work, given));
  }

  /** Until it gives something true in the page. @param {(window: any, given: any) => any} look
   * @param {unknown} [given] @returns {Promise<any>} */
  async until(look, given) {
    return this.page.waitForFunction(callOf(look, given));
  }

  /** @param {string} action */
  invoke(action) {
    return this.run(({ RED }, name) => void RED.actions.invoke(name), action);
  }

  /** Through the import dialog, from the clipboard. @param {FlowNode[]} flow */
  async importFlow(flow) {
    const { page } = this;
    await page.locator('#red-ui-header-button-sidemenu').click();
    await page.locator('#menu-item-import').click();
    const text = page.locator('#red-ui-clipboard-dialog-import-text');
    await text.fill(JSON.stringify(flow));
    await text.press('End');
    await page.locator('#red-ui-clipboard-dialog-ok').click();
    await this.until(({ RED }, ids) => ids.every(RED.nodes.node), this.idsOf(flow));
  }

  /** @param {string} label Of a tab. */
  async openTab(label) {
    await this.page.locator('#red-ui-workspace-tabs').getByText(label, { exact: true }).click();
  }

  /** Until the server has answered the next deploy. */
  waitForDeploy() {
    return this.page.waitForResponse(
      (response) => /\/flows$/.test(response.url()) && response.request().method() === 'POST',
    );
  }

  /** Clicks Deploy, and waits for the answer. */
  async deploy() {
    const answer = this.waitForDeploy();
    await this.page.locator('#red-ui-header-button-deploy').click();
    await answer;
    await this.until(({ RED }) => !RED.nodes.dirty());
  }

  /** @param {string} id Of a sidebar. */
  async showSidebar(id) {
    await this.run(({ RED }, name) => RED.sidebar.show(name), id);
  }

  /** In the flow. @param {string} id */
  node(id) {
    return this.page.locator(`[id="${id}"]`);
  }

  /** Until the dot of the node is green. @param {string} id @returns {Promise<string>} Its text. */
  async waitForGreen(id) {
    await this.node(id).locator('.red-ui-flow-node-status-dot-green').waitFor();
    return (await this.node(id).locator('.red-ui-flow-node-status-label').textContent()) ?? '';
  }

  /** The topmost dialog. */
  get tray() {
    return this.page.locator(TRAY).last();
  }

  /** How many dialogs are open; the editor shows the topmost one, with the titles of all. */
  async depth() {
    return this.page.locator(`${TRAY} .red-ui-tray-breadcrumbs > li`).count();
  }

  /** @param {number} count Of dialogs on top of each other. */
  async waitForTrays(count) {
    await waitFor(async () => (await this.depth()) === count, { what: `${count} open dialogs` });
    if (count > 0) await this.rest();
  }

  /** Until the topmost dialog has slid in and all that it asked for has come. */
  async rest() {
    await this.until(({ $, document, getComputedStyle }, tray) => {
      const top = [...document.querySelectorAll(tray)].pop();
      const isIn = top?.style.right === '0px' && getComputedStyle(top).right === '0px';
      return isIn && $.active === 0;
    }, TRAY);
  }

  /** By a double click on the node. @param {string} id */
  async openNode(id) {
    const before = await this.depth();
    await this.run(({ RED }, each) => RED.view.reveal(each, false), id);
    await this.node(id).dblclick();
    await this.waitForTrays(before + 1);
  }

  /** @param {string} type @param {string} [id] Without one, a new node. */
  async openConfig(type, id = '_ADD_') {
    const before = await this.depth();
    await this.run(({ RED }, given) => RED.editor.editConfig('', ...given), [type, id]);
    await this.waitForTrays(before + 1);
  }

  /** By the pencil beside a field of the open dialog. @param {string} field Such as "device".
   * @param {'node-input' | 'node-config-input'} [prefix] */
  async openBeside(field, prefix = 'node-input') {
    const before = await this.depth();
    await this.tray.locator(`#${prefix}-btn-${field}-edit`).click();
    await this.waitForTrays(before + 1);
  }

  /** *Done*, *Add* or *Update* of the topmost dialog. */
  async save() {
    await this.leave('#node-dialog-ok, #node-config-dialog-ok');
  }

  async cancel() {
    await this.leave('#node-dialog-cancel, #node-config-dialog-cancel');
  }

  /** @param {string} button */
  async leave(button) {
    const before = await this.depth();
    await this.tray.locator(button).click();
    await this.waitForTrays(before - 1);
  }

  /** Of nodes that the editor finds with `RED.nodes.node`. @param {FlowNode[]} flow */
  idsOf(flow) {
    const others = ['tab', 'subflow', 'group', 'global-config'];
    return flow.filter(({ type }) => !others.includes(type)).map(({ id }) => id);
  }

  /** Those that are not set right. @param {string[]} ids @returns {Promise<string[]>} */
  listFaulty(ids) {
    return this.run(
      ({ RED }, each) => each.filter((/** @type {string} */ id) => !RED.nodes.node(id).valid),
      ids,
    );
  }

  /** The settings of a node as a deploy would send them. @param {string} id @returns {Promise<any>} */
  settings(id) {
    return this.run(({ RED }, each) => RED.nodes.convertNode(RED.nodes.node(each), true), id);
  }
}

module.exports = { Editor };
