/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Whose runtime it is: one of another user reads the certificates itself that are named. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { isForeign } = require('../../lib/pem');
const { tempDir } = require('../support');

const ME = process.getuid?.() ?? 0;
const OTHER = 54321;

test('the owner of the socket says whose runtime it is', (t) => {
  const data = tempDir(t);
  assert.equal(isForeign(data), false);
  fs.writeFileSync(path.join(data, 'busbar.sock'), '');
  assert.equal(isForeign(data), false);
  /* As another user would see it. */
  assert.equal(isForeign(data, OTHER), true);
  /* Root reads for whom it likes. */
  assert.equal(isForeign(data, 0), false);
});

test(
  'before it runs, a folder that is closed to us is of another user',
  { skip: ME === 0 },
  (t) => {
    const data = tempDir(t);
    assert.equal(isForeign(data, ME), false);
    assert.equal(isForeign('/proc', ME), true);
  },
);
