/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* How the devices and sinks of one runtime are, out of its events, its answers to `status` and the
   batches that pass: what status dots and the sidebar show. */

const { inEditorWords } = require('./editor_words');
const { ScanRate } = require('./scan_rate');

/** @typedef {{points: number, good: number, shape?: {points: any[]}}} Scan */
/** @typedef {import('./status').DeviceState & {connection?: string, polls?: number, failed?: number, missing?: number, lastMs?: number,
 *   scans: Map<string, Scan>, rates: Map<string, ScanRate>}} Device */
/** @typedef {object} Store What the runtime says of its store.
 * @property {boolean} open There is one, though it may be failing.
 * @property {boolean} failing
 * @property {string} [reason]
 * @property {string} [path]
 * @property {number} [file_bytes]
 * @property {number} [written_bytes] To the disk, since the start.
 * @property {number} [saved_samples] What these hold.
 * @property {number} [records]
 * @property {number} [bytes]
 * @property {number} [dead] How many batches sinks have refused for good.
 * @property {number} [dead_bytes]
 * @property {number} [sync_ms]
 * @property {number} [max_bytes]
 * @property {number} [max_age_ms]
 */
/** @typedef {{sink: string, batches: number, bytes: number, dropped?: number,
 *   disabled?: boolean}} Orphan A backlog whose sink is gone, or disabled. */
/** @typedef {import('./status').SinkState & {delivered?: number, refused?: number, dropped?: number, retried?: number}} Sink */

/** @param {string} id @returns {Device} */
function newDevice(id) {
  return { id, points: 0, good: 0, scans: new Map(), rates: new Map() };
}

class PlantState {
  constructor() {
    /** @type {Map<string, Device>} */
    this.devices = new Map();
    /** @type {Map<string, Sink>} */
    this.sinks = new Map();
    /** @type {Store | undefined} */
    this.store = undefined;
    /** @type {Orphan[]} */
    this.orphans = [];
  }

  clear() {
    this.store = undefined;
    this.orphans = [];
    this.devices.clear();
    this.sinks.clear();
  }

  /** @param {string} id */
  device(id) {
    let device = this.devices.get(id);
    if (!device) this.devices.set(id, (device = newDevice(id)));
    return device;
  }

  /** @param {string} id */
  sink(id) {
    let sink = this.sinks.get(id);
    if (!sink) this.sinks.set(id, (sink = { id, waiting: 0 }));
    return sink;
  }

  /** Of the newest batch. @param {string} device @param {string} scan */
  shapeOf(device, scan) {
    return this.devices.get(device)?.scans.get(scan)?.shape;
  }

  /** Why nothing gets onto the disk; '' where it does. */
  get storeFailure() {
    return this.store?.failing ? (this.store.reason ?? 'the store fails') : '';
  }

  /** @param {any} about An event or an answer that has the store. */
  takeStore({ store, orphans = store?.orphans }) {
    if (store) this.store = store;
    if (orphans) this.orphans = orphans;
  }

  /** @param {any} event `device`, `sink` or `store`; another one is none of its business. */
  takeEvent(event) {
    if (event.event === 'store') {
      this.takeStore(event);
    } else if (event.gone) {
      this.devices.delete(event.device ?? '');
      this.sinks.delete(event.sink ?? '');
    } else if (event.event === 'device') {
      const { up, since, reason, code } = event;
      Object.assign(this.device(event.device), { up, sinceMs: since, reason, code });
    } else if (event.event === 'sink') {
      const { ready, since, code } = event;
      const reason = inEditorWords(event.reason);
      Object.assign(this.sink(event.sink), { ready, sinceMs: since, reason, code });
    }
  }

  /** @param {any} status An answer to `status`, maybe of some of the devices only. */
  takeStatus(status) {
    this.takeStore(status);
    for (const { id, connection, up, since, reason, code, scans = [] } of status.devices ?? []) {
      const device = this.device(id);
      Object.assign(device, { connection, up, sinceMs: since, reason, code });
      this.takeScans(device, scans);
    }
    for (const { id, ready, since, reason, code, ...counts } of status.sinks ?? []) {
      const { waiting, saved, store, delivered, refused, dropped, retried } = counts;
      const state = {
        ready,
        sinceMs: since,
        reason: inEditorWords(reason),
        code,
        waiting,
        saved,
        store,
        delivered,
        refused,
        dropped,
        retried,
      };
      Object.assign(this.sink(id), state);
    }
  }

  /** A scan that was not read yet has points, too, which nothing is known of.
   * @param {Device} device @param {any[]} all */
  takeScans(device, all) {
    const sum = (/** @type {any[]} */ scans, /** @type {string} */ key) =>
      scans.reduce((total, scan) => total + (scan[key] || 0), 0);
    const scans = all.filter(({ timestamp }) => timestamp > 0);
    const fresh = scans.filter(({ stale }) => !stale);
    const before = device.scans;
    device.scans = new Map();
    for (const { scan, points, good = 0 } of scans) {
      device.scans.set(scan, { points, good, shape: before.get(scan)?.shape });
    }
    device.points = sum(scans, 'points');
    device.good = sum(fresh, 'good');
    /* Scans that have not come since the device is there. */
    const isDue = (/** @type {any} */ scan) => scan.period_ms > 0 && !fresh.includes(scan);
    device.missing = all.filter(isDue).length;
    device.polls = sum(all, 'polls');
    device.failed = sum(all, 'failed');
    device.lastMs = Math.max(0, ...scans.map(({ timestamp }) => timestamp)) || undefined;
    for (const { scan, done, timestamp, points } of fresh) {
      let rate = device.rates.get(scan);
      if (!rate) device.rates.set(scan, (rate = new ScanRate()));
      rate.take(done, timestamp, points);
    }
  }

  /** Values a second, of the scans that were measured. @param {string} id @param {number} nowMs
   * @returns {number | undefined} */
  rateOf(id, nowMs) {
    const rates = [...(this.devices.get(id)?.rates.values() ?? [])]
      .map((rate) => rate.at(nowMs))
      .filter((rate) => rate !== undefined);
    return rates.length > 0 ? rates.reduce((total, rate) => total + rate, 0) : undefined;
  }

  /** @param {{device: {id: string}, scan: string, shape?: {points: any[]}, values?: object, quality?: object,
   *   timestamp: number, repeat: boolean}} batch */
  takeBatch(batch) {
    if (!batch.shape) return;
    const { shape, quality } = batch;
    const device = this.device(batch.device.id);
    const points = shape.points.length;
    const good = quality ? points - Object.keys(quality).length : points;
    const known = device.scans.get(batch.scan);
    if (known?.shape !== shape || known.points !== points || known.good !== good) {
      device.scans.set(batch.scan, { points, good, shape });
      device.points = device.good = 0;
      for (const scan of device.scans.values()) {
        device.points += scan.points;
        device.good += scan.good;
      }
    }
    if (!batch.repeat) device.lastMs = batch.timestamp;
  }
}

module.exports = { PlantState };
