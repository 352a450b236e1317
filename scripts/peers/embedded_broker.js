/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* An MQTT broker inside this process (aedes), on a loopback port. */

const net = require('node:net');
const { once } = require('node:events');
const { freePort } = require('./place');

/** @param {number[]} [ports] As for freePort.
 * @returns {Promise<{url: string, port: number, close: () => Promise<void>}>} */
async function startEmbeddedBroker(ports) {
  /* Not before the set-up: it is an npm package. */
  const { Aedes } = await import('aedes');
  const aedes = await Aedes.createBroker();
  const server = net.createServer(aedes.handle);
  const port = await freePort(ports);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    await new Promise((resolve) => aedes.close(() => resolve(undefined)));
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `mqtt://127.0.0.1:${port}`, port, close };
}

module.exports = { startEmbeddedBroker };
