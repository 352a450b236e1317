/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* One runtime as the palette sees it: what the deployed nodes want of it, whether it has been given
   that, and how all of it is. The runtime itself, its process and its socket are in runtime.js. */

const { EventEmitter } = require('node:events');
const { tellOnce } = require('./document');
const { lastKey } = require('./document_path');
const { inEditorWords } = require('./editor_words');
const { BusbarError, codeOf, textOf } = require('./errors');
const { Outbox } = require('./outbox');
const { PlantState } = require('./plant_state');
const { Readers } = require('./readers');
const { describeEmptied, findEmptied, listSecrets } = require('./secrets');
const { StatusPoller } = require('./status_poller');
const { StoreWatch } = require('./store_watch');

/** @typedef {import('./document').Assembly} Assembly */
/** @typedef {import('./document').Problem} Problem */

/** @typedef {object} Wants What a deploy asks for.
 * @property {Assembly} assembly
 * @property {boolean} memorySecrets
 * @property {string} [refusal] Why none of it may be applied, whatever the document says.
 * @property {() => void} [onApplied] It runs now.
 */

/** @typedef {{id: string, runtime: import('./runtime').Runtime, options: object}} PlantOptions `options`: what
 * the runtime was opened with. */

/* What could not be asked for want of an answer is asked again. */
const AGAIN_MS = 2000;
/* In place of a reason, before the first try of a sink has ended. */
const NEW_SINK = 'connecting';

class Plant extends EventEmitter {
  /** @param {PlantOptions} options */
  constructor({ id, runtime, options }) {
    super();
    this.id = id;
    this.runtime = runtime;
    this.options = options;
    this.state = new PlantState();
    this.readers = new Readers();
    this.outbox = new Outbox(runtime);
    this.poller = new StatusPoller(runtime, this.state, () => this.tellStore());
    this.storeWatch = new StoreWatch();
    /** @type {Wants | undefined} */
    this.wants = undefined;
    this.paused = false;
    /** @type {Problem[]} */
    this.mistakes = [];
    /** Why the last deploy does not run; '' when it does. */
    this.refusal = '';
    /** Why nothing of it can be there at all. @type {Problem | undefined} */
    this.blocked = undefined;
    this.converging = false;
    this.again = false;
    /** What the runtime was asked to send, so that nothing is asked for twice. */
    this.subscribed = '';
    /** Secrets that a deploy left empty; with the next one that is meant.
     * @type {{names: string, wants: Wants} | undefined} */
    this.emptied = undefined;
    /** Sinks that were told to be paused; each try that fails is another event of the runtime.
     * @type {Set<string>} */
    this.pausedSinks = new Set();
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    runtime.on('up', () => this.onUp());
    runtime.on('down', (reason) => this.onDown(reason));
    runtime.on('event', (event) => this.onEvent(event));
    runtime.on('batch', (batch) => this.onBatch(batch));
  }

  start() {
    this.runtime.start();
  }

  onUp() {
    this.subscribed = '';
    this.converge();
    this.poller.start();
    this.emit('change');
  }

  /** @param {unknown} reason */
  onDown(reason) {
    clearTimeout(this.timer);
    this.poller.stop();
    this.state.clear();
    this.storeWatch.clear();
    this.pausedSinks.clear();
    this.outbox.close();
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
    if (event.event === 'taken' || event.event === 'untaken') {
      this.outbox.takeEvent(event);
      return;
    }
    this.state.takeEvent(event);
    if (event.event === 'device' && event.up) this.poller.hurry(event.device);
    if (event.event === 'store') this.tellStore();
    else if (this.isNews(event)) this.emit('happening', describeEvent(event));
    this.emit('change');
  }

  /** A pause is told once, until the sink is ready or gone. @param {any} event */
  isNews({ event, sink, ready, gone, reason }) {
    if (event !== 'sink') return true;
    if (ready || gone) {
      this.pausedSinks.delete(sink);
      return true;
    }
    if (reason === NEW_SINK) return true;
    const isKnown = this.pausedSinks.has(sink);
    this.pausedSinks.add(sink);
    return !isKnown;
  }

  /** What of the store has changed, by an event or an answer. */
  tellStore() {
    const happenings = this.storeWatch.take(this.state, Date.now());
    for (const happening of happenings) this.emit('happening', happening);
  }

  /** Runs what a deploy asks for, now or as soon as the runtime is there. @param {Wants} wants */
  want(wants) {
    this.blocked = undefined;
    this.wants = wants;
    this.start();
    this.converge();
  }

  /** What a deploy asks for cannot be, so nothing is started. @param {Problem} problem */
  block(problem) {
    const before = this.describeRefusal();
    this.blocked = problem;
    this.wants = undefined;
    this.mistakes = [problem];
    this.refusal = problem.text;
    if (this.describeRefusal() !== before) this.tellRefusal();
    this.emit('change');
  }

  /** Who gets which device by messages. What a deploy wants, or its being applied, is followed by the
   * subscription. @param {Parameters<Readers['set']>[0]} wants */
  setReaders(wants) {
    if (this.readers.set(wants)) this.subscribed = '';
  }

  /** Brings the runtime to what is wanted, one step after the other; what comes meanwhile is taken
   * up afterwards. */
  async converge() {
    this.again = true;
    if (this.converging) return;
    this.converging = true;
    clearTimeout(this.timer);
    while (this.again && this.wants && this.runtime.state === 'up') {
      this.again = false;
      await this.tryAll(this.wants);
    }
    this.converging = false;
    this.emit('change');
  }

  /** Whatever becomes of the document, what runs is listened to. @param {Wants} wants */
  async tryAll(wants) {
    try {
      await this.applyOrRefuse(wants);
      await this.subscribe();
      await this.runtime.request(this.paused ? 'pause' : 'resume');
    } catch (error) {
      this.refusal = textOf(error);
      this.timer = setTimeout(() => this.converge(), AGAIN_MS);
      this.timer.unref();
    }
  }

  /** Throws only where it is worth another try. @param {Wants} wants */
  async applyOrRefuse(wants) {
    const { assembly } = wants;
    const before = this.describeRefusal();
    this.mistakes = assembly.problems;
    this.refusal = wants.refusal ?? (assembly.problems.length > 0 ? 'the flows have mistakes' : '');
    try {
      if (this.refusal === '') await this.applyUnlessEmptied(wants);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'BUSBAR_DOWN' || code === 'BUSBAR_TIMEOUT') throw error;
      this.takeRefusal(error, assembly);
    }
    if (this.refusal !== '' && this.describeRefusal() !== before) this.tellRefusal();
  }

  /** What is told once, as long as it is so. */
  describeRefusal() {
    return JSON.stringify([this.refusal, this.mistakes]);
  }

  tellRefusal() {
    const payload = { event: 'apply', text: this.refusal, mistakes: this.mistakes };
    this.emit('happening', { topic: 'runtime', payload });
    this.emit('refused', this.mistakes, this.refusal);
  }

  /** A runtime that is back, or a new connection to it, is no deploy. @param {Wants} wants */
  async applyUnlessEmptied(wants) {
    const known = await listSecrets(this.runtime);
    const emptied = findEmptied(wants.assembly, known);
    const names = emptied.join(', ');
    const isMeant = this.emptied?.names === names && this.emptied.wants !== wants;
    if (emptied.length === 0 || isMeant) {
      await this.apply(wants, known);
      this.emptied = undefined;
      return;
    }
    this.emptied = { names, wants };
    this.mistakes = describeEmptied(wants.assembly, emptied);
    this.refusal =
      `a password, token or certificate that was there is empty now (${names}): enter it again, or ` +
      'deploy once more to go on without';
  }

  /** First a look at the whole, so that secrets do not change below what goes on.
   * @param {Wants} wants @param {string[]} known Secrets that the runtime has. */
  async apply(wants, known) {
    const { assembly, memorySecrets } = wants;
    const text = JSON.stringify(assembly.document);
    await this.runtime.request('check', { document: text, name: 'Node-RED' });
    const { secrets } = assembly;
    if (Object.keys(secrets).length > 0) {
      await this.runtime.request('secret', { secrets, memory: memorySecrets });
    }
    await this.runtime.request('apply', { document: text, name: 'Node-RED' });
    await this.forgetSecrets(known, secrets);
    const isThere = (/** @type {string} */ sink) => assembly.sinks.get(sink)?.used === true;
    this.outbox.forget(isThere);
    this.outbox.setOpen([...assembly.sinks.keys()].filter(isThere));
    if (this.wants === wants) wants.onApplied?.();
  }

  /** Those that nothing names any more. @param {string[]} known @param {Record<string, string>} given */
  async forgetSecrets(known, given) {
    const gone = known.filter((name) => !Object.hasOwn(given, name));
    if (gone.length === 0) return;
    const secrets = Object.fromEntries(gone.map((name) => [name, null]));
    await this.runtime.request('secret', { secrets });
  }

  async subscribe() {
    const devices = this.readers.devices();
    const wish = JSON.stringify(devices);
    if (wish === this.subscribed) return;
    await this.runtime.request('subscribe', { devices, all_events: true, snapshot: true });
    this.subscribed = wish;
  }

  /** @param {unknown} error @param {Assembly} assembly */
  takeRefusal(error, assembly) {
    const mistakes = error instanceof BusbarError ? (error.mistakes ?? []) : [];
    this.refusal = inEditorWords(textOf(error));
    const problems = mistakes.map(({ path, text }) => {
      const place = assembly.placeOf(path);
      return {
        nodeId: place.nodeId,
        text: inEditorWords(`${place.path}: ${text}`),
        short: inEditorWords(`${lastKey(place.path)}: ${text}`),
      };
    });
    this.mistakes = tellOnce(problems);
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

  /** Hands messages to a sink; `done` once the runtime answers for all of them.
   * @param {string} sink @param {import('./pending').Content[]} messages
   * @param {import('./pending').Done} done */
  put(sink, messages, done) {
    this.outbox.put(sink, messages, done);
  }

  /** @param {{end: boolean, why: string}} options `end`: a runtime that was spawned ends, too. */
  async stop({ end, why }) {
    clearTimeout(this.timer);
    this.wants = undefined;
    this.removeAllListeners();
    this.outbox.end(new BusbarError('BUSBAR_DOWN', `the runtime did not take the message: ${why}`));
    this.poller.stop();
    await this.runtime.stop({ end });
  }
}

/** @param {any} event @returns {{topic: string, payload: Record<string, any>}} */
function describeEvent(event) {
  const { event: kind, device, sink, up, ready, reason, code, since, ...rest } = event;
  const about = {
    ...(reason && { text: inEditorWords(reason) }),
    ...(code && { code }),
    ...(since && { since }),
  };
  if (kind === 'device') {
    const what = event.gone ? 'gone' : up === undefined ? 'new' : up ? 'back' : 'lost';
    return { topic: `device/${device}`, payload: { event: what, device, ...about } };
  }
  if (kind === 'sink') {
    const isNew = reason === NEW_SINK;
    const what = event.gone ? 'gone' : ready ? 'ready' : isNew ? 'connecting' : 'paused';
    return { topic: `sink/${sink}`, payload: { event: what, sink, ...about } };
  }
  return { topic: 'runtime', payload: { event: kind, ...about, ...rest } };
}

module.exports = { Plant, describeEvent };
