/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Libraries that a runtime is started with to see another world: tests/support/NAME.c, built beside the
   executable. One that is built to be carried elsewhere has none. */

const fs = require('node:fs');
const path = require('node:path');
const { BUSBAR } = require('./busbar');

/** @param {string} name */
function findPreload(name) {
  return path.join(path.dirname(BUSBAR), 'preload', `${name}.so`);
}

/** Why there is none, or false. @param {string} name */
function lacksPreload(name) {
  return (
    !fs.existsSync(findPreload(name)) && `there is no preload/${name}.so beside the executable`
  );
}

module.exports = { findPreload, lacksPreload };
