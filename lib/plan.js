/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the deployed nodes of one runtime want together: the document, who reads which device by
   messages, and which wires run inside the runtime. */

const { ASKERS, ENDS, SINKS } = require('./deploy');
const { assemble } = require('./document');
const { compileSelection, listDevices } = require('./selection');
const { splitWires } = require('./wiring');

/** @typedef {import('./document').LiveNode} LiveNode */

/** @typedef {object} Plan
 * @property {import('./document').Assembly} assembly
 * @property {Set<string>} members Ids of all nodes of that runtime.
 * @property {{node: LiveNode, devices: string[], wires: string[][]}[]} readers `devices`: those that
 *   come as messages; `wires`: those that carry them.
 * @property {Map<string, string[]>} devicesOf What each busbar-in, -read and -write means, by its id.
 * @property {Map<string, string>} sinkOf The sink of each end of a flow, by the node's id.
 * @property {Set<string>} direct Ends that a wire reaches inside the runtime.
 */

/* Forms that a sink makes by itself; another one has to be made of messages. */
const PLAIN_FORMS = ['', 'object', 'influx'];

/** @param {LiveNode} node */
function isPlain(node) {
  return PLAIN_FORMS.includes(node.output ?? '') && node.mode !== 'snapshot';
}

/** An end with settings of its own for each message is not what the sink does by itself.
 * @param {LiveNode} node */
function isPlainEnd(node) {
  return !node.topic && !node.qos && !node.retain && !node.measurement;
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
    return { id: node.id, wires: node.wires ?? [], runtime: key, plain: isPlain(node) };
  });
  return splitWires(wires, sinks);
}

/**
 * @param {string} key @param {import('./deploy').Deploy} deploy
 * @param {import('./document').Parts['writePem']} writePem @returns {Plan}
 */
function planRuntime(key, deploy, writePem) {
  const mine = (/** @type {string[]} */ ...types) =>
    deploy.ofTypes(...types).filter((node) => deploy.runtimeOf(node) === key);
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
  const { direct, wired } = splitDirect(sources, ends, deploy, key);
  const byId = new Map(sources.map((node) => [node.id, node]));
  const routes = direct.map(({ source, sink }) => ({
    nodeId: source.id,
    sink: sinkIdOf(/** @type {LiveNode} */ (deploy.nodes.get(sink.sink))),
    devices: devicesOf.get(source.id) ?? [],
    source: /** @type {LiveNode} */ (byId.get(source.id)),
  }));
  const assembly = assemble({
    runtime: deploy.nodes.get(key),
    connections: mine('busbar-connection'),
    devices: deviceNodes,
    sinks: mine(...SINKS),
    nodes: deploy.nodes,
    routes: routes.filter(({ devices }) => devices.length > 0),
    sinksUsed: new Set(ends.map(({ sink }) => sink)),
    useOf: (id) => (polled.has(id) ? 'polled' : asked.has(id) ? 'asked' : 'unused'),
    writePem,
  });
  const readers = sources.map((node) => {
    const wires = wired.get(node.id) ?? [];
    const carries = wires.some((port) => port.length > 0);
    return { node, wires, devices: carries ? (devicesOf.get(node.id) ?? []) : [] };
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
    readers,
    devicesOf,
    sinkOf: new Map(sinkOf),
    direct: new Set(direct.map(({ sink }) => sink.id)),
  };
}

module.exports = { planRuntime };
