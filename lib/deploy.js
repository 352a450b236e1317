/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a deploy has brought: the live busbar nodes, sorted by kind and by the runtime that they belong
   to, and whether all that the flows hold has come to life. */

/** @typedef {import('./document').LiveNode} LiveNode */

/** @typedef {object} RawNode As it stands in the flows file.
 * @property {string} id
 * @property {string} type
 * @property {string} [z] Of its flow, or of the subflow that it is a part of.
 * @property {boolean} [d] Disabled.
 * @property {boolean} [disabled] Of a flow.
 * @property {string} [name]
 */

const SOURCES = ['busbar-in'];
const ASKERS = ['busbar-read', 'busbar-write'];
const SINKS = ['busbar-mqtt', 'busbar-influxdb'];
/* In place of the key of a runtime: all of them. */
const EVERY = '*';
const ENDS = ['busbar-mqtt-out', 'busbar-influx-out'];

/** The busbar nodes of the flows that should be alive and are not. Those of a subflow's template never
 * are; their instances have ids of their own.
 * @param {Iterable<RawNode>} raws @param {(id: string) => unknown} getNode @returns {RawNode[]} */
function findMissing(raws, getNode) {
  const all = [...raws];
  const places = new Map(all.map((raw) => [raw.id, raw]));
  const isOff = (/** @type {RawNode} */ raw) => {
    const place = raw.z === undefined ? undefined : places.get(raw.z);
    return raw.d === true || place?.disabled === true || place?.type === 'subflow';
  };
  const isOurs = (/** @type {RawNode} */ { type }) => type.startsWith('busbar-');
  return all.filter((raw) => isOurs(raw) && !isOff(raw) && !getNode(raw.id));
}

class Deploy {
  /** @param {LiveNode[]} nodes All live ones, tls-config among them. */
  constructor(nodes) {
    /** @type {Map<string, LiveNode>} */
    this.nodes = new Map(nodes.map((node) => [node.id, node]));
  }

  /** @param {string[]} types @returns {LiveNode[]} */
  ofTypes(...types) {
    return [...this.nodes.values()].filter(({ type }) => types.includes(String(type)));
  }

  /** The key of the runtime that a node belongs to: a busbar-runtime's id, or '' for the one that is
   * there without any. @param {LiveNode | undefined} node @returns {string} */
  runtimeOf(node) {
    if (!node) return '';
    if (node.type === 'busbar-runtime') return node.id;
    const named = (/** @type {string} */ key) => this.nodes.get(node[key]);
    if (node.type === 'busbar-in' && node.source !== 'device') return this.ofAll();
    const key = ENDS.includes(String(node.type)) ? 'sink' : 'device';
    const below = named(key) ?? named('connection');
    return below ? this.runtimeOf(below) : (named('runtime')?.id ?? this.mainRuntime());
  }

  /** What names no runtime, or something that is not there, belongs to this one. */
  mainRuntime() {
    const runtimes = this.ofTypes('busbar-runtime').filter(({ id }) => !this.isIdle(id));
    return runtimes[0]?.id ?? '';
  }

  /** Nobody names it, though others are named. @param {string} id */
  isIdle(id) {
    const names = this.ofTypes('busbar-connection', ...SINKS).map(({ runtime }) => runtime);
    return names.some((name) => name && this.nodes.has(name)) && !names.includes(id);
  }

  /** What reads all devices belongs to each runtime, if there are several. */
  ofAll() {
    const [first, ...others] = this.runtimes();
    return others.length > 0 ? EVERY : (first ?? '');
  }

  /** @param {LiveNode} node @param {string} key */
  belongsTo(node, key) {
    const own = this.runtimeOf(node);
    return own === key || own === EVERY;
  }

  /** Keys of all runtimes that something belongs to; a device without a connection has to be told so, too.
   * @returns {string[]} */
  runtimes() {
    const members = this.ofTypes('busbar-connection', 'busbar-device', ...SINKS);
    return [...new Set(members.map((node) => this.runtimeOf(node)))];
  }
}

module.exports = { ASKERS, ENDS, EVERY, SINKS, SOURCES, Deploy, findMissing };
