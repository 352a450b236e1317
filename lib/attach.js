/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Finds the runtime that lives in a data directory and connects to it. */

const { Client } = require('./client');
const { findSocket, readRecord } = require('./data_dir');
const { BusbarError } = require('./errors');

/**
 * Connects and greets. Whether nobody is there, or somebody who cannot be spoken to: isNobody.
 * @param {{dataDir: string, name: string, signal?: AbortSignal, timeoutMs?: number}} options
 * @returns {Promise<Client>}
 */
async function attach({ dataDir, name, signal, timeoutMs }) {
  const path = findSocket(dataDir);
  if (path === null) {
    const sentence = `no runtime is there: nobody has recorded a socket in ${dataDir}`;
    throw new BusbarError('BUSBAR_DOWN', sentence, { details: { code: 'ENOENT' } });
  }
  const client = new Client({ path, name });
  const abort = () => void client.close();
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await client.connect({ timeoutMs });
    return client;
  } catch (error) {
    if (error instanceof BusbarError && error.code === 'BUSBAR_TIMEOUT') {
      throw new BusbarError('BUSBAR_TIMEOUT', `${error.message}${advise(dataDir)}`);
    }
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** What to do about one that hangs. @param {string} dataDir */
function advise(dataDir) {
  const { pid } = readRecord(dataDir);
  return pid ? `; end it (process ${pid}) if it stays so` : '';
}

module.exports = { attach };
