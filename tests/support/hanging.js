/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A site with sinks that hang beside one that is well. */

const { startForwarder } = require('./forwarder');
const { listen } = require('./listener');
const { startMosquitto } = require('./mosquitto');
const { findPreload, lacksPreload } = require('./preload');
const { describeMeter } = require('./runtime');
const { startSim } = require('./sim');

/** @typedef {import('node:test').TestContext} TestContext */

/** Why no name can be made to hang here, or false. */
function lacksHangingNames() {
  return lacksPreload('hanging_names');
}

/** A meter that is read every 200 ms, a sink that is well and listened to, and some that hang. With
 * `env`, names below hanging.test hang.
 * @param {TestContext} t */
async function startHangingFeed(t) {
  const broker = await startMosquitto(t);
  const sim = await startSim(t, ['generic/modbus-60']);
  const listener = await listen(t, broker.url, { topic: 'plant/#' });
  const config = {
    ...describeMeter('meter-1', sim.port, { scan: { fast: '200ms' } }),
    sinks: [
      { id: 'good', mqtt: { url: broker.url, linger: '0ms' }, devices: ['*'] },
      ...(await describeHanging(t)),
    ],
  };
  return { broker, sim, listener, config, env: { LD_PRELOAD: findPreload('hanging_names') } };
}

/** Sinks whose servers take a connection and say nothing, or have no address, or nobody says which.
 * @param {TestContext} t */
async function describeHanging(t) {
  const { port } = await startForwarder(t, 0);
  const influxdb = (/** @type {string} */ url) => ({ url, database: 'plant', timeout: '3s' });
  return [
    { id: 'mute-mqtt', mqtt: { url: `mqtt://127.0.0.1:${port}` }, devices: ['*'] },
    { id: 'mute-tls', mqtt: { url: `mqtts://127.0.0.1:${port}` }, devices: ['*'] },
    { id: 'nowhere-mqtt', mqtt: { url: 'mqtt://no-such-host.invalid:1883' }, devices: ['*'] },
    { id: 'mute-influx', influxdb: influxdb(`http://127.0.0.1:${port}`), devices: ['*'] },
    {
      id: 'nowhere-influx',
      influxdb: influxdb('http://no-such-host.invalid:8086'),
      devices: ['*'],
    },
    {
      id: 'hanging-mqtt',
      mqtt: { url: 'mqtt://broker.hanging.test:1883', connect_timeout: '3s' },
      devices: ['*'],
    },
    {
      id: 'hanging-influx',
      influxdb: influxdb('http://database.hanging.test:8086'),
      devices: ['*'],
    },
    { id: 'dead-mqtt', mqtt: { url: 'mqtt://192.0.2.1:1883' }, devices: ['*'] },
  ];
}

module.exports = { lacksHangingNames, startHangingFeed };
