/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the deployed nodes of one runtime want together: the document, who reads which device by
   messages, and which wires run inside the runtime. */

const { findBelow } = require('./below');
const { ASKERS, ENDS, EVERY, SINKS } = require('./deploy');
const { assemble } = require('./document');
const { compileSelection, listDevices } = require('./selection');
const { findDirect } = require('./wiring');

/** @typedef {import('./document').LiveNode} LiveNode */

/** @typedef {object} Plan
 * @property {import('./document').Assembly} assembly
 * @property {Set<string>} members Ids of all nodes of that runtime.
 * @property {{node: LiveNode, devices: string[], wires: string[][]}[]} sources Each busbar-in, with all
 *   its devices and wires.
 * @property {Map<string, string[]>} devicesOf What each busbar-in, -read and -write means, by its id.
 * @property {Map<string, Set<string>>} belowOf The config nodes that each node of a flow stands on, itself
 *   among them, by its id.
 * @property {Map<string, string>} sinkOf The sink of each end of a flow, by the node's id.
 * @property {Map<string, Set<string>>} direct By source, the ends that its wires reach inside the runtime.
 */

/* Forms that a sink makes by itself; another one has to be made of messages. */
const PLAIN_FORMS = ['', 'object', 'influx'];

/* What an end may say of each message. */
const OF_A_MESSAGE = [
  ...['topic', 'qos', 'retain', 'measurement'],
  ...['respTopic', 'contentType', 'userProps', 'correl', 'expiry'],
];

/** @param {LiveNode} node */
function isPlain(node) {
  return PLAIN_FORMS.includes(node.output ?? '') && node.mode !== 'snapshot';
}

/** An end with settings of its own for each message is not what the sink does by itself.
 * @param {LiveNode} node */
function isPlainEnd(node) {
  return !OF_A_MESSAGE.some((name) => node[name]);
}

/** @param {LiveNode} node */
function sinkIdOf(node) {
  return String(node.sinkId ?? '').trim() || node.id;
}

/** @param {LiveNode[]} sources @param {LiveNode[]} ends @param {import('./deploy').Deploy} deploy @param {string} key */
function splitDirect(sources, ends, deploy, key) {
  const targets = ends.filter((end) => isPlainEnd(end) && deploy.nodes.has(end.sink));
  const sinks = new Map(
    targets.map((end) => [end.id, { id: end.id, sink: end.sink, runtime: key }]),
  );
  const wires = sources.map((node) => {
    const plain = isPlain(node) && deploy.runtimeOf(node) !== EVERY;
    return { id: node.id, wires: node.wires ?? [], runtime: key, plain };
  });
  return findDirect(wires, sinks);
}

/** All of them stand on the runtime, too.
 * @param {string} key @param {LiveNode[]} flowNodes @param {import('./selection').Candidate[]} candidates
 * @param {Map<string, LiveNode>} nodes @returns {Plan['belowOf']} */
function groupBelow(key, flowNodes, candidates, nodes) {
  const meansDevices = (/** @type {LiveNode} */ { type }) => !ENDS.includes(String(type));
  const all = flowNodes.map((node) => {
    const meant = meansDevices(node) ? candidates.filter(compileSelection(node)) : [];
    const ids = [node.id, ...meant.map(({ nodeId }) => nodeId), ...(key ? [key] : [])];
    return /** @type {[string, Set<string>]} */ ([node.id, findBelow(ids, nodes)]);
  });
  return new Map(all);
}

/** @param {{source: {id: string}, sink: {id: string}}[]} direct */
function groupDirect(direct) {
  /** @type {Map<string, Set<string>>} */
  const groups = new Map();
  for (const { source, sink } of direct) {
    const group = groups.get(source.id) ?? new Set();
    groups.set(source.id, group.add(sink.id));
  }
  return groups;
}

/** What is left of the wires of a source for messages.
 * @param {Plan['sources'][number]} source @param {Plan['direct']} direct */
function wiredOf({ node, wires }, direct) {
  const taken = direct.get(node.id);
  return wires.map((port) => port.filter((target) => !taken?.has(target)));
}

/**
 * @param {string} key @param {import('./deploy').Deploy} deploy
 * @param {{pemFile?: import('./document').Parts['pemFile'], connectionIds?: Map<string, string>}} [more]
 * `connectionIds`: what connections are called, by node; those that stay keep their names.
 * @returns {Plan}
 */
function planRuntime(key, deploy, { pemFile, connectionIds = new Map() } = {}) {
  const mine = (/** @type {string[]} */ ...types) =>
    deploy.ofTypes(...types).filter((node) => deploy.belongsTo(node, key));
  const deviceNodes = mine('busbar-device');
  const candidates = listDevices(deviceNodes);
  const sources = mine('busbar-in');
  const askers = mine(...ASKERS);
  const ends = mine(...ENDS);
  /** @type {Map<string, string[]>} */
  const devicesOf = new Map();
  for (const node of [...sources, ...askers]) {
    devicesOf.set(
      node.id,
      candidates.filter(compileSelection(node)).map(({ id }) => id),
    );
  }
  const idsOf = (/** @type {LiveNode[]} */ nodes) =>
    new Set(nodes.flatMap((node) => devicesOf.get(node.id) ?? []));
  const polled = idsOf(sources);
  const asked = idsOf(askers);
  const direct = splitDirect(sources, ends, deploy, key);
  const byId = new Map([...sources, ...ends].map((node) => [node.id, node]));
  const routes = direct.map(({ source, sink }) => ({
    nodeId: source.id,
    sink: sinkIdOf(/** @type {LiveNode} */ (deploy.nodes.get(sink.sink))),
    devices: devicesOf.get(source.id) ?? [],
    source: /** @type {LiveNode} */ (byId.get(source.id)),
    end: /** @type {LiveNode} */ (byId.get(sink.id)),
  }));
  const all = sources.map((node) => {
    return { node, wires: node.wires ?? [], devices: devicesOf.get(node.id) ?? [] };
  });
  const assembly = assemble({
    runtime: deploy.nodes.get(key),
    connections: mine('busbar-connection'),
    devices: deviceNodes,
    sinks: mine(...SINKS),
    nodes: deploy.nodes,
    routes: routes.filter(({ devices }) => devices.length > 0),
    /* Of one that reads all runtimes, others may have what this one has not. */
    sources: all.filter(({ node }) => deploy.runtimeOf(node) !== EVERY),
    ends,
    useOf: (id) => (polled.has(id) ? 'polled' : asked.has(id) ? 'asked' : 'unused'),
    pemFile,
    connectionIds,
  });
  const members = mine(
    'busbar-connection',
    'busbar-device',
    'busbar-in',
    ...ASKERS,
    ...SINKS,
    ...ENDS,
  );
  const sinkOf = ends.map((end) => {
    const sink = deploy.nodes.get(end.sink);
    return /** @type {[string, string]} */ ([end.id, sink ? sinkIdOf(sink) : '']);
  });
  return {
    assembly,
    members: new Set([key, ...members.map(({ id }) => id)]),
    sources: all,
    devicesOf,
    belowOf: groupBelow(key, [...sources, ...askers, ...ends], candidates, deploy.nodes),
    sinkOf: new Map(sinkOf),
    direct: groupDirect(direct),
  };
}

module.exports = { planRuntime, sinkIdOf, wiredOf };
