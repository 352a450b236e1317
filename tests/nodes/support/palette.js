/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A plant in a real Node-RED: simulated meters, the reference flows with the addresses of the test,
   and the editor's own interface for deploying and looking. */

const fs = require('node:fs');
const path = require('node:path');
const { joinFlows, placeFlows } = require('../../../scripts/demo/flows');
const { hasNodeRed, startNodeRed } = require('../../../scripts/peers/node_red');
const { freePort, tempDir, waitFor } = require('../../support');
const { atEnd } = require('../../support/end');
const { startSim } = require('../../support/sim');

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {Record<string, any> & {id: string, type: string}} FlowNode */

/** The three meters of the reference flows. @param {TestContext} t */
async function startMeters(t) {
  const sims = [];
  for (const seed of [1, 2, 3]) {
    sims.push(await startSim(t, ['pm500', '--seed', String(seed)]));
  }
  return sims;
}

class Palette {
  /** @param {TestContext} t @param {Awaited<ReturnType<typeof startNodeRed>>} nodeRed
   * @param {{userDir: string, data: string}} place */
  constructor(t, nodeRed, { userDir, data }) {
    this.test = t;
    this.child = nodeRed.child;
    this.url = nodeRed.url;
    this.port = nodeRed.port;
    this.userDir = userDir;
    this.data = data;
  }

  /** @param {string} route @param {RequestInit} [init] @returns {Promise<any>} */
  async ask(route, init) {
    const response = await fetch(`${this.url}${route}`, {
      ...init,
      headers: { Accept: 'application/json', 'Content-Type': 'application/json', ...init?.headers },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${route}: ${response.status} ${text.slice(0, 300)}`);
    return /^[[{]/.test(text) ? JSON.parse(text) : text;
  }

  /** @returns {Promise<any>} */
  overview() {
    return this.ask('/busbar/overview');
  }

  /** @param {FlowNode[]} flows @param {'full' | 'nodes' | 'flows'} [type] */
  deploy(flows, type = 'full') {
    return this.ask('/flows', {
      method: 'POST',
      headers: { 'Node-RED-Deployment-Type': type },
      body: JSON.stringify(flows),
    });
  }

  /** @param {(overview: any) => unknown} fits @param {string} what */
  async waitForOverview(fits, what) {
    let last;
    try {
      return await waitFor(async () => fits((last = await this.overview())) && last, {
        what,
        timeoutMs: 20000,
      });
    } catch (error) {
      const text = error instanceof Error ? error.message : error;
      throw new Error(`${text}; the last overview: ${JSON.stringify(last)?.slice(0, 1500)}`);
    }
  }

  /** The pid of the runtime, once it is up. @param {number} [other] Not this one. */
  async runtimePid(other) {
    const { runtime } = await this.waitForOverview(
      ({ runtime: { state, pid } }) => state === 'up' && pid !== other,
      'the runtime to be up',
    );
    return runtime.pid;
  }

  stop() {
    return this.child.stop();
  }
}

/**
 * @param {TestContext} t @param {FlowNode[]} flows
 * @param {Partial<Parameters<typeof startNodeRed>[0]> & {data?: string, ownRuntime?: boolean}} [options]
 * `ownRuntime`: the runtime is the test's own, which ends it itself.
 */
async function startPalette(t, flows, { data, ownRuntime = false, ...options } = {}) {
  const folder = tempDir(t);
  const userDir = options.userDir ?? path.join(folder, 'node-red');
  const dataDir = data ?? path.join(folder, 'data');
  if (!ownRuntime) atEnd(t, () => endRuntime(dataDir));
  const nodeRed = await startNodeRed({
    flows,
    ...options,
    userDir,
    env: { BUSBAR_DATA: dataDir, ...options.env },
  });
  atEnd(t, () => nodeRed.child.stop());
  return new Palette(t, nodeRed, { userDir, data: dataDir });
}

/** One that was left lingering. @param {string} data */
async function endRuntime(data) {
  const file = path.join(data, 'runtime.json');
  if (!fs.existsSync(file)) return;
  const { pid } = JSON.parse(fs.readFileSync(file, 'utf8'));
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    /* It has ended. */
  }
}

/** The reference flows of these names, with the addresses of the test.
 * @param {string[]} names @param {{sims: {port: number}[], broker?: string, influx?: string}} place */
async function makeFlows(names, { sims, ...more }) {
  const metrics = `127.0.0.1:${await freePort()}`;
  return placeFlows(joinFlows(names), { ports: sims.map(({ port }) => port), metrics, ...more });
}

module.exports = { Palette, hasNodeRed, makeFlows, startMeters, startPalette };
