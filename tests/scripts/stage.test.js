/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The package as far as nothing has to be built for it: what npm would take, and what it would run. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { listFiles, readFile } = require('../../scripts/files');
const { stageOwn } = require('../../scripts/pack/stage');
const { tempDir } = require('../support/place');

/* They come with the build: the notices, and the source of libmodbus. */
const BUILT = /^(THIRD-PARTY\.md|prebuilds\/|LICENSES\/libmodbus\/)/;

/** @param {import('node:test').TestContext} t */
function stage(t) {
  const root = path.join(tempDir(t), 'package');
  stageOwn(root);
  const args = ['pack', '--dry-run', '--json', '--loglevel=error', '--ignore-scripts'];
  const output = execFileSync('npm', args, { cwd: root, encoding: 'utf8' });
  /** @type {{path: string, mode: number}[]} */
  const files = JSON.parse(output)[0].files;
  return { root, files, names: files.map((file) => file.path) };
}

test('npm takes the palette, its texts and flows, and nothing else', (t) => {
  const { root, files, names } = stage(t);
  const folders = /^(bin|lib|nodes|resources|profiles|examples|docs|LICENSES)\//;
  const single = ['LICENSE', 'README.md', 'package.json'];
  assert.deepEqual(
    names.filter((name) => !folders.test(name) && !single.includes(name)),
    [],
  );
  const { nodes, plugins } = JSON.parse(readFile('package.json'))['node-red'];
  const scripts = /** @type {string[]} */ (Object.values({ ...nodes, ...plugins }));
  const flows = listFiles('flows', /\.json$/).map((file) => `examples/${file}`);
  assert.ok(flows.length >= 5, String(flows));
  const wanted = [...scripts, ...scripts.map((file) => file.replace(/js$/, 'html')), ...flows];
  assert.deepEqual(
    wanted.filter((name) => !names.includes(name)),
    [],
  );
  for (const flow of flows) {
    assert.equal(fs.readFileSync(path.join(root, flow), 'utf8'), readFile(flow.slice(9)));
  }
  const executable = files.filter(({ mode }) => mode & 0o111).map((file) => file.path);
  assert.deepEqual(executable, ['bin/busbar.js']);
});

test('npm would run nothing when it is installed, and fetches one library', (t) => {
  const { root } = stage(t);
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  assert.equal(manifest.gypfile, false, 'else npm runs node-gyp wherever it sees binding.gyp');
  assert.ok(!fs.existsSync(path.join(root, 'binding.gyp')));
  assert.deepEqual([manifest.scripts, manifest.devDependencies], [undefined, undefined]);
  assert.deepEqual(Object.keys(manifest.dependencies), ['yaml']);
});

test('every link in the texts leads to a file of the package', (t) => {
  const { root, names } = stage(t);
  const links = names
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => {
      const text = fs.readFileSync(path.join(root, name), 'utf8');
      const targets = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, to]) => to);
      return targets
        .filter((target) => !/^\w+:/.test(target))
        .map((target) => path.join(path.dirname(name), target));
    });
  assert.ok(links.length > 10, `${links.length} links`);
  const dead = links.filter((to) => !BUILT.test(to) && !fs.existsSync(path.join(root, to)));
  assert.deepEqual(dead, []);
});
