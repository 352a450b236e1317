/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A small certificate authority, a server certificate for localhost and a client certificate, made
   anew by the openssl command. */

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const execFileAsync = promisify(execFile);

/** @param {string} folder @param {string} name @param {string} text */
function writeFile(folder, name, text) {
  fs.writeFileSync(path.join(folder, name), text);
}

/** @param {string} folder @param {string} name @param {string} extensions */
async function sign(folder, name, extensions) {
  const run = (/** @type {string[]} */ args) => execFileAsync('openssl', args, { cwd: folder });
  writeFile(folder, `${name}.ext`, extensions);
  const request = ['-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`];
  await run(['req', '-new', ...KEY, ...request]);
  await run([
    ...['x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, '-days', '2'],
    ...['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`],
  ]);
}

/**
 * @param {string} folder Must exist; two folders are two authorities that do not trust each other.
 * @returns {Promise<{ca: string, serverCert: string, serverKey: string, clientCert: string,
 *   clientKey: string}>} Paths.
 */
async function makeCertificates(folder) {
  const own = ['-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test CA', '-days', '2'];
  await execFileAsync('openssl', ['req', '-x509', ...KEY, ...own], { cwd: folder });
  await sign(folder, 'server', 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  await sign(folder, 'client', 'extendedKeyUsage=clientAuth\n');
  const file = (/** @type {string} */ name) => path.join(folder, name);
  return {
    ca: file('ca.pem'),
    serverCert: file('server.pem'),
    serverKey: file('server.key'),
    clientCert: file('client.pem'),
    clientKey: file('client.key'),
  };
}

module.exports = { makeCertificates };
