/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A client of a runtime's control socket (docs/socket.md): one connection, from connect to close.

     const client = new Client({ path: '/var/lib/busbar/busbar.sock', name: 'node-red' });
     const hello = await client.connect();
     client.on('batch', (batch) => …);
     await client.request('subscribe');

   Events: 'event' (object), 'device', 'shape' and 'batch' (lib/frames.js), and once, after a
   connect that went well, 'close' (what was wrong, or null when it was this side that closed). An
   error that a listener throws is thrown on its own, outside of the reading. */

const { EventEmitter } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const { SOCKET_PATH_MAX_BYTES, whoAmI } = require('./data_dir');
const { BusbarError, codeOf, textOf } = require('./errors');
const {
  ID,
  MessageReader,
  TYPE,
  packMessage,
  packPuts,
  packRequest,
} = require('./runtime_message');
const { formatDuration, formatSize } = require('./units');

/** @typedef {import('./runtime_message').PutMessage} PutMessage */

/* 2: messages may have properties. */
const PROTOCOLS = [1, 2];
const CONNECT_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10000;
const FLUSH_MS = 1000;
/* Of what comes, taken at once: some dozens of batches. */
const TURN_BYTES = 16 << 10;
const MAX_WAITING = 10000;
const MAX_UNSENT_BYTES = 64 << 20;

/** Whether connecting failed because nobody is there who could be connected to.
 * @param {unknown} error */
function isNobody(error) {
  if (!(error instanceof BusbarError) || error.code !== 'BUSBAR_DOWN') return false;
  return ['ENOENT', 'ENOTDIR', 'ECONNREFUSED'].includes(error.details?.code);
}

/**
 * What the runtime says of itself when it is greeted.
 * @typedef {object} Hello
 * @property {number} protocol
 * @property {string} version
 * @property {number} pid
 * @property {number} boot How often a runtime was started in its data directory.
 * @property {'file' | 'editor'} owner Of the document.
 * @property {number} started Milliseconds since 1970.
 * @property {string} [data] Its data directory, as it sees it.
 * @property {number} [linger_ms] How long it outlives its clients; not there: it does not mind them.
 * @property {'service' | 'container' | 'spawned'} [mode] Who keeps it alive.
 * @property {'nothing' | 'unit' | 'container'} [killed_with] What would take it along with us.
 *
 * @typedef {object} Waiting
 * @property {(answer: any) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {NodeJS.Timeout} timer
 */

/** Why nobody could be reached there. @param {string} path @param {unknown} error */
function explainConnect(path, error) {
  const code = codeOf(error);
  const more = { details: { path, code }, cause: error };
  if (code === 'EACCES' || code === 'EPERM') {
    return new BusbarError(
      'BUSBAR_PERMISSION',
      `user ${whoAmI()} may not use the socket ${path} of the runtime${describeOwner(path)}: run ` +
        'Node-RED and the runtime as the same user, or put this user into the group of the service',
      more,
    );
  }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new BusbarError('BUSBAR_DOWN', `no runtime is there: ${path} does not exist`, more);
  }
  if (code === 'EAGAIN') {
    const sentence = `the runtime at ${path} takes no connections: it hangs, or is being stopped`;
    return new BusbarError('BUSBAR_TIMEOUT', sentence, more);
  }
  if (isOther(path)) {
    const sentence = `${path} is in the way: it is no socket; remove it`;
    return new BusbarError('BUSBAR_PATH', sentence, more);
  }
  if (code === 'ECONNREFUSED') {
    const sentence = `no runtime is there: nobody listens at ${path}`;
    return new BusbarError('BUSBAR_DOWN', sentence, more);
  }
  const sentence = `the runtime at ${path} cannot be reached: ${textOf(error)}`;
  return new BusbarError('BUSBAR_DOWN', sentence, more);
}

/** Whether something is there that is no socket. @param {string} path */
function isOther(path) {
  try {
    return !fs.statSync(path).isSocket();
  } catch {
    return false;
  }
}

/** @param {string} path */
function describeOwner(path) {
  try {
    const { uid, gid, mode } = fs.statSync(path);
    return ` (owner ${uid}, group ${gid}, mode ${(mode & 0o777).toString(8)})`;
  } catch {
    return '';
  }
}

/** A name that the runtime takes, made of any. @param {string} name */
function cleanName(name) {
  const clean = name.replace(/[^\w.-]/g, '-').slice(0, 64);
  return ID.test(clean) ? clean : 'client';
}

class Client extends EventEmitter {
  /** @param {{path: string, name?: string}} options `name` is for the runtime's log. */
  constructor({ path, name = 'node-red' }) {
    super();
    this.path = path;
    this.name = cleanName(name);
    /** @type {Hello | null} */
    this.hello = null;
    /** @type {net.Socket | null} */
    this.socket = null;
    /** @type {import('./frames').FrameReader | null} */
    this.frames = null;
    this.reader = new MessageReader((type, body) => this.take(type, body));
    /** What has come and waits for its turn. @type {Buffer | null} */
    this.rest = null;
    /** @type {Map<number, Waiting>} */
    this.waiting = new Map();
    this.lastId = 0;
    this.closed = false;
    /** What the connection ended with. @type {BusbarError | null} */
    this.error = null;
    this.handlers = {
      onDevice: (/** @type {object} */ device) => this.tell('device', device),
      onShape: (/** @type {object} */ shape) => this.tell('shape', shape),
      onBatch: (/** @type {object} */ batch) => this.tell('batch', batch),
    };
  }

  /** Connects and greets. Once.
   * @param {{timeoutMs?: number}} [options] For all of it. @returns {Promise<Hello>} */
  async connect({ timeoutMs = CONNECT_TIMEOUT_MS } = {}) {
    if (this.socket || this.closed) throw this.gone();
    const started = Date.now();
    await this.open(timeoutMs);
    try {
      const left = Math.max(1, timeoutMs - (Date.now() - started));
      const args = { protocol: PROTOCOLS, client: this.name };
      this.hello = this.checkHello(await this.request('hello', args, { timeoutMs: left }));
      return this.hello;
    } catch (error) {
      this.end(null);
      throw this.explainGreeting(error);
    }
  }

  /** @param {number} timeoutMs @returns {Promise<void>} */
  open(timeoutMs) {
    if (Buffer.byteLength(this.path) > SOCKET_PATH_MAX_BYTES) {
      const sentence =
        `the path of the socket has ${Buffer.byteLength(this.path)} bytes, and at most ` +
        `${SOCKET_PATH_MAX_BYTES} are possible: ${this.path}; name a shorter data directory`;
      return Promise.reject(new BusbarError('BUSBAR_PATH', sentence));
    }
    return new Promise((resolve, reject) => {
      const socket = (this.socket = net.connect(this.path));
      const timer = setTimeout(() => socket.destroy(makeTimeout(this.path, timeoutMs)), timeoutMs);
      let connected = false;
      socket.once('connect', () => {
        clearTimeout(timer);
        connected = true;
        resolve();
      });
      socket.on('data', (chunk) => this.feed(chunk));
      socket.once('end', () => {
        this.takeRest();
        this.end(this.lost());
      });
      socket.once('error', (error) => {
        const isOurs = error instanceof BusbarError;
        this.end(isOurs ? error : connected ? this.lost(error) : explainConnect(this.path, error));
      });
      socket.once('close', () => {
        clearTimeout(timer);
        this.end(this.lost());
        reject(this.error ?? this.gone());
      });
    });
  }

  /** @param {any} answer @returns {Hello} */
  checkHello(answer) {
    const { protocol, version, pid } = answer;
    if (protocol >= PROTOCOLS[0] && protocol <= PROTOCOLS[1] && typeof version === 'string') {
      if (Number.isInteger(pid)) return answer;
    }
    throw new BusbarError('BUSBAR_PROTOCOL', 'what it answered to hello is no greeting');
  }

  /** @param {unknown} error @returns {BusbarError} */
  explainGreeting(error) {
    const known = /** @type {BusbarError} */ (error);
    if (known.code === 'BUSBAR_REFUSED' && known.details?.code === 'VERSION') {
      return new BusbarError('BUSBAR_VERSION', known.message, { details: known.details });
    }
    if (known.code === 'BUSBAR_TIMEOUT') {
      const sentence = `the runtime at ${this.path} does not answer; it hangs, or is overloaded`;
      return new BusbarError('BUSBAR_TIMEOUT', sentence);
    }
    if (known.code === 'BUSBAR_PROTOCOL') {
      const sentence = `what listens at ${this.path} is no runtime of busbar: ${textOf(known.cause ?? known)}`;
      return new BusbarError('BUSBAR_PROTOCOL', sentence);
    }
    return known;
  }

  /**
   * Asks; the answer without `id` and `ok`, or what was wrong. A refusal has the code BUSBAR_REFUSED,
   * `details` (the answer, with the runtime's own code) and `mistakes`.
   * @param {string} op @param {Record<string, unknown>} [args] @param {{timeoutMs?: number}} [options]
   * @returns {Promise<any>}
   */
  request(op, args = {}, { timeoutMs = REQUEST_TIMEOUT_MS } = {}) {
    return new Promise((resolve, reject) => {
      this.checkRoom();
      const id = this.nextId();
      const { socket } = this;
      socket?.write(packRequest({ ...args, id, op }));
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(makeTimeout(op, timeoutMs));
      }, timeoutMs);
      this.waiting.set(id, { resolve, reject, timer });
    });
  }

  /**
   * Hands messages to a sink. The events `taken` and `untaken` say by their ids what became of
   * them. A runtime that knows no properties gets none. All are sent, or it throws: BUSBAR_DOWN, BUSBAR_FULL, BUSBAR_INVALID.
   * @param {string} sinkId @param {PutMessage[]} messages
   */
  put(sinkId, messages) {
    this.checkRoom();
    const isOld = (this.hello?.protocol ?? 0) < 2;
    const known = isOld
      ? messages.map((message) => ({ ...message, properties: undefined }))
      : messages;
    for (const bytes of packPuts(sinkId, known)) this.socket?.write(bytes);
  }

  /** Devices and their values that come from here (lib/frames_pack.js).
   * @param {Buffer} frames One behind the other, at most 1 MiB. */
  sendFrames(frames) {
    this.checkRoom();
    this.socket?.write(packMessage(TYPE.frames, frames));
  }

  /** What was sent before still goes, within a second. @returns {Promise<void>} Once it is closed. */
  close() {
    const { socket } = this;
    this.end(null);
    if (!socket || socket.closed) return Promise.resolve();
    return new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /* --- what comes --- */

  /** After a while in which nothing could be read a chunk may hold hundreds of batches. Others have
   * their turn in between, and nothing more is read meanwhile. @param {Buffer} chunk */
  feed(chunk) {
    if (chunk.length <= TURN_BYTES) return this.read(chunk);
    this.rest = chunk;
    this.socket?.pause();
    this.takeTurn();
  }

  takeTurn() {
    const { rest } = this;
    if (!rest) return void this.socket?.resume();
    this.rest = rest.length > TURN_BYTES ? rest.subarray(TURN_BYTES) : null;
    this.read(rest.subarray(0, TURN_BYTES));
    setImmediate(() => this.takeTurn());
  }

  /** Nothing more comes. */
  takeRest() {
    const { rest } = this;
    this.rest = null;
    if (rest) this.read(rest);
  }

  /** @param {Buffer} chunk */
  read(chunk) {
    try {
      this.reader.feed(chunk);
    } catch (error) {
      this.fail(error);
    }
  }

  /** @param {number} type @param {Buffer} body */
  take(type, body) {
    if (type === TYPE.frames) return this.takeFrames(body);
    /** @type {any} */
    let content;
    try {
      content = JSON.parse(body.toString('utf8'));
    } catch (error) {
      throw new BusbarError('BUSBAR_PROTOCOL', `what came is not JSON: ${textOf(error)}`);
    }
    if (content === null || typeof content !== 'object') {
      throw new BusbarError('BUSBAR_PROTOCOL', 'what came is no JSON object');
    }
    if (type === TYPE.event) this.tell('event', content);
    else this.takeAnswer(content);
  }

  /** @param {any} answer */
  takeAnswer({ id, ok, ...answer }) {
    if (typeof ok !== 'boolean' || !Number.isInteger(id)) {
      throw new BusbarError('BUSBAR_PROTOCOL', 'what came is no answer');
    }
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.waiting.delete(id);
    clearTimeout(waiting.timer);
    if (ok) return waiting.resolve(answer);
    const { error = 'it was refused without a reason', mistakes } = answer;
    waiting.reject(new BusbarError('BUSBAR_REFUSED', error, { mistakes, details: answer }));
  }

  /** @param {Buffer} body */
  takeFrames(body) {
    if (!this.frames) {
      const { FrameReader } = require('./frames');
      this.frames = new FrameReader();
    }
    this.frames.read(body, this.handlers);
  }

  /** @param {string} name @param {object} what */
  tell(name, what) {
    if (this.closed) return;
    try {
      this.emit(name, what);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /* --- the end --- */

  /** @param {unknown} error Of the reading. */
  fail(error) {
    const known = error instanceof BusbarError ? error.message : textOf(error);
    const sentence = `the connection to the runtime at ${this.path} was given up: ${known}`;
    this.end(new BusbarError('BUSBAR_PROTOCOL', sentence, { cause: error }), true);
  }

  /** @param {unknown} [cause] */
  lost(cause) {
    const sentence = `the runtime at ${this.path} closed the connection: it ends, or its log says why`;
    return new BusbarError('BUSBAR_DOWN', sentence, { cause });
  }

  gone() {
    return new BusbarError('BUSBAR_DOWN', `there is no connection to the runtime at ${this.path}`);
  }

  /** Of several, the first counts. @param {BusbarError | null} error null: it was our wish.
   * @param {boolean} [now] Without waiting for what is still to be sent. */
  end(error, now = error !== null) {
    if (this.closed) return;
    const told = this.hello !== null;
    this.closed = true;
    this.error = error;
    this.reader.stop();
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(error ?? this.gone());
    }
    this.waiting.clear();
    if (now || !this.socket || this.socket.connecting) this.socket?.destroy();
    else this.flush(this.socket);
    if (told) this.emit('close', error);
  }

  /** @param {net.Socket} socket */
  flush(socket) {
    const timer = setTimeout(() => socket.destroy(), FLUSH_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.destroySoon();
  }

  checkRoom() {
    if (this.closed || !this.socket) throw this.error ?? this.gone();
    if (this.waiting.size < MAX_WAITING && this.socket.writableLength < MAX_UNSENT_BYTES) return;
    throw new BusbarError(
      'BUSBAR_FULL',
      `the runtime at ${this.path} is not keeping up: ${this.waiting.size} requests wait for their ` +
        `answer, ${formatSize(this.socket.writableLength)} for being sent; send slower`,
    );
  }

  nextId() {
    do this.lastId = (this.lastId + 1) % 0x100000000;
    while (this.waiting.has(this.lastId));
    return this.lastId;
  }
}

/** @param {string} what @param {number} ms */
function makeTimeout(what, ms) {
  return new BusbarError(
    'BUSBAR_TIMEOUT',
    `${what}: the runtime gave no answer for ${formatDuration(ms)}`,
  );
}

module.exports = { Client, isNobody };
