/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the dot of each node in a flow says. */

const { error: noCodecs } = require('./binding');
const { readBoolean } = require('./fields');
const { DISABLED, NOT_USED, STARTING, ofDevices, ofDown, ofFault, ofSink } = require('./status');

/** @typedef {import('./hub').Hub} Hub */
/** @typedef {import('./status').Status} Status */
/** @typedef {{plant: import('./plant').Plant, plan: import('./plan').Plan}} Place */

/** What keeps the whole from working, if anything. Mistakes of what a node stands on are its own.
 * @param {Hub} hub @param {string} id @returns {Status | Place} */
function look(hub, id) {
  const place = hub.placeOf(id);
  if (!place?.plant) return STARTING;
  const { plant, plan } = place;
  if (plant.blocked) return ofFault(plant.blocked.text, plant.blocked);
  if (plant.mistakes.length > 0) {
    const below = plan.belowOf.get(id);
    const mistake = plant.mistakes.find(({ nodeId }) => below?.has(nodeId));
    if (mistake) return ofFault(mistake.text, { short: mistake.short });
  }
  if (plant.runtime.state === 'starting') return STARTING;
  if (plant.runtime.state !== 'up') return downOf(plant);
  return { plant, plan };
}

/** What the runtime does not know comes with a deploy that runs: until then the refusal is all there is to say.
 * @param {import('./plant').Plant} plant @param {boolean} isKnown @returns {Status | undefined} */
function ofRefused({ refusal }, isKnown) {
  return refusal && !isKnown ? ofFault(refusal, { code: 'BUSBAR_REFUSED' }) : undefined;
}

/** @param {import('./plant').Plant} plant @param {string[]} ids Of devices. */
function knowsAny({ state }, ids) {
  return ids.length === 0 || ids.some((id) => state.devices.has(id));
}

/** @param {import('./plant').Plant} plant */
function downOf({ runtime }) {
  return ofDown(runtime.sentence, runtime.error?.code);
}

/** Whether the node names a device that is disabled, in its settings or as a node of Node-RED.
 * @param {Hub} hub @param {string} id */
function isDisabled(hub, id) {
  const config = hub.added.get(id)?.config;
  if (!config?.device || (config.source && config.source !== 'device')) return false;
  const device = hub.added.get(config.device)?.config;
  return device ? readBoolean(device.enabled) === false : hub.disabled.has(config.device);
}

/** @param {Status | Place} found @returns {found is Status} */
function isStatus(found) {
  return 'busbar' in found;
}

/** busbar-in. @param {Hub} hub @param {string} id @returns {Status} */
function ofReader(hub, id) {
  const found = look(hub, id);
  if (isStatus(found)) return found;
  if (isDisabled(hub, id)) return DISABLED;
  const { plant, plan } = found;
  const ids = plan.devicesOf.get(id) ?? [];
  const devices = ids.map(
    (device) => plant.state.devices.get(device) ?? { id: device, points: 0, good: 0 },
  );
  return ofRefused(plant, knowsAny(plant, ids)) ?? ofDevices(devices, Date.now());
}

/** busbar-read, busbar-write. A device that is only asked now and then is not known before.
 * @param {Hub} hub @param {string} id @returns {Status} */
function ofAsker(hub, id) {
  const found = look(hub, id);
  if (isStatus(found)) return found;
  if (isDisabled(hub, id)) return DISABLED;
  const { plant, plan } = found;
  const ids = plan.devicesOf.get(id) ?? [];
  const refused = ofRefused(plant, knowsAny(plant, ids));
  if (refused) return refused;
  const states = ids.map((device) => plant.state.devices.get(device));
  const known = states.filter((state) => state?.up !== undefined);
  if (known.length > 0) return ofDevices(/** @type {any[]} */ (known), Date.now());
  return { fill: 'grey', shape: 'dot', text: 'ready', busbar: { state: 'ready' } };
}

/** busbar-mqtt-out, busbar-influx-out. @param {Hub} hub @param {string} id @returns {Status} */
function ofEnd(hub, id) {
  const config = hub.added.get(id)?.config;
  if (!config?.sink) return ofFault('no sink is set; choose one in this node');
  const found = look(hub, id);
  if (isStatus(found)) return found;
  const { plant, plan } = found;
  const sink = plan.sinkOf.get(id) ?? '';
  if (!plan.assembly.sinks.get(sink)) return NOT_USED;
  const { state } = plant;
  const refused = ofRefused(plant, state.sinks.has(sink));
  if (refused) return refused;
  return ofSink(state.sinks.get(sink) ?? { id: sink, waiting: 0 }, state.storeFailure);
}

/** busbar-event: of all runtimes, the one in the worst state. @param {Hub} hub @returns {Status} */
function ofRuntime(hub) {
  const plants = [...hub.plants.values()];
  if (plants.length === 0) return NOT_USED;
  const refused = plants.find(({ refusal }) => refusal !== '');
  if (refused) {
    return ofFault(refused.refusal, { code: 'BUSBAR_REFUSED', short: refused.blocked?.short });
  }
  const down = plants.find(({ runtime }) => runtime.state !== 'up');
  if (down) return down.runtime.state === 'starting' ? STARTING : downOf(down);
  return { fill: 'green', shape: 'dot', text: 'running', busbar: { state: 'running' } };
}

/** busbar-decode, busbar-line: a dot only where they cannot work.
 * @param {string | undefined} [error] Why the codecs are not there. @returns {(() => Status) | undefined} */
function ofCodec(error = noCodecs) {
  if (error === undefined) return undefined;
  const status = ofFault(error, { code: 'BUSBAR_NO_BINDING', short: 'the codecs are missing' });
  return () => status;
}

module.exports = { ofAsker, ofCodec, ofEnd, ofReader, ofRuntime };
