/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* How a connection to the runtime of a data directory comes about, and how long to wait before it is
   tried again: by attaching to the one that lives there, else, where that is wanted, by starting one.

   Two may start one at the same time; the kernel's lock on the data directory decides, and the one
   that was late attaches. An older runtime that was spawned is told to end, and replaced, once; then
   whatever answers is taken, so that two palettes of different versions do not fight over it. */

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { attach } = require('./attach');
const binding = require('./binding');
const { isNobody } = require('./client');
const { makeDataDir, readRecord } = require('./data_dir');
const { BusbarError } = require('./errors');
const { isOlder, isSpawned } = require('./runtime_life');
const { isSpawnedFor, signal: sendSignal, waitGone } = require('./runtime_process');
const { spawnRuntime } = require('./spawn');
const { formatDuration } = require('./units');

/** @typedef {import('./client').Client} Client */
/** @typedef {import('./client').Hello} Hello */

const POLL_MS = 20;
const START_MS = 20000; /* a large document is read before the socket opens */
const OTHER_MS = 500; /* what another runtime, which was first, has to open its socket */
const END_MS = 6000; /* an ordered end takes at most 5 s */
const ANSWER_MS = 2000;

const QUICK_MS = 10000;
const QUICK_ENDS = 5;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;
const LOOP_WAIT_MS = 30000;

/** Of this palette. @type {string} */
const VERSION = JSON.parse(
  fs.readFileSync(path.join(__dirname, '../package.json'), 'utf8'),
).version;

/** @param {string} sentence Maybe with a full stop. */
function withoutStop(sentence) {
  return sentence.replace(/\.$/, '');
}

class Starter {
  /**
   * @param {{dataDir: string, mode: 'spawn' | 'attach', executable?: string, linger: string,
   *   name: string, platform: string, log: import('./runtime').Log}} options
   */
  constructor(options) {
    this.options = options;
    /** The last that we started. @type {import('./spawn').Child | null} */
    this.child = null;
    /** Ends in a row that came soon after the start. */
    this.quickEnds = 0;
    /** @type {import('./spawn').Child | null} */
    this.counted = null;
    this.replaced = false;
  }

  /** @param {AbortSignal} signal @returns {Promise<Client>} */
  async reach(signal) {
    const { mode, dataDir, platform } = this.options;
    if (platform !== 'linux') {
      const sentence = `the runtime needs Linux, and this is ${platform}: flows can be edited here, not run`;
      throw new BusbarError('BUSBAR_PLATFORM', sentence);
    }
    if (!binding.binding) {
      throw new BusbarError('BUSBAR_NO_BINARY', withoutStop(String(binding.error)));
    }
    try {
      return await this.greet(signal);
    } catch (error) {
      if (!isNobody(error)) throw error;
      if (mode === 'attach') throw explainNobody(dataDir, error);
    }
    signal.throwIfAborted();
    makeDataDir(dataDir);
    if (!this.child?.alive) this.child = this.spawn();
    return this.waitFor(this.child, signal);
  }

  /** Attaches; after an outdated one has ended, to whatever is there then.
   * @param {AbortSignal} signal @returns {Promise<Client>} */
  async greet(signal) {
    const { dataDir, name } = this.options;
    try {
      const client = await attach({ dataDir, name, signal });
      if (!this.isOutdated(/** @type {Hello} */ (client.hello))) return client;
      await this.replace(client);
    } catch (error) {
      if (!(error instanceof BusbarError) || error.code !== 'BUSBAR_VERSION') throw error;
      await this.replaceUnknown(error);
    }
    return attach({ dataDir, name, signal });
  }

  spawn() {
    const { dataDir, linger, log } = this.options;
    const child = spawnRuntime({ executable: this.findExecutable(), dataDir, linger });
    log.info(`started the runtime (process ${child.pid}) in ${dataDir}`);
    return child;
  }

  findExecutable() {
    if (this.options.executable) return this.options.executable;
    const { path, error } = binding.executable();
    if (path) return path;
    throw new BusbarError('BUSBAR_NO_BINARY', withoutStop(String(error)));
  }

  /** @param {import('./spawn').Child} child @param {AbortSignal} signal @returns {Promise<Client>} */
  async waitFor(child, signal) {
    const { dataDir } = this.options;
    for (;;) {
      try {
        return await this.greet(signal);
      } catch (error) {
        if (!isNobody(error)) throw error;
      }
      const now = Date.now();
      if (!child.alive && now - child.endedMs > OTHER_MS) throw this.explainEnd(child);
      if (now - child.startedMs > START_MS) {
        const { pid, lastLine } = child;
        throw new BusbarError(
          'BUSBAR_TIMEOUT',
          `the runtime (process ${pid}) in ${dataDir} has opened no socket for ` +
            `${formatDuration(now - child.startedMs)}; its log ends with: ${lastLine || 'nothing'}`,
        );
      }
      await delay(POLL_MS, undefined, { signal });
    }
  }

  /** It is there. @param {Hello} hello */
  settle({ pid }) {
    if (pid !== this.child?.pid) this.quickEnds = 0;
  }

  /** Waits a moment for the end of the process that a connection was lost to, so that it can be told.
   * @param {Hello} hello @param {AbortSignal} signal @returns {Promise<BusbarError | null>} */
  async findEnd({ pid }, signal) {
    const { child } = this;
    if (!child || child.pid !== pid) return null;
    await Promise.race([child.end, delay(FIRST_WAIT_MS, undefined, { signal }).catch(() => {})]);
    return child.ended ? this.explainEnd(child) : null;
  }

  /** @param {import('./spawn').Child} child That has ended. */
  explainEnd(child) {
    const { dataDir } = this.options;
    if (child.foundAnother) return new BusbarError('BUSBAR_ENDED', child.lastLine);
    this.count(child);
    const how = child.describeEnd();
    const sentence = child.ended?.error
      ? `the runtime's executable ${how}`
      : this.quickEnds >= QUICK_ENDS
        ? `the runtime in ${dataDir} ended ${this.quickEnds} times soon after its start, last with ${how}`
        : `the runtime in ${dataDir} ended with ${how}`;
    return new BusbarError('BUSBAR_ENDED', sentence);
  }

  /** @param {import('./spawn').Child} child */
  count(child) {
    if (child === this.counted) return;
    this.counted = child;
    const lived = child.endedMs - child.startedMs;
    this.quickEnds = lived < QUICK_MS ? this.quickEnds + 1 : 0;
  }

  /** How long to wait before the next try. @param {number} failures In a row. */
  waitMs(failures) {
    if (this.quickEnds >= QUICK_ENDS && !this.child?.alive) return LOOP_WAIT_MS;
    return Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures, 10), LONGEST_WAIT_MS);
  }

  /** @param {Hello} hello */
  isOutdated(hello) {
    if (this.replaced || this.options.mode !== 'spawn' || !isSpawned(hello)) return false;
    return isOlder(hello.version, VERSION);
  }

  /** @param {Client} client */
  async replace(client) {
    const { dataDir } = this.options;
    const { version, pid } = /** @type {Hello} */ (client.hello);
    this.tellReplaced(version);
    await client.request('stop', {}, { timeoutMs: ANSWER_MS }).catch(() => {});
    if (isSpawnedFor(pid, dataDir)) await waitGone(pid, END_MS);
    await client.close();
  }

  /** One that does not speak our protocol cannot be asked to stop.
   * @param {BusbarError} error Its refusal. */
  async replaceUnknown(error) {
    const { mode, dataDir } = this.options;
    const { pid = 0, version = '' } = readRecord(dataDir);
    const isOurs = mode === 'spawn' && !this.replaced && isSpawnedFor(pid, dataDir);
    if (isOurs && isOlder(version, VERSION)) {
      this.tellReplaced(version);
      sendSignal(pid, 'SIGTERM');
      await waitGone(pid, END_MS);
      return;
    }
    throw new BusbarError(
      'BUSBAR_VERSION',
      `the runtime in ${dataDir} and this palette (${VERSION}) do not understand each other: ` +
        `${error.message}; update the older one, and restart the runtime's service`,
      { details: error.details },
    );
  }

  /** @param {string} version */
  tellReplaced(version) {
    this.replaced = true;
    this.options.log.info(
      `the runtime in ${this.options.dataDir} is busbar ${version}, older than ${VERSION}: it is replaced`,
    );
  }

  /** The process of the spawned runtime, if it is to be seen from here. @param {Hello | null} hello */
  findProcess(hello) {
    const { mode, dataDir } = this.options;
    if (mode !== 'spawn' || (hello && !isSpawned(hello))) return null;
    if (this.child?.alive) return this.child.pid ?? null;
    const pid = hello?.pid ?? readRecord(dataDir).pid ?? 0;
    return isSpawnedFor(pid, dataDir) ? pid : null;
  }
}

/** @param {string} dataDir @param {unknown} cause */
function explainNobody(dataDir, cause) {
  const sentence =
    `no runtime runs in ${dataDir}: start its service (sudo systemctl start busbar), or let ` +
    'Node-RED start one';
  return new BusbarError('BUSBAR_DOWN', sentence, { cause });
}

module.exports = { Starter, VERSION };
