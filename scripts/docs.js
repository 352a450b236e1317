/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Writes the generated part of docs/config.md and docs/profiles.md, which is what `busbar reference`
 * prints. `npm run docs` writes; the test run compares.
 */
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const MARKER = '<!-- reference -->\n';
const PAGES = [
  { file: 'docs/config.md', part: 'config' },
  { file: 'docs/profiles.md', part: 'profile' },
];

/** The page as it should be. @param {{file: string, part: string}} page @param {string} binary */
function render(page, binary) {
  const text = fs.readFileSync(path.join(ROOT, page.file), 'utf8');
  const at = text.indexOf(MARKER);
  if (at < 0) throw new Error(`${page.file} has no line ${MARKER.trim()}`);
  const reference = execFileSync(binary, ['reference', page.part], { encoding: 'utf8' });
  return `${text.slice(0, at)}${MARKER}\n${reference.trim()}\n`;
}

function main() {
  const binary = process.env.BUSBAR_BIN || path.join(ROOT, 'native/build/busbar');
  for (const page of PAGES) fs.writeFileSync(path.join(ROOT, page.file), render(page, binary));
}

if (require.main === module) main();

module.exports = { PAGES, ROOT, render };
