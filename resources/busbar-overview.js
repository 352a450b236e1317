/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the sidebar shows of an overview, as data: rows in their order, each with a dot, texts and the
   node behind it. `say(key, words)` gives the texts. Used by the sidebar and by its tests. */

var busbarOverview = (() => {
  const MAX_ROWS = 200;
  /* From so many devices on there is a field to search. */
  const SEARCH_FROM = 20;
  /* The worst first. */
  const ORDER = [
    'lost',
    'waiting',
    'down',
    'fault',
    'backlog',
    'degraded',
    'connecting',
    'starting',
  ];
  /** @type {Record<string, string>} */
  const DOTS = {
    ...{ good: 'green', ready: 'green', up: 'green', running: 'green' },
    ...{
      degraded: 'yellow',
      backlog: 'yellow',
      connecting: 'yellow-ring',
      starting: 'yellow-ring',
    },
    ...{ lost: 'red-ring', waiting: 'red-ring', down: 'red-ring', fault: 'red-ring' },
    ...{ unused: 'grey-ring', disabled: 'grey-ring', stopped: 'grey-ring', idle: 'grey' },
  };

  /** @typedef {(key: string, words?: Record<string, unknown>) => string} Say */
  /** @typedef {{key: string, nodeId: string, dot: string, title: string, note: string, aside: string, asideMs?: number,
   *   why: string, text: string}} Row `why`: what is wrong, in red. */

  /** 1234 → "1,234" or as the language has it; from 10,000 on "12 k". @param {number | undefined} n */
  function showCount(n) {
    if (n === undefined) return '0';
    if (n >= 1e9) return `${(n / 1e9).toFixed(1)} G`;
    if (n >= 1e6) return `${(n / 1e6).toFixed(1)} M`;
    if (n >= 1e4) return `${Math.floor(n / 1e3)} k`;
    return String(n).replace(/(\d)(?=\d{3}$)/, '$1\u202f');
  }

  /** @param {number | undefined} rate Values per second. */
  function showRate(rate) {
    if (!rate) return '0';
    if (rate >= 10) return showCount(Math.round(rate));
    return rate >= 0.1 ? String(Math.round(rate * 10) / 10) : '< 0.1';
  }

  /** @param {number} ms */
  function showAge(ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 120) return `${s} s`;
    if (s < 7200) return `${Math.floor(s / 60)} min`;
    return s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
  }

  /** meter-2 before meter-10. @param {string} a @param {string} b */
  const byName = new Intl.Collator('en', { numeric: true }).compare;

  /** @template {{id: string, state: string}} T @param {T[]} items @returns {T[]} */
  function worstFirst(items) {
    const rank = (/** @type {T} */ { state }) => {
      const at = ORDER.indexOf(state);
      return at < 0 ? ORDER.length : at;
    };
    return [...items].sort((a, b) => rank(a) - rank(b) || byName(a.id, b.id));
  }

  /** Without the time of the next try, which is over when it is read.
   * @param {string | undefined} reason @param {string} text */
  function explain(reason, text) {
    return (reason || text || '').replace(/; next try in [^;]*$/, '');
  }

  /** @param {Record<string, any>} device @param {Say} say @returns {Row} */
  function deviceRow(device, say) {
    const { id, nodeId, name, state, lastMs, points, good, rate, errors, reason, text } = device;
    const isBad = state === 'lost' || state === 'fault';
    const isRead = state === 'good' || state === 'degraded';
    const counts = { n: showCount(points), good: showCount(good) };
    const parts = [say(state === 'good' ? 'points' : 'pointsGood', counts)];
    if (rate !== undefined) parts.push(say('rate', { n: showRate(rate) }));
    if (errors > 0) parts.push(say('errors', { n: showCount(errors) }));
    return {
      ...{ key: id, nodeId, dot: DOTS[state] ?? 'grey-ring', title: id },
      ...{ note: name && name !== id ? name : '', aside: '', asideMs: lastMs },
      why: isBad ? explain(reason, text) : '',
      text: isRead ? parts.join(' · ') : isBad ? '' : say(`state.${state}`),
    };
  }

  /** @param {Record<string, any>} sink @param {Say} say @returns {Row} */
  function sinkRow(sink, say) {
    const { id, nodeId, name, kind, state, text, reason } = sink;
    const { queue, delivered, refused, dropped, retried } = sink;
    const isBad = state === 'waiting' || state === 'fault';
    const isKnown = ['ready', 'backlog', 'waiting'].includes(state);
    const counts = [
      say('queue', { n: showCount(queue) }),
      say('delivered', { n: showCount(delivered) }),
    ];
    if (refused > 0) counts.push(say('refusedBy', { n: showCount(refused) }));
    if (dropped > 0) counts.push(say('dropped', { n: showCount(dropped) }));
    if (retried > 0) counts.push(say('retried', { n: showCount(retried) }));
    const kinds = /** @type {Record<string, string>} */ ({ mqtt: 'MQTT', influxdb: 'InfluxDB' });
    return {
      ...{ key: id, nodeId, dot: DOTS[state] ?? 'grey-ring', title: id },
      ...{ note: name && name !== id ? name : '', aside: kinds[kind] ?? kind },
      why: isBad ? explain(reason, text) : '',
      text: isKnown ? counts.join(' · ') : isBad ? '' : say(`state.${state}`),
    };
  }

  /** @param {string} query @param {Record<string, any>} device */
  function fits(query, { id, name, connection, state, text, reason }) {
    const all = [id, name, connection, state, text, reason].filter(Boolean).join(' ').toLowerCase();
    return query.split(/\s+/).every((word) => all.includes(word));
  }

  /** The rows to be shown, and how many more there are. @param {Record<string, any>[]} devices
   * @param {string} query @param {Say} say */
  function deviceRows(devices, query, say) {
    const wanted = query.trim().toLowerCase();
    const found = wanted ? devices.filter((device) => fits(wanted, device)) : devices;
    const shown = worstFirst(/** @type {any[]} */ (found)).slice(0, MAX_ROWS);
    return {
      rows: shown.map((device) => deviceRow(device, say)),
      more: found.length - shown.length,
    };
  }

  /** @param {Record<string, any>[]} sinks @param {Say} say */
  function sinkRows(sinks, say) {
    return worstFirst(/** @type {any[]} */ (sinks))
      .slice(0, MAX_ROWS)
      .map((sink) => sinkRow(sink, say));
  }

  /* Nobody has asked these. */
  const SILENT = ['unused', 'disabled', 'idle'];

  /** "3 of 5 answer", of those that are read. @param {Record<string, any>[]} devices @param {Say} say */
  function summarize(devices, say) {
    const used = devices.filter(({ state }) => !SILENT.includes(state));
    const good = used.filter(({ state }) => state === 'good' || state === 'degraded').length;
    if (used.length === 0) return '';
    return say('answer', { good: showCount(good), n: showCount(used.length) });
  }

  return {
    DOTS,
    MAX_ROWS,
    SEARCH_FROM,
    deviceRows,
    showAge,
    showCount,
    showRate,
    sinkRows,
    summarize,
    worstFirst,
  };
})();

if (typeof module === 'object' && module.exports) module.exports = busbarOverview;
