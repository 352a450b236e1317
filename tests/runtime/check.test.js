/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What busbar check says to somebody who writes a config for the first time. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { Deploy } = require('../../lib/deploy');
const { planRuntime } = require('../../lib/plan');
const { runBusbar, startBusbar, tempDir } = require('../support');
const { connectSocket } = require('../support/socket');

/** @typedef {import('node:test').TestContext} TestContext */

/** Its exit code, what it says of the file, and its last line.
 * @param {TestContext} t @param {string} text @param {NodeJS.ProcessEnv} [env] */
async function check(t, text, env) {
  const file = path.join(tempDir(t), 'site.yaml');
  fs.writeFileSync(file, text);
  const { code, stdout, stderr } = await runBusbar(['check', file], { env });
  const short = (/** @type {string} */ said) => said.replaceAll(file, 'site.yaml');
  return { code, said: short(stderr).split('\n').slice(0, -1), end: short(stdout) };
}

const HEAD = 'busbar: 1\n';
const LINE = 'connections:\n  - { id: line, modbus-tcp: { host: 127.0.0.1 } }\n';
const METER = '{ id: meter-1, connection: line, profile: rockwell/powermonitor-500 }';
const DEVICES = `devices:\n  - ${METER}\n`;
const BUS = "sinks:\n  - { id: bus, mqtt: { url: 'mqtt://127.0.0.1' } }\n";

test('a tab is told with its line and what to type', async (t) => {
  assert.deepEqual(await check(t, `${HEAD}site:\n\tid: plant\n`), {
    code: 2,
    said: [
      'site.yaml:3: a tab stands in the indentation, where YAML takes only spaces; put two spaces ' +
        'in place of each tab',
    ],
    end: '',
  });
});

test('an empty kind with its options beside it is told once', async (t) => {
  const text = `${HEAD}connections:
  - id: line
    modbus-tcp:
    host: 10.0.0.21
    port: 502
${DEVICES}`;
  assert.deepEqual(await check(t, text), {
    code: 2,
    said: [
      'site.yaml:5: connections[line].host: host and port belong below modbus-tcp; indent them by ' +
        'two more spaces',
    ],
    end: '',
  });
});

test('warnings go with the exit code 0', async (t) => {
  const text = `${HEAD}${LINE}${DEVICES}  - ${METER.replace('meter-1', 'meter-2')}
sinks:
  - id: bus
    mqtt: { url: 'mqtt://127.0.0.1', user: me, password_env: BUSBAR_TEST_PASSWORD }
    devices: [meter-1]
`;
  const expected = {
    code: 0,
    said: [
      'site.yaml:6: devices[meter-2]: warning: no route takes it to a sink; name it in `devices` ' +
        'of a sink or route, or set "enabled: false"',
      'site.yaml:6: devices[meter-2]: warning: unit 1 on connection line is device meter-1 in line ' +
        '5 as well, so both read the same; give each its own',
      'site.yaml:9: sinks[bus].mqtt.password_env: warning: the environment variable ' +
        'BUSBAR_TEST_PASSWORD is not set here; `run` needs it',
    ],
    end: 'site.yaml: ok: 2 devices, 130 points, 1 connection, 1 sink, 1 route; 3 warnings\n',
  };
  assert.deepEqual(await check(t, text), expected);
  const set = await check(t, text, { BUSBAR_TEST_PASSWORD: 'secret' });
  assert.deepEqual(set.said, expected.said.slice(0, 2));
  assert.match(set.end, /; 2 warnings\n$/);
});

test('a config without a sink is told', async (t) => {
  assert.deepEqual(await check(t, HEAD + LINE + DEVICES), {
    code: 0,
    said: [
      'site.yaml: warning: nothing is delivered, as there is no sink; add one below `sinks`, such ' +
        'as mqtt or influxdb',
    ],
    end: 'site.yaml: ok: 1 device, 65 points, 1 connection, 0 sinks, 0 routes; 1 warning\n',
  });
});

test('true and false are all that a switch takes', async (t) => {
  const allowed = 'allowed: true or false';
  for (const [given, wrong] of [
    ['[false]', `a list stands here; ${allowed}`],
    ['{}', `a map stands here; ${allowed}`],
    ['nein', `"nein" does not fit; ${allowed}`],
    ['True', `"True" does not fit; ${allowed}`],
  ]) {
    const sink = BUS.replace('id: bus', `id: bus, enabled: ${given}`);
    const device = DEVICES.replace('id: meter-1', `id: meter-1, enabled: ${given}`);
    const { code, said } = await check(t, HEAD + LINE + device + sink);
    const places = ['site.yaml:5: devices[meter-1].enabled', 'site.yaml:7: sinks[bus].enabled'];
    assert.equal(code, 2);
    assert.deepEqual(
      said,
      places.map((place) => `${place}: ${wrong}`),
    );
  }
});

test('a duration that is none is told as it was given', async (t) => {
  const forms = ['1s', '1 s', '1.5s', '250ms', '2 min', '2m', '1h', '1d'];
  for (const form of forms) {
    const device = DEVICES.replace(' }\n', `, scan: { fast: ${form} } }\n`);
    const { code, said } = await check(t, HEAD + LINE + device + BUS);
    assert.deepEqual([form, code, said], [form, 0, []]);
  }
  for (const form of ['1', '1 sec', '1,5s', '5ms', '8d']) {
    const device = DEVICES.replace(' }\n', `, scan: { fast: '${form}' } }\n`);
    const { said } = await check(t, HEAD + LINE + device + BUS);
    assert.deepEqual(said, [
      `site.yaml:5: devices[meter-1].scan.fast: "${form}" does not fit; allowed: off, on-request, or a ` +
        'duration such as 250ms, 5s, 1min, from 10 ms to 7 d',
    ]);
  }
});

/** What the palette makes of a meter, a broker and these nodes. @param {any[]} nodes */
function deploy(...nodes) {
  const given = [
    {
      type: 'busbar-connection',
      id: 'c1',
      name: 'line',
      protocol: 'modbus-tcp',
      host: '127.0.0.1',
    },
    {
      ...{ type: 'busbar-device', id: 'd1', deviceId: 'meter-1', connection: 'c1', unit: '1' },
      ...{ profileType: 'bundled', profile: 'rockwell/powermonitor-500' },
    },
    { type: 'busbar-mqtt', id: 'm1', sinkId: 'bus', url: 'mqtt://127.0.0.1', credentials: {} },
    { type: 'busbar-mqtt-out', id: 'o1', sink: 'm1', wires: [] },
  ];
  const plan = planRuntime('', new Deploy([...given, ...nodes]));
  assert.deepEqual(plan.assembly.problems, []);
  return JSON.stringify(plan.assembly.document);
}

test('a document of the palette that is right has no warnings', async (t) => {
  const read = { type: 'busbar-in', id: 'i1', source: 'device', device: 'd1' };
  const end = (/** @type {string} */ rest) =>
    `site.yaml: ok: 1 device, 65 points, 1 connection, ${rest}\n`;
  for (const [wires, counts] of /** @type {const} */ ([
    ['o1', '1 sink, 1 route'],
    ['f1', '1 sink, 0 routes'],
  ])) {
    const document = deploy({ ...read, wires: [[wires]] });
    assert.deepEqual(await check(t, document), { code: 0, said: [], end: end(counts) }, wires);
  }
});

test('the document that a runtime has kept is taken as it lies there', async (t) => {
  const kept = `busbar-document 12\n${HEAD}${LINE}devices:\n  - { id: meter-1, conection: line }\n`;
  const { code, said } = await check(t, kept);
  assert.equal(code, 2);
  assert.match(
    said.join('\n'),
    /^site\.yaml:6: devices\[meter-1\].*conection/m,
    'lines of the file',
  );

  const data = tempDir(t);
  const program = startBusbar(t, ['run', '--data', data]);
  const client = await connectSocket(t, data);
  const document = deploy({
    ...{ type: 'busbar-in', id: 'i1', source: 'device', device: 'd1', wires: [['o1']] },
  }).replace('"runtime":{', '"runtime":{"metrics":"off",');
  await client.must('apply', { document });
  await program.stop();
  const file = path.join(data, 'document');
  assert.match(fs.readFileSync(file, 'utf8'), /^busbar-document 1\n/);
  const checked = await runBusbar(['check', file]);
  assert.deepEqual([checked.code, checked.stderr], [0, '']);
  const probed = await runBusbar(['probe', file, 'meter-2']);
  assert.match(probed.stderr, /there is no device meter-2 .*did you mean meter-1\?\n/);
});
