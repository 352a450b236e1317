/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the sidebar and a snapshot of busbar-event show: the runtime, each device, each sink. */

const { DISABLED, NOT_USED, ofDevice, ofDown, ofSink } = require('./status');

/** @typedef {import('./plant_state').Device} Device */

/* Devices that are not in the document. */
/** @type {Record<string, import('./status').Status>} */
const UNREAD = { disabled: DISABLED, unused: NOT_USED };

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
  };
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
    orphans: plant.state.orphans,
    refusal: refusal === '' ? null : refusal,
    mistakes: mistakes.map(({ nodeId, text }) => ({ nodeId, name: nameOf(hub, nodeId), text })),
  };
}

/** @param {import('./hub').Hub} hub @param {import('./plant').Plant} plant @param {import('./plan').Plan} plan
 * @param {number} now */
function describeDevices(hub, plant, plan, now) {
  const up = plant.runtime.state === 'up';
  return [...plan.assembly.devices].map(([id, { nodeId, connection, use }]) => {
    const device = plant.state.devices.get(id) ?? { id, points: 0, good: 0 };
    const status = UNREAD[use] ?? (up ? ofDevice(device, now, use === 'asked') : downOf(plant));
    const { points, good, reason, ...counts } = /** @type {Partial<Device>} */ (device);
    return {
      ...{ id, nodeId, name: nameOf(hub, nodeId), connection },
      ...{ state: status.busbar.state, text: status.text, reason },
      ...{ points, good, lastMs: counts.lastMs, rate: plant.state.rateOf(id, now) },
      ...{ polls: counts.polls, errors: counts.failed },
    };
  });
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

/** @param {import('./hub').Hub} hub */
function makeOverview(hub) {
  const now = Date.now();
  const runtimes = [];
  const devices = [];
  const sinks = [];
  const isTwin = (/** @type {string} */ key) => Number(hub.twins.has(key));
  const plans = [...hub.plans].sort(([a], [b]) => isTwin(a) - isTwin(b));
  for (const [key, plan] of plans) {
    const plant = hub.plants.get(key);
    if (!plant) continue;
    runtimes.push(describeRuntime(hub, key, plant));
    devices.push(...describeDevices(hub, plant, plan, now));
    sinks.push(...describeSinks(hub, key, plant, plan));
  }
  return { runtime: runtimes[0] ?? describeNone(hub), runtimes, devices, sinks };
}

module.exports = { makeOverview };
