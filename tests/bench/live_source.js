/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Live data beside a backlog: an external device whose batches are told by their times, so that the
   far end can say how long each was on its way. */

const path = require('node:path');
const { openControl } = require('../../scripts/peers/control');
const { packBatch, packDevice, packShape } = require('../support/frame');

const FRAMES = 4;
const NUMBER = 1;
const POINTS = 50;

const DEVICE = 'live';
const SHAPE = packShape(
  'values',
  Array.from({ length: POINTS }, (_, i) => [`p${i}`, 'float32']),
);

/** What the config needs for it. */
const CONFIG = {
  connections: [{ id: 'outside', external: {} }],
  devices: [{ id: DEVICE, connection: 'outside' }],
};

class LiveSource {
  /** @param {import('../../scripts/peers/control').Control} control */
  constructor(control) {
    this.control = control;
    /** When the batch of that time (ms) was sent, by performance.now(). @type {Map<number, number>} */
    this.sent = new Map();
    /** Milliseconds on their way. @type {number[]} */
    this.times = [];
    this.lastMs = 0;
    this.send(packDevice(NUMBER, DEVICE), SHAPE.frame);
  }

  /** @param {Uint8Array[]} frames */
  send(...frames) {
    const body = Buffer.concat(frames);
    const head = Buffer.alloc(5);
    head.writeUInt32LE(1 + body.length, 0);
    head[4] = FRAMES;
    this.control.socket.write(Buffer.concat([head, body]));
  }

  /** Sends a batch and returns its time, ms since 1970, which no other has. */
  push() {
    this.lastMs = Math.max(Date.now(), this.lastMs + 1);
    const values = SHAPE.points.map(() => 128 + 256 * Math.random());
    this.sent.set(this.lastMs, performance.now());
    this.send(packBatch(NUMBER, SHAPE, values, BigInt(this.lastMs) * 1000000n));
    return this.lastMs;
  }

  /** The far end has the batch of that time. @param {number} timeMs */
  arrived(timeMs) {
    const sent = this.sent.get(timeMs);
    if (sent === undefined) return;
    this.sent.delete(timeMs);
    this.times.push(performance.now() - sent);
  }

  /** @param {number} everyMs */
  start(everyMs) {
    this.timer = setInterval(() => this.push(), everyMs);
  }

  /** What has not arrived counts as it waits now. */
  stop() {
    clearInterval(this.timer);
    const now = performance.now();
    this.times.push(...[...this.sent.values()].map((sent) => now - sent));
    this.sent.clear();
    this.control.close();
    return this.times.sort((a, b) => a - b);
  }
}

/** @param {string} data The data directory of the runtime. */
async function openLiveSource(data) {
  return new LiveSource(await openControl(path.join(data, 'busbar.sock'), 'bench'));
}

module.exports = { CONFIG, DEVICE, openLiveSource };
