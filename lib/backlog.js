/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a person does in the sidebar about what waits: a backlog whose sink is gone is dropped or given
   to another one, and what a sink has refused for good is sent again or deleted. */

const { BusbarError } = require('./errors');

const PAGE = 200;
/* Of letters that were deleted between others; then what is shown is not the newest. */
const MAX_PAGES = 50;

/** @typedef {import('./hub').Hub} Hub */
/** @typedef {import('./plant').Plant} Plant */
/** @typedef {{runtime?: string, sink: string, do: 'drop' | 'reassign', to?: string}} OrphanWish */
/** @typedef {{runtime?: string, sink?: string, id?: number, do: 'requeue' | 'drop'}} DeadWish Without an id: all. */
/** @typedef {{id: number, sink: string, reason: string, time: number, device?: string, scan?: string,
 *   topic?: string}} DeadLetter `time`: when it was refused. */

/** The runtime that is meant: the one named, else one that fits. @param {Hub} hub
 * @param {string | undefined} key @param {(plant: Plant) => boolean} [fits] @returns {Plant} */
function plantOf(hub, key, fits = () => true) {
  const plants = [...hub.plants.values()];
  const plant = key === undefined ? (plants.find(fits) ?? plants[0]) : hub.plants.get(key);
  if (!plant) throw new BusbarError('BUSBAR_INVALID', 'this runtime is no longer there');
  if (plant.runtime.state === 'up') return plant;
  throw new BusbarError('BUSBAR_DOWN', plant.runtime.sentence);
}

/** Asks, and looks at once how it is then. @param {Plant} plant @param {Record<string, any>} args */
async function settle(plant, args) {
  const answer = await plant.runtime.request('store', args);
  await plant.poller.ask([]);
  return answer;
}

/** @param {Hub} hub @param {OrphanWish} wish @returns {Promise<any>} How many batches that were. */
function settleOrphan(hub, { runtime, sink, do: what, to }) {
  const plant = plantOf(hub, runtime, ({ state }) =>
    state.orphans.some((orphan) => orphan.sink === sink),
  );
  return settle(plant, what === 'drop' ? { do: what, sink } : { do: what, sink, to });
}

/** @param {Hub} hub @param {DeadWish} wish @returns {Promise<any>} Of those that are sent again `left` says how
 * many stay, because their sink is gone, and `reason` why it went no further. */
function settleDead(hub, { runtime, do: what, sink, id }) {
  const args = { do: what === 'drop' ? 'drop_dead' : what, ...(sink && { sink }) };
  return settle(plantOf(hub, runtime), { ...args, ...(id !== undefined && { letter: id }) });
}

/** Without its values. @param {DeadLetter} letter @returns {DeadLetter} */
function headOf({ id, sink, reason, time, device, scan, topic }) {
  return { id, sink, reason, time, device, scan, topic };
}

/** What sinks have refused for good, the newest first. The runtime tells the oldest first, by numbers that
 * rise; so all but the last are skipped by number, and what is deleted in between is paged over.
 * @param {Hub} hub @param {{runtime?: string, limit: number}} wish @returns {Promise<{dead: DeadLetter[]}>} */
async function listDead(hub, { runtime, limit }) {
  const plant = plantOf(hub, runtime);
  const ask = async (/** @type {number} */ after, /** @type {number} */ n) => {
    const answer = await plant.runtime.request('store', { do: 'dead', after, limit: n });
    return /** @type {{letters: DeadLetter[], more: boolean}} */ (answer);
  };
  const [first] = (await ask(0, 1)).letters;
  if (!first) return { dead: [] };
  const count = plant.state.store?.dead ?? 0;
  let found = [first];
  let after = Math.max(first.id, first.id + count - 1 - limit);
  for (let page = 0; page < MAX_PAGES; page++) {
    const { letters, more } = await ask(after, PAGE);
    found = [...found, ...letters].slice(-limit);
    if (!more || letters.length === 0) break;
    after = letters[letters.length - 1].id;
  }
  return { dead: found.reverse().map(headOf) };
}

module.exports = { listDead, settleDead, settleOrphan };
