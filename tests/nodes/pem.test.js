/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Certificates of a tls-config node as files that the runtime can read, whoever runs it. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { writePem } = require('../../lib/pem');
const { tempDir } = require('../support');

const PEM = { node: { id: 'a.b/c' }, file: 'ca.pem', data: 'CA' };
const ME = process.getuid?.() ?? 0;
const OTHER = 54321;

/** @param {string} file */
const modeOf = (file) => fs.statSync(file).mode & 0o777;

test('for a runtime of our own user: a file for that user alone, written when it differs', (t) => {
  const data = tempDir(t);
  const name = writePem(data, { ...PEM, source: '/etc/ssl/ca.pem' });
  assert.equal(name, path.join(data, 'tls/a_b_c-ca.pem'));
  assert.deepEqual([modeOf(path.dirname(name)), modeOf(name)], [0o700, 0o600]);
  const { ino } = fs.statSync(name);
  assert.equal(writePem(data, PEM), name);
  assert.equal(fs.statSync(name).ino, ino);
  writePem(data, { ...PEM, data: 'other' });
  assert.equal(fs.readFileSync(name, 'utf8'), 'other');
  assert.equal(writePem(data, { ...PEM, data: '' }), '');
});

test('for a runtime of another user: the file that is named, and nothing that is uploaded', (t) => {
  const data = tempDir(t);
  /* The socket says who that is. */
  fs.writeFileSync(path.join(data, 'busbar.sock'), '');
  const source = '/etc/busbar/ca.pem';
  assert.equal(writePem(data, { ...PEM, source }, OTHER), source);
  assert.equal(writePem(data, { ...PEM, data: '', source }, OTHER), source);
  assert.equal(writePem(data, { ...PEM, data: '' }, OTHER), '');
  const text = `runs as another user \\(${ME}\\) than Node-RED and cannot read what is uploaded`;
  const refusal = { code: 'BUSBAR_PERMISSION', message: new RegExp(text) };
  assert.throws(() => writePem(data, PEM, OTHER), refusal);
  assert.ok(!fs.existsSync(path.join(data, 'tls')));
});

test('Node-RED as root: the file is that of the runtime', { skip: ME !== 0 }, (t) => {
  const data = tempDir(t);
  fs.writeFileSync(path.join(data, 'busbar.sock'), '');
  fs.chownSync(path.join(data, 'busbar.sock'), OTHER, OTHER);
  const name = writePem(data, PEM);
  for (const file of [name, path.dirname(name)]) assert.equal(fs.statSync(file).uid, OTHER);
});
