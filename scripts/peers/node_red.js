/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A real Node-RED with this palette, in a process and a user directory of its own on a free loopback
   port; version 4 runs in our Node.js, version 5 in the one that it needs. */

const fs = require('node:fs');
const path = require('node:path');
const { REPO } = require('../files');
const { Child } = require('./child');
const { freePort } = require('./place');

const FIVE = path.join(REPO, 'tests/node-red-5/node_modules');

/** @typedef {4 | 5} Version */

/** @param {Version} version @returns {{node: string, script: string}} */
function findNodeRed(version) {
  const modules = version === 5 ? FIVE : path.join(REPO, 'node_modules');
  const script = path.join(modules, 'node-red/red.js');
  if (version === 4) return { node: process.execPath, script };
  const own = path.join(FIVE, `node-linux-${process.arch}/bin/node`);
  return { node: fs.existsSync(own) ? own : process.execPath, script };
}

/** @param {Version} version */
function hasNodeRed(version) {
  const { node, script } = findNodeRed(version);
  return fs.existsSync(node) && fs.existsSync(script);
}

/** As if it had been installed there. @param {string} userDir @param {string} name @param {string} target */
function linkModule(userDir, name, target) {
  const link = path.join(userDir, 'node_modules', name);
  fs.mkdirSync(path.dirname(link), { recursive: true });
  if (!fs.existsSync(link)) fs.symlinkSync(target, link);
}

const SETTINGS = (/** @type {number} */ port, /** @type {object} */ more) =>
  `module.exports = ${JSON.stringify(
    {
      ...{ uiPort: port, uiHost: '127.0.0.1', flowFile: 'flows.json', credentialSecret: 'demo' },
      ...{ disableEditor: false, telemetry: { enabled: false }, editorTheme: { tours: false } },
      ...{ logging: { console: { level: 'info', metrics: false, audit: false } } },
      ...more,
    },
    null,
    2,
  )};\n`;

/**
 * @typedef {object} NodeRedOptions
 * @property {string} userDir
 * @property {object[]} [flows] Written before it starts; else what is there already.
 * @property {Record<string, Record<string, string>>} [credentials] By node.
 * @property {NodeJS.ProcessEnv} [env]
 * @property {Version} [version]
 * @property {object} [settings]
 * @property {string[]} [modules] Other palettes of ours to be loaded.
 * @property {number} [port]
 * @property {string[]} [args] More for its command line.
 * @property {string[]} [wrap] A command that runs it, with its arguments.
 */

/** @param {NodeRedOptions} options @returns {Promise<{child: Child, port: number, url: string}>} */
async function startNodeRed({
  userDir,
  flows,
  credentials,
  env,
  version = 4,
  settings = {},
  modules = [],
  port,
  args: more = [],
  wrap = [],
}) {
  const { node, script } = findNodeRed(version);
  const own = port ?? (await freePort());
  fs.mkdirSync(userDir, { recursive: true });
  linkModule(userDir, '@busbar/node-red', REPO);
  for (const name of modules) linkModule(userDir, name, path.join(REPO, 'node_modules', name));
  fs.writeFileSync(
    path.join(userDir, 'settings.js'),
    SETTINGS(own, { ...settings, ...(credentials && { credentialSecret: false }) }),
  );
  if (flows) fs.writeFileSync(path.join(userDir, 'flows.json'), JSON.stringify(flows, null, 2));
  if (credentials) {
    fs.writeFileSync(path.join(userDir, 'flows_cred.json'), JSON.stringify(credentials));
  }
  const settingsFile = path.join(userDir, 'settings.js');
  const command = [...wrap, node, script, '--userDir', userDir, '--settings', settingsFile];
  const child = new Child('Node-RED', command[0], [...command.slice(1), ...more], { env });
  await child.waitForLine(
    /Started flows|Stopped flows|Flows stopped in safe mode|Waiting for missing types/,
  );
  return { child, port: own, url: `http://127.0.0.1:${own}` };
}

module.exports = { findNodeRed, hasNodeRed, startNodeRed };
