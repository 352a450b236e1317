/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What holds for every migration, shown on flows that were published as examples, and on input that
   is no flow. What becomes of each node: migrate-modbus, migrate-mqtt, migrate-influxdb. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const Ajv2020 = require('ajv/dist/2020').default;
const { FlowError, migrate } = require('../../lib/migrate');
const { readFile } = require('../../scripts/files');
const { VECTORS, example } = require('./support/migrate');

const MAPPED = [
  'modbus-read',
  'modbus-getter',
  'modbus-flex-getter',
  'modbus-write',
  'modbus-flex-write',
  'mqtt out',
  'influxdb out',
  'influxdb batch',
];
/** What a node of ours refers to, and which type that is. @type {Record<string, string[]>} */
const REFERENCES = {
  device: ['busbar-device'],
  connection: ['busbar-connection'],
  profileNode: ['busbar-profile'],
  sink: ['busbar-mqtt', 'busbar-influxdb'],
  tls: ['tls-config'],
};

const files = fs.readdirSync(VECTORS).filter((file) => file.endsWith('.json'));

/** All that is wired to: by wires, and by the ends of subflows. @param {any[]} flows */
function wiredTo(flows) {
  const ends = flows.flatMap(({ type, in: first = [], out = [], status }) =>
    type === 'subflow' ? [...first, ...out, status ?? []].flat() : [],
  );
  return [
    ...flows.flatMap(({ wires = [] }) => wires.flat()),
    ...ends.flatMap(({ wires = [] }) => wires.map((/** @type {any} */ wire) => wire.id)),
  ];
}

const validate = new Ajv2020({ strict: false }).compile(
  JSON.parse(readFile('profiles/profile.schema.json')),
);

test('there are flows to migrate', () => {
  assert.ok(files.length >= 11, files.join(', '));
});

for (const file of files) {
  test(`${file}: the flow that was given is left alone`, () => {
    const given = example(file);
    migrate(given);
    assert.deepEqual(given, example(file));
  });

  test(`${file}: the same flow gives the same result, and a second run changes nothing`, () => {
    const once = migrate(example(file));
    assert.deepEqual(migrate(example(file)), once);
    assert.deepEqual(migrate(once.flows).flows, once.flows);
  });

  test(`${file}: no wire leads nowhere, no id is there twice, and no node is lost`, () => {
    const given = example(file);
    const { flows } = migrate(given);
    const ids = flows.map(({ id }) => id);
    assert.deepEqual(
      ids.filter((id, place) => ids.indexOf(id) !== place),
      [],
    );
    assert.deepEqual(
      wiredTo(flows).filter((id) => !ids.includes(id)),
      [],
    );
    const lost = given.filter(({ id }) => !ids.includes(id)).map(({ type }) => type);
    assert.deepEqual(
      lost.filter((type) => type !== 'modbus-io-config'),
      [],
    );
  });

  test(`${file}: our nodes refer to nodes of the right type`, () => {
    const { flows } = migrate(example(file));
    const types = new Map(flows.map(({ id, type }) => [id, type]));
    for (const node of flows.filter(({ type }) => type.startsWith('busbar-'))) {
      for (const [key, allowed] of Object.entries(REFERENCES)) {
        if (!node[key]) continue;
        const found = types.get(node[key]) ?? 'nothing';
        assert.ok(allowed.includes(found), `${node.type} ${node.id}: ${key} is ${found}`);
      }
    }
  });

  test(`${file}: devices and sinks have ids that are safe and their own`, () => {
    const { flows } = migrate(example(file));
    const ids = flows.flatMap(({ deviceId, sinkId }) => deviceId ?? sinkId ?? []);
    ids.forEach((id) => assert.match(id, /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/));
    assert.equal(new Set(ids).size, ids.length, ids.join(', '));
  });

  test(`${file}: every profile follows the schema of profiles`, () => {
    for (const { type, id, profile } of migrate(example(file)).flows) {
      if (type !== 'busbar-profile') continue;
      assert.ok(validate(JSON.parse(profile)), `${id}: ${JSON.stringify(validate.errors)}`);
    }
  });

  test(`${file}: what stays, and what is left out, is said in a note`, () => {
    const given = example(file);
    const { flows, notes } = migrate(given);
    const left = flows.filter(({ type }) => /^modbus-/.test(type) || MAPPED.includes(type));
    const gone = given.filter(({ id }) => !flows.some((node) => node.id === id));
    const noted = new Set(notes.map(({ id }) => id));
    assert.deepEqual(
      left.filter(({ id }) => !noted.has(id)).map(({ type, id }) => `${type} ${id}`),
      [],
    );
    assert.ok(gone.length === 0 || notes.some(({ text }) => text.includes(gone[0].path)));
  });

  test(`${file}: notes name nodes of the flow that was given, in its order, in sentences`, () => {
    const given = example(file);
    const { notes } = migrate(given);
    const places = notes.map((note) => given.findIndex(({ id }) => id === note.id));
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
    for (const note of notes) {
      const node = given.find(({ id }) => id === note.id);
      assert.deepEqual([note.type, note.name], [node.type, node.name ?? '']);
      assert.match(note.text, /^[A-Z][^]*\.$/);
    }
  });

  test(`${file}: nodes of other palettes are not touched, but for where they are wired to`, () => {
    const given = example(file);
    const { flows } = migrate(given);
    const after = new Map(flows.map((node) => [node.id, node]));
    const others = given.filter(({ type }) =>
      /^(tab|inject|debug|function|comment|catch)$/.test(type),
    );
    assert.ok(others.length > 0);
    for (const { wires, ...node } of others) {
      const { wires: now, ...same } = /** @type {any} */ (after.get(node.id));
      assert.deepEqual(same, node);
      assert.equal(now?.flat().length, wires?.flat().length, node.id);
    }
  });
}

test('a flow of ours and of unknown nodes stays as it is', () => {
  const flow = [
    { id: 'a', type: 'busbar-device', deviceId: 'meter-1', connection: 'c' },
    { id: 'b', type: 'some-other', wires: [['a', 'nowhere']], server: 'c' },
    { id: 'c', type: 'busbar-connection', host: '10.0.0.1' },
  ];
  assert.deepEqual(migrate(flow), { flows: flow, notes: [] });
});

test('an empty flow is one', () => {
  assert.deepEqual(migrate([]), { flows: [], notes: [] });
});

/** @type {any[]} */
const loop = [{ id: 'a', type: 'tab' }];
loop[0].self = loop;
/** @type {any} */
const deep = { id: 'a', type: 'tab' };
for (let i = 0, at = deep; i < 100000; i++) at = at.in = {};
/** @param {string} id @param {string} z */
const instance = (id, z) => ({ id: `${z}${id}`, type: `subflow:${id}`, z });

/** @type {[string, unknown, RegExp][]} */
const WRONG = [
  ['a map', { flows: [] }, /no flow, because it is not a list of nodes: export it/],
  ['nothing', undefined, /not a list of nodes/],
  ['a text', '[]', /not a list of nodes/],
  ['an entry that is no node', [{ id: 'a', type: 'tab' }, null], /entry 2 is no node/],
  ['a node without an id', [{ type: 'tab' }], /entry 1 is no node/],
  ['a node without a type', [{ id: 'a', type: '' }], /entry 1 is no node/],
  [
    'an id that is there twice',
    [loop[0], loop[0]].map(({ id }) => ({ id, type: 'tab' })),
    /Two nodes of this flow have the id a/,
  ],
  ['an object that contains itself', loop, /something in it contains itself/],
  ['an object without a bottom', [deep], /nested too deep/],
  [
    'a subflow in itself',
    [{ id: 's', type: 'subflow' }, instance('s', 's')],
    /The subflow s contains itself/,
  ],
  [
    'two subflows in each other',
    [
      { id: 's', type: 'subflow' },
      { id: 'r', type: 'subflow' },
      instance('s', 'r'),
      instance('r', 's'),
    ],
    /The subflow [rs] contains itself/,
  ],
];

for (const [what, flow, sentence] of WRONG) {
  test(`${what} is refused in a sentence`, () => {
    assert.throws(
      () => migrate(flow),
      (error) => error instanceof FlowError && sentence.test(error.message),
    );
  });
}

test('subflows that stand in others, but not in themselves, are fine', () => {
  const flow = [
    { id: 's', type: 'subflow' },
    { id: 'r', type: 'subflow' },
    { id: 'q', type: 'subflow' },
    instance('s', 'r'),
    instance('s', 'q'),
    instance('r', 'q'),
    instance('unknown', 's'),
  ];
  assert.deepEqual(migrate(flow).flows, flow);
});

test('settings of any kind do no harm', () => {
  const given = example('plant.json');
  const odd = [null, '', -1, 1e9, true, [], {}, [null], [[null]], 'x', '${X}', '__proto__', NaN];
  for (const node of given) {
    for (const key of Object.keys(node).filter((key) => key !== 'id' && key !== 'type')) {
      for (const value of odd) {
        const flow = given.map((other) => (other === node ? { ...node, [key]: value } : other));
        assert.doesNotThrow(() => migrate(flow), `${node.id}.${key} = ${JSON.stringify(value)}`);
      }
    }
  }
});

test('a flow of 20,000 nodes with one name takes seconds at most', { timeout: 20000 }, () => {
  const client = { id: 'c', type: 'modbus-client', clienttype: 'tcp', tcpHost: 'h' };
  const reads = Array.from({ length: 20000 }, (_, i) => ({
    id: `r${i}`,
    type: 'modbus-read',
    name: 'Meter',
    server: 'c',
    dataType: 'HoldingRegister',
    adr: '0',
    quantity: '10',
    rate: '1',
    rateUnit: 's',
    wires: [[], []],
  }));
  const { flows } = migrate([client, ...reads]);
  const ids = flows.flatMap(({ deviceId }) => deviceId ?? []);
  assert.equal(new Set(ids).size, 20000);
  assert.equal(flows.filter(({ type }) => type === 'busbar-profile').length, 1);
});
