/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A real VictoriaMetrics on a free port. It takes InfluxDB line protocol on /api/v2/write and
   /write; a field `f` of measurement `m` becomes the series `m_f`. */

const { freePort, tempDir } = require('./place');
const { startProgram } = require('./program');
const { waitFor } = require('./wait');

class Victoria {
  /** @param {string} url @param {import('./program').Program} program */
  constructor(url, program) {
    this.url = url;
    this.program = program;
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
    return this.program.stop(signal);
  }
}

/** @param {import('node:test').TestContext} t @param {{args?: string[]}} [options] */
async function startVictoria(t, { args = [] } = {}) {
  const port = await freePort();
  const program = startProgram(t, {
    command: 'victoria-metrics',
    args: [`-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${tempDir(t)}`, ...args],
    stopMs: 15000,
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/health`)).ok, {
    timeoutMs: 30000,
    what: `an answer of VictoriaMetrics at ${url}/health`,
  });
  return new Victoria(url, program);
}

module.exports = { startVictoria };
