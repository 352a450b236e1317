/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the sidebar and a snapshot of busbar-event show: the runtime, each device, each sink. */

const { DISABLED, NOT_USED, ofDevice, ofDown, ofSink } = require('./status');

/** @typedef {import('./plant_state').Device} Device */

/* Devices that are not in the document. */
/** @type {Record<string, import('./status').Status>} */
const UNREAD = { disabled: DISABLED, unused: NOT_USED };

const PART_DEVICES = 40;

/** @param {import('./hub').Hub} hub @param {string} id */
function nameOf(hub, id) {
  const added = hub.added.get(id);
  return added?.config.name || '';
}

/** @param {import('./plant').Plant} plant */
function downOf(plant) {
  return ofDown(sentenceOf(plant), plant.blocked ? '' : plant.runtime.error?.code);
}

/** @param {import('./plant').Plant} plant */
function sentenceOf({ blocked, runtime }) {
  return blocked?.text ?? runtime.sentence;
}

/** Nothing where the runtime is of before the store. @param {import('./plant').Plant} plant */
function describeStore({ state: { store, storeFailure } }) {
  if (!store) return undefined;
  return {
    ...{ open: store.open, failing: store.failing, reason: storeFailure, path: store.path },
    ...{ bytes: store.bytes, maxBytes: store.max_bytes, maxAgeMs: store.max_age_ms },
    ...{ fileBytes: store.file_bytes, syncMs: store.sync_ms, records: store.records },
    ...{ dead: store.dead, deadBytes: store.dead_bytes },
    ...{ writtenBytes: store.written_bytes, savedSamples: store.saved_samples },
  };
}

/** Why something waits for a sink that does not run.
 * @param {import('./hub').Hub} hub @param {string} key @param {import('./plant_state').Orphan} orphan
 * @returns {'disabled' | 'unused' | 'gone'} */
function whyOrphan(hub, key, { sink, disabled }) {
  if (disabled || hub.disabledSinks.has(sink)) return 'disabled';
  return hub.plans.get(key)?.assembly.sinks.has(sink) ? 'unused' : 'gone';
}

/** @param {import('./hub').Hub} hub @param {string} key @param {import('./plant').Plant} plant */
function describeRuntime(hub, key, plant) {
  const { runtime, refusal, mistakes, paused, poller, blocked } = plant;
  const { hello } = runtime;
  return {
    id: key,
    state: blocked ? 'fault' : runtime.state,
    sentence: sentenceOf(plant),
    keepsAlive: blocked ? '' : runtime.keepsAlive(),
    paused,
    dataDir: runtime.dataDir,
    version: hello?.version,
    pid: hello?.pid,
    startedMs: hello?.started,
    lagUs: poller.about.loop_lag_max_us,
    queue: poller.about.queue,
    store: describeStore(plant),
    orphans: plant.state.orphans.map((one) => ({ ...one, why: whyOrphan(hub, key, one) })),
    refusal: refusal === '' ? null : refusal,
    mistakes: mistakes.map(({ nodeId, text }) => ({ nodeId, name: nameOf(hub, nodeId), text })),
  };
}

/** @param {import('./plant').Plant} plant @param {string} id @param {string} use @param {number} now */
function statusOf(plant, id, use, now) {
  if (UNREAD[use]) return UNREAD[use];
  if (plant.runtime.state !== 'up') return downOf(plant);
  return ofDevice(plant.state.devices.get(id) ?? { id, points: 0, good: 0 }, now, use === 'asked');
}

/** The plans, those of twins last. @param {import('./hub').Hub} hub */
function sortPlans(hub) {
  const isTwin = (/** @type {string} */ key) => Number(hub.twins.has(key));
  return [...hub.plans].sort(([a], [b]) => isTwin(a) - isTwin(b));
}

/** One by one. @param {import('./hub').Hub} hub */
function* describeDevices(hub) {
  const now = Date.now();
  for (const [key, plan] of sortPlans(hub)) {
    const plant = hub.plants.get(key);
    if (!plant) continue;
    for (const [id, { nodeId, connection, use }] of plan.assembly.devices) {
      const { busbar, text } = statusOf(plant, id, use, now);
      const device = /** @type {Partial<Device>} */ (
        plant.state.devices.get(id) ?? { points: 0, good: 0 }
      );
      yield {
        ...{ id, nodeId, name: nameOf(hub, nodeId), connection },
        ...{ state: busbar.state, text, reason: device.reason },
        ...{ points: device.points, good: device.good, lastMs: device.lastMs },
        ...{ rate: plant.state.rateOf(id, now), polls: device.polls, errors: device.failed },
      };
    }
  }
}

/** @param {import('./hub').Hub} hub @param {string} key @param {import('./plant').Plant} plant
 * @param {import('./plan').Plan} plan */
function describeSinks(hub, key, plant, plan) {
  const failure = plant.state.storeFailure;
  const up = plant.runtime.state === 'up';
  return [...plan.assembly.sinks].map(([id, { nodeId, kind, used }]) => {
    const sink = plant.state.sinks.get(id);
    const status = !used
      ? NOT_USED
      : !up
        ? downOf(plant)
        : ofSink(sink ?? { id, waiting: 0 }, failure);
    return {
      ...{ id, nodeId, name: nameOf(hub, nodeId), kind, runtime: key },
      ...{ state: status.busbar.state, text: status.text, reason: sink?.reason },
      ...{ queue: sink?.waiting, saved: sink?.saved, store: sink?.store },
      ...{ delivered: sink?.delivered, refused: sink?.refused },
      ...{ dropped: sink?.dropped, retried: sink?.retried },
    };
  });
}

const NO_RUNTIME = {
  id: '',
  state: 'stopped',
  sentence: 'nothing is read: there is no busbar connection or sink in the deployed flows',
  keepsAlive: '',
  refusal: null,
  mistakes: [],
};

/** Nothing is live. @param {import('./hub').Hub} hub */
function describeNone(hub) {
  if (!hub.safeMode) return NO_RUNTIME;
  const sentence = 'nothing is read: Node-RED is in safe mode until the next deploy';
  return { ...NO_RUNTIME, sentence };
}

/** All but the devices, of which there may be thousands. @param {import('./hub').Hub} hub */
function describePlants(hub) {
  const runtimes = [];
  const sinks = [];
  for (const [key, plan] of sortPlans(hub)) {
    const plant = hub.plants.get(key);
    if (!plant) continue;
    runtimes.push(describeRuntime(hub, key, plant));
    sinks.push(...describeSinks(hub, key, plant, plan));
  }
  return { runtime: runtimes[0] ?? describeNone(hub), runtimes, sinks };
}

/** @param {import('./hub').Hub} hub */
function makeOverview(hub) {
  return { ...describePlants(hub), devices: [...describeDevices(hub)] };
}

/** The same as JSON, in parts of a few devices each, so that others have their turn in between.
 * @param {import('./hub').Hub} hub @returns {Generator<string>} */
function* writeOverview(hub) {
  let part = `${JSON.stringify(describePlants(hub)).slice(0, -1)},"devices":[`;
  let count = 0;
  for (const device of describeDevices(hub)) {
    if (count > 0) part += ',';
    part += JSON.stringify(device);
    if (++count % PART_DEVICES > 0) continue;
    yield part;
    part = '';
  }
  yield `${part}]}`;
}

module.exports = { makeOverview, writeOverview };
