/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* From nothing to the first value: `npm install` of the tarball into an empty user directory with
   install scripts blocked, Node-RED's start, the nodes in its palette, a flow that reads one device, and
   the first message of it. The same for node-red-contrib-modbus. */

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { StepError, runStep } = require('../command');
const { readFile } = require('../files');
const { pack } = require('../pack');
const { startSim } = require('../peers/busbar');
const { Child } = require('../peers/child');
const { findNodeRed } = require('../peers/node_red');
const { freePort, remove, tempFolder } = require('../peers/place');
const { say } = require('../progress');
const { atMost, atMostTimes } = require('./result');

const REFERENCE = 'node-red-contrib-modbus';
const PROFILE = 'generic/modbus-60';
const NODES_MS = 20000;
const POLL_MS = 50;

/** @typedef {Record<string, any> & {id: string, type: string}} FlowNode */

const IN_TAB = { z: 'tab', x: 100, y: 100, name: '' };

/** Says in Node-RED's log that a value has come. @returns {FlowNode[]} */
function makeEnd() {
  const func = "const value = Object.values(msg.payload)[0]; node.log('value ' + value);";
  return [
    { id: 'tab', type: 'tab', label: 'install' },
    { id: 'end', type: 'function', ...IN_TAB, func, outputs: 0, libs: [], wires: [] },
  ];
}

/** @param {number} port Of the device. @param {number} metrics A free one. @returns {FlowNode[]} */
function makeOurs(port, metrics) {
  return [
    { id: 'runtime', type: 'busbar-runtime', mode: 'spawn', metrics: `127.0.0.1:${metrics}` },
    {
      ...{ id: 'line', type: 'busbar-connection', protocol: 'modbus-tcp', framing: 'tcp' },
      ...{ host: '127.0.0.1', port: String(port) },
    },
    {
      ...{ id: 'meter', type: 'busbar-device', deviceId: 'meter-1', connection: 'line', unit: '1' },
      ...{ profileType: 'bundled', profile: PROFILE, tags: [], enabled: true },
      ...{ scans: [{ scan: 'fast', period: '1s' }] },
    },
    {
      ...{ id: 'source', type: 'busbar-in', ...IN_TAB, source: 'all', mode: 'scan' },
      ...{ scans: 'fast', aggregate: 'none', output: 'object', wires: [['end']] },
    },
    ...makeEnd(),
  ];
}

/** @param {number} port Of the device. @returns {FlowNode[]} */
function makeReference(port) {
  return [
    {
      ...{ id: 'line', type: 'modbus-client', clienttype: 'tcp', tcpHost: '127.0.0.1' },
      ...{ tcpPort: String(port), tcpType: 'DEFAULT', unit_id: '1', clientTimeout: '1000' },
      ...{ bufferCommands: true, commandDelay: '1', reconnectTimeout: '2000' },
    },
    {
      ...{ id: 'source', type: 'modbus-read', ...IN_TAB, dataType: 'HoldingRegister', adr: '0' },
      ...{ quantity: '120', unitid: '1', rate: '1', rateUnit: 's', server: 'line' },
      wires: [['end'], []],
    },
    ...makeEnd(),
  ];
}

/** @param {string} userDir @param {string} what */
async function install(userDir, what) {
  fs.writeFileSync(path.join(userDir, 'package.json'), '{"name":"user","private":true}\n');
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  const args = ['install', '--ignore-scripts', '--omit=dev', '--prefer-offline', ...quiet, what];
  await runStep('npm', args, {
    cwd: userDir,
    what: `npm install ${what}`,
    advice: 'What it depends on comes from the network, unless npm has it in its cache.',
  });
}

/** @param {string} userDir @param {number} port */
function startNodeRed(userDir, port) {
  const settings = path.join(userDir, 'settings.js');
  const own = { uiPort: port, uiHost: '127.0.0.1', telemetry: { enabled: false } };
  fs.writeFileSync(settings, `module.exports = ${JSON.stringify(own)};\n`);
  const { node, script } = findNodeRed(4);
  const args = [script, '--userDir', userDir, '--settings', settings];
  return new Child('Node-RED', node, args, { env: { BUSBAR_DATA: path.join(userDir, 'data') } });
}

/** Waits until Node-RED lists the node type without an error.
 * @param {string} url @param {string} type */
async function waitForType(url, type) {
  const until = performance.now() + NODES_MS;
  for (;;) {
    const answer = await fetch(`${url}/nodes`, { headers: { Accept: 'application/json' } }).catch(
      () => undefined,
    );
    /** @type {any} */
    const sets = answer?.ok ? await answer.json() : [];
    const set = sets.find((/** @type {any} */ { types }) => types.includes(type));
    if (set?.enabled && !set.err) return;
    if (set?.err) throw new StepError(`Node-RED does not load ${type}: ${set.err}`);
    if (performance.now() > until) throw new StepError(`Node-RED does not list ${type}.`);
    await delay(POLL_MS);
  }
}

/** @param {string} url @param {FlowNode[]} flows */
async function deploy(url, flows) {
  const headers = { 'Content-Type': 'application/json', 'Node-RED-Deployment-Type': 'full' };
  const { status } = await fetch(`${url}/flows`, {
    ...{ method: 'POST', headers },
    body: JSON.stringify(flows),
  });
  if (status !== 204) throw new StepError(`Node-RED answers the deploy with ${status}.`);
}

/** @param {string} folder */
function sizeOf(folder) {
  const entries = fs.readdirSync(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, path: older, name }) => {
    return sum + fs.statSync(path.join(parentPath ?? older, name)).size;
  }, 0);
}

/**
 * @param {string} what For npm to install. @param {string} type One of its nodes. @param {FlowNode[]} flows
 * @returns {Promise<{installed: number, listed: number, value: number, mb: number}>} Seconds from the
 *   start until each was reached; the size of what was installed.
 */
async function measureOne(what, type, flows) {
  const userDir = tempFolder();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  /** @type {Child | undefined} */
  let nodeRed;
  try {
    await install(userDir, what);
    const installed = seconds();
    nodeRed = startNodeRed(userDir, port);
    await nodeRed.waitForLine(/Started flows/);
    await waitForType(url, type);
    const listed = seconds();
    const seen = nodeRed.waitForLine(/\bvalue -?\d/);
    await Promise.all([deploy(url, flows), seen]);
    const value = seconds();
    return { installed, listed, value, mb: sizeOf(path.join(userDir, 'node_modules')) / 1e6 };
  } finally {
    await nodeRed?.stop();
    remove(userDir);
  }
}

/** @param {string} name @param {Awaited<ReturnType<typeof measureOne>>} measured */
function tell(name, { installed, listed, value, mb }) {
  const at = [installed, listed, value].map((seconds) => seconds.toFixed(1));
  say(
    `  ${name}: installed ${at[0]} s, in the palette ${at[1]} s, first value ${at[2]} s, ` +
      `${mb.toFixed(1)} MB on disk`,
  );
}

async function measure() {
  const folder = tempFolder();
  const meter = await startSim('the meter', [PROFILE, '--clients', 'any']);
  try {
    const packed = await pack({ to: folder });
    const port = meter.ports[0];
    const ours = await measureOne(packed.file, 'busbar-in', makeOurs(port, await freePort()));
    tell('busbar', ours);
    const { devDependencies } = JSON.parse(readFile('package.json'));
    const version = devDependencies[REFERENCE] ?? 'latest';
    const theirs = await measureOne(`${REFERENCE}@${version}`, 'modbus-read', makeReference(port));
    tell(REFERENCE, theirs);
    return [
      atMost('install/tarball', 'MB', packed.bytes / 1e6, 5),
      atMostTimes('install/disk', 'MB', ours.mb, 1, { name: REFERENCE, value: theirs.mb }),
      atMostTimes('install/first-value', 's', ours.value, 1, {
        name: REFERENCE,
        value: theirs.value,
      }),
    ];
  } finally {
    await meter.child.stop();
    remove(folder);
  }
}

module.exports = { measure };
