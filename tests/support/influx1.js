/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A real InfluxDB 1 (Debian's influxd 1.6) in a folder of its own, on free ports. */

const fs = require('node:fs');
const path = require('node:path');
const { freePort, tempDir } = require('./place');
const { startProgram } = require('./program');
const { waitFor } = require('./wait');

/** @param {string} folder @param {{http: number, rpc: number}} ports @param {boolean} auth */
function writeConfig(folder, ports, auth) {
  return `reporting-disabled = true
bind-address = "127.0.0.1:${ports.rpc}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${ports.http}"
  auth-enabled = ${auth}
`;
}

class Influx1 {
  /** @param {string} url @param {{username: string, password: string} | undefined} login
   * @param {() => import('./program').Program} launch */
  constructor(url, login, launch) {
    this.url = url;
    this.login = login;
    this.launch = launch;
    /** @type {import('./program').Program | undefined} */
    this.program = undefined;
  }

  /** Starts it, after a stop with what it had. */
  async start() {
    this.program = this.launch();
    await waitFor(async () => (await fetch(`${this.url}/ping`)).status === 204, {
      timeoutMs: 30000,
      what: `an answer of influxd at ${this.url}/ping`,
    });
  }

  /** @param {string} text InfluxQL @param {string} [database] */
  async ask(text, database) {
    const { username, password } = this.login || { username: '', password: '' };
    const token = Buffer.from(`${username}:${password}`).toString('base64');
    const response = await fetch(`${this.url}/query`, {
      method: 'POST',
      headers: this.login && { Authorization: `Basic ${token}` },
      body: new URLSearchParams({ q: text, epoch: 'ns', ...(database && { db: database }) }),
    });
    const body = /** @type {any} */ (await response.json());
    const problem = body.error || body.results?.[0]?.error;
    if (problem) throw new Error(`InfluxDB: ${problem} (${text})`);
    return body.results[0];
  }

  /** @param {string} database @param {string} text InfluxQL
   * @returns {Promise<Record<string, any>[]>} A row per object, the series' tags in it too. */
  async query(database, text) {
    const { series = [] } = await this.ask(text, database);
    return series.flatMap((/** @type {any} */ one) =>
      one.values.map((/** @type {any[]} */ row) => ({
        ...one.tags,
        ...Object.fromEntries(
          one.columns.map((/** @type {string} */ name, /** @type {number} */ i) => [name, row[i]]),
        ),
      })),
    );
  }

  /** @param {NodeJS.Signals} [signal] */
  stop(signal) {
    return this.program?.stop(signal);
  }
}

/**
 * @param {import('node:test').TestContext} t
 * @param {{databases?: string[], login?: {username: string, password: string}}} [options]
 *   With a login, nobody else is let in.
 */
async function startInflux1(t, { databases = [], login } = {}) {
  const folder = tempDir(t);
  const ports = { http: await freePort(), rpc: await freePort() };
  const file = path.join(folder, 'influxdb.conf');
  fs.writeFileSync(file, writeConfig(folder, ports, Boolean(login)));
  const launch = () =>
    startProgram(t, {
      command: 'influxd',
      args: ['run', '-config', file],
      env: { HOME: folder },
      stopMs: 15000,
    });
  const influx = new Influx1(`http://127.0.0.1:${ports.http}`, login, launch);
  await influx.start();
  if (login) {
    await influx.ask(
      `CREATE USER "${login.username}" WITH PASSWORD '${login.password}' WITH ALL PRIVILEGES`,
    );
  }
  for (const database of databases) await influx.ask(`CREATE DATABASE "${database}"`);
  return influx;
}

module.exports = { startInflux1 };
