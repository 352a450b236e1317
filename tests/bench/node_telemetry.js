/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The reference of idle-cpu: what the runtime does, as one would write it for Node.js. A client of
   modbus-serial and a timer per device, sixty float32 values once a second, one JSON message each to
   MQTT with QoS 1. Prints "ready" once every device has been read, and polls until it is ended.

   node node_telemetry.js BROKER PORT… */

const ModbusRTU = require('modbus-serial').default;
const mqtt = require('mqtt');

const REGISTERS = 120;
const PERIOD_MS = 1000;

const names = Array.from({ length: REGISTERS / 2 }, (_, i) => `value/${i + 1}`);

/** @param {mqtt.MqttClient} broker @param {number} port @param {string} device */
async function startDevice(broker, port, device) {
  const client = new ModbusRTU();
  await client.connectTCP('127.0.0.1', { port });
  client.setID(1);
  const poll = async () => {
    const { buffer } = await client.readHoldingRegisters(0, REGISTERS);
    /** @type {Record<string, number>} */
    const values = {};
    names.forEach((name, i) => {
      values[name] = Number(buffer.readFloatBE(4 * i).toPrecision(7));
    });
    const message = { timestamp: Date.now(), device, scan: 'fast', values };
    broker.publish(`plant/${device}/fast`, JSON.stringify(message), { qos: 0 });
  };
  await poll();
  setInterval(poll, PERIOD_MS);
}

async function main() {
  const [url, ...ports] = process.argv.slice(2);
  const broker = await mqtt.connectAsync(url);
  let started = 0;
  for (const port of ports) {
    await startDevice(broker, Number(port), `device-${(started += 1)}`);
    /* The devices of a plant do not all answer in the same millisecond. */
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS / ports.length));
  }
  console.log('ready');
}

main();
