/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The bundled profiles as the palette reads them, and own ones laid over them. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const Ajv2020 = require('ajv/dist/2020').default;
const {
  describeProfile,
  listProfiles,
  loadProfile,
  mergeProfile,
  openProfiles,
} = require('../../lib/profiles');
const { layOut } = require('../../resources/busbar-points');
const { REPO, listFiles, readFile } = require('../../scripts/files');

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false });
const follows = ajv.compile(JSON.parse(readFile('profiles/profile.schema.json')));

/** @param {unknown} profile */
function mistakes(profile) {
  if (follows(profile)) return [];
  return (follows.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** @param {string} id @returns {Record<string, any>} */
function load(id) {
  const profile = loadProfile(id);
  assert.ok(profile, id);
  return profile;
}

test('every file is listed', () => {
  const files = listFiles('profiles', /\.yaml$/)
    .map((file) => file.slice(9, -5))
    .sort();
  assert.deepEqual(
    listProfiles()
      .map(({ id }) => id)
      .sort(),
    files,
  );
});

test('an entry says what a chooser shows', () => {
  const entry = listProfiles().find(({ id }) => id === 'eastron/sdm630');
  const lines = readFile('profiles/eastron/sdm630.yaml').match(/^ {2}- /gm) ?? [];
  assert.deepEqual(entry, {
    id: 'eastron/sdm630',
    name: 'Eastron SDM630-Modbus V2',
    manufacturer: 'Eastron',
    verified: false,
    points: lines.length,
    scans: entry?.scans,
  });
  assert.deepEqual(Object.keys(entry.scans), ['fast', 'slow', 'energy', 'info']);
});

for (const { id } of listProfiles()) {
  test(`${id} still follows the schema as JSON`, () => {
    assert.deepEqual(mistakes(JSON.parse(JSON.stringify(load(id)))), []);
    assert.deepEqual(JSON.parse(layOut(load(id))), load(id));
  });
}

test('bits that a number cannot hold stay as they are written', () => {
  const point = load('schneider/iem3155').points.find(
    (/** @type {any} */ each) => each.name === 'energy/active/import',
  );
  assert.deepEqual(point.sentinels, ['0x8000000000000000']);
  assert.equal(load('rockwell/powermonitor-500').points[0].input, 0x50);
});

test('there is no profile of a file outside', () => {
  for (const id of ['../package', '/etc/passwd', 'rockwell', '', 'constructor', '__proto__']) {
    assert.equal(loadProfile(id), undefined, id);
  }
});

test('what is loaded is a copy', () => {
  load('generic/modbus').points.length = 0;
  assert.ok(load('generic/modbus').points.length > 0);
});

test('points are described with what they leave to defaults', () => {
  const { points, scans } = describeProfile({
    modbus: { table: 'input' },
    points: [
      { name: 'a', type: 'uint16', register: 3 },
      { name: 'b', coil: 4, write: true },
      { name: 'c', type: 'uint16', holding: 5, scan: 'slow' },
    ],
  });
  assert.deepEqual(
    points.map(({ name, table, address, type, scan, writable }) => [
      name,
      table,
      address,
      type,
      scan,
      writable,
    ]),
    [
      ['a', 'input', 3, 'uint16', 'fast', false],
      ['b', 'coil', 4, 'bit', 'fast', true],
      ['c', 'holding', 5, 'uint16', 'slow', false],
    ],
  );
  assert.deepEqual(scans, { fast: '1s', slow: '10s' });
});

test('an own profile replaces, changes and adds', () => {
  const base = {
    profile: 1,
    id: 'acme/meter',
    verified: true,
    modbus: { word_order: 'ABCD', max_gap: 4 },
    scans: { fast: '1s', slow: '5s' },
    points: [
      { name: 'a', type: 'uint16', holding: 0, unit: 'V' },
      { name: 'b', type: 'uint16', holding: 1, unit: 'A' },
      { name: 'c', type: 'uint16', holding: 2 },
    ],
  };
  const own = {
    modbus: { word_order: 'CDAB' },
    scans: { slow: '30s' },
    points: [
      { name: 'd', type: 'uint16', holding: 9 },
      { name: 'b', scan: 'slow' },
      { name: 'a', type: 'float32', input: 7 },
    ],
  };
  assert.deepEqual(mergeProfile(base, own), {
    profile: 1,
    id: 'acme/meter',
    verified: false,
    modbus: { word_order: 'CDAB', max_gap: 4 },
    scans: { fast: '1s', slow: '30s' },
    points: [
      { name: 'a', type: 'float32', input: 7 },
      { name: 'b', type: 'uint16', holding: 1, unit: 'A', scan: 'slow' },
      { name: 'c', type: 'uint16', holding: 2 },
      { name: 'd', type: 'uint16', holding: 9 },
    ],
  });
});

test('an own profile that says nothing changes nothing', () => {
  const base = load('rockwell/powermonitor-500');
  assert.deepEqual(mergeProfile(base, {}), base);
});

test('a file that cannot be read does not hide the others', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'busbar-profiles-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.mkdirSync(path.join(folder, 'acme'));
  fs.writeFileSync(path.join(folder, 'acme/bad.yaml'), 'points: [');
  fs.copyFileSync(
    path.join(REPO, 'profiles/generic/modbus.yaml'),
    path.join(folder, 'acme/good.yaml'),
  );
  const profiles = openProfiles(folder);
  assert.deepEqual(
    profiles.listProfiles().map(({ id }) => id),
    ['generic/modbus'],
  );
  assert.match(profiles.mistakes.join(), /^acme.bad\.yaml: /);
});
