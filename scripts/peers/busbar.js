/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Our own executable as a peer: simulated devices, and the runtime. */

const fs = require('node:fs');
const path = require('node:path');
const { REPO } = require('../files');
const { buildFolder } = require('../native');
const { Child } = require('./child');

/** native/build/busbar, or the one that BUSBAR_BIN names. */
function findBusbar() {
  return path.resolve(process.env.BUSBAR_BIN || path.join(buildFolder('release'), 'busbar'));
}

/** Whether the executable is the caller's own choice, so that none has to be built. */
function isChosen() {
  return Boolean(process.env.BUSBAR_BIN);
}

/**
 * Simulated devices in a process of their own.
 * @param {string} name @param {string[]} args Of `busbar sim`. @param {number} [devices]
 * @returns {Promise<{child: Child, ports: number[]}>} The port of each device, when all listen.
 */
async function startSim(name, args, devices = 1) {
  const child = new Child(name, findBusbar(), ['sim', ...args]);
  /** @type {number[]} */
  const ports = [];
  /** @type {(value?: undefined) => void} */
  let finish = () => {};
  const all = new Promise((resolve) => (finish = resolve));
  child.onLine((line) => {
    const port = /^listening \S+:(\d+) /.exec(line)?.[1];
    if (port) ports.push(Number(port));
    if (ports.length === devices) finish();
  });
  await child.waitForLine(/^listening /);
  await Promise.race([all, child.watch()]);
  return { child, ports };
}

/**
 * The runtime with that document. Its log is in the child's lines.
 * @param {string} folder For the document and the data directory. @param {object} config
 * @param {string} [executable]
 */
function startRuntime(folder, config, executable = findBusbar()) {
  const file = path.join(folder, 'site.json');
  fs.writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
  const data = path.join(folder, 'data');
  const env = { BUSBAR_PROFILES: path.join(REPO, 'profiles') };
  return new Child('the runtime', executable, ['run', file, '--data', data], { env });
}

module.exports = { findBusbar, isChosen, startRuntime, startSim };
