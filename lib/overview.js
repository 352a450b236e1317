/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the sidebar and a snapshot of busbar-event show: the runtime, each device, each sink. */

const { NOT_USED, ofDevice, ofDown, ofSink } = require('./status');

const PART_DEVICES = 40;

/** @param {import('./hub').Hub} hub @param {string} id */
function nameOf(hub, id) {
  const added = hub.added.get(id);
  return added?.config.name || '';
}

/** @param {import('./hub').Hub} hub @param {string} key @param {import('./plant').Plant} plant */
function describeRuntime(hub, key, plant) {
  const { runtime, refusal, mistakes, paused, poller } = plant;
  const { hello } = runtime;
  return {
    id: key,
    state: runtime.state,
    sentence: runtime.sentence,
    keepsAlive: runtime.keepsAlive(),
    paused,
    dataDir: runtime.dataDir,
    version: hello?.version,
    pid: hello?.pid,
    startedMs: hello?.started,
    lagUs: poller.about.loop_lag_max_us,
    queue: poller.about.queue,
    refusal: refusal === '' ? null : refusal,
    mistakes: mistakes.map(({ nodeId, text }) => ({ nodeId, name: nameOf(hub, nodeId), text })),
  };
}

/** @param {import('./plant').Plant} plant @param {string} id @param {boolean} used @param {number} now */
function statusOf({ runtime, state }, id, used, now) {
  if (!used) return NOT_USED;
  if (runtime.state !== 'up') return ofDown(runtime.sentence);
  return ofDevice(state.devices.get(id) ?? { id, points: 0, good: 0 }, now);
}

/** One by one. @param {import('./hub').Hub} hub */
function* describeDevices(hub) {
  const now = Date.now();
  for (const [key, plan] of hub.plans) {
    const plant = hub.plants.get(key);
    if (!plant) continue;
    for (const [id, { nodeId, connection, used }] of plan.assembly.devices) {
      const { busbar, text } = statusOf(plant, id, used, now);
      const device = plant.state.devices.get(id);
      yield {
        id,
        nodeId,
        name: nameOf(hub, nodeId),
        connection,
        state: busbar.state,
        text,
        reason: device?.reason,
        points: device?.points,
        good: device?.good,
        lastMs: device?.lastMs,
        rate: device?.rate,
        polls: device?.polls,
        errors: device?.failed,
      };
    }
  }
}

/** @param {import('./hub').Hub} hub @param {import('./plant').Plant} plant @param {import('./plan').Plan} plan */
function describeSinks(hub, plant, plan) {
  const up = plant.runtime.state === 'up';
  return [...plan.assembly.sinks].map(([id, { nodeId, kind, used }]) => {
    const sink = plant.state.sinks.get(id);
    const status = !used
      ? NOT_USED
      : !up
        ? ofDown(plant.runtime.sentence)
        : ofSink(sink ?? { id, waiting: 0 });
    return {
      ...{ id, nodeId, name: nameOf(hub, nodeId), kind },
      ...{ state: status.busbar.state, text: status.text, reason: sink?.reason },
      ...{ queue: sink?.waiting, delivered: sink?.delivered, refused: sink?.refused },
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

/** All but the devices, of which there may be thousands. @param {import('./hub').Hub} hub */
function describePlants(hub) {
  const runtimes = [];
  const sinks = [];
  for (const [key, plan] of hub.plans) {
    const plant = hub.plants.get(key);
    if (!plant) continue;
    runtimes.push(describeRuntime(hub, key, plant));
    sinks.push(...describeSinks(hub, plant, plan));
  }
  return { runtime: runtimes[0] ?? NO_RUNTIME, runtimes, sinks };
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
