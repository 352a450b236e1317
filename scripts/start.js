/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `npm start`: sets up what is missing, then shows three simulated meters in Node-RED: read by the
   runtime over Modbus TCP, charted on a dashboard, published to a broker. `npm start -- --check` does it
   without a person. */

const { readArguments } = require('./arguments');
const { StepError } = require('./command');
const { checkValues } = require('./demo/check');
const { Site } = require('./demo/site');
const { Values } = require('./demo/values');
const { isChosen } = require('./peers/busbar');
const { say } = require('./progress');
const { explain, setUp } = require('./setup');

const PARENT_MS = 500;

const USAGE = `usage: npm start [-- --check [--within SECONDS]]
  --check            wait until every meter's values have arrived, print a line a meter, and end
  --within SECONDS   how long to wait for them (60)
BUSBAR_BIN names an executable to use in place of the one that is built.`;

/** Ends with the first signal; later ones are part of it (npm passes on what the terminal has sent
 * to us already). A SIGTERM to npm ends npm and the shell between us, and does not reach us: then our
 * parent is another one. @returns {Promise<void>} */
function waitForSignal() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve());
    const parent = process.ppid;
    if (!process.env.npm_lifecycle_event) return;
    setInterval(() => process.ppid !== parent && resolve(), PARENT_MS);
  });
}

/** @param {Site} site */
function showAddresses(site) {
  say(`
  Dashboard   ${site.dashboard}
  Flows       ${site.editor}
  MQTT        ${site.broker}   topics plant/<meter>/<scan>

  Ctrl-C ends all of it.`);
}

/** @param {{check: boolean, within: string}} options @param {Promise<void>} signal */
async function runDemo(options, signal) {
  const site = new Site();
  /** @type {Values | undefined} */
  let values;
  try {
    say('\nThree simulated meters, a broker and Node-RED');
    await site.open();
    if (options.check) {
      values = new Values(site.broker);
      await values.open();
      const within = Number(options.within);
      const ended = signal.then(() => Promise.reject(new StepError('Ended before all was seen.')));
      await Promise.race([checkValues(values, site, within), site.watch(), ended]);
    } else {
      showAddresses(site);
      await Promise.race([signal, site.watch()]);
    }
  } finally {
    await values?.close();
    await site.close();
  }
}

async function main() {
  const options = readArguments(
    USAGE,
    {
      check: { type: 'boolean', default: false },
      within: { type: 'string', default: '60' },
    },
    ({ within }) => {
      if (!/^\d{1,4}$/.test(within)) throw new Error('--within takes whole seconds');
    },
  );
  if (!options) return;
  try {
    await setUp({ for: 'start', build: !isChosen() });
    await runDemo(options, waitForSignal());
    if (!options.check) say('All ended.');
  } catch (error) {
    explain(error);
    process.exitCode = 1;
  }
  /* The signals' listeners would hold us. */
  process.exit();
}

main();
