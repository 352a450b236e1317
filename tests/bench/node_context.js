/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What store_append.c measures, by Node-RED's context store on files, in which a flow buffers what a
   broker does not take: an array that grows by a message for each batch of 50 floats. It is saved a
   second after the first change, as the store is.

   node node_context.js FOLDER BATCHES_A_SECOND SECONDS
   prints {"samples": n, "cpu_ns": n, "written": n}; with 0 batches a second as many as it can */

const fs = require('node:fs');
const path = require('node:path');

const POINTS = 50;
const DEVICES = 2000;
const MOST = 1000; /* in one turn */
const FEED_MS = 10;
const FLUSH_S = 1;

const [folder, rate, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const modules = path.dirname(require.resolve('@node-red/runtime/package.json'));
const makeStore = require(path.join(modules, 'lib/nodes/context/localfilesystem'));

const names = Array.from({ length: POINTS }, (_, i) => `p${i}`);
let fed = 0;

function makeMessage() {
  const values = names.map((name) => [name, Math.fround(128 + 256 * Math.random())]);
  const topic = `plant/meter-${fed++ % DEVICES}/fast`;
  return { topic, payload: { timestamp: Date.now(), values: Object.fromEntries(values) } };
}

function readWritten() {
  const text = fs.readFileSync('/proc/self/io', 'utf8');
  return Number(/^write_bytes: (\d+)$/m.exec(text)?.[1]);
}

/** What making the messages costs is not the store's. @param {number} count */
function measureMaking(count) {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) makeMessage();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

async function main() {
  const makingUs = measureMaking(10 * MOST);
  const store = makeStore({ dir: folder, base: 'context', cache: true, flushInterval: FLUSH_S });
  await store.open();
  fed = 0;
  const [cpu, written, started] = [process.cpuUsage(), readWritten(), performance.now()];
  const end = started + seconds * 1000;
  while (performance.now() < end) {
    const due = rate > 0 ? ((performance.now() - started) / 1000) * rate : fed + MOST;
    const queue = store.get('flow', 'queue') ?? [];
    while (fed < due) queue.push(makeMessage());
    store.set('flow', 'queue', queue);
    await new Promise((resolve) => setTimeout(resolve, rate > 0 ? FEED_MS : 0));
  }
  await store.close();
  const { user, system } = process.cpuUsage(cpu);
  const ns = Math.max(0, user + system - makingUs * fed) * 1000;
  const result = { samples: fed * POINTS, cpu_ns: ns, written: readWritten() - written };
  console.log(JSON.stringify(result));
}

main();
