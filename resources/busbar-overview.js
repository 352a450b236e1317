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
    'unsaved',
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
      unsaved: 'yellow',
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

  /** "640 B", "1.9 MiB", "12 MiB". @param {number | undefined} bytes */
  function showSize(bytes = 0) {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let at = 0;
    let n = bytes;
    /* 1,000 has a digit too many. */
    while (n >= 999.5 && at < units.length - 1) {
      n /= 1024;
      at++;
    }
    const shown = at > 0 && n < 9.95 ? Math.round(n * 10) / 10 : Math.round(n);
    return `${shown} ${units[at]}`;
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

  /** How much waits for a sink, and how much of it on the disk. @param {number} queue
   * @param {number | undefined} saved @param {Say} say */
  function sayWaiting(queue, saved = 0, say) {
    const n = showCount(queue);
    const onDisk = showCount(Math.min(saved, queue));
    if (!(saved > 0 && queue > 0)) return say('queue', { n });
    return onDisk === n ? say('queueOnDisk', { n }) : say('queueSaved', { n, saved: onDisk });
  }

  /** @param {Record<string, any>} sink @param {Say} say @returns {Row} */
  function sinkRow(sink, say) {
    const { id, nodeId, name, kind, state, text, reason } = sink;
    const { queue, saved, delivered, refused, dropped, retried } = sink;
    const isBad = state === 'waiting' || state === 'fault';
    const isKnown = ['ready', 'backlog', 'unsaved', 'waiting'].includes(state);
    const counts = [sayWaiting(queue, saved, say), say('delivered', { n: showCount(delivered) })];
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

  /** What was written since the start, and what a sample took. @param {Record<string, any>} store @param {Say} say */
  function writtenNote({ writtenBytes, savedSamples }, say) {
    if (!(savedSamples > 0)) return '';
    const each = (writtenBytes / savedSamples).toFixed(1);
    return say('store.written', { size: showSize(writtenBytes), each });
  }

  /** How the store of a runtime is; `share`: how full, 0 to 1. @param {Record<string, any>} store @param {Say} say */
  function storeLine(store, say) {
    const { open, failing, reason, bytes, maxBytes, records } = store;
    if (!open) return { dot: 'grey-ring', text: say('store.none'), note: '', why: '', share: 0 };
    const share = maxBytes > 0 ? Math.min(1, bytes / maxBytes) : 0;
    return {
      dot: failing ? 'red-ring' : share >= 0.8 ? 'yellow' : 'green',
      text: say('store.used', { size: showSize(bytes), max: showSize(maxBytes) }),
      note: [
        records > 0 ? say('store.records', { n: showCount(records) }) : '',
        writtenNote(store, say),
      ]
        .filter(Boolean)
        .join(', '),
      why: failing ? say('store.failing', { reason }) : '',
      share,
    };
  }

  /** Backlogs whose sinks are gone, and who could have them. @param {Record<string, any>} runtime
   * @param {Record<string, any>[]} sinks @param {Say} say */
  function orphanRows({ id, orphans = [] }, sinks, say) {
    const used = sinks.filter((sink) => sink.runtime === id && sink.state !== 'unused');
    const targets = used.map((sink) => sink.id).sort(byName);
    return [...orphans]
      .sort((a, b) => byName(a.sink, b.sink))
      .map(({ sink, batches, bytes, dropped = 0, why = 'gone' }) => ({
        ...{ key: sink, title: sink, n: showCount(batches), targets },
        text: [
          say(`orphan.${why}`, { n: showCount(batches), size: showSize(bytes) }),
          ...(dropped > 0 ? [say('orphan.dropped', { n: showCount(dropped) })] : []),
        ].join(' '),
      }));
  }

  /** What a sink has refused for good. @param {Record<string, any>} letter */
  function deadRow({ id, sink, reason, time, device, scan, topic }) {
    const from = [device, scan].filter(Boolean).join('/');
    return { key: String(id), id, title: topic || from || sink, sink, reason, ms: time };
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
    deadRow,
    deviceRows,
    orphanRows,
    showAge,
    showCount,
    showRate,
    showSize,
    sinkRows,
    storeLine,
    summarize,
    worstFirst,
  };
})();

if (typeof module === 'object' && module.exports) module.exports = busbarOverview;
