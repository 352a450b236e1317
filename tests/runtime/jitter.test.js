/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Boxes that are alike and begin together do not try again together. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');
const { tempDir, waitFor } = require('../support');
const { startBusbar } = require('../support/busbar');
const { atEnd } = require('../support/end');

const SINKS = ['a', 'b', 'c', 'd', 'e', 'f'];
/* A look at why a broker closed follows at once, the next try after about a second. */
const GAP_MS = 500;
/* Delays that differ by less could be the same one, measured. */
const ALIKE_MS = 15;

/** Closes what connects, and knows how long it was left alone.
 * @param {import('node:test').TestContext} t */
async function startCloser(t) {
  /** @type {number[]} */
  const times = [];
  const server = net.createServer((socket) => {
    times.push(performance.now());
    socket.on('error', () => {});
    socket.destroy();
  });
  await new Promise((resolve) => void server.listen(0, '127.0.0.1', () => resolve(undefined)));
  atEnd(t, () => new Promise((resolve) => void server.close(resolve)));
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  const findDelay = () => {
    const gaps = times.slice(1).map((time, i) => time - times[i]);
    return gaps.find((gap) => gap > GAP_MS);
  };
  return { port, findDelay };
}

/** A box in a fresh data directory, and where its sinks try. @param {import('node:test').TestContext} t */
async function startBox(t) {
  const closers = await Promise.all(SINKS.map(() => startCloser(t)));
  const sinks = SINKS.map((id, i) => ({
    ...{ id, mqtt: { url: `mqtt://127.0.0.1:${closers[i].port}` }, devices: [] },
  }));
  const data = tempDir(t);
  const file = path.join(data, 'site.json');
  fs.writeFileSync(file, JSON.stringify({ busbar: 1, sinks, runtime: { metrics: 'off' } }));
  startBusbar(t, ['run', file, '--data', data]);
  return closers;
}

test('two boxes of one config try again at times of their own', async (t) => {
  const boxes = [await startBox(t), await startBox(t)];
  const [one, other] = await waitFor(
    () => {
      const delays = boxes.map((closers) => closers.map(({ findDelay }) => findDelay() ?? 0));
      return delays.flat().every((delay) => delay > 0) && delays;
    },
    { what: 'the second tries' },
  );
  const apart = one.map((delay, i) => Math.abs(delay - other[i]));
  assert.ok(
    apart.some((ms) => ms > ALIKE_MS),
    `all alike: ${one.map(Math.round)} and ${other.map(Math.round)} ms`,
  );
});
