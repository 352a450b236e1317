/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A mosquitto of our own on a free loopback port, open to everybody on this machine. */

const fs = require('node:fs');
const path = require('node:path');
const { Child } = require('./child');
const { freePort } = require('./place');

/* Debian puts it where only root's PATH leads. */
const MOSQUITTO = '/usr/sbin/mosquitto';

/** @param {string} folder Where its config lies. @param {string[]} [more] Lines of mosquitto.conf. */
async function startBroker(folder, more = []) {
  const port = await freePort();
  const file = path.join(folder, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'log_dest stderr',
    /* Started by root it would become another user, who cannot read our folder. */
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    ...more,
  ];
  fs.writeFileSync(file, `${lines.join('\n')}\n`);
  const child = new Child('the MQTT broker', fs.existsSync(MOSQUITTO) ? MOSQUITTO : 'mosquitto', [
    '-c',
    file,
  ]);
  await child.waitForLine(/mosquitto version \S+ running/);
  return { child, port, url: `mqtt://127.0.0.1:${port}` };
}

module.exports = { startBroker };
