/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Asks the runtime how its devices and sinks are, a few devices at a time, so that thousands of them
   never hold up Node-RED: often while somebody looks, else seldom. What changes at once comes as
   events anyway. */

const CHUNK = 40;
const SINKS_MS = 2000;
const CHUNK_MS = 25;
/* All devices are gone through that often at most. */
const ROUND_WATCHED_MS = 1000;
const ROUND_MS = 15000;
const WATCHED_FOR_MS = 5000;
/* One that has come up is asked again until its points are known. */
const FRESH_MS = 500;
const FRESH_TRIES = 20;

class StatusPoller {
  /** @param {import('./runtime').Runtime} runtime @param {import('./plant_state').PlantState} state
   * @param {() => void} [onAnswer] The state is as of now. */
  constructor(runtime, state, onAnswer = () => {}) {
    this.runtime = runtime;
    this.state = state;
    this.onAnswer = onAnswer;
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    this.watchedUntil = 0;
    /** @type {string[]} */
    this.left = [];
    this.roundAt = 0;
    this.sinksAt = 0;
    /** Devices that a change was told of, and how often they are still asked out of turn.
     * @type {Map<string, number>} */
    this.fresh = new Map();
    this.freshAt = 0;
    /** The newest answer about the runtime itself. @type {Record<string, any>} */
    this.about = {};
    /** @type {string[]} */
    this.devices = [];
  }

  start() {
    this.stop();
    this.roundAt = this.sinksAt = 0;
    this.left = [];
    this.fresh.clear();
    this.schedule(0);
  }

  /** An event says that a device answers, and not yet what: that is asked soon, not only in its turn.
   * @param {string} device */
  hurry(device) {
    if (this.fresh.size === 0) this.freshAt = Date.now() + FRESH_MS;
    this.fresh.set(device, FRESH_TRIES);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Somebody looks. */
  watch() {
    const asleep = Date.now() > this.watchedUntil;
    this.watchedUntil = Date.now() + WATCHED_FOR_MS;
    this.roundAt = Math.min(this.roundAt, Date.now() + ROUND_WATCHED_MS);
    if (asleep && this.timer) this.schedule(0);
  }

  /** @param {number} ms */
  schedule(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.step(), ms);
    this.timer.unref?.();
  }

  async step() {
    const timer = this.timer;
    const now = Date.now();
    const devices = this.nextChunk(now);
    const wantsSinks = now >= this.sinksAt;
    if (wantsSinks) this.sinksAt = now + SINKS_MS;
    if (devices.length > 0 || wantsSinks) await this.ask(devices);
    if (this.timer === timer) this.schedule(this.left.length > 0 ? CHUNK_MS : 500);
  }

  /** @param {number} now */
  nextChunk(now) {
    const watched = now < this.watchedUntil;
    if (this.left.length === 0 && now >= this.roundAt) {
      this.left = [...this.devices];
      this.roundAt = now + (watched ? ROUND_WATCHED_MS : ROUND_MS);
    }
    if (this.fresh.size > 0 && now >= this.freshAt) this.takeFresh(now);
    return this.left.splice(0, CHUNK);
  }

  /** Those whose points are not known yet come first. @param {number} now */
  takeFresh(now) {
    this.freshAt = now + FRESH_MS;
    const wanted = [];
    for (const [id, tries] of this.fresh) {
      const device = this.state.devices.get(id);
      const wasAsked = tries < FRESH_TRIES;
      const isKnown = !device?.up || tries === 0 || (wasAsked && device.missing === 0);
      if (isKnown) this.fresh.delete(id);
      else this.fresh.set(id, tries - 1);
      if (!isKnown) wanted.push(id);
    }
    const others = this.left.filter((id) => !this.fresh.has(id));
    this.left = [...wanted, ...others];
  }

  /** @param {string[]} devices */
  async ask(devices) {
    try {
      const {
        devices: _devices,
        sinks: _sinks,
        connections: _connections,
        ...about
      } = await this.runtime.request('status', { devices }).then((status) => {
        this.state.takeStatus(status);
        return status;
      });
      this.about = about;
      this.onAnswer();
    } catch {
      /* It is gone, or slow; its coming back starts anew. */
    }
  }
}

module.exports = { StatusPoller };
