/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Batches that can be counted one by one: an external device whose only point is a number that rises
   by one with each batch, and what is to be said of such numbers where they arrive.

     const counter = await startCounter(t, runtime);
     await counter.send(100);                    // 1 to 100 are the runtime's
     checkArrivals(arrivalsOf(listener), { last: counter.last }); */

const assert = require('node:assert/strict');
const { packBatch, packDevice, packShape } = require('./frame');
const { packPut } = require('./put');
const { TYPE, connectSocket } = require('./socket');
const { waitFor } = require('./wait');

const NUMBER = 1;
/* Each number has a time of its own, by which a database knows it. */
const FIRST_MS = 1767225600000;
const AT_ONCE = 2000; /* a message has 1 MiB at most */

/** For the document. @param {...string} devices */
function describeCounters(...devices) {
  return {
    connections: devices.map((id) => ({ id: `from-${id}`, external: {} })),
    devices: devices.map((id) => ({ id, connection: `from-${id}` })),
  };
}

/** The time that a number's batch has, in milliseconds. @param {number} n */
function timeOf(n) {
  return FIRST_MS + n;
}

/** A number, and as many points whose values no packing makes shorter. @param {number} noise */
function makeShape(noise) {
  const more = Array.from({ length: noise }, (_, i) => [`noise${i}`, 'float64']);
  return packShape('values', [['n', 'uint32'], .../** @type {[string, string][]} */ (more)]);
}

class Counter {
  /** @param {import('./socket').SocketClient} client @param {number} last @param {number} noise */
  constructor(client, last, noise) {
    this.client = client;
    this.last = last;
    this.noise = noise;
    this.shape = makeShape(noise);
    this.marks = 0;
  }

  /** Sends the next ones. They are the runtime's once this resolves. @param {number} count */
  async send(count) {
    for (let left = count; left > 0; left -= AT_ONCE) {
      const frames = Array.from({ length: Math.min(left, AT_ONCE) }, () => this.pack());
      this.client.sendFrames(...frames);
      await this.client.must('status', { devices: [] });
    }
  }

  pack() {
    const noise = Array.from({ length: this.noise }, Math.random);
    const time = BigInt(timeOf(++this.last)) * 1000000n;
    return packBatch(NUMBER, this.shape, [this.last, ...noise], time);
  }

  /** Sends `count` every `everyMs` until the function that is returned is called and has resolved.
   * @param {{everyMs?: number, count?: number}} [pace] */
  keepSending({ everyMs = 20, count = 2 } = {}) {
    let going = true;
    const work = async () => {
      while (going && !this.client.closed) {
        await this.send(count);
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
    };
    const done = work();
    done.catch(() => {});
    return async () => {
      going = false;
      await done;
    };
  }

  /** Waits until what was sent is in the store: a message that is put behind it for a sink that is away
   * is answered for only then. @param {string} sink Its id.
   * @param {{topic?: string, payload: string}} [mark] What it is to be; for MQTT. */
  async committed(sink, mark = { topic: 'mark', payload: '{}' }) {
    const id = ++this.marks;
    this.client.send(TYPE.put, packPut(sink, [{ id, ...mark }]));
    const isIt = (/** @type {any} */ event) =>
      event.event === 'taken' && event.sink === sink && event.id === id;
    await waitFor(() => this.client.events.find(isIt), { timeoutMs: 30000, what: `taken ${id}` });
  }

  /** What the runtime says of its sinks. @returns {Promise<Record<string, any>>} By id. */
  async sinks() {
    const { sinks } = await this.client.must('status', { devices: [] });
    return Object.fromEntries(sinks.map((/** @type {any} */ sink) => [sink.id, sink]));
  }

  /** Waits until nothing waits for that sink any more. @param {string} id @param {number} [timeoutMs] */
  async drained(id, timeoutMs = 60000) {
    const look = async () => (await this.sinks())[id].waiting === 0;
    await waitFor(look, { timeoutMs, what: `${id} to have taken everything` });
  }

  /** Waits until that sink is ready, or not. @param {string} id @param {boolean} ready */
  async isReady(id, ready) {
    await waitFor(async () => (await this.sinks())[id].ready === ready, {
      timeoutMs: 90000,
      what: `${id} to be ${ready ? 'ready' : 'away'}`,
    });
  }
}

/** @param {import('node:test').TestContext} t @param {import('./runtime').Runtime} runtime
 * @param {{device?: string, last?: number, noise?: number}} [options] `last`: what was counted
 *   before; `noise`: points that make a batch larger. */
async function startCounter(t, runtime, { device = 'm', last = 0, noise = 0 } = {}) {
  const client = await connectSocket(t, runtime.data, { name: `from-${device}` });
  const counter = new Counter(client, last, noise);
  client.sendFrames(packDevice(NUMBER, device), counter.shape.frame);
  return counter;
}

/** @typedef {{n: number, history: boolean, retain: boolean, batch?: string}} Arrival
 * `batch`: what should tell it from all others. */

/** What a listener heard of one device's numbers, in the order in which they came; without what was
 * announced as stale. @param {import('./listener').Listener} listener @returns {Arrival[]} */
function arrivalsOf(listener, device = 'm') {
  return listener.messages
    .filter(({ payload }) => payload.device === device && !payload.quality)
    .map(({ payload, retain }) => ({
      n: payload.values.n,
      history: payload.historical === true,
      retain,
      batch: `boot ${payload.boot}, seq ${payload.seq}`,
    }));
}

/** @param {number[]} numbers @param {string} what */
function assertRising(numbers, what) {
  const at = numbers.findIndex((n, i) => i > 0 && n < numbers[i - 1]);
  const around = numbers.slice(Math.max(0, at - 3), at + 3);
  assert.equal(at, -1, `${what} is out of order: ${around.join(', ')}`);
}

/**
 * All of 1 to `last` arrived, each as one batch; those that came live in their order, and those that came as history
 * in theirs; none of history was retained. Of what came more than once the first counts.
 * @param {Arrival[]} arrivals @param {{last: number}} sent
 * @returns {{repeated: number[], live: number[], history: number[]}} By their numbers.
 */
function checkArrivals(arrivals, { last }) {
  /** @type {Set<number>} */
  const seen = new Set();
  /** @type {{repeated: number[], live: number[], history: number[]}} */
  const found = { repeated: [], live: [], history: [] };
  for (const { n, history, retain } of arrivals) {
    assert.ok(!(history && retain), `${n} is history and was retained`);
    const kind = seen.has(n) ? 'repeated' : history ? 'history' : 'live';
    found[kind].push(n);
    seen.add(n);
  }
  assertComplete(seen, last);
  assertToldApart(arrivals);
  assertRising(found.live, 'what came live');
  assertRising(found.history, 'what came as history');
  return found;
}

/** What came more than once was the same batch each time, and no other was. @param {Arrival[]} arrivals */
function assertToldApart(arrivals) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  /** @type {Map<number, string>} */
  const batches = new Map();
  for (const { n, batch } of arrivals) {
    if (batch === undefined) continue;
    assert.equal(numbers.get(batch) ?? n, n, `${batch} is more than one batch`);
    assert.equal(batches.get(n) ?? batch, batch, `${n} came as more than one batch`);
    numbers.set(batch, n);
    batches.set(n, batch);
  }
}

/** @param {Set<number>} seen @param {number} last */
function assertComplete(seen, last) {
  const lost = [];
  for (let n = 1; n <= last; n++) if (!seen.has(n)) lost.push(n);
  assert.equal(
    lost.length,
    0,
    `${lost.length} of ${last} are lost: ${lost.slice(0, 20).join(', ')}`,
  );
  assert.equal(seen.size, last, `${seen.size} arrived of ${last}`);
}

/** Waits until all of 1 to `last` have arrived. @param {() => Arrival[]} look @param {number} last */
async function waitForAll(look, last, timeoutMs = 60000) {
  await waitFor(() => new Set(look().map(({ n }) => n)).size >= last, {
    timeoutMs,
    what: `1 to ${last}`,
  }).catch(() => {});
}

module.exports = {
  ...{ Counter, arrivalsOf, assertComplete, assertRising, checkArrivals, describeCounters },
  ...{ startCounter, timeOf, waitForAll },
};
