/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A real VictoriaMetrics on a free port. It takes InfluxDB line protocol on /api/v2/write and
   /write; a field `f` of measurement `m` becomes the series `m_f`. */

const { freePort, tempDir } = require('./place');
const { startProgram } = require('./program');
const { waitFor } = require('./wait');

class Victoria {
  /** @param {string} url @param {() => import('./program').Program} launch */
  constructor(url, launch) {
    this.url = url;
    this.launch = launch;
    /** @type {import('./program').Program | undefined} */
    this.program = undefined;
  }

  /** Starts it, after a stop with what it had. */
  async start() {
    this.program = this.launch();
    await waitFor(async () => (await fetch(`${this.url}/health`)).ok, {
      timeoutMs: 30000,
      what: `an answer of VictoriaMetrics at ${this.url}/health`,
    });
  }

  /** All samples that arrived so far.
   * @param {string} match Such as {__name__=~"powermonitor_500_.*"}
   * @returns {Promise<{metric: Record<string, string>, values: number[], timestamps: number[]}[]>}
   *   Times in milliseconds. */
  async export(match) {
    await fetch(`${this.url}/internal/force_flush`);
    const params = new URLSearchParams({ 'match[]': match });
    const response = await fetch(`${this.url}/api/v1/export?${params}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`VictoriaMetrics: ${response.status} ${text}`);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  /** @param {NodeJS.Signals} [signal] */
  stop(signal) {
    return this.program?.stop(signal);
  }
}

/** @param {import('node:test').TestContext} t @param {{args?: string[]}} [options] */
async function startVictoria(t, { args = [] } = {}) {
  const port = await freePort();
  const data = tempDir(t);
  const launch = () =>
    startProgram(t, {
      command: 'victoria-metrics',
      args: [`-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${data}`, ...args],
      stopMs: 15000,
    });
  const victoria = new Victoria(`http://127.0.0.1:${port}`, launch);
  await victoria.start();
  return victoria;
}

module.exports = { startVictoria };
