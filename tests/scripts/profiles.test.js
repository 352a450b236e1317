/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The bundled profiles against profiles/profile.schema.json, and the schema against mistakes. That
   the runtime reads them, and finds the same keys, is told by tests/unit/test_profile_files.c. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const Ajv2020 = require('ajv/dist/2020').default;
const yaml = require('yaml');
const { listFiles, readFile } = require('../../scripts/files');

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false });
const validate = ajv.compile(JSON.parse(readFile('profiles/profile.schema.json')));

/** @param {unknown} profile */
function mistakes(profile) {
  if (validate(profile)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const files = listFiles('profiles', /\.yaml$/);

test('there are profiles', () => {
  assert.ok(files.length >= 5, files.join(', '));
});

for (const file of files) {
  const profile = yaml.parse(readFile(file));

  test(`${file} follows the schema`, () => {
    assert.deepEqual(mistakes(profile), []);
  });

  test(`${file} lies where its id says`, () => {
    assert.equal(`profiles/${profile.id}.yaml`, file);
  });

  test(`${file} names its schema for editors`, () => {
    const [, schema] = /^# yaml-language-server: \$schema=(\S+)/m.exec(readFile(file)) ?? [];
    assert.ok(
      schema,
      'its first line is to be `# yaml-language-server: $schema=../profile.schema.json`',
    );
    assert.equal(path.join(path.dirname(file), schema), 'profiles/profile.schema.json');
  });
}

/** @param {object} point */
function withPoint(point) {
  return { profile: 1, points: [{ name: 'a', type: 'uint16', holding: 0, ...point }] };
}

/** @type {[string, unknown, RegExp][]} */
const WRONG = [
  ['no points', { profile: 1 }, /required property 'points'/],
  ['another version', { profile: 2, points: [] }, /\/profile must be equal to constant/],
  ['an unknown key', { ...withPoint({}), pionts: [] }, /additional properties/],
  ['an unknown key of a point', withPoint({ scal: 1 }), /\/points\/0 .*additional properties/],
  ['two addresses', withPoint({ input: 0 }), /exactly one schema/],
  ['no address', { profile: 1, points: [{ name: 'a', type: 'bit' }] }, /exactly one schema/],
  ['an address of an external point', { ...withPoint({}), external: true }, /must NOT be valid/],
  ['an address past the end', withPoint({ holding: 65536 }), /must be <= 65535/],
  ['an unknown type', withPoint({ type: 'real' }), /\/points\/0\/type/],
  ['a point name with a space', withPoint({ name: 'a b' }), /must match pattern/],
  ['a bad duration', { ...withPoint({}), scans: { fast: '1 hour' } }, /\/scans\/fast/],
  ['a bad range', { ...withPoint({}), modbus: { unreadable: ['reg 5'] } }, /unreadable\/0/],
];

for (const [name, profile, message] of WRONG) {
  test(`the schema finds ${name}`, () => {
    assert.match(mistakes(profile).join('\n'), message);
  });
}
