/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The package as a folder that npm packs, apart from the checkout: there nothing must lie that would
   be taken for what is built there. */

const fs = require('node:fs');
const path = require('node:path');
const { REPO, listFiles, readFile } = require('../files');
const { writeNotices } = require('./notices');

/** What npm packs whether or not it is named. */
const ALWAYS = ['README.md', 'LICENSE'];

/** What a user has no use for, because the files that it is about are not in the package.
 * @param {string} text Of package.json. */
function trimManifest(text) {
  const manifest = JSON.parse(text);
  delete manifest.scripts;
  delete manifest.devDependencies;
  return manifest;
}

/** The reference flows lie where the editor's Import menu finds them. @param {string} folder */
function placeFlows(folder) {
  const examples = path.join(folder, 'examples/flows');
  fs.mkdirSync(examples, { recursive: true });
  for (const file of listFiles('flows', /\.json$/)) {
    fs.copyFileSync(path.join(REPO, file), path.join(examples, path.basename(file)));
  }
}

/** What is ours and needs no build, anew. @param {string} folder */
function stageOwn(folder) {
  const manifest = trimManifest(readFile('package.json'));
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  for (const name of [...manifest.files, ...ALWAYS]) {
    const from = path.join(REPO, name);
    if (name !== 'prebuilds/' && fs.existsSync(from)) {
      fs.cpSync(from, path.join(folder, name), { recursive: true });
    }
  }
  placeFlows(folder);
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * Everything but the binaries, anew.
 * @param {string} folder @param {import('./notices').Sources} sources
 */
async function stageFiles(folder, sources) {
  stageOwn(folder);
  await writeNotices(folder, sources);
}

module.exports = { stageFiles, stageOwn, trimManifest };
