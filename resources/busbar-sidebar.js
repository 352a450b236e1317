/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The sidebar tab *Busbar*: mistakes of the last deploy, the runtime and what keeps it alive, devices,
   sinks, what waits. Asks once a second while it is seen, less often where an answer takes long. Rows are kept and
   changed in place, at most 200 of them, so that thousands of devices do not hold the editor up. */

/* global $, RED, busbarEditor, busbarOverview */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const MODULE = '@busbar/node-red';
    const TAB = 'busbar';
    const TICK_MS = 1000;
    /* An answer that took 100 ms is asked for each second, one of 500 ms each five. */
    const REST = 10;
    /* The clocks of browser and server may differ by so much without being set right. */
    const CLOCK_MS = 2000;
    /* A value of the last moments is one of now. */
    const NOW_MS = 3000;

    /** @param {string} key @param {Record<string, unknown>} [words] */
    function say(key, words) {
      const options = { ...words, interpolation: { escapeValue: false } };
      return RED._(`${MODULE}/busbar-sidebar:busbar-sidebar.${key}`, options);
    }

    /** Shows the node that a row is about. */
    function reveal(id) {
      const node = RED.nodes.node(id);
      if (!node) return RED.notify(say('gone'), 'warning');
      /* A second dialog on top of one that is open would belong to it. */
      if ($('.red-ui-tray').length > 0) return RED.notify(say('busy'), 'warning');
      if (node._def?.category !== 'config') return RED.view.reveal(id);
      return RED.editor.editConfig('', node.type, node.id);
    }

    function setText(place, text) {
      if (place.textContent !== text) place.textContent = text;
    }

    const make = (tag, name) => Object.assign(document.createElement(tag), { className: name });

    /** A list whose rows are changed in place. */
    class Rows {
      constructor() {
        this.list = make('div', 'busbar-rows');
        this.byKey = new Map();
      }

      makeRow() {
        const row = make('div', 'busbar-row');
        row.tabIndex = 0;
        row.setAttribute('role', 'button');
        const head = row.appendChild(make('div', 'busbar-row-head'));
        const parts = { row, dot: head.appendChild(make('span', '')) };
        for (const name of ['title', 'note', 'aside']) {
          parts[name] = head.appendChild(make('span', `busbar-row-${name}`));
        }
        parts.why = row.appendChild(make('div', 'busbar-row-text busbar-row-why'));
        parts.text = row.appendChild(make('div', 'busbar-row-text'));
        const open = () => reveal(parts.nodeId);
        row.addEventListener('click', open);
        row.addEventListener('keydown', (event) => {
          if (event.key === 'Enter') open();
        });
        return parts;
      }

      /** @param {object[]} rows Of busbarOverview. @param {number} now */
      show(rows, now) {
        const seen = new Set();
        let place = this.list.firstChild;
        for (const data of rows) {
          const key = seen.has(data.key) ? `${data.key} ${data.nodeId}` : data.key;
          seen.add(key);
          let parts = this.byKey.get(key);
          if (!parts) this.byKey.set(key, (parts = this.makeRow()));
          if (parts.row === place) place = place.nextSibling;
          else this.list.insertBefore(parts.row, place);
          this.fill(parts, data, now);
        }
        for (const [key, { row }] of this.byKey) {
          if (seen.has(key)) continue;
          row.remove();
          this.byKey.delete(key);
        }
      }

      fill(parts, data, now) {
        parts.nodeId = data.nodeId;
        parts.asideMs = data.asideMs;
        const dot = `busbar-dot busbar-dot-${data.dot}`;
        if (parts.dot.className !== dot) parts.dot.className = dot;
        setText(parts.title, data.title);
        setText(parts.note, data.note);
        setText(parts.why, data.why);
        setText(parts.text, data.text);
        if (data.asideMs === undefined) setText(parts.aside, data.aside);
        else this.tickRow(parts, now);
      }

      tickRow(parts, now) {
        const ageMs = now - parts.asideMs;
        const age = busbarOverview.showAge(ageMs);
        setText(parts.aside, ageMs < NOW_MS ? say('now') : say('ago', { age }));
      }

      /** Ages go on by themselves. */
      tick(now) {
        for (const parts of this.byKey.values()) {
          if (parts.asideMs !== undefined) this.tickRow(parts, now);
        }
      }
    }

    function buildView() {
      const content = $('<div class="busbar-sidebar">');
      const part = (name) => $('<div>').addClass(`busbar-part-${name}`).appendTo(content);
      const heading = (place, key) => {
        const line = $('<div class="busbar-side-heading">').appendTo(place);
        $('<span>').text(say(key)).appendTo(line);
        return $('<span class="busbar-side-count">').appendTo(line);
      };
      const view = {
        content,
        offline: part('offline'),
        mistakes: part('mistakes'),
        empty: part('empty'),
      };
      view.runtime = part('runtime');
      view.devices = part('devices');
      view.deviceCount = heading(view.devices, 'devices');
      view.search = $('<input type="text" class="busbar-side-search">')
        .attr({ placeholder: say('search'), 'aria-label': say('search') })
        .appendTo(view.devices);
      view.deviceRows = new Rows();
      view.more = $('<div class="busbar-side-quiet">');
      view.devices.append(view.deviceRows.list, view.more);
      view.sinks = part('sinks');
      heading(view.sinks, 'sinks');
      view.sinkRows = new Rows();
      view.sinks.append(view.sinkRows.list);
      view.store = part('store');
      heading(view.store, 'store.heading');
      view.stores = $('<div>').appendTo(view.store);
      const foot = part('foot');
      $('<a href="#">')
        .text(say('migrate.action'))
        .on('click', (event) => {
          event.preventDefault();
          RED.actions.invoke('busbar:migrate-flow');
        })
        .appendTo(foot);
      return view;
    }

    /** What to do first. */
    function buildEmpty(place) {
      $('<div class="busbar-side-title">').text(say('empty.title')).appendTo(place);
      const steps = $('<ol>').appendTo(place);
      for (const step of ['drag', 'device', 'deploy'])
        $('<li>')
          .text(say(`empty.${step}`))
          .appendTo(steps);
      $('<div>').text(say('empty.or')).appendTo(place);
      busbarEditor
        .button('fa-download', say('empty.import'), () => {
          RED.actions.invoke('core:show-examples-import-dialog');
        })
        .appendTo(place);
    }

    /** The refusal of the last deploy and its mistakes, each with a link to its node. */
    function showMistakes(place, runtimes) {
      const refused = runtimes.filter(({ refusal, mistakes }) => refusal || mistakes?.length > 0);
      const key = JSON.stringify(refused.map(({ refusal, mistakes }) => [refusal, mistakes]));
      if (place.data('shown') === key) return;
      place.data('shown', key).empty();
      for (const { refusal, mistakes } of refused) {
        const notice = $('<div class="busbar-side-notice" role="alert">').appendTo(place);
        $('<b>').text(say('refused.title')).appendTo(notice);
        if (refusal) $('<div>').text(refusal).appendTo(notice);
        const list = $('<ul>').appendTo(notice);
        for (const { nodeId, name, text } of mistakes.slice(0, 50)) {
          const item = $('<li>').appendTo(list);
          const node = RED.nodes.node(nodeId);
          const label = name || (node && RED.utils.getNodeLabel(node, node.type));
          if (label) {
            $('<a href="#">')
              .text(label)
              .on('click', (event) => {
                event.preventDefault();
                reveal(nodeId);
              })
              .appendTo(item);
            item.append(document.createTextNode(': '));
          }
          item.append(document.createTextNode(text));
        }
        $('<div class="busbar-side-quiet">').text(say('refused.before')).appendTo(notice);
      }
    }

    function showRuntimes(place, runtimes) {
      const lines = runtimes.map(
        ({ id, state, sentence, keepsAlive, paused, version, pid, dataDir }) => {
          const node = id && RED.nodes.node(id);
          const isUp = state === 'up';
          const main = isUp ? say(paused ? 'runtime.paused' : 'runtime.up', { version }) : sentence;
          const facts = [pid && say('runtime.pid', { pid }), dataDir].filter(Boolean).join(' · ');
          const dot = paused ? 'grey-ring' : (busbarOverview.DOTS[state] ?? 'grey-ring');
          return {
            dot,
            main,
            name: node ? RED.utils.getNodeLabel(node) : '',
            keepsAlive,
            facts,
            id,
          };
        },
      );
      const key = JSON.stringify(lines);
      if (place.data('shown') === key) return;
      place.data('shown', key).empty();
      for (const { dot, main, name, keepsAlive, facts, id } of lines) {
        const line = $('<div class="busbar-side-runtime">').attr('title', facts).appendTo(place);
        const head = $('<div class="busbar-row-head">').appendTo(line);
        $('<span>').addClass(`busbar-dot busbar-dot-${dot}`).appendTo(head);
        $('<span class="busbar-side-main">').text(main).appendTo(head);
        if (name) {
          const link = $('<a href="#" class="busbar-row-aside">').text(name).appendTo(head);
          link.on('click', (event) => {
            event.preventDefault();
            reveal(id);
          });
        }
        if (keepsAlive) $('<div class="busbar-row-text">').text(keepsAlive).appendTo(line);
      }
    }

    /** The state that is shown, and the clock by which it ages. */
    class Sidebar {
      constructor() {
        this.view = buildView();
        this.overview = undefined;
        this.clockMs = 0;
        this.asking = false;
        this.nextMs = 0;
        this.view.search.on('input', () => this.show());
        buildEmpty(this.view.empty);
        this.stores = busbarEditor.storeView(this.view.stores, () => this.ask());
        for (const name of ['mistakes', 'empty', 'runtime', 'devices', 'sinks', 'store'])
          this.view[name].hide();
        setInterval(() => this.tick(), TICK_MS);
      }

      get now() {
        return Date.now() + this.clockMs;
      }

      isSeen() {
        return !document.hidden && this.view.content.is(':visible');
      }

      tick() {
        if (!this.isSeen()) return;
        this.view.deviceRows.tick(this.now);
        if (!this.asking && Date.now() >= this.nextMs) this.ask();
      }

      async ask() {
        this.asking = true;
        const startedMs = Date.now();
        try {
          await $.ajax({ url: 'busbar/overview', dataType: 'json', timeout: 20000 }).then(
            (overview, _, request) => {
              this.setClock(Date.parse(request.getResponseHeader('Date')));
              this.overview = overview;
              this.view.offline.empty();
              this.show();
            },
          );
        } catch (failed) {
          this.showOffline(failed.status);
        }
        this.asking = false;
        this.nextMs = startedMs + Math.max(TICK_MS, REST * (Date.now() - startedMs)) - TICK_MS / 2;
      }

      /** @param {number} serverMs To the second. */
      setClock(serverMs) {
        const offset = serverMs - Date.now();
        this.clockMs = Math.abs(offset) > CLOCK_MS ? offset : 0;
      }

      showOffline(status) {
        const key = { 401: 'forbidden', 403: 'forbidden' }[status] ?? 'offline';
        const text = busbarEditor.text(`ask.${key}`);
        if (this.view.offline.text() === text) return;
        this.view.offline.empty();
        $('<div class="busbar-side-notice">').text(text).appendTo(this.view.offline);
      }

      show() {
        const { view, overview, now } = this;
        if (!overview) return;
        const { devices, sinks } = overview;
        const runtimes = overview.runtimes?.length > 0 ? overview.runtimes : [overview.runtime];
        const isEmpty = devices.length === 0 && sinks.length === 0;
        view.empty.toggle(isEmpty);
        view.runtime.toggle(!isEmpty || overview.runtimes?.length > 0);
        view.mistakes.show();
        showMistakes(view.mistakes, runtimes);
        showRuntimes(view.runtime, runtimes);
        view.devices.toggle(devices.length > 0);
        view.sinks.toggle(sinks.length > 0);
        view.search.toggle(devices.length > busbarOverview.SEARCH_FROM);
        const query = devices.length > busbarOverview.SEARCH_FROM ? view.search.val() : '';
        const { rows, more } = busbarOverview.deviceRows(devices, query, say);
        view.deviceRows.show(rows, now);
        const nothing = rows.length === 0 ? say('nothing') : '';
        view.more.text(more > 0 ? say('more', { n: busbarOverview.showCount(more) }) : nothing);
        view.deviceCount.text(busbarOverview.summarize(devices, say));
        view.sinkRows.show(busbarOverview.sinkRows(sinks, say), now);
        view.store.toggle(this.stores.show(runtimes, sinks, now));
      }
    }

    function addSidebar() {
      busbarEditor.loadStyle('sidebar');
      const sidebar = new Sidebar();
      RED.sidebar.addTab({
        id: TAB,
        label: say('label'),
        name: say('label'),
        content: sidebar.view.content,
        enableOnEdit: true,
        iconClass: 'fa fa-bolt',
        onchange: () => sidebar.tick(),
      });
      RED.actions.add('busbar:show-sidebar', () => RED.sidebar.show(TAB), { label: say('show') });
    }

    return { addSidebar, sidebarText: say };
  })(),
);
