/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A package without a binary for this machine, in a real Node-RED: the codec nodes say so at their dots, and
   to Catch nodes. */

const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { REPO } = require('../../scripts/files');
const { tempDir, waitFor } = require('../support');
const { startPalette } = require('./support/palette');

const PARTS = ['lib', 'nodes', 'resources', 'profiles', 'package.json'];
const PLACE = { z: 'tab', x: 1, y: 1 };

/** The package as Node-RED finds it, with all but its binaries. @param {import('node:test').TestContext} t */
function makeUserDir(t) {
  const root = tempDir(t);
  for (const part of PARTS)
    fs.cpSync(path.join(REPO, part), path.join(root, part), { recursive: true });
  fs.symlinkSync(path.join(REPO, 'node_modules'), path.join(root, 'node_modules'));
  const userDir = tempDir(t);
  fs.mkdirSync(path.join(userDir, 'node_modules/@busbar'), { recursive: true });
  fs.symlinkSync(root, path.join(userDir, 'node_modules/@busbar/node-red'));
  return userDir;
}

/** A function node that writes into the log of Node-RED. @param {string} id @param {string} text */
function writer(id, text) {
  return {
    id,
    type: 'function',
    ...PLACE,
    func: `node.warn(${text})`,
    outputs: 0,
    libs: [],
    wires: [],
  };
}

test('without a binary the codec nodes are red, and say why', async (t) => {
  const flows = [
    { id: 'tab', type: 'tab', label: 'no codecs' },
    {
      ...{
        id: 'go',
        type: 'inject',
        ...PLACE,
        props: [{ p: 'payload' }],
        payload: '[17254, 6554]',
      },
      ...{ payloadType: 'json', once: true, onceDelay: 0.1, wires: [['decode', 'line']] },
    },
    { id: 'decode', type: 'busbar-decode', ...PLACE, valueType: 'float32', wires: [[]] },
    { id: 'line', type: 'busbar-line', ...PLACE, measurement: 'm', tags: [], wires: [[]] },
    { id: 'catch', type: 'catch', ...PLACE, scope: null, wires: [['caught']] },
    writer('caught', '`caught ${msg.error.source.id}: ${msg.error.message}`'),
    { id: 'status', type: 'status', ...PLACE, scope: null, wires: [['stated']] },
    writer('stated', '`dot ${msg.status.source.id} ${msg.status.fill}: ${msg.status.text}`'),
  ];
  const palette = await startPalette(t, flows, { userDir: makeUserDir(t) });
  for (const id of ['decode', 'line']) {
    for (const text of [`dot ${id} red: the codecs are missing`, `caught ${id}: `]) {
      const isThere = () => palette.child.lines.some((line) => line.includes(text));
      await waitFor(isThere, { what: text });
    }
  }
});
