/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the tests in a browser look at: three simulated meters, a broker, and a Node-RED with a
   runtime. One serves a test file. */

const { startEmbeddedBroker } = require('../../../scripts/peers/embedded_broker');
const { makeFlows, startMeters, startPalette } = require('../../nodes/support/palette');
const { atEnd } = require('../../support/end');
const { onPage, startBrowser } = require('./browser');
const { Editor } = require('./editor');

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {import('./editor').FlowNode} FlowNode */

/* No tours, and no list of the world's palettes, which comes from the network. The small code editor
   opens a third faster; whoever looks at dialogs takes the usual one. */
const makeTheme = (/** @type {boolean} */ monaco) => ({
  ...{ tours: false, palette: { catalogues: [] } },
  codeEditor: { lib: monaco ? 'monaco' : 'ace' },
});

/* Node-RED also finds what lies in our own node_modules; only these palettes are loaded. */
const onlyPalettes = (/** @type {string[]} */ modules) => ({
  palette: { denyList: ['*'], allowList: ['@busbar/node-red', ...modules] },
});

/**
 * @param {TestContext} t
 * @param {{version?: 4 | 5, modules?: string[], monaco?: boolean}} [options]
 * `modules`: palettes beside ours; `monaco`: Node-RED's usual code editor.
 */
async function startPlant(t, { version, modules = [], monaco = false } = {}) {
  const browser = await startBrowser(t);
  const broker = await startEmbeddedBroker();
  atEnd(t, () => broker.close());
  const sims = await startMeters(t);
  const settings = { editorTheme: makeTheme(monaco), externalModules: onlyPalettes(modules) };
  const palette = await startPalette(t, [], { version, modules, settings });
  return {
    broker,
    browser,
    palette,
    sims,
    /** The reference flows of these names, with our addresses. @param {string[]} names */
    flows: (...names) => makeFlows(names, { sims, broker: broker.url }),
    /** All that is deployed goes. @param {FlowNode[]} flows */
    async deploy(flows) {
      await palette.deploy(flows);
    },
    /**
     * A test in an editor of its own.
     * @param {string} name @param {(editor: Editor, t: TestContext) => Promise<unknown>} work
     * @param {{flows?: FlowNode[], locale?: string, expected?: RegExp, skip?: string | false}} [options]
     * `flows`: deployed before.
     */
    test(name, work, { flows = [], skip, ...options } = {}) {
      return t.test(name, { skip }, async (inner) => {
        await palette.deploy(flows);
        await onPage(inner, browser, options, async (page) => {
          const editor = new Editor(page);
          await editor.open(palette.url);
          await work(editor, inner);
        });
      });
    },
  };
}

module.exports = { startPlant };
