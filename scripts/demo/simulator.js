/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A simulated PowerMonitor 500: a process of its own that speaks Modbus TCP. One that ends stays away for
   a while, so that a person sees how a lost meter looks, and is then started again at its address. */

const { setTimeout: delay } = require('node:timers/promises');
const { startSim } = require('../peers/busbar');
const { freePort } = require('../peers/place');
const { say } = require('../progress');

class Simulator {
  /** @param {string} name @param {number} seed */
  constructor(name, seed) {
    this.name = name;
    this.seed = seed;
    this.port = 0;
    /** The newest. @type {import('../peers/child').Child | undefined} */
    this.child = undefined;
    this.closing = new AbortController();
    /** @type {Promise<void>} */
    this.opened = Promise.resolve();
  }

  async start() {
    this.port ||= await freePort();
    const args = ['pm500', '--port', String(this.port), '--seed', String(this.seed)];
    this.child = (await startSim(this.name, args)).child;
  }

  /** Until it listens. */
  open() {
    this.opened = this.start();
    return this.opened;
  }

  /** Rejects with one sentence when it ends unasked. @returns {Promise<never>} */
  watch() {
    return /** @type {import('../peers/child').Child} */ (this.child).watch();
  }

  /** Until it is closed, starts it again so long after each of its ends. @param {number} seconds */
  async keep(seconds) {
    const { signal } = this.closing;
    while (!signal.aborted) {
      say(`${await this.end()} It is started again in ${seconds} s.`);
      await delay(seconds * 1000, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      /* Whether it could be started is what its end tells. */
      await this.open().then(
        () => say(`${this.name} is back.`),
        () => {},
      );
    }
  }

  /** In one sentence, why it does not run, once that is so and nobody asked for it. @returns {Promise<string>} */
  async end() {
    try {
      await this.opened;
      return await this.watch();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async close() {
    this.closing.abort();
    await this.opened.catch(() => {});
    await this.child?.stop();
  }
}

module.exports = { Simulator };
