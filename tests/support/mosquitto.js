/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A real MQTT broker on a free port. */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { makeCertificates } = require('./certificates');
const { freePort, tempDir } = require('./place');
const { startProgram } = require('./program');
const { isListening, waitFor } = require('./wait');

/**
 * @typedef {object} BrokerOptions
 * @property {boolean} [tls] The only listener speaks TLS.
 * @property {boolean} [clientCerts] And asks for a client certificate; implies tls.
 * @property {{username: string, password: string}} [password] Nobody else is let in.
 * @property {string[]} [config] More lines of mosquitto.conf.
 * @property {number} [port]
 *
 * @typedef {Awaited<ReturnType<typeof makeCertificates>>} Certificates
 */

/** @param {string} folder @param {{username: string, password: string}} login */
function writePasswords(folder, login) {
  const file = path.join(folder, 'passwords');
  execFileSync('mosquitto_passwd', ['-b', '-c', file, login.username, login.password]);
  return [`password_file ${file}`, 'allow_anonymous false'];
}

/** @param {Certificates} certificates @param {boolean} clientCerts */
function tlsLines(certificates, clientCerts) {
  return [
    `cafile ${certificates.ca}`,
    `certfile ${certificates.serverCert}`,
    `keyfile ${certificates.serverKey}`,
    `require_certificate ${clientCerts}`,
  ];
}

class Broker {
  /** @param {import('node:test').TestContext} t @param {string} configFile @param {number} port
   * @param {Certificates | undefined} certificates */
  constructor(t, configFile, port, certificates) {
    this.test = t;
    this.configFile = configFile;
    this.port = port;
    this.certificates = certificates;
    this.url = `${certificates ? 'mqtts://localhost' : 'mqtt://127.0.0.1'}:${port}`;
    /** @type {import('./program').Program | undefined} */
    this.program = undefined;
  }

  /** Starts it again after a stop, on the same port. */
  async start() {
    const program = startProgram(this.test, {
      command: fs.existsSync('/usr/sbin/mosquitto') ? '/usr/sbin/mosquitto' : 'mosquitto',
      args: ['-c', this.configFile],
    });
    this.program = program;
    await program.waitForOutput(/mosquitto version \S+ running/);
    await waitFor(() => isListening(this.port), { what: `mosquitto on port ${this.port}` });
  }

  /** @param {NodeJS.Signals} [signal] */
  async stop(signal) {
    await this.program?.stop(signal);
  }
}

/** @param {import('node:test').TestContext} t @param {BrokerOptions} [options] */
async function startMosquitto(t, options = {}) {
  const folder = tempDir(t);
  const port = options.port ?? (await freePort());
  const tls = options.tls || options.clientCerts;
  const certificates = tls ? await makeCertificates(folder) : undefined;
  const lines = [
    `listener ${port} 127.0.0.1`,
    /* Started by root it would become another user, who cannot read our folder. */
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    ...(options.password ? writePasswords(folder, options.password) : ['allow_anonymous true']),
    ...(certificates ? tlsLines(certificates, Boolean(options.clientCerts)) : []),
    'persistence false',
    'log_dest stderr',
    ...(options.config || []),
  ];
  const configFile = path.join(folder, 'mosquitto.conf');
  fs.writeFileSync(configFile, `${lines.join('\n')}\n`);
  const broker = new Broker(t, configFile, port, certificates);
  await broker.start();
  return broker;
}

module.exports = { startMosquitto };
