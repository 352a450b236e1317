/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What of a row of readings of one scan a flow is told: all, changes with a heartbeat, one in a
   period, an aggregate over a period. The same rules as those of the runtime's routes (docs/config.md),
   for readings that have become messages. */

/** @typedef {{payload: Record<string, any>, quality?: Record<string, string>}} Reading */
/** @typedef {'none' | 'last' | 'mean' | 'min' | 'max'} Aggregate */

/** @typedef {object} Reporting
 * @property {boolean} changes
 * @property {number} heartbeatMs 0: none.
 * @property {number} everyMs 0: each one.
 * @property {Aggregate} aggregate
 */

/** @typedef {{name: string, type?: string, deadband?: number}} Point */

const UNITS = { ms: 1, s: 1000, m: 60000, min: 60000, h: 3600000, d: 86400000 };

/** "250ms", "1s", "5min" in milliseconds; 0 for nothing. NaN: it is no duration.
 * @param {unknown} text */
function readDuration(text) {
  const trimmed = String(text ?? '').trim();
  if (trimmed === '') return 0;
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)$/.exec(trimmed) || [];
  return unit ? Number(number) * UNITS[/** @type {keyof typeof UNITS} */ (unit)] : NaN;
}

/** Whole periods, so that all devices' means cover the same minute. */
class Period {
  /** @param {number} ms @param {boolean} whole The first one counts only if it is a whole one. */
  constructor(ms, whole) {
    this.ms = ms;
    this.whole = whole;
    this.endMs = 0;
  }

  /** Whether the running one has ended; then the next begins. @param {number} nowMs */
  isOver(nowMs) {
    const first = this.endMs === 0;
    if (!first && nowMs < this.endMs) return false;
    this.endMs = (Math.floor(nowMs / this.ms) + 1) * this.ms;
    return !first || !this.whole;
  }
}

/** The shortest decimal of a float32, as readings have it. @param {number} value */
function shortenFloat32(value) {
  const single = Math.fround(value);
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return short;
  }
  return Number(single.toPrecision(9));
}

class Gathered {
  /** @param {Set<string>} singles Points that are float32: so is their mean, as in the runtime. */
  constructor(singles) {
    this.singles = singles;
    /** @type {Map<string, {count: number, sum: number, kept: any}>} */
    this.points = new Map();
  }

  /** @param {Reading} reading @param {Aggregate} aggregate */
  add({ payload, quality }, aggregate) {
    for (const [name, value] of Object.entries(payload)) {
      if (quality && Object.hasOwn(quality, name)) continue;
      const point = this.points.get(name);
      const exact = this.singles.has(name) ? Math.fround(Number(value)) : Number(value);
      if (!point) {
        this.points.set(name, { count: 1, sum: exact, kept: value });
        continue;
      }
      point.count++;
      point.sum += exact;
      const extreme = typeof value === 'number' && (aggregate === 'min' || aggregate === 'max');
      const stays = aggregate === 'min' ? value >= point.kept : value <= point.kept;
      if (!extreme || !stays) point.kept = value;
    }
  }

  /** Ends the period: what it holds in place of what is in the reading. Of texts and bits a mean is the
   * last. @param {Reading} reading @param {Aggregate} aggregate @returns {Reading} */
  conclude(reading, aggregate) {
    const payload = { ...reading.payload };
    const quality = { ...reading.quality };
    for (const [name, { count, sum, kept }] of this.points) {
      const isMean = aggregate === 'mean' && typeof kept === 'number';
      const mean = this.singles.has(name) ? shortenFloat32(sum / count) : sum / count;
      payload[name] = isMean ? mean : kept;
      delete quality[name];
    }
    this.points.clear();
    return Object.keys(quality).length > 0 ? { payload, quality } : { payload };
  }
}

class Reporter {
  /** @param {Reporting} reporting @param {Point[]} points */
  constructor(reporting, points) {
    this.reporting = reporting;
    this.deadbands = new Map(points.map(({ name, deadband }) => [name, deadband || 0]));
    const { everyMs, aggregate } = reporting;
    this.aggregate = everyMs > 0 ? aggregate : 'none';
    this.period = everyMs > 0 ? new Period(everyMs, this.aggregate !== 'none') : undefined;
    const singles = points.filter(({ type }) => type === 'float32').map(({ name }) => name);
    this.gathered = new Gathered(new Set(singles));
    /** @type {Map<string, any>} */
    this.lastValues = new Map();
    /** @type {Map<string, string>} */
    this.lastQualities = new Map();
    this.reportedMs = -Infinity;
  }

  /** What is to be told now, or nothing. `loss`: the last values, marked stale; told at once.
   * @param {Reading} reading @param {number} nowMs Of a clock that is never set.
   * @param {boolean} [loss] @returns {Reading | undefined} */
  report(reading, nowMs, loss = false) {
    const over = loss || !this.period || this.period.isOver(nowMs);
    /** @type {Reading | undefined} */
    let told = over ? reading : undefined;
    if (this.aggregate !== 'none' && !loss) {
      if (over) told = this.gathered.conclude(reading, this.aggregate);
      this.gathered.add(reading, this.aggregate);
    }
    if (told && this.reporting.changes) told = this.pickChanges(told, nowMs);
    if (told) this.reportedMs = nowMs;
    return told;
  }

  /** @param {Reading} reading @param {number} nowMs @returns {Reading | undefined} */
  pickChanges(reading, nowMs) {
    const { heartbeatMs } = this.reporting;
    const first = this.reportedMs === -Infinity;
    const due = heartbeatMs > 0 && nowMs >= this.reportedMs + heartbeatMs;
    const told = first || due ? reading : this.changesOf(reading);
    if (told) this.remember(told);
    return told;
  }

  /** @param {Reading} reading @returns {Reading | undefined} */
  changesOf({ payload, quality = {} }) {
    /** @type {Record<string, any>} */
    const values = {};
    /** @type {Record<string, string>} */
    const qualities = {};
    let any = false;
    for (const name of new Set([...Object.keys(payload), ...Object.keys(quality)])) {
      if (!this.isChanged(name, payload[name], quality[name])) continue;
      any = true;
      if (Object.hasOwn(payload, name)) values[name] = payload[name];
      if (Object.hasOwn(quality, name)) qualities[name] = quality[name];
    }
    if (!any) return undefined;
    return Object.keys(qualities).length > 0
      ? { payload: values, quality: qualities }
      : { payload: values };
  }

  /** @param {string} name @param {any} value @param {string | undefined} quality */
  isChanged(name, value, quality) {
    if (this.lastQualities.get(name) !== quality) return true;
    if (value === undefined) return false;
    const last = this.lastValues.get(name);
    if (last === value) return false;
    const deadband = this.deadbands.get(name) || 0;
    if (deadband === 0 || typeof value !== 'number' || typeof last !== 'number') return true;
    return !(Math.abs(value - last) <= deadband);
  }

  /** @param {Reading} told */
  remember({ payload, quality = {} }) {
    for (const [name, value] of Object.entries(payload)) {
      this.lastValues.set(name, value);
      this.lastQualities.delete(name);
    }
    for (const [name, word] of Object.entries(quality)) this.lastQualities.set(name, word);
  }
}

module.exports = { Reporter, readDuration };
