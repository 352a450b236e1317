/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* From the live config nodes of a deploy to the one document that the runtime is given. Pure: what is
   wrong is listed with the node that it concerns; the runtime checks the rest. */

const { makeConnection } = require('./document_connection');
const { makeDevices } = require('./document_device');
const { findPlace } = require('./document_path');
const { makeRoutes, warnOfUntold } = require('./document_route');
const { makeSink } = require('./document_sink');
const { findUnknown } = require('./document_source');
const { leaveOutEmpty, readTagList } = require('./fields');

/** @typedef {{nodeId: string, text: string, short?: string}} Problem `short`: for a status. */
/** @typedef {Record<string, any> & {id: string, type?: string, name?: string}} LiveNode */

/** @typedef {object} Parts The live nodes of one runtime.
 * @property {LiveNode} [runtime]
 * @property {LiveNode[]} connections
 * @property {LiveNode[]} devices
 * @property {LiveNode[]} sinks
 * @property {Map<string, string>} connectionIds By node.
 * @property {Map<string, LiveNode>} nodes All config nodes, by their id.
 * @property {import('./document_route').DirectRoute[]} routes
 * @property {import('./document_source').Source[]} sources Each busbar-in of this runtime alone.
 * @property {LiveNode[]} ends Each busbar-mqtt-out and busbar-influx-out.
 * @property {(deviceId: string) => 'polled' | 'asked' | 'unused'} useOf
 * @property {(tls: LiveNode, what: string) => string | undefined} [pemFile] A certificate that the runtime
 *   reads itself.
 */

/** @typedef {object} Assembly
 * @property {Record<string, any>} document
 * @property {Record<string, string>} secrets By name; beside the document.
 * @property {Map<string, {nodeId: string, connection: string, tags: Record<string, string>, profile: string, profileNode?: string,
 *   used: boolean, use: 'polled' | 'asked' | 'unused' | 'disabled', names?: {points: string[], scans: string[]},
 *   describe: () => {points: {name: string, type: string}[]} | undefined}>} devices All that are configured, by id;
 *   `names`: where the profile can be read here; `describe`: the types of their values, by the profile.
 * @property {Map<string, {nodeId: string, kind: string, used: boolean}>} sinks
 * @property {Problem[]} problems
 * @property {Problem[]} warnings Of what runs, but may not be meant.
 * @property {(path: string) => import('./document_path').Place} placeOf The node that a path of the document
 *   is about, '' without one.
 */

/** A connection keeps the id that it has: with another one it would be another connection.
 * @param {LiveNode[]} nodes @param {Map<string, string>} ids By node; brought up to date. */
function nameConnections(nodes, ids) {
  const present = new Set(nodes.map(({ id }) => id));
  for (const id of [...ids.keys()]) if (!present.has(id)) ids.delete(id);
  const taken = new Set(ids.values());
  const unnamed = nodes.filter(({ id }) => !ids.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const node of unnamed) {
    const wanted = String(node.name || node.host || node.path || '');
    const base =
      wanted
        .replace(/[^A-Za-z0-9_.-]+/g, '-')
        .replace(/^[.-]+/, '')
        .slice(0, 56) || node.id;
    let id = base;
    for (let n = 2; taken.has(id); n++) id = `${base}-${n}`;
    taken.add(id);
    ids.set(node.id, id);
  }
}

/** Nodes of before the store say how long something waits in memory; 1d came with each of them.
 * @param {string | undefined} age */
function formerAge(age) {
  return age === '1d' ? undefined : age;
}

/** @param {LiveNode | undefined} runtime */
function makeRuntime(runtime) {
  return leaveOutEmpty({
    owner: 'editor',
    metrics: runtime?.metrics,
    queue_bytes: runtime?.queueBytes,
    store: leaveOutEmpty({
      sync: runtime?.storeSync,
      max_bytes: runtime?.storeBytes,
      max_age: runtime?.storeAge || formerAge(runtime?.queueAge),
    }),
    log: leaveOutEmpty({ level: runtime?.logLevel }),
  });
}

/** @param {Parts} parts @returns {Assembly} */
function assemble(parts) {
  /** @type {Problem[]} */
  const problems = [];
  /** @type {Problem[]} */
  const warnings = warnOfUntold(parts.ends, parts.routes);
  const connectionOf = parts.connectionIds;
  nameConnections(parts.connections, connectionOf);
  const connectionIds = new Map([...connectionOf].map(([nodeId, id]) => [id, nodeId]));
  const { entries, devices } = makeDevices(parts, connectionOf, problems);
  problems.push(...findUnknown(parts.sources, devices));
  const usedConnections = new Set(entries.map((entry) => entry.connection));
  const connections = parts.connections
    .map((node) => makeConnection(node, /** @type {string} */ (connectionOf.get(node.id))))
    .filter((entry) => usedConnections.has(entry.id));
  /** @type {Assembly['sinks']} */
  const sinks = new Map();
  /** @type {Record<string, string>} */
  const secrets = {};
  const sinkEntries = [];
  const sinksUsed = new Set(parts.ends.map(({ sink }) => sink));
  for (const node of parts.sinks) {
    const made = makeSink(node, parts, { problems, warnings });
    const other = sinks.get(made.id);
    if (other) {
      for (const nodeId of [other.nodeId, node.id]) {
        problems.push({ nodeId, text: `the sink id "${made.id}" is given twice; ids differ` });
      }
      continue;
    }
    const used = sinksUsed.has(node.id);
    sinks.set(made.id, { nodeId: node.id, kind: made.kind, used });
    if (!used) continue;
    sinkEntries.push(made.entry);
    Object.assign(secrets, made.secrets);
  }
  const site = leaveOutEmpty({
    id: parts.runtime?.siteId,
    tags: readTagList(parts.runtime?.siteTags),
  });
  const document = leaveOutEmpty({
    busbar: 1,
    site,
    connections,
    devices: entries,
    sinks: sinkEntries,
    routes: makeRoutes(parts.routes),
    runtime: makeRuntime(parts.runtime),
  });
  const placeOf = (/** @type {string} */ path) =>
    findPlace(path, { connectionIds, devices, sinks, parts });
  return { document, secrets, devices, sinks, problems: tellOnce(problems), warnings, placeOf };
}

/** Devices that share a node tell the same of it. @param {Problem[]} problems */
function tellOnce(problems) {
  const known = new Map(problems.map((problem) => [`${problem.nodeId} ${problem.text}`, problem]));
  return [...known.values()];
}

module.exports = { assemble, tellOnce };
