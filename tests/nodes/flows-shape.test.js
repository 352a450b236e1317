/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The flows and examples as files: whether they can be imported as they are, with nothing missing and
   nothing that the palette does not know. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { REPO, readFile } = require('../../scripts/files');

/** @typedef {Record<string, any> & {id: string, type: string}} FlowNode */

const manifest = JSON.parse(fs.readFileSync(path.join(REPO, 'package.json'), 'utf8'));
const CONFIG = ['runtime', 'connection', 'profile', 'device', 'mqtt', 'influxdb'];
const CONFIG_TYPES = new Set(CONFIG.map((name) => `busbar-${name}`));
const OWN_TYPES = Object.keys(manifest['node-red'].nodes);
/* Of Node-RED itself, as far as they are used here. */
const CORE_TYPES = new Set([
  ...['tab', 'group', 'junction', 'global-config', 'comment', 'inject', 'debug', 'function'],
  ...['switch', 'change', 'catch', 'complete', 'status', 'link in', 'link out', 'delay'],
]);
/* Fields of ours that name a config node, by their type. */
const REFERENCES = {
  ...{ device: 'busbar-device', connection: 'busbar-connection', runtime: 'busbar-runtime' },
  ...{ profileNode: 'busbar-profile', tls: 'tls-config' },
};
const SINK_OF = { 'busbar-mqtt-out': 'busbar-mqtt', 'busbar-influx-out': 'busbar-influxdb' };

/** @param {string} folder @returns {{file: string, nodes: FlowNode[]}[]} */
function readFolder(folder) {
  return fs
    .readdirSync(path.join(REPO, folder))
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const text = fs.readFileSync(path.join(REPO, folder, name), 'utf8');
      return { file: `${folder}/${name}`, nodes: JSON.parse(text) };
    });
}

const FLOWS = readFolder('flows');
const EXAMPLES = readFolder('examples');
const ALL = [...FLOWS, ...EXAMPLES];

/** @param {FlowNode} node */
const isOurs = ({ type }) => type.startsWith('busbar-');

/** What resources/busbar-sink.js adds to the object that the dialogs share. @type {Record<string, any>} */
const shared = new Function(`${readFile('resources/busbar-sink.js')}\nreturn busbarEditor;`)();

/** The names of the defaults of a type, out of its html. @param {string} type @returns {Set<string>} */
function readDefaults(type) {
  const html = fs.readFileSync(path.join(REPO, 'nodes', `${type}.html`), 'utf8');
  const [script] = html.match(/<script type="text\/javascript">[^]*?<\/script>/) ?? [];
  assert.ok(script, `nodes/${type}.html has a script`);
  /** @type {Record<string, any>} */
  let defaults = {};
  const registerType = (/** @type {string} */ name, /** @type {any} */ definition) => {
    assert.equal(name, type);
    defaults = definition.defaults;
  };
  const body = script.replace(/<\/?script[^>]*>/g, '');
  /* Of what the dialogs share, only defaults matter here. */
  /** @type {any} */
  const anything = new Proxy(() => anything, { get: () => anything });
  const make = new Function('RED', 'busbarEditor', 'busbarRules', body);
  const editor = {
    get: (/** @type {any} */ _, /** @type {string} */ name) => shared[name] ?? anything,
  };
  make({ nodes: { registerType } }, new Proxy({}, editor), anything);
  return new Set(Object.keys(defaults));
}

test('there are five reference flows and a lesson for each node', () => {
  assert.ok(FLOWS.length >= 5, `${FLOWS.length} flows`);
  for (const { file } of EXAMPLES) assert.match(file, /^examples\/\d\d - [A-Z][\w ]+\.json$/);
  const used = new Set(EXAMPLES.flatMap(({ nodes }) => nodes.map(({ type }) => type)));
  const missing = OWN_TYPES.filter((type) => !CONFIG_TYPES.has(type) && !used.has(type));
  assert.deepEqual(missing, []);
});

for (const { file, nodes } of ALL) {
  test(`${file}: a tab with comments, ids that are unique, wires that end in a node of the tab`, () => {
    const byId = new Map(nodes.map((node) => [node.id, node]));
    assert.equal(byId.size, nodes.length, 'two nodes have one id');
    assert.ok(nodes.some(({ type, info }) => type === 'tab' && info));
    assert.ok(nodes.some(({ type }) => type === 'comment'));
    for (const { id, type, z, wires, x, y } of nodes) {
      assert.match(id, /^[0-9a-f]{16}$/, `${type} ${id}`);
      if (z === undefined) continue;
      assert.equal(byId.get(z)?.type, 'tab', `${type} ${id} is on a tab`);
      assert.ok(x > 0 && y > 0, `${type} ${id} has a place`);
      for (const target of (wires ?? []).flat()) {
        assert.equal(byId.get(target)?.z, z, `${type} ${id} leads to ${target}`);
      }
    }
  });

  test(`${file}: every config node that is named is there and used, and no secret`, () => {
    const byId = new Map(nodes.map((node) => [node.id, node]));
    const named = new Set();
    for (const node of nodes.filter(isOurs)) {
      const sink = /** @type {Record<string, string>} */ (SINK_OF)[node.type];
      for (const [key, type] of Object.entries({ ...REFERENCES, ...(sink && { sink }) })) {
        if (!node[key]) continue;
        named.add(node[key]);
        assert.equal(byId.get(node[key])?.type, type, `${key} of ${node.type} ${node.id}`);
      }
      assert.equal(node.credentials, undefined);
    }
    const unused = nodes.filter(({ id, type }) => CONFIG_TYPES.has(type) && !named.has(id));
    const idle = unused.filter(({ type }) => type !== 'busbar-device' && type !== 'busbar-runtime');
    assert.deepEqual(idle, []);
    const isForAll = nodes.some(({ source }) => source === 'all' || source === 'tags');
    if (!isForAll) assert.deepEqual(unused, []);
  });

  test(`${file}: only settings that the nodes have`, () => {
    const common = ['id', 'type', 'z', 'g', 'd', 'l', 'x', 'y', 'wires', 'info'];
    for (const node of nodes.filter(isOurs)) {
      assert.ok(OWN_TYPES.includes(node.type), node.type);
      const known = readDefaults(node.type);
      const strange = Object.keys(node).filter((key) => !known.has(key) && !common.includes(key));
      assert.deepEqual(strange, [], `${node.type} ${node.id}`);
    }
  });
}

for (const { file, nodes } of EXAMPLES) {
  test(`${file}: no node of another palette`, () => {
    const strange = nodes.filter((node) => !isOurs(node) && !CORE_TYPES.has(node.type));
    assert.deepEqual(strange, []);
  });
}

for (const { file, nodes } of FLOWS) {
  test(`${file}: other palettes only with the module to install`, () => {
    const strange = nodes.filter((node) => !isOurs(node) && !CORE_TYPES.has(node.type));
    const modules = Object.assign({}, ...nodes.map((node) => node.modules ?? {}));
    if (strange.length === 0) return;
    for (const { type } of strange) assert.match(type, /^ui-/);
    assert.match(modules['@flowfuse/node-red-dashboard'] ?? '', /^[~^]1\./);
  });
}

test('a config node that several files have is the same in all of them', () => {
  /** @type {Map<string, {file: string, node: FlowNode}>} */
  const seen = new Map();
  for (const { file, nodes } of ALL) {
    for (const node of nodes.filter(({ z, type }) => z === undefined && type !== 'tab')) {
      const first = seen.get(node.id);
      if (first) assert.deepEqual(node, first.node, `${node.id} of ${file} and ${first.file}`);
      else seen.set(node.id, { file, node });
    }
  }
});
