/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What of the store is worth an event for flows: it fails or works again, a backlog whose sink is gone
   is found, something that waited was dropped. Told by comparing how it was with how it is. */

/* A store that is full drops all the time. */
const DROPPED_EVERY_MS = 60000;

/** @typedef {{topic: string, payload: Record<string, any>}} Happening */
/** @typedef {Pick<import('./plant_state').PlantState, 'store' | 'orphans' | 'sinks'>} State */

class StoreWatch {
  constructor() {
    this.failing = false;
    /** Backlogs without a sink that were told. @type {Set<string>} */
    this.orphans = new Set();
    /** What was dropped of each sink, and when that was told. @type {Map<string, {total: number, ms: number}>} */
    this.dropped = new Map();
  }

  /** The runtime is gone; another one has counts of its own. */
  clear() {
    this.failing = false;
    this.orphans.clear();
    this.dropped.clear();
  }

  /** @param {State} state @param {number} nowMs @returns {Happening[]} */
  take({ store, orphans, sinks }, nowMs) {
    return [
      ...this.takeFailing(store),
      ...this.takeOrphans(orphans),
      ...this.takeDropped(sinks, nowMs),
    ];
  }

  /** @param {State['store']} store @returns {Happening[]} */
  takeFailing(store) {
    const failing = store?.failing === true;
    if (failing === this.failing) return [];
    this.failing = failing;
    const about = failing ? { event: 'failing', text: store?.reason } : { event: 'works' };
    return [{ topic: 'store', payload: about }];
  }

  /** @param {State['orphans']} orphans @returns {Happening[]} */
  takeOrphans(orphans) {
    const fresh = orphans.filter(({ sink }) => !this.orphans.has(sink));
    this.orphans = new Set(orphans.map(({ sink }) => sink));
    return fresh.map(({ sink, batches, bytes }) => {
      const text =
        `${batches} readings wait for the sink ${sink}, which is not in use: drop them in the sidebar, or give ` +
        'them to another sink';
      return { topic: `sink/${sink}`, payload: { event: 'orphan', sink, batches, bytes, text } };
    });
  }

  /** What was dropped before it was first seen is no news. @param {State['sinks']} sinks @param {number} nowMs
   * @returns {Happening[]} */
  takeDropped(sinks, nowMs) {
    /** @type {Happening[]} */
    const found = [];
    for (const [sink, { dropped: total = 0 }] of sinks) {
      const told = this.dropped.get(sink);
      if (!told || total < told.total) this.dropped.set(sink, { total, ms: -Infinity });
      if (!told || total <= told.total || nowMs - told.ms < DROPPED_EVERY_MS) continue;
      const batches = total - told.total;
      const text = `${batches} readings that waited for the sink ${sink} were dropped: there was no more room, or time`;
      found.push({
        topic: `sink/${sink}`,
        payload: { event: 'dropped', sink, batches, total, text },
      });
      this.dropped.set(sink, { total, ms: nowMs });
    }
    for (const sink of this.dropped.keys()) if (!sinks.has(sink)) this.dropped.delete(sink);
    return found;
  }
}

module.exports = { StoreWatch };
