/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* One runtime as the palette sees it: what the deployed nodes want of it, whether it has been given
   that, and how all of it is. The runtime itself, its process and its socket are in runtime.js. */

const { EventEmitter } = require('node:events');
const { BusbarError, textOf } = require('./errors');
const { Pending } = require('./pending');
const { PlantState } = require('./plant_state');
const { Readers } = require('./readers');
const { StatusPoller } = require('./status_poller');

/** @typedef {import('./document').Assembly} Assembly */
/** @typedef {import('./document').Problem} Problem */

/** @typedef {object} Wants What a deploy asks for.
 * @property {Assembly} assembly
 * @property {Parameters<Readers['set']>[0]} readers
 * @property {boolean} memorySecrets
 * @property {string} [refusal] Why none of it may be applied, whatever the document says.
 */

/** @typedef {{id: string, runtime: import('./runtime').Runtime}} PlantOptions */

class Plant extends EventEmitter {
  /** @param {PlantOptions} options */
  constructor({ id, runtime }) {
    super();
    this.id = id;
    this.runtime = runtime;
    this.state = new PlantState();
    this.readers = new Readers();
    this.poller = new StatusPoller(runtime, this.state);
    /** @type {Wants | undefined} */
    this.wants = undefined;
    this.paused = false;
    /** @type {Problem[]} */
    this.mistakes = [];
    /** Why the last deploy does not run; '' when it does. */
    this.refusal = '';
    this.converging = false;
    this.again = false;
    /** @type {Map<string, Pending>} */
    this.pending = new Map();
    runtime.on('up', () => this.onUp());
    runtime.on('down', (reason) => this.onDown(reason));
    runtime.on('event', (event) => this.onEvent(event));
    runtime.on('batch', (batch) => this.onBatch(batch));
  }

  start() {
    this.runtime.start();
  }

  onUp() {
    this.converge();
    this.poller.start();
    for (const [sink, pending] of this.pending) this.send(sink, pending.unsent());
    this.emit('change');
  }

  /** @param {unknown} reason */
  onDown(reason) {
    this.poller.stop();
    this.state.clear();
    this.emit('happening', { topic: 'runtime', payload: { event: 'down', text: textOf(reason) } });
    this.emit('change');
  }

  /** @param {any} batch */
  onBatch(batch) {
    this.state.takeBatch(batch);
    this.readers.take(batch);
  }

  /** @param {any} event */
  onEvent(event) {
    if (event.event === 'taken') {
      this.pending.get(event.sink)?.takenUpTo(event.id);
    } else if (event.event === 'untaken') {
      const error = new BusbarError('BUSBAR_REFUSED', `the sink ${event.sink}: ${event.reason}`);
      this.pending.get(event.sink)?.end(event.id, error);
    } else {
      this.state.takeEvent(event);
      this.emit('happening', describeEvent(event));
      this.emit('change');
    }
  }

  /** Runs what a deploy asks for, now or as soon as the runtime is there. @param {Wants} wants */
  want(wants) {
    this.wants = wants;
    this.readers.set(wants.readers);
    this.forgetSinks(wants.assembly);
    this.start();
    this.converge();
  }

  /** Messages for sinks that no longer are end with an error. @param {Assembly} assembly */
  forgetSinks(assembly) {
    for (const [sink, pending] of this.pending) {
      if (assembly.sinks.get(sink)?.used) continue;
      pending.endAll(new BusbarError('BUSBAR_INVALID', `the sink ${sink} is no longer there`));
      this.pending.delete(sink);
    }
  }

  /** Brings the runtime to what is wanted, one step after the other; what comes meanwhile is taken
   * up afterwards. */
  async converge() {
    this.again = true;
    if (this.converging) return;
    this.converging = true;
    while (this.again && this.wants && this.runtime.state === 'up') {
      this.again = false;
      await this.applyNow(this.wants);
    }
    this.converging = false;
    this.emit('change');
  }

  /** @param {Wants} wants */
  async applyNow(wants) {
    const { assembly } = wants;
    try {
      this.mistakes = assembly.problems;
      this.refusal =
        wants.refusal ?? (assembly.problems.length > 0 ? 'the flows have mistakes' : '');
      if (this.refusal === '') await this.apply(wants);
      const devices = this.readers.devices();
      await this.runtime.request('subscribe', { devices, events: true, snapshot: true });
      await this.runtime.request(this.paused ? 'pause' : 'resume');
    } catch (error) {
      this.takeRefusal(error, assembly);
    }
    if (this.refusal !== '') {
      const payload = { event: 'apply', text: this.refusal, mistakes: this.mistakes };
      this.emit('happening', { topic: 'runtime', payload });
    }
  }

  /** @param {Wants} wants */
  async apply({ assembly, memorySecrets }) {
    const { document, secrets } = assembly;
    if (Object.keys(secrets).length > 0) {
      await this.runtime.request('secret', { secrets, memory: memorySecrets });
    }
    await this.runtime.request('apply', { document: JSON.stringify(document), name: 'Node-RED' });
  }

  /** @param {unknown} error @param {Assembly} assembly */
  takeRefusal(error, assembly) {
    const mistakes = error instanceof BusbarError ? (error.mistakes ?? []) : [];
    this.refusal = textOf(error);
    this.mistakes = mistakes.map(({ path, text }) => ({
      nodeId: assembly.nodeOf(path) ?? '',
      text: `${path}: ${text}`,
    }));
  }

  /** @param {boolean} paused Stopped flows neither poll nor write. */
  pause(paused) {
    if (this.paused === paused) return;
    this.paused = paused;
    if (this.runtime.state === 'up') {
      this.runtime.request(paused ? 'pause' : 'resume').catch(() => {});
    }
    this.emit('change');
  }

  /** Hands messages to a sink; `done` once all of them are in its queue.
   * @param {string} sink @param {Omit<import('./pending').Message, 'id'>[]} messages
   * @param {import('./pending').Done} done */
  put(sink, messages, done) {
    let pending = this.pending.get(sink);
    if (!pending) this.pending.set(sink, (pending = new Pending(sink)));
    this.send(sink, pending.add(messages, done));
  }

  /** @param {string} sink @param {import('./pending').Message[]} messages */
  send(sink, messages) {
    if (messages.length === 0 || this.runtime.state !== 'up') return;
    try {
      this.runtime.put(sink, messages);
    } catch (error) {
      /* None of them went out. */
      for (const { id } of messages) this.pending.get(sink)?.end(id, asError(error));
    }
  }

  /** @param {{end: boolean}} options Whether a runtime that was spawned ends, too. */
  async stop({ end }) {
    const gone = new BusbarError(
      'BUSBAR_DOWN',
      'Node-RED stops; the runtime did not take the message',
    );
    for (const pending of this.pending.values()) pending.endAll(gone);
    this.poller.stop();
    await this.runtime.stop({ end });
  }
}

/** @param {unknown} error */
function asError(error) {
  return error instanceof Error ? error : new Error(textOf(error));
}

/** @param {any} event @returns {{topic: string, payload: Record<string, any>}} */
function describeEvent(event) {
  const { event: kind, device, sink, up, ready, reason, code, since, ...rest } = event;
  const about = { ...(reason && { text: reason }), ...(code && { code }), ...(since && { since }) };
  if (kind === 'device') {
    const what = event.gone ? 'gone' : up === undefined ? 'new' : up ? 'back' : 'lost';
    return { topic: `device/${device}`, payload: { event: what, device, ...about } };
  }
  if (kind === 'sink') {
    const what = event.gone ? 'gone' : ready ? 'ready' : 'paused';
    return { topic: `sink/${sink}`, payload: { event: what, sink, ...about } };
  }
  return { topic: 'runtime', payload: { event: kind, ...about, ...rest } };
}

module.exports = { Plant, describeEvent };
