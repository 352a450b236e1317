/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What poll_cpu.c measures, by the two Modbus libraries of Node.js as their users use them: N
   connections, every read followed by the next at once, 120 registers into sixty float32 values.
   Prints {"reads":n,"cpu_us_per_read":x,"value":v}.

   node node_poll.js modbus-serial|jsmodbus PORT CONNECTIONS SECONDS */

const net = require('node:net');
const { once } = require('node:events');
const { setTimeout: delay } = require('node:timers/promises');

const REGISTERS = 120;
const WARM_MS = 1500; /* until the compiler has seen what is hot */

/** @returns {Promise<() => Promise<Buffer>>} Reads once. @param {number} port */
async function openModbusSerial(port) {
  const { default: ModbusRTU } = require('modbus-serial');
  const client = new ModbusRTU();
  await client.connectTCP('127.0.0.1', { port });
  client.setID(1);
  return async () => (await client.readHoldingRegisters(0, REGISTERS)).buffer;
}

/** @returns {Promise<() => Promise<Buffer>>} Reads once. @param {number} port */
async function openJsmodbus(port) {
  const modbus = require('jsmodbus');
  const socket = net.connect(port, '127.0.0.1');
  const client = new modbus.client.TCP(socket, 1);
  await once(socket, 'connect');
  return async () => {
    const { response } = await client.readHoldingRegisters(0, REGISTERS);
    return /** @type {any} */ (response.body).valuesAsBuffer;
  };
}

const values = new Array(REGISTERS / 2).fill(0);
let reads = 0;

/** @param {() => Promise<Buffer>} read */
async function pollForever(read) {
  for (;;) {
    const bytes = await read();
    for (let i = 0; i < values.length; i++) values[i] = bytes.readFloatBE(4 * i);
    reads += 1;
  }
}

async function main() {
  const [library, port, connections, seconds] = process.argv.slice(2);
  const open = library === 'jsmodbus' ? openJsmodbus : openModbusSerial;
  const readers = [];
  for (let i = 0; i < Number(connections); i++) readers.push(await open(Number(port)));
  for (const read of readers) {
    pollForever(read).catch((error) => {
      console.error(`${library}: ${error.message ?? JSON.stringify(error)}`);
      process.exit(1);
    });
  }
  await delay(WARM_MS);
  const before = process.cpuUsage();
  const from = reads;
  await delay(Number(seconds) * 1000);
  const { user, system } = process.cpuUsage(before);
  const n = reads - from;
  const cost = Number(((user + system) / n).toFixed(3));
  console.log(JSON.stringify({ reads: n, cpu_us_per_read: cost, value: values.at(-1) }));
  process.exit(0);
}

main();
