/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const { PAGES, ROOT, render } = require('../../scripts/docs');
const { tempDir } = require('../support');

/* What the shown configs take their secrets from. */
const SECRETS = { INFLUX_TOKEN: 'token', MQTT_PASSWORD: 'password' };
const BINARY = process.env.BUSBAR_BIN || path.join(ROOT, 'native/build/busbar');

for (const page of PAGES) {
  test(`${page.file} holds what busbar reference prints; npm run docs writes it`, () => {
    assert.strictEqual(fs.readFileSync(path.join(ROOT, page.file), 'utf8'), render(page, BINARY));
  });
}

/** Nothing is said of it, no warning either. @param {string} config */
function expectFine(config) {
  const env = { ...process.env, ...SECRETS };
  const result = spawnSync(BINARY, ['check', config], { encoding: 'utf8', env });
  assert.strictEqual(result.stderr + result.status, '0');
}

/** The YAML blocks of a page. @param {string} file */
function yamlBlocks(file) {
  const text = fs.readFileSync(path.join(ROOT, file), 'utf8');
  return [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]);
}

for (const file of ['README.md', 'docs/config.md']) {
  test(`the configs shown in ${file} have no mistake`, (t) => {
    const dir = tempDir(t);
    const blocks = yamlBlocks(file).filter((text) => text.startsWith('busbar:'));
    assert.ok(blocks.length > 0, 'no config is shown');
    for (const block of blocks) {
      const config = path.join(dir, 'site.yaml');
      fs.writeFileSync(config, block);
      expectFine(config);
    }
  });
}

test('the profile shown in docs/profiles.md has no mistake', (t) => {
  const dir = tempDir(t);
  const [profile] = yamlBlocks('docs/profiles.md');
  fs.writeFileSync(path.join(dir, 'meter.yaml'), profile);
  const config = path.join(dir, 'site.yaml');
  fs.writeFileSync(
    config,
    'busbar: 1\nconnections:\n  - { id: c, modbus-tcp: { host: 10.0.0.1 } }\n' +
      'devices:\n  - { id: d, connection: c, profile: meter }\n' +
      "sinks:\n  - { id: bus, mqtt: { url: 'mqtt://127.0.0.1' } }\n",
  );
  expectFine(config);
});
