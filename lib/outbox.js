/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Messages of flows on their way to the sinks of one runtime. They wait here until the runtime has the
   sink; handing them over wakes both processes, which takes longer than all else that is done for a
   message: one that comes alone goes at once, those that follow it so closely go together. */

const { BusbarError, asError } = require('./errors');
const { Pending } = require('./pending');

/** @typedef {import('./pending').Message} Message */

const GATHER_MS = 20;

class Outbox {
  /** @param {import('./runtime').Runtime} runtime */
  constructor(runtime) {
    this.runtime = runtime;
    /** Sinks that the runtime has. @type {Set<string>} */
    this.open = new Set();
    /** @type {Map<string, Pending>} */
    this.pending = new Map();
    /** What is about to be handed over, by sink. @type {Map<string, {messages: Message[], timer: NodeJS.Timeout}>} */
    this.gathered = new Map();
  }

  /** `done` follows once the runtime answers for all of them.
   * @param {string} sink @param {import('./pending').Content[]} messages @param {import('./pending').Done} done */
  put(sink, messages, done) {
    let pending = this.pending.get(sink);
    if (!pending) this.pending.set(sink, (pending = new Pending(sink)));
    this.send(sink, pending.add(messages, done));
  }

  /** These sinks are in the document that runs; what waited for them goes.
   * @param {Iterable<string>} sinks */
  setOpen(sinks) {
    const before = this.open;
    this.open = new Set(sinks);
    for (const sink of this.open) {
      if (!before.has(sink)) this.send(sink, this.pending.get(sink)?.unsent() ?? []);
    }
  }

  /** The runtime is gone: what has no end is sent again when it is back. */
  close() {
    this.open = new Set();
    for (const sink of [...this.gathered.keys()]) this.takeGathered(sink);
  }

  /** Messages for sinks that no longer are end with an error. @param {(sink: string) => boolean} isThere */
  forget(isThere) {
    for (const [sink, pending] of this.pending) {
      if (isThere(sink)) continue;
      this.takeGathered(sink);
      this.pending.delete(sink);
      pending.endAll(new BusbarError('BUSBAR_INVALID', `the sink ${sink} is no longer there`));
    }
  }

  /** @param {any} event `taken` or `untaken`. */
  takeEvent({ event, sink, id, reason, code }) {
    const pending = this.pending.get(sink);
    if (event === 'taken') return pending?.takenUpTo(id);
    /* It has no room now: who sends slower, or later, gets through. */
    const own = code === 'AGAIN' ? 'BUSBAR_FULL' : 'BUSBAR_REFUSED';
    return pending?.end(
      id,
      new BusbarError(own, `the sink ${sink}: ${reason}`, { details: { code } }),
    );
  }

  /** @param {string} sink @param {Message[]} messages */
  send(sink, messages) {
    if (messages.length === 0 || !this.open.has(sink)) return;
    const gathered = this.gathered.get(sink);
    if (gathered) {
      for (const message of messages) gathered.messages.push(message);
      return;
    }
    const timer = setTimeout(() => this.sendGathered(sink), GATHER_MS);
    this.gathered.set(sink, { messages: [], timer });
    this.handOver(sink, messages);
  }

  /** As long as there are some, the next ones are gathered, too. @param {string} sink */
  sendGathered(sink) {
    const gathered = this.gathered.get(sink);
    if (!gathered || gathered.messages.length === 0 || !this.open.has(sink)) {
      this.takeGathered(sink);
      return;
    }
    const { messages } = gathered;
    gathered.messages = [];
    gathered.timer.refresh();
    this.handOver(sink, messages);
  }

  /** What was gathered, which is then nothing any more. @param {string} sink @returns {Message[]} */
  takeGathered(sink) {
    const gathered = this.gathered.get(sink);
    clearTimeout(gathered?.timer);
    this.gathered.delete(sink);
    return gathered?.messages ?? [];
  }

  /** @param {string} sink @param {Message[]} messages */
  handOver(sink, messages) {
    try {
      this.runtime.put(sink, messages);
    } catch (error) {
      /* None of them went out; one that cannot must not take others along, which came by chance. */
      const [{ id }] = messages;
      if (messages.length > 1) for (const message of messages) this.handOver(sink, [message]);
      else this.pending.get(sink)?.end(id, asError(error));
    }
  }

  /** Hands over what was gathered and ends the rest with that error. @param {Error} error */
  end(error) {
    for (const sink of [...this.gathered.keys()]) {
      const messages = this.takeGathered(sink);
      if (messages.length > 0) this.handOver(sink, messages);
    }
    for (const pending of this.pending.values()) pending.endAll(error);
    this.open = new Set();
  }
}

module.exports = { Outbox };
