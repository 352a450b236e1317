/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A time of day that can be stepped, for a runtime that is started with it (clock.c):
   startRuntime(t, config, { env: clock.env }). */

const fs = require('node:fs');
const path = require('node:path');
const { tempDir } = require('./place');
const { findPreload, lacksPreload } = require('./preload');

/** Why no clock can be stepped here, or false. */
function lacksClock() {
  return lacksPreload('clock');
}

class Clock {
  /** @param {string} file */
  constructor(file) {
    this.file = file;
    this.env = { LD_PRELOAD: findPreload('clock'), BB_TEST_CLOCK: file };
    this.step(0);
  }

  /** From now on it is so much ahead of the real one, milliseconds; at no moment neither the one nor the
   * other. @param {number} aheadMs */
  step(aheadMs) {
    fs.writeFileSync(`${this.file}.new`, String(aheadMs));
    fs.renameSync(`${this.file}.new`, this.file);
  }
}

/** @param {import('node:test').TestContext} t */
function makeClock(t) {
  return new Clock(path.join(tempDir(t), 'clock'));
}

module.exports = { lacksClock, makeClock };
