/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The one map from what is to what a status dot says. Beside fill, shape and text each status has
   `busbar` with the same for machines: a Status node hands it on. */

/** @typedef {{fill?: string, shape?: string, text: string, busbar: Record<string, any>}} Status */

/** @typedef {object} DeviceState
 * @property {string} id
 * @property {boolean} [up] Unknown until it was asked.
 * @property {number} [sinceMs]
 * @property {string} [reason]
 * @property {string} [code]
 * @property {number} points Of all its scans.
 * @property {number} good
 */

/** @typedef {object} SinkState
 * @property {string} id
 * @property {boolean} [ready]
 * @property {number} [sinceMs]
 * @property {string} [reason]
 * @property {number} waiting Batches not yet delivered.
 * @property {number} [saved] Of these, on the disk.
 * @property {'disk' | 'memory'} [store] Where they wait.
 */

/* What fits beside a dot without running into the next node. The whole is in busbar.reason. */
const LONGEST_TEXT = 40;
/* So many batches may wait in healthy running. */
const BACKLOG = 1000;

/** A sentence as long as may be: what happened, without what to do, else up to a word.
 * @param {string} text */
function shorten(text) {
  if (text.length <= LONGEST_TEXT) return text;
  const [first] = text.split(';');
  if (first.length <= LONGEST_TEXT) return first;
  const cut = text.slice(0, LONGEST_TEXT);
  const end = cut.lastIndexOf(' ');
  return `${cut.slice(0, end > LONGEST_TEXT / 2 ? end : LONGEST_TEXT - 1).replace(/[\s,;:]+$/, '')}…`;
}

/** @param {string} fill @param {string} shape @param {string} text @param {Record<string, any>} busbar
 * @returns {Status} */
function make(fill, shape, text, busbar) {
  return { fill, shape, text: shorten(text), busbar };
}

/** 1234 → "1,234"; from 10,000 on "12 k".
 * @param {number} n */
function showCount(n) {
  if (n >= 1e6) return `${(n / 1e6).toFixed(1)} M`;
  if (n >= 1e4) return `${Math.floor(n / 1e3)} k`;
  return String(n).replace(/(\d)(?=\d{3}$)/, '$1,');
}

/** @param {number} ms */
function showAge(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  return s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
}

/* What peers do, without their address. */
/** @type {[RegExp, string][]} */
const SHORT_REASONS = [
  [/^the connection to .* broke \(is another client .*$/, 'is its client id used twice?'],
  [/^.* another client came with the same client id$/, 'its client id is used twice'],
  [/^the connection to .* broke$/, 'the connection broke'],
  [/^(?:no connection to|the connection to) .*: ([^:]+)$/, '$1'],
  [/^\S+ (?:refused|ended) the connection: (.+)$/, '$1'],
  [/^\S+ (closed the connection|broke off the TLS handshake|acknowledges nothing).*$/, '$1'],
];

/** The loss in few words: what the peer does, without its address and the next try.
 * @param {string | undefined} reason @param {string | undefined} code */
function shortReason(reason, code) {
  if (code === 'TIMEOUT' || code === 'ETIMEDOUT') return 'no answer';
  const text = (reason || 'no answer').split(';')[0];
  const [pattern, words] = SHORT_REASONS.find(([form]) => form.test(text)) ?? [];
  return pattern && words ? text.replace(pattern, words) : text;
}

/** @param {DeviceState} device @param {number} now
 * @param {boolean} [isAsked] It is read when someone asks, so before that nothing is known of it.
 * @returns {Status} */
function ofDevice(device, now, isAsked = false) {
  const busbar = { device: device.id, points: device.points, good: device.good };
  if (device.up === undefined && isAsked) {
    return make('grey', 'dot', 'on request', { ...busbar, state: 'idle' });
  }
  if (device.up === undefined) {
    return make('yellow', 'ring', 'connecting', { ...busbar, state: 'connecting' });
  }
  if (!device.up) {
    const why = shortReason(device.reason, device.code);
    const age = device.sinceMs ? `, ${showAge(now - device.sinceMs)}` : '';
    const since = device.sinceMs;
    return make('red', 'ring', why + age, {
      ...busbar,
      state: 'lost',
      reason: device.reason,
      since,
    });
  }
  if (device.points === 0) {
    return make('green', 'dot', 'connected', { ...busbar, state: 'good' });
  }
  if (device.good < device.points) {
    const text = `${showCount(device.good)} of ${showCount(device.points)} good`;
    return make('yellow', 'dot', text, { ...busbar, state: 'degraded' });
  }
  const plural = device.points === 1 ? '' : 's';
  const text = `${showCount(device.points)} point${plural}`;
  return make('green', 'dot', text, { ...busbar, state: 'good' });
}

/** What `busbar.state` of a device is. @param {DeviceState} device */
function stateOf({ up, points, good }) {
  if (up === undefined) return 'connecting';
  if (!up) return 'lost';
  return good < points ? 'degraded' : 'good';
}

/** Of several devices at once; of one, its own.
 * @param {DeviceState[]} devices @param {number} now @returns {Status} */
function ofDevices(devices, now) {
  if (devices.length === 0) return NOT_USED;
  if (devices.length === 1) return ofDevice(devices[0], now);
  const count = { connecting: 0, lost: 0, degraded: 0, good: 0 };
  for (const device of devices) count[stateOf(device)]++;
  const good = count.good + count.degraded;
  const busbar = { devices: devices.length, answering: good, lost: count.lost };
  const all = `${showCount(devices.length)} devices`;
  if (busbar.lost > 0) {
    const fill = good > 0 ? 'yellow' : 'red';
    const text = good > 0 ? `${showCount(good)} of ${all}` : `none of ${all}`;
    return make(fill, good > 0 ? 'dot' : 'ring', text, { ...busbar, state: 'lost' });
  }
  if (count.connecting > 0) {
    return make('yellow', 'ring', 'connecting', { ...busbar, state: 'connecting' });
  }
  const state = count.degraded > 0 ? 'degraded' : 'good';
  return make(state === 'good' ? 'green' : 'yellow', 'dot', all, { ...busbar, state });
}

/* What keeps the store from working, in few words. */
/** @type {[RegExp, string][]} */
const STORE_FAILURES = [
  [/disk is full|no space left|quota/i, 'disk full'],
  [/may not be written|read-only/i, 'read-only'],
  [/disk failed/i, 'disk failed'],
];

/** @param {string} failure */
function shortFailure(failure) {
  const [, words = 'fails'] = STORE_FAILURES.find(([pattern]) => pattern.test(failure)) ?? [];
  return `store: ${words}`;
}

/** @param {SinkState} sink
 * @param {string} [failure] Why nothing gets onto the disk; what waits for the sink would be lost with the
 * process. @returns {Status} */
function ofSink(sink, failure = '') {
  const store = failure !== '' && sink.store !== 'memory' ? shortFailure(failure) : '';
  const busbar = { sink: sink.id, waiting: sink.waiting, ...(store && { store: failure }) };
  const backlog = sink.waiting >= BACKLOG ? `backlog ${showCount(sink.waiting)}` : '';
  if (sink.ready === undefined) {
    return make('yellow', 'ring', 'connecting', { ...busbar, state: 'connecting' });
  }
  if (sink.ready && store) {
    const text = backlog ? `${store}, ${backlog}` : store;
    return make('yellow', 'dot', text, { ...busbar, state: 'unsaved' });
  }
  if (sink.ready && backlog) {
    return make('yellow', 'dot', backlog, { ...busbar, state: 'backlog' });
  }
  if (sink.ready) return make('green', 'dot', 'connected', { ...busbar, state: 'ready' });
  if (!sink.reason || sink.reason === 'connecting') {
    return make('yellow', 'ring', backlog || 'connecting', { ...busbar, state: 'connecting' });
  }
  const parts = [store, backlog].filter(Boolean);
  if (parts.length === 1) parts.push('sink away');
  const text = parts.length > 0 ? parts.join(', ') : shortReason(sink.reason, '');
  return make('red', 'ring', text, { ...busbar, state: 'waiting', reason: sink.reason });
}

/** The node cannot work, and why.
 * @param {string} text @param {{code?: string, short?: string}} [more] @returns {Status} */
function ofFault(text, { code = 'BUSBAR_CONFIG', short = text } = {}) {
  return make('red', 'ring', short, { state: 'fault', code, reason: text });
}

const DISABLED = make('grey', 'ring', 'device disabled', { state: 'disabled' });
const NOT_USED = make('grey', 'ring', 'not used', { state: 'unused' });
const STARTING = make('yellow', 'ring', 'connecting', { state: 'starting' });

/* Their sentences are for the sidebar and the log. */
/** @type {Record<string, string>} */
const DOWN = {
  BUSBAR_DOWN: 'no runtime runs',
  BUSBAR_TIMEOUT: 'the runtime does not answer',
  BUSBAR_PERMISSION: 'no access to the runtime',
  BUSBAR_VERSION: 'the runtime is of another version',
  BUSBAR_PROTOCOL: 'what answers is no runtime',
  BUSBAR_PATH: 'the data folder cannot be used',
  BUSBAR_NO_BINARY: 'the runtime is missing',
  BUSBAR_ENDED: 'the runtime ended',
  BUSBAR_PLATFORM: 'the runtime needs Linux',
};

/** @param {string} reason @param {string} [code] @returns {Status} */
function ofDown(reason, code) {
  const short = (code && DOWN[code]) || reason || 'the runtime is down';
  return make('red', 'ring', short, { state: 'down', reason, ...(code && { code }) });
}

module.exports = {
  DISABLED,
  NOT_USED,
  STARTING,
  ofDevice,
  ofDevices,
  ofDown,
  ofFault,
  ofSink,
  shortReason,
  showAge,
  showCount,
};
