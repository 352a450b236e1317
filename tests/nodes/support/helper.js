/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Nodes in the runtime of Node-RED inside this process (node-red-node-test-helper), beside a real
   busbar: `const { node, messages } = await load(t, flow)`. One at a time. */

const fs = require('node:fs');
const path = require('node:path');
/* Without types. */
/** @type {(name: string) => any} */
const requireAny = require;
const helper = requireAny('node-red-node-test-helper');
const { tempDir, waitFor } = require('../../support');
const { atEnd } = require('../../support/end');

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {Record<string, any> & {id: string, type: string}} FlowNode */

const TYPES = [
  ...['runtime', 'connection', 'profile', 'device', 'in', 'read', 'write', 'decode', 'line'],
  ...['mqtt', 'influxdb', 'mqtt-out', 'influx-out', 'event'],
];
const NODES = [
  ...TYPES.map((type) => require(`../../../nodes/busbar-${type}`)),
  requireAny('@node-red/nodes/core/common/24-complete'),
  requireAny('@node-red/nodes/core/common/25-catch'),
  requireAny('@node-red/nodes/core/common/25-status'),
  requireAny('@node-red/nodes/core/network/05-tls'),
  requireAny('@node-red/nodes/core/network/10-mqtt'),
];

helper.init(require.resolve('node-red'), { userDir: '/nonexistent' });

class Loaded {
  /** @param {string[]} watched Ids of helper nodes. @param {string} data Its data directory. */
  constructor(watched, data) {
    /** What came to each helper node. @type {Record<string, any[]>} */
    this.messages = {};
    this.data = data;
    for (const id of watched) {
      const list = (this.messages[id] = /** @type {any[]} */ ([]));
      helper.getNode(id).on('input', (/** @type {any} */ msg) => void list.push(msg));
    }
  }

  /** @param {string} id @returns {any} */
  node(id) {
    return helper.getNode(id);
  }

  /** @param {string} id @param {object} msg */
  send(id, msg) {
    this.node(id).receive(msg);
  }

  /** The first message at that helper node that fits. @param {string} id @param {(msg: any) => unknown} [fits]
   * @param {number} [from] @returns {Promise<any>} */
  waitFor(id, fits = () => true, from = 0) {
    return waitFor(() => this.messages[id].slice(from).find(fits), {
      what: `a message at ${id}`,
      timeoutMs: 15000,
    });
  }

  /** Sends, and gives the next message at the helper node. @param {string} id @param {object} msg @param {string} [at]
   * @returns {Promise<any>} */
  async ask(id, msg, at = 'out') {
    const from = this.messages[at].length;
    this.send(id, msg);
    return this.waitFor(at, () => true, from);
  }
}

/** Of the runtime of that data directory; 0: there is none. @param {string} data */
function readPid(data) {
  const file = path.join(data, 'runtime.json');
  return fs.existsSync(file) ? Number(JSON.parse(fs.readFileSync(file, 'utf8')).pid) : 0;
}

/**
 * Loads a flow with `catch` and `status` helper nodes beside those that it has.
 * @param {TestContext} t @param {FlowNode[]} flow @param {Record<string, Record<string, string>>} [credentials]
 */
async function load(t, flow, credentials = {}) {
  const data = tempDir(t);
  process.env.BUSBAR_DATA = data;
  const tab = { id: 'tab', type: 'tab', label: 'test' };
  const observers = [
    { id: 'caught', type: 'helper', z: 'tab' },
    { id: 'stated', type: 'helper', z: 'tab' },
    { id: 'c', type: 'catch', z: 'tab', scope: null, wires: [['caught']] },
    { id: 's', type: 'status', z: 'tab', scope: null, wires: [['stated']] },
  ];
  /** @type {FlowNode[]} */
  const nodes = [
    tab,
    ...flow.map((node) => ('wires' in node ? { z: 'tab', ...node } : node)),
    ...observers,
  ];
  await helper.load(NODES, nodes, credentials);
  atEnd(t, async () => {
    const pid = readPid(data);
    /* A flow without any of ours lets the runtime go. */
    await helper.setFlows([tab], 'full');
    await waitFor(() => pid === 0 || !fs.existsSync(`/proc/${pid}`), {
      what: 'the runtime to end',
    });
    await helper.unload();
  });
  const watched = nodes.filter(({ type }) => type === 'helper').map(({ id }) => id);
  return new Loaded(watched, data);
}

module.exports = { Loaded, load, readPid };
