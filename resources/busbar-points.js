/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The profile document as data: laying an own one over a bundled one, and what its points and scans
   come to when the defaults are filled in. Used by the dialogs and by lib/. */

var busbarPoints = (() => {
  const ADDRESS_KEYS = ['coil', 'discrete', 'input', 'holding', 'register', 'assembly'];
  const FIRST_SCAN = 'fast';
  /** Scans that every profile has. @type {Record<string, string>} */
  const SCANS = { fast: '1s', slow: '10s', energy: '60s' };

  /** @typedef {Record<string, any>} Profile */
  /** @typedef {Record<string, any> & {name: string, scan: string, table: string, address: number | undefined,
   *   type: string, writable: boolean}} Point */

  /** @param {Profile | undefined} profile @returns {Record<string, any>[]} */
  function pointsOf(profile) {
    return Array.isArray(profile?.points)
      ? profile.points.filter((point) => Object(point) === point)
      : [];
  }

  /** @param {Record<string, any>} point */
  const addressKey = (point) => ADDRESS_KEYS.find((key) => point[key] !== undefined);

  /** A point with an address replaces the one of that name, one without changes only what it says.
   * @param {Record<string, any>} base @param {Record<string, any>} own */
  function mergePoint(base, own) {
    return addressKey(own) === undefined ? { ...base, ...own } : own;
  }

  const isSame = (/** @type {unknown} */ a, /** @type {unknown} */ b) =>
    JSON.stringify(a) === JSON.stringify(b);

  /** What an own profile has to say so that merging gives `wanted`: nothing, what changed, or all of
   * it where something is left out or lies elsewhere.
   * @param {Record<string, any>} base @param {Record<string, any>} wanted
   * @returns {Record<string, any> | undefined} */
  function diffPoint(base, wanted) {
    const keys = Object.keys(wanted).filter((key) => !isSame(wanted[key], base[key]));
    const isLess = Object.keys(base).some((key) => wanted[key] === undefined);
    if (isLess || keys.some((key) => ADDRESS_KEYS.includes(key))) return wanted;
    if (keys.length === 0) return undefined;
    return { name: base.name, ...Object.fromEntries(keys.map((key) => [key, wanted[key]])) };
  }

  /**
   * The bundled profile with what an own one says instead: limits and scans key by key, points by
   * name, new points behind. It is not verified unless the own one says so.
   * @param {Profile} base @param {Profile} own @returns {Profile}
   */
  function mergeProfile(base, own) {
    const mine = new Map(pointsOf(own).map((point) => [point.name, point]));
    const points = pointsOf(base).map((point) => {
      const change = mine.get(point.name);
      mine.delete(point.name);
      return change ? mergePoint(point, change) : point;
    });
    const merged = {
      ...base,
      verified: false,
      ...own,
      ...((base.modbus || own.modbus) && { modbus: { ...base.modbus, ...own.modbus } }),
      ...((base.scans || own.scans) && { scans: { ...base.scans, ...own.scans } }),
      points: [...points, ...mine.values()],
    };
    return { ...merged, profile: 1 };
  }

  /** With what the profile leaves to defaults.
   * @param {Profile} profile @param {Record<string, any>} point @returns {Point} */
  function describePoint(profile, point) {
    const key = addressKey(point);
    const table = key === 'register' ? (profile.modbus?.table ?? 'holding') : (key ?? '');
    const isBits = key === 'coil' || key === 'discrete';
    return {
      ...point,
      name: String(point.name ?? ''),
      scan: point.scan ?? FIRST_SCAN,
      table,
      address: key === undefined ? undefined : Number(point[key]),
      type: point.type ?? (isBits ? 'bit' : ''),
      writable: Boolean(point.write),
    };
  }

  /** Without what describing adds. @param {Profile} profile @returns {Profile} */
  function withoutDescription(profile) {
    return {
      ...profile,
      points: pointsOf(profile).map(({ table, address, writable, ...point }) => point),
    };
  }

  /** @param {Profile | undefined} profile @returns {Point[]} */
  function describePoints(profile) {
    return pointsOf(profile).map((point) => describePoint(profile ?? {}, point));
  }

  /** The scans that have points, with their periods. @param {Profile | undefined} profile
   * @returns {{scan: string, period: string, points: number}[]} */
  function listScans(profile) {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { scan } of describePoints(profile)) counts.set(scan, (counts.get(scan) ?? 0) + 1);
    /** @type {Record<string, string>} */
    const periods = { ...SCANS, ...profile?.scans };
    const known = Object.keys(periods).filter((scan) => counts.has(scan));
    const others = [...counts.keys()].filter((scan) => !known.includes(scan));
    return [...known, ...others].map((scan) => ({
      scan,
      period: String(periods[scan] ?? ''),
      points: counts.get(scan) ?? 0,
    }));
  }

  /**
   * The own profile with another word order: of the point where it has one of its own, else of all.
   * @param {Profile} own @param {Profile | undefined} base What it extends. @param {string} name
   * @param {string} order @returns {Profile}
   */
  function setOrder(own, base, name, order) {
    const whole = base ? mergeProfile(base, own) : own;
    const point = pointsOf(whole).find((each) => each.name === name);
    if (point?.order === undefined) {
      return { ...own, modbus: { ...own.modbus, word_order: order } };
    }
    const points = pointsOf(own);
    const isMine = points.some((each) => each.name === name);
    const changed = points.map((each) => (each.name === name ? { ...each, order } : each));
    return { ...own, points: isMine ? changed : [...points, { name, order }] };
  }

  /** @param {Profile | undefined} profile @param {string} name */
  function orderOf(profile, name) {
    const point = pointsOf(profile).find((each) => each.name === name);
    return point?.order ?? profile?.modbus?.word_order ?? 'ABCD';
  }

  /** As JSON with a line a point, so that it can be read. @param {Profile} profile */
  function layOut(profile) {
    const { points, ...head } = profile;
    const oneLine = (/** @type {unknown} */ value) =>
      JSON.stringify(value, null, 1).replace(/\s*\n\s*/g, ' ');
    const lines = Object.entries(head).map(
      ([key, value]) => `  ${JSON.stringify(key)}: ${oneLine(value)}`,
    );
    const rows = pointsOf(profile).map((point) => `    ${oneLine(point)}`);
    if (points !== undefined) {
      lines.push(rows.length > 0 ? `  "points": [\n${rows.join(',\n')}\n  ]` : '  "points": []');
    }
    return `{\n${lines.join(',\n')}\n}`;
  }

  return {
    ADDRESS_KEYS,
    FIRST_SCAN,
    SCANS,
    addressKey,
    describePoint,
    diffPoint,
    describePoints,
    layOut,
    listScans,
    mergePoint,
    mergeProfile,
    orderOf,
    pointsOf,
    setOrder,
    withoutDescription,
  };
})();

if (typeof module === 'object' && module.exports) module.exports = busbarPoints;
