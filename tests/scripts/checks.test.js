/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { checkText } = require('../../scripts/check-includes');
const { findBannedCalls, hasLicence } = require('../../scripts/check-source');

/** Each include line with a word of the complaint about it; an empty word where it is right. */
const INCLUDES = [
  ['native/base/buf.c', '"base/err.h"', ''],
  ['native/base/buf.c', '<yaml.h>', ''],
  ['native/base/buf.c', '<sys/socket.h>', ''],
  ['native/base/buf.c', '"model/value.h"', 'base may use no other room, not model'],
  ['native/base/buf.c', '<uv.h>', 'not base'],
  ['native/wire/modbus/frame.c', '"model/value.h"', 'wire may use base, not model'],
  ['native/model/value.c', '<yaml.h>', 'only base may use it'],
  ['native/drivers/modbus/tcp.c', '"wire/modbus/frame.h"', ''],
  ['native/drivers/modbus/rtu.c', '<modbus/modbus.h>', ''],
  ['native/drivers/modbus/tcp.c', '"sinks/mqtt/mqtt.h"', 'not sinks'],
  ['native/sinks/mqtt/mqtt.c', '<MQTTAsync.h>', 'only io may use it'],
  ['native/runtime/apply.c', '"drivers/modbus/tcp.h"', ''],
  ['native/runtime/apply.c', '"cli/main.h"', 'not cli'],
  ['native/io/http.c', '<curl/curl.h>', ''],
  ['native/io/tcp.c', '"tcp.h"', 'write the path from native/ on'],
  ['native/io/tcp.c', '"net/tcp.h"', 'there is no room net'],
  ['native/io/tcp.c', '<glib.h>', 'neither libc nor a library'],
  ['native/misc/x.c', '<stdio.h>', 'there is no room misc'],
];

for (const [file, header, word] of INCLUDES) {
  test(`${header} in ${file} is ${word ? 'refused' : 'allowed'}`, () => {
    const problems = checkText(file, `/* x */\n#include ${header}\n`).join('\n');
    if (word) assert.ok(problems.includes(word), `got: ${problems}`);
    else assert.equal(problems, '');
  });
}

test('the include check names file and line', () => {
  const [problem] = checkText('native/base/buf.c', '\n#  include "io/tcp.h"\n');
  assert.match(problem, /^native\/base\/buf\.c:2: io\/tcp\.h: /);
});

test('banned calls are found in code only', () => {
  const text = [
    '/* strcpy(a, b) in a comment',
    '   over two lines: atoi(x) */',
    'x = "sprintf(";',
    'n = snprintf(a, 3, "%d", atoi (b)); // gets(a)',
    'my_strcpy(a); fgets(b);',
  ].join('\n');
  assert.deepEqual(findBannedCalls('f.c', text), [
    'f.c:4: atoi() is not used here; take strtol with its end pointer',
  ]);
});

test('a quote in a comment does not hide the code behind it', () => {
  const text = "/* don't */ strcpy(a, b); /* isn't */";
  assert.equal(findBannedCalls('f.c', text).length, 1);
});

test('the licence stands first, or second below a #! line', () => {
  const line = '/* SPDX-License-Identifier: Apache-2.0 */';
  assert.equal(hasLicence(`${line}\n`), true);
  assert.equal(hasLicence(`#!/usr/bin/env node\n${line}\n`), true);
  assert.equal(hasLicence(`\n\n${line}\n`), false);
  assert.equal(hasLicence('// SPDX-License-Identifier: Apache-2.0\n'), false);
});
