/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `busbar run` beside a test, with the document as an object:
   const runtime = await startRuntime(t, { devices: […], … }); */

const fs = require('node:fs');
const path = require('node:path');
const { startBusbar } = require('./busbar');
const { freePort, tempDir } = require('./place');
const { waitFor } = require('./wait');

/** @typedef {import('node:test').TestContext} TestContext */

class Runtime {
  /** @param {import('./program').Program} program @param {string} file @param {string} data
   * @param {number} port */
  constructor(program, file, data, port) {
    this.program = program;
    this.file = file;
    this.data = data;
    this.port = port;
  }

  get pid() {
    return this.program.pid;
  }

  /** The log so far. */
  get log() {
    return this.program.stderr;
  }

  /** @param {string} route Such as /readyz */
  async get(route) {
    const response = await fetch(`http://127.0.0.1:${this.port}${route}`);
    return { status: response.status, text: await response.text() };
  }

  /** All series: `name{labels}` → value. @returns {Promise<Map<string, number>>} */
  async scrape() {
    const { text } = await this.get('/metrics');
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const at = line.lastIndexOf(' ');
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
    );
  }

  /** Sum of the series of that name that have the labels.
   * @param {string} name @param {Record<string, string>} [labels] */
  async metric(name, labels = {}) {
    const parts = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
    const series = [...(await this.scrape())].filter(
      ([key]) => key.split('{')[0] === name && parts.every((part) => key.includes(part)),
    );
    if (series.length === 0) throw new Error(`no metric ${name} with ${parts.join(', ')}`);
    return series.reduce((sum, [, value]) => sum + value, 0);
  }

  /** @param {NodeJS.Signals} [signal] */
  stop(signal) {
    return this.program.stop(signal);
  }
}

/**
 * @param {TestContext} t @param {Record<string, any>} config `busbar: 1` and metrics are filled in.
 * @param {{env?: NodeJS.ProcessEnv, data?: string, awake?: boolean}} [options] Without `awake` it
 *   is not waited for.
 */
async function startRuntime(t, config, { env, data = tempDir(t), awake = true } = {}) {
  const port = await freePort();
  const file = path.join(tempDir(t), 'site.json');
  const document = {
    busbar: 1,
    site: { id: 'plant' },
    ...config,
    runtime: { metrics: `127.0.0.1:${port}`, ...config.runtime },
  };
  fs.writeFileSync(file, JSON.stringify(document, null, 2));
  const program = startBusbar(t, ['run', file, '--data', data], { env });
  const runtime = new Runtime(program, file, data, port);
  if (awake) {
    await waitFor(async () => !program.running || (await runtime.get('/healthz')).status === 200, {
      what: 'the runtime to answer',
    });
    if (!program.running) throw new Error(`${program.describeEnd()}:\n${program.tail()}`);
  }
  return runtime;
}

/** A connection of its own and a device on it, for `...meter('meter-1', sim.port)`.
 * @param {string} id @param {number} port
 * @param {{profile?: string, unit?: number, scan?: Record<string, string>,
 *   tcp?: Record<string, unknown>, tags?: Record<string, string>}} [options] */
function describeMeter(
  id,
  port,
  { profile = 'generic/modbus-60', unit = 1, scan, tcp, tags } = {},
) {
  return {
    connections: [{ id, 'modbus-tcp': { host: '127.0.0.1', port, timeout: '500ms', ...tcp } }],
    devices: [{ id, connection: id, profile, unit, ...(scan && { scan }), ...(tags && { tags }) }],
  };
}

module.exports = { Runtime, describeMeter, startRuntime };
