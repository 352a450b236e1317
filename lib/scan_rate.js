/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* How many values a second a scan brings, measured: of its readings between two looks at its counter, by
   the times of the readings themselves, so that it does not matter when it was looked at. */

/* Over less than that, one reading more or less would show. */
const WINDOW_MS = 5000;
/* So many readings may be missing before it counts as silent. */
const MISSING = 3;

class ScanRate {
  constructor() {
    /** Where the running measurement began. @type {{readings: number, ms: number} | undefined} */
    this.base = undefined;
    this.points = 0;
    this.lastMs = 0;
    /** Between two readings; 0: not known yet. */
    this.intervalMs = 0;
  }

  /** @param {number} readings So far. @param {number} ms When the newest was taken. @param {number} points */
  take(readings, ms, points) {
    const { base } = this;
    this.points = points;
    this.lastMs = ms;
    if (!base || readings < base.readings || ms < base.ms) {
      this.base = { readings, ms };
      this.intervalMs = 0;
      return;
    }
    const isDue = ms - base.ms >= WINDOW_MS || this.intervalMs === 0;
    if (readings === base.readings || ms === base.ms || !isDue) return;
    this.intervalMs = (ms - base.ms) / (readings - base.readings);
    /* The first ones are measured again, over the whole window. */
    if (ms - base.ms >= WINDOW_MS) this.base = { readings, ms };
  }

  /** Values a second; undefined: not known yet. @param {number} nowMs */
  at(nowMs) {
    const { intervalMs, lastMs, points } = this;
    if (intervalMs === 0) return undefined;
    const isSilent = nowMs - lastMs > Math.max(WINDOW_MS, MISSING * intervalMs);
    return isSilent ? 0 : (1000 * points) / intervalMs;
  }
}

module.exports = { ScanRate };
