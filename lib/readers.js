/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The busbar-in nodes of one runtime: each batch goes to those that asked for its device, as each of
   them wants it reported and formed. */

const { makeMessages } = require('./output');
const { compileList, splitList } = require('./patterns');
const { Reporter, readDuration } = require('./reporting');

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {import('./frames').Batch} Batch */
/** @typedef {import('./output').Reading} Reading */

/** @param {LiveNode} node @returns {import('./reporting').Reporting} */
function readReporting(node) {
  return {
    changes: node.mode === 'changes',
    heartbeatMs: readDuration(node.heartbeat) || 0,
    everyMs: readDuration(node.every) || 0,
    aggregate: node.aggregate || 'none',
  };
}

/** @param {Record<string, any>} map @param {(name: string) => boolean} fits */
function filterKeys(map, fits) {
  return Object.fromEntries(Object.entries(map).filter(([name]) => fits(name)));
}

/** @type {WeakMap<object, Reading['device']>} */
const identities = new WeakMap();

/** Who a device is, for messages: one frozen object for all of them.
 * @param {Batch['device']} device @returns {Reading['device']} */
function identityOf(device) {
  let identity = identities.get(device);
  if (!identity) {
    const { id, site, tags, profile } = device;
    const place = site ? { site } : {};
    identity = Object.freeze({ id, ...place, tags: Object.freeze({ ...tags }), profile });
    identities.set(device, identity);
  }
  return identity;
}

/** The last values, marked stale: none of them is one of now. @param {Batch} batch */
function isLoss({ repeat, values }) {
  if (!repeat) return false;
  for (const _name in values) return false;
  return true;
}

/** @typedef {{shape: Batch['shape'], reporter: Reporter, points: any[]}} Reported */
/** @typedef {{isWanted: boolean, timestamp: number, reported: Reported | undefined}} Track Of one scan of one device:
 * when the newest batch was taken, and what is remembered of those before. */

/** One busbar-in that has a wire which carries messages. */
class Reader {
  /** @param {LiveNode} node @param {(messages: Record<string, any>[]) => void} send */
  constructor(node, send) {
    this.send = send;
    this.form = node.output || 'object';
    this.isSnapshot = node.mode === 'snapshot';
    this.reporting = readReporting(node);
    const { everyMs, aggregate } = this.reporting;
    this.aggregate = everyMs > 0 && aggregate !== 'none' ? aggregate : undefined;
    const points = splitList(node.points);
    this.fitsScan = compileList(splitList(node.scans));
    /** Undefined: all points. */
    this.fitsPoint = points.length > 0 ? compileList(points) : undefined;
    this.isPlain = !this.reporting.changes && this.reporting.everyMs === 0 && !this.fitsPoint;
    /** @type {Map<string, Map<string, Track>>} by device and by scan */
    this.tracks = new Map();
    /** @type {Map<string, Reading>} what a snapshot holds, by device */
    this.snapshots = new Map();
  }

  /** @param {Batch} batch @param {number} nowMs */
  take(batch, nowMs) {
    if (!batch.shape || !batch.values) return;
    const track = this.trackOf(batch);
    if (!track.isWanted || !this.isNews(batch, track)) return;
    const reading = this.isPlain ? this.readWhole(batch) : this.readReported(batch, track, nowMs);
    if (!reading) return;
    const told = this.isSnapshot ? this.addToSnapshot(reading) : reading;
    const messages = makeMessages(told, this.form);
    if (messages.length > 0) this.send(messages);
  }

  /** @param {Batch} batch @returns {Track} */
  trackOf({ device, scan }) {
    let scans = this.tracks.get(device.id);
    if (!scans) this.tracks.set(device.id, (scans = new Map()));
    let track = scans.get(scan);
    if (!track) scans.set(scan, (track = this.newTrack(scan)));
    return track;
  }

  /** @param {string} scan @returns {Track} */
  newTrack(scan) {
    return { isWanted: this.fitsScan(scan), timestamp: -1, reported: undefined };
  }

  /** A batch that comes again is told to who has not seen it; it adds nothing to a period.
   * @param {Batch} batch @param {Track} track */
  isNews(batch, track) {
    const seen = track.timestamp === batch.timestamp;
    track.timestamp = batch.timestamp;
    if (!batch.repeat) return true;
    return !seen && (isLoss(batch) || this.reporting.everyMs === 0);
  }

  /** @param {Batch} batch @returns {Reading} */
  readWhole(batch) {
    const { scan, timestamp, values = {}, quality } = batch;
    const points = batch.shape?.points ?? [];
    const clock = batch.clockUnset ? 'unset' : undefined;
    return {
      ...{ device: identityOf(batch.device), scan, points, timestamp, clock },
      ...{ payload: values, quality },
    };
  }

  /** @param {Batch} batch @param {Track} track @param {number} nowMs
   * @returns {Reading | undefined} */
  readReported(batch, track, nowMs) {
    const { reporter, points } = this.reportedOf(batch, track);
    let { payload, quality } = this.readWhole(batch);
    if (this.fitsPoint) {
      payload = filterKeys(payload, this.fitsPoint);
      quality = quality && filterKeys(quality, this.fitsPoint);
      if (quality && Object.keys(quality).length === 0) quality = undefined;
    }
    if (points.length === 0) return undefined;
    const told = reporter.report({ payload, quality }, nowMs, isLoss(batch));
    if (!told) return undefined;
    const { aggregate } = this;
    return { ...this.readWhole(batch), points, ...told, quality: told.quality, aggregate };
  }

  /** @param {Batch} batch @param {Track} track @returns {Reported} */
  reportedOf({ shape }, track) {
    const known = track.reported;
    if (known && known.shape === shape) return known;
    const points = (shape?.points ?? []).filter(
      ({ name }) => !this.fitsPoint || this.fitsPoint(name),
    );
    return (track.reported = { shape, reporter: new Reporter(this.reporting, points), points });
  }

  /** All that is known of the device, with what is new. @param {Reading} reading @returns {Reading} */
  addToSnapshot(reading) {
    const { id } = reading.device;
    const old = this.snapshots.get(id);
    const renewed = new Set(reading.points.map(({ name }) => name));
    const keep = (/** @type {Record<string, any> | undefined} */ map) =>
      filterKeys(map ?? {}, (name) => !renewed.has(name));
    const quality = { ...keep(old?.quality), ...reading.quality };
    const whole = {
      ...reading,
      scan: undefined,
      points: [...(old?.points ?? []).filter(({ name }) => !renewed.has(name)), ...reading.points],
      payload: { ...keep(old?.payload), ...reading.payload },
      quality: Object.keys(quality).length > 0 ? quality : undefined,
    };
    this.snapshots.set(id, whole);
    return { ...whole, payload: { ...whole.payload } };
  }
}

/** @param {LiveNode} node @param {string[]} devices */
function keyOf(node, devices) {
  const { id, scans, points, mode, heartbeat, every, aggregate, output } = node;
  return JSON.stringify([id, scans, points, mode, heartbeat, every, aggregate, output, devices]);
}

/** Who of the readers gets which device. */
class Readers {
  constructor() {
    /** @type {Map<string, Reader[]>} by device */
    this.byDevice = new Map();
    /** @type {Map<string, Reader>} by the node and its settings */
    this.byKey = new Map();
  }

  /** A node that is as it was goes on where it was. True if there is one that has seen nothing yet.
   * @param {{node: LiveNode, devices: string[], send: (messages: Record<string, any>[]) => void}[]} wants */
  set(wants) {
    const before = this.byKey;
    let news = false;
    this.byDevice = new Map();
    this.byKey = new Map();
    for (const { node, devices, send } of wants) {
      const key = keyOf(node, devices);
      const known = before.get(key);
      const reader = known ?? new Reader(node, send);
      news ||= known === undefined;
      reader.send = send;
      this.byKey.set(key, reader);
      for (const id of devices) {
        const others = this.byDevice.get(id);
        if (others) others.push(reader);
        else this.byDevice.set(id, [reader]);
      }
    }
    return news;
  }

  devices() {
    return [...this.byDevice.keys()];
  }

  /** @param {Batch} batch */
  take(batch) {
    const readers = this.byDevice.get(batch.device.id);
    if (!readers) return;
    const nowMs = performance.now();
    const { values } = batch;
    /* Each gets objects of its own: a flow may change what it is sent. */
    for (let i = 0; i < readers.length; i++) {
      if (i > 0) {
        batch.values = { ...values };
        batch.quality = batch.quality && { ...batch.quality };
      }
      readers[i].take(batch, nowMs);
    }
  }
}

module.exports = { Reader, Readers };
