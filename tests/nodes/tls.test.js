/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A core tls-config node whose certificates were pasted in the editor, so that they are credentials: with a
   real broker that asks for them, and with nothing of them left lying about. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
/** @type {(name: string) => any} */
const requireAny = require;
const helper = requireAny('node-red-node-test-helper');
const { lacks, startMosquitto } = require('../support');
const { makeCertificates } = require('../support/certificates');
const { listen } = require('../support/listener');
const { tempDir } = require('../support/place');
const { load } = require('./support/helper');

const MOSQUITTO = { skip: lacks('mosquitto') };
const PASSPHRASE = 'Ein Satz, den sonst niemand hat';
/** @param {string} file */
const read = (file) => fs.readFileSync(file, 'utf8');

/** @param {string} key A file. @returns {string} Encrypted. */
function encrypt(key) {
  const args = [
    'pkcs8',
    '-topk8',
    '-in',
    key,
    '-v2',
    'aes-256-cbc',
    '-passout',
    `pass:${PASSPHRASE}`,
  ];
  return execFileSync('openssl', args, { encoding: 'utf8' });
}

/** All files below the folder. @param {string} folder @returns {string[]} */
function listBelow(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

/** @param {import('node:test').TestContext} t
 * @param {{url: string, certificates: any, runtime?: object, tls?: object, given?: object}} what */
function loadTls(t, { url, certificates, runtime, tls, given }) {
  const credentials = {
    cadata: read(certificates.ca),
    certdata: read(certificates.clientCert),
    keydata: encrypt(certificates.clientKey),
    passphrase: PASSPHRASE,
    ...given,
  };
  return load(
    t,
    [
      { id: 'rt', type: 'busbar-runtime', mode: 'spawn', metrics: 'off', ...runtime },
      { id: 'tls', type: 'tls-config', cert: '', key: '', ca: '', verifyservercert: true, ...tls },
      { id: 'mq', type: 'busbar-mqtt', sinkId: 'bus', url, tls: 'tls', verify: true },
      { id: 'to', type: 'busbar-mqtt-out', sink: 'mq', topic: 'a', wires: [] },
    ],
    { tls: credentials },
  );
}

/** @param {any} certificates */
function optionsOf(certificates) {
  const { ca, clientCert: cert, clientKey: key } = certificates;
  return { ca: read(ca), cert: read(cert), key: read(key) };
}

/** @param {any} msg */
const isReady = ({ status: { busbar } }) => busbar?.state === 'ready';

for (const [where, runtime] of Object.entries({ kept: {}, memory: { secrets: 'memory' } })) {
  test(`both sides show certificates that were pasted (${where})`, MOSQUITTO, async (t) => {
    const broker = await startMosquitto(t, { clientCerts: true });
    const { url, certificates = /** @type {any} */ ({}) } = broker;
    const listener = await listen(t, url, { options: optionsOf(certificates) });
    const flow = await loadTls(t, { url, certificates, runtime });
    await flow.waitFor('stated', isReady);
    flow.send('to', { payload: { n: 1 } });
    await listener.waitFor(({ topic }) => topic === 'a', { what: 'the message' });
    const body = read(certificates.clientCert).split('\n')[1];
    const holding = listBelow(flow.data).filter((file) =>
      [PASSPHRASE, body, 'PRIVATE KEY'].some((text) => read(file).includes(text)),
    );
    const expected = where === 'kept' ? [path.join(flow.data, 'secrets')] : [];
    assert.deepEqual(holding, expected);
    for (const file of holding) assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  });
}

test('a broker of another authority is refused, unless nobody looks', MOSQUITTO, async (t) => {
  const broker = await startMosquitto(t, { tls: true });
  const { url } = broker;
  const certificates = await makeCertificates(tempDir(t));
  const warnings = () => {
    const lines = helper.log().args.map((/** @type {any[]} */ [line]) => String(line.msg));
    return lines.filter((/** @type {string} */ text) => /is not verified/.test(text)).length;
  };
  await t.test('refused', async (t) => {
    const flow = await loadTls(t, { url, certificates });
    const { status } = await flow.waitFor(
      'stated',
      ({ status: { busbar } }) => busbar?.state === 'waiting' && /certif/.test(busbar.reason ?? ''),
    );
    assert.match(status.busbar.reason, /certificate/);
    assert.equal(warnings(), 0);
  });
  await t.test('nobody looks', async (t) => {
    const flow = await loadTls(t, { url, certificates, tls: { verifyservercert: false } });
    await flow.waitFor('stated', isReady);
    assert.equal(warnings(), 1);
  });
});
