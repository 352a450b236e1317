/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `npm start`: sets up what is missing, then shows three simulated meters in Node-RED: read by the
   runtime over Modbus TCP, charted on a dashboard, published to a broker. `npm start -- --check` does it
   without a person. */

const { parseArgs } = require('node:util');
const { StepError } = require('./command');
const { checkValues } = require('./demo/check');
const { Site } = require('./demo/site');
const { Values } = require('./demo/values');
const { isChosen } = require('./peers/busbar');
const { say } = require('./progress');
const { explain, setUp } = require('./setup');

const PARENT_MS = 500;

const USAGE = `usage: npm start [-- [--away SECONDS] | --check [--within SECONDS]]
  --away SECONDS     how long a simulated meter that has ended stays away (20)
  --check            wait until every meter's values have arrived, print a line a meter, and end
  --within SECONDS   how long to wait for them (60)
BUSBAR_BIN names an executable to use in place of the one that is built.`;

/** @typedef {{check: boolean, away: number, within: number}} Options */

/** @param {string} name @param {string} text */
function readSeconds(name, text) {
  if (!/^\d{1,4}$/.test(text)) throw new Error(`--${name} takes whole seconds`);
  return Number(text);
}

/** @returns {Options | undefined} */
function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        away: { type: 'string', default: '20' },
        check: { type: 'boolean', default: false },
        within: { type: 'string', default: '60' },
        help: { type: 'boolean', default: false },
      },
    });
    const away = readSeconds('away', values.away);
    const within = readSeconds('within', values.within);
    if (!values.help) return { check: values.check, away, within };
    say(USAGE);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}\n`);
    process.exitCode = 2;
  }
  return undefined;
}

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
  const { hostname, port } = new URL(site.broker);
  say(`
  Dashboard   ${site.dashboard}
  Flows       ${site.editor}
  MQTT        ${site.broker}   mosquitto_sub -h ${hostname} -p ${port} -t 'plant/#' -v
  Health      ${site.health}   and /metrics

  Ctrl-C ends all of it.`);
}

/** @param {Site} site @param {Options} options @param {Promise<void>} signal */
async function checkSite(site, { within }, signal) {
  const values = new Values(site.broker);
  try {
    await values.open();
    const ended = signal.then(() => Promise.reject(new StepError('Ended before all was seen.')));
    const seen = checkValues(values, site, within);
    await Promise.race([seen, site.watch(), site.watchMeters(), ended]);
  } finally {
    await values.close();
  }
}

/** @param {Site} site @param {Options} options @param {Promise<void>} signal */
async function showSite(site, { away }, signal) {
  showAddresses(site);
  site.keepMeters(away);
  await Promise.race([signal, site.watch()]);
}

/** @param {Options} options @param {Promise<void>} signal */
async function runDemo(options, signal) {
  const site = new Site();
  try {
    say('\nThree simulated meters, a broker and Node-RED');
    await site.open();
    await (options.check ? checkSite : showSite)(site, options, signal);
  } finally {
    await site.close();
  }
}

async function main() {
  const options = readArguments();
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
