/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The runtime of a data directory as the palette keeps it: attached to, or started; connected to again
   when the connection was lost, and started again when it has ended.

     const runtime = new Runtime({ dataDir, mode: 'spawn', log });
     runtime.on('up', (hello) => runtime.request('subscribe'));
     runtime.start();

   Events: 'up' (hello) each time that it is there; whoever has subscribed to something does so
   again. 'down' (error) once when it is lost, or when it could not be had at first; 'state' ({state,
   sentence}) with each change of either. And those of the client: 'event', 'device', 'shape',
   'batch'. */

const { EventEmitter } = require('node:events');
const { setTimeout: delay } = require('node:timers/promises');
const { BusbarError, textOf } = require('./errors');
const { describeLife, isOlder, isSpawned } = require('./runtime_life');
const { endSync, signal: sendSignal, waitGone } = require('./runtime_process');
const { Starter, VERSION } = require('./runtime_start');
const { formatDuration } = require('./units');

/** @typedef {import('./client').Client} Client */
/** @typedef {import('./client').Hello} Hello */
/** @typedef {import('./runtime_message').PutMessage} PutMessage */
/** @typedef {{info: (text: string) => void, warn: (text: string) => void,
 *   error: (text: string) => void}} Log */

const END_MS = 5000;
const ANSWER_MS = 2000;
const POLL_MS = 10;
const TELL_WAIT_MS = 1000; /* a shorter wait is not worth a word */
const PASSED_ON = ['event', 'device', 'shape', 'batch'];

/** @type {Log} */
const noLog = { info() {}, warn() {}, error: (text) => console.error(text) };

/**
 * @typedef {object} RuntimeOptions
 * @property {string} dataDir Absolute; see data_dir.js.
 * @property {'spawn' | 'attach'} [mode] attach: never start one, and never end one.
 * @property {string} [executable] Else the one that belongs to this package.
 * @property {string} [linger] How long one that is started outlives its clients.
 * @property {string} [name] How it knows us.
 * @property {Log} [log]
 * @property {string} [platform]
 */

class Runtime extends EventEmitter {
  /** @param {RuntimeOptions} options */
  constructor({
    dataDir,
    mode = 'spawn',
    executable,
    linger = '15min',
    name = 'node-red',
    ...more
  }) {
    super();
    this.setMaxListeners(0);
    const { log = noLog, platform = process.platform } = more;
    this.dataDir = dataDir;
    this.mode = mode;
    this.log = log;
    /** @type {'stopped' | 'starting' | 'up' | 'down'} */
    this.state = 'stopped';
    /** For people: how it is, and what to do. */
    this.sentence = 'the runtime was not started';
    /** While it is up. @type {Hello | null} */
    this.hello = null;
    /** Why it is down. @type {BusbarError | null} */
    this.error = null;
    /** @type {Client | null} */
    this.client = null;
    this.starter = new Starter({ dataDir, mode, executable, linger, name, platform, log });
    /** @type {AbortController | null} */
    this.aborter = null;
    /** @type {Promise<void>} */
    this.running = Promise.resolve();
    /** The last stop. @type {Promise<boolean>} */
    this.leaving = Promise.resolve(true);
    /** @type {Promise<Hello | null>} */
    this.started = Promise.resolve(null);
    this.failures = 0;
  }

  /** Once, until it is stopped; more often does nothing.
   * @returns {Promise<Hello | null>} The greeting, or null when it is not to be had at first; it goes
   *   on being tried. Never rejects. */
  start() {
    if (this.aborter) return this.started;
    const aborter = (this.aborter = new AbortController());
    this.failures = 0;
    this.set('starting', `the runtime in ${this.dataDir} is being started`);
    this.started = new Promise((resolve) => {
      const settle = () => {
        if (this.state === 'starting') return;
        this.off('state', settle);
        resolve(this.hello);
      };
      this.on('state', settle);
    });
    this.running = this.leaving.then(() => this.run(aborter.signal));
    return this.started;
  }

  /**
   * Disconnects. With `end`, a runtime that was spawned ends, too, and is waited for; a service
   * goes on.
   * @param {{end?: boolean}} [options]
   * @returns {Promise<boolean>} false: it should end, and has not within 5 s.
   */
  stop({ end = false } = {}) {
    const { aborter } = this;
    if (!aborter) return this.leaving;
    this.aborter = null;
    this.leaving = this.leave(aborter, end);
    return this.leaving;
  }

  /** @param {AbortController} aborter @param {boolean} end */
  async leave(aborter, end) {
    const { client, hello, running } = this;
    const pid = end ? this.starter.findProcess(hello) : null;
    const limit = Date.now() + END_MS;
    aborter.abort();
    this.set('stopped', `the runtime in ${this.dataDir} was left`);
    if (end) await this.askToEnd(client, hello, pid);
    await client?.close();
    await running;
    const gone = pid === null || (await waitGone(pid, Math.max(0, limit - Date.now())));
    if (!gone)
      this.log.warn(`the runtime (process ${pid}) in ${this.dataDir} has not ended in 5 s`);
    return gone;
  }

  /** @param {Client | null} client @param {Hello | null} hello @param {number | null} pid */
  async askToEnd(client, hello, pid) {
    if (this.mode !== 'spawn') return;
    try {
      if (!client || !hello) throw new Error('nobody can be asked');
      if (!isSpawned(hello)) return;
      await client.request('stop', {}, { timeoutMs: ANSWER_MS });
      /* Where its process cannot be seen, the end of the connection tells. */
      const limit = Date.now() + END_MS;
      while (pid === null && !client.closed && Date.now() < limit) await delay(POLL_MS);
    } catch {
      if (pid !== null) sendSignal(pid, 'SIGTERM');
    }
  }

  /** For the end of our own process, where nothing can be waited for any more: ends a runtime that was
   * spawned, and takes at most 5 s. @returns {boolean} Whether it is gone, or none of ours. */
  stopSync() {
    return Runtime.stopAllSync([this]);
  }

  /** The same of several at once, in the time of the slowest. @param {Runtime[]} runtimes */
  static stopAllSync(runtimes) {
    const living = runtimes.filter(({ aborter }) => aborter !== null);
    const clients = living.map(({ client }) => client);
    const pids = living.map((runtime) => runtime.leaveSync()).filter((pid) => pid !== null);
    const gone = endSync(pids, END_MS);
    for (const client of clients) client?.close();
    return gone;
  }

  /** @returns {number | null} The process that is to end. */
  leaveSync() {
    const pid = this.starter.findProcess(this.hello);
    this.aborter?.abort();
    this.aborter = null;
    this.set('stopped', `the runtime in ${this.dataDir} was left`);
    return pid;
  }

  /** See Client.request. @param {string} op @param {Record<string, unknown>} [args]
   * @param {{timeoutMs?: number}} [options] @returns {Promise<any>} */
  request(op, args, options) {
    if (this.state !== 'up' || !this.client) return Promise.reject(this.explainDown());
    return this.client.request(op, args, options);
  }

  /** See Client.put. @param {string} sinkId @param {PutMessage[]} messages */
  put(sinkId, messages) {
    if (this.state !== 'up' || !this.client) throw this.explainDown();
    this.client.put(sinkId, messages);
  }

  /** See Client.sendFrames. @param {Buffer} frames */
  sendFrames(frames) {
    if (this.state !== 'up' || !this.client) throw this.explainDown();
    this.client.sendFrames(frames);
  }

  /** One sentence on what the runtime survives. */
  keepsAlive() {
    return this.hello ? describeLife(this.hello) : 'not connected to a runtime';
  }

  explainDown() {
    return new BusbarError('BUSBAR_DOWN', this.sentence, { cause: this.error ?? undefined });
  }

  /* --- the life of the connection --- */

  /** @param {AbortSignal} signal */
  async run(signal) {
    while (!signal.aborted) {
      try {
        await this.serve(await this.starter.reach(signal), signal);
      } catch (error) {
        if (signal.aborted) break;
        this.fail(error, this.starter.waitMs(this.failures));
      }
      const waitMs = this.starter.waitMs(this.failures++);
      await delay(waitMs, undefined, { signal }).catch(() => {});
    }
  }

  /** From its greeting to the end of the connection. @param {Client} client
   * @param {AbortSignal} signal */
  async serve(client, signal) {
    if (signal.aborted) return void (await client.close());
    if (client.closed) throw client.error;
    for (const name of PASSED_ON) client.on(name, (what) => this.tell(name, what));
    const closed = new Promise((resolve) => client.once('close', resolve));
    this.failures = 0;
    const hello = /** @type {Hello} */ (client.hello);
    this.client = client;
    this.hello = hello;
    this.error = null;
    this.starter.settle(hello);
    this.set('up', this.describeUp(hello));
    this.log.info(this.sentence);
    this.tell('up', hello);
    const error = await closed;
    this.client = this.hello = null;
    if (signal.aborted) return;
    this.fail(error ?? client.gone(), 0);
    const end = await this.starter.findEnd(hello, signal);
    if (end && !signal.aborted) throw end;
  }

  /** @param {Hello} hello */
  describeUp(hello) {
    const older = isOlder(hello.version, VERSION)
      ? `; it is older than this palette (${VERSION}): restart it once its package is updated`
      : '';
    return `busbar ${hello.version} (process ${hello.pid}) in ${this.dataDir}, ${this.keepsAlive()}${older}`;
  }

  /** @param {unknown} error @param {number} waitMs Before the next try. */
  fail(error, waitMs) {
    const known = error instanceof BusbarError ? error : wrap(error);
    const isNews = this.error?.message !== known.message;
    const wasDown = this.state === 'down';
    const next = waitMs >= TELL_WAIT_MS ? `; next try in ${formatDuration(waitMs)}` : '';
    this.error = known;
    this.set('down', `${known.message}${next}`);
    if (isNews) this.log.warn(this.sentence);
    if (!wasDown) this.tell('down', known);
  }

  /** @param {Runtime['state']} state @param {string} sentence */
  set(state, sentence) {
    if (this.state === state && this.sentence === sentence) return;
    this.state = state;
    this.sentence = sentence;
    if (state !== 'up') this.hello = null;
    this.tell('state', { state, sentence });
  }

  /** A mistake in a listener must not end the process that all flows run in, nor our own work.
   * @param {string} name @param {unknown} what */
  tell(name, what) {
    try {
      this.emit(name, what);
    } catch (error) {
      const stack = error instanceof Error ? error.stack : String(error);
      this.log.error(`a listener for "${name}" of the runtime failed: ${stack}`);
    }
  }
}

/** @param {unknown} error That nobody has thought of. */
function wrap(error) {
  return new BusbarError('BUSBAR_DOWN', `the runtime cannot be had: ${textOf(error)}`, {
    cause: error,
  });
}

module.exports = { Runtime };
