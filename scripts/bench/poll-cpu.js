/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a Modbus TCP read of 120 registers into 60 floats costs the client, at full speed over 500
   connections: our driver, a bare epoll loop that decodes nothing, and three libraries as their users
   use them. libmodbus waits for each answer: it asks one connection after the other; how it fares with
   a thread for each is shown too. The server is a process of its own and does as little as it can. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { say } = require('../progress');
const { findProgram, findScript, measureProgram } = require('./program');
const { atMostTimes, timesLess } = require('./result');
const { median } = require('./usage');

const CONNECTIONS = 500;
const SECONDS = 0.8;
const UNIT = 'us CPU/read';

/** @typedef {(port: number) => Promise<{cpu_us_per_read: number}>} Client */

/** @param {string} name @param {string[]} words before the others @returns {Client} */
function runNative(name, ...words) {
  return (port) => measureProgram(findProgram(name), [...words, port, CONNECTIONS, SECONDS]);
}

/** @param {string} library @returns {Client} */
function runNode(library) {
  const script = findScript('node_poll.js');
  return (port) => measureProgram(process.execPath, [script, library, port, CONNECTIONS, SECONDS]);
}

const FLOOR = 'bare epoll';
const LIBRARIES = ['libmodbus', 'modbus-serial', 'jsmodbus'];
/* Shown beside them; the bare loop itself costs a quarter of it. */
const THREADS = 'libmodbus, threads';
/** @type {Record<string, Client>} */
const CLIENTS = {
  busbar: runNative('poll_cpu'),
  [FLOOR]: runNative('bare_epoll'),
  libmodbus: runNative('libmodbus_poll', 'turns'),
  'modbus-serial': runNode('modbus-serial'),
  jsmodbus: runNode('jsmodbus'),
  [THREADS]: runNative('libmodbus_poll', 'threads'),
};

/* What a machine takes away that is shared with others changes from one second to the next: all are
   measured in short turns, in an order that turns round. */
const ONE_WAY = ['busbar', FLOOR, ...LIBRARIES];
const NATIVE_BACK = ['libmodbus', FLOOR, 'busbar'];
const TURNS = [...ONE_WAY, ...NATIVE_BACK, ...ONE_WAY, ...NATIVE_BACK, THREADS, ...ONE_WAY];

/** @param {(port: number) => Promise<void>} work */
async function withServer(work) {
  const server = spawn(findProgram('modbus_server'), [String(CONNECTIONS + 10)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(server.stdout, 'data');
    await work(Number(String(line)));
  } finally {
    server.stdin.end();
    server.kill();
  }
}

async function measure() {
  const names = Object.keys(CLIENTS);
  /** @type {Record<string, number[]>} */
  const costs = Object.fromEntries(names.map((name) => [name, []]));
  await withServer(async (port) => {
    /* Whoever meets the server first pays for the memory of its sockets. */
    await CLIENTS[FLOOR](port);
    for (const name of TURNS) costs[name].push((await CLIENTS[name](port)).cpu_us_per_read);
  });
  for (const name of names) {
    say(`  ${name.padEnd(18)} ${costs[name].map((cost) => cost.toFixed(2)).join(', ')} ${UNIT}`);
  }
  const ours = median(costs.busbar);
  const reference = (/** @type {string} */ name) => ({ name, value: median(costs[name]) });
  return [
    atMostTimes('poll-cpu/floor', UNIT, ours, 1.6, reference(FLOOR)),
    ...LIBRARIES.map((name) => timesLess(`poll-cpu/${name}`, UNIT, ours, 4.5, reference(name))),
  ];
}

module.exports = { measure };
