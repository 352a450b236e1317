/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* An InfluxDB 1 of our own on free loopback ports, open to everybody on this machine. */

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { Child } = require('./child');
const { freePort } = require('./place');

const LOOK_MS = 50;

/** @param {string} folder @param {{http: number, rpc: number}} ports */
function describe(folder, { http, rpc }) {
  return `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${folder}/influx/meta"
[data]
  dir = "${folder}/influx/data"
  wal-dir = "${folder}/influx/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${http}"
  log-enabled = false
`;
}

/** @param {string} url @param {string} text InfluxQL @param {string} [database] @returns {Promise<any>} */
async function askInflux(url, text, database = '') {
  const body = new URLSearchParams({ q: text, db: database, epoch: 'ms' });
  const response = await fetch(`${url}/query`, { method: 'POST', body });
  return /** @type {any} */ (await response.json()).results?.[0];
}

/** @param {string} folder Where its files lie. @param {string[]} databases To be made.
 * @param {number} [port] */
async function startInflux(folder, databases, port) {
  const ports = { http: port ?? (await freePort()), rpc: await freePort() };
  const file = path.join(folder, 'influxdb.conf');
  fs.writeFileSync(file, describe(folder, ports));
  const child = new Child('InfluxDB', 'influxd', ['run', '-config', file], {
    env: { HOME: folder },
  });
  const url = `http://127.0.0.1:${ports.http}`;
  const answers = async () => {
    while (!(await fetch(`${url}/ping`).catch(() => null))?.ok) await delay(LOOK_MS);
  };
  await Promise.race([answers(), child.watch()]);
  for (const database of databases) await askInflux(url, `CREATE DATABASE "${database}"`);
  return { child, url };
}

module.exports = { askInflux, startInflux };
