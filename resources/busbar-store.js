/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What waits, in the sidebar: the store of each runtime, backlogs whose sinks are gone, and what sinks
   have refused for good. Parts are kept and changed in place, so that a question that is open or a list
   that is being read stays while the rest goes on. */

/* global $, RED, busbarEditor, busbarOverview */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const LOOK_MS = 5000;

    const say = (key, words) => busbarEditor.sidebarText(key, words);

    function setText(place, text) {
      if (place.text() !== text) place.text(text);
    }

    /** Parts by their keys: those that are new are made, those that are gone removed. */
    class Parts {
      /** @param {(key: string) => {place: any, fill(data: object): void}} build */
      constructor(place, build) {
        this.place = place;
        this.build = build;
        this.byKey = new Map();
      }

      show(rows) {
        const keys = new Set(rows.map(({ key }) => key));
        for (const [key, { place }] of this.byKey) {
          if (keys.has(key)) continue;
          place.remove();
          this.byKey.delete(key);
        }
        rows.forEach((row, at) => {
          let part = this.byKey.get(row.key);
          if (!part) this.byKey.set(row.key, (part = this.build(row.key)));
          const there = this.place[0].children[at] ?? null;
          if (there !== part.place[0]) this.place[0].insertBefore(part.place[0], there);
          part.fill(row);
        });
      }
    }

    /** A small button. */
    function button(label, onClick) {
      return $('<button type="button" class="red-ui-button red-ui-button-small">')
        .text(label)
        .on('click', onClick);
    }

    /** Buttons in whose place a question stands while one is open. */
    class Actions {
      constructor(...buttons) {
        this.place = $('<div class="busbar-side-actions">');
        this.usual = $('<span class="busbar-side-buttons">').append(buttons).appendTo(this.place);
        this.question = $('<span class="busbar-side-buttons">').hide().appendTo(this.place);
      }

      /** @param {string} text @param {string} label Of the button that does it. @param {() => unknown} onYes */
      ask(text, label, onYes) {
        const yes = button(label, () => this.run(onYes)).addClass('primary');
        const no = button(say('store.cancel'), () => this.close());
        this.question
          .empty()
          .append($('<span class="busbar-side-ask">').text(text), yes, no)
          .show();
        this.usual.hide();
        no.trigger('focus');
      }

      /** What goes wrong is told; then it can be tried again. @param {() => unknown} work */
      async run(work) {
        const buttons = this.place.find('button, select').prop('disabled', true);
        try {
          await work();
        } catch (error) {
          RED.notify(error.message, 'error');
        }
        buttons.prop('disabled', false);
        this.close();
      }

      close() {
        this.question.hide();
        this.usual.show();
      }
    }

    /** A backlog whose sink is gone. */
    class OrphanPart {
      /** @param {(wish: object) => Promise<unknown>} settle */
      constructor(settle) {
        this.place = $('<div class="busbar-side-item">');
        const head = $('<div class="busbar-row-head">').appendTo(this.place);
        $('<span class="busbar-dot busbar-dot-yellow">').appendTo(head);
        this.title = $('<span class="busbar-row-title">').appendTo(head);
        this.text = $('<div class="busbar-row-text">').appendTo(this.place);
        this.give = $('<select>').attr('aria-label', say('orphan.give'));
        this.give.on('change', () => this.askGive());
        const drop = button(say('orphan.drop'), () =>
          this.actions.ask(say('orphan.askDrop', { n: this.row.n }), say('orphan.drop'), () =>
            settle({ sink: this.row.key, do: 'drop' }),
          ),
        );
        this.settle = settle;
        this.actions = new Actions(this.give, drop);
        this.place.append(this.actions.place);
      }

      askGive() {
        const to = this.give.val();
        this.give.val('');
        if (!to) return;
        const words = { n: this.row.n, to };
        this.actions.ask(say('orphan.askGive', words), say('orphan.giveNow'), () =>
          this.settle({ sink: this.row.key, do: 'reassign', to }),
        );
      }

      fill(row) {
        this.row = row;
        setText(this.title, row.title);
        setText(this.text, row.text);
        const key = row.targets.join(' ');
        if (this.give.data('targets') === key) return;
        this.give
          .data('targets', key)
          .empty()
          .toggle(row.targets.length > 0);
        $('<option value="">').text(say('orphan.give')).appendTo(this.give);
        for (const id of row.targets) $('<option>').val(id).text(id).appendTo(this.give);
      }
    }

    /** A batch or message that a sink has refused for good. */
    class DeadPart {
      /** @param {(wish: object) => Promise<unknown>} settle */
      constructor(settle) {
        this.place = $('<div class="busbar-side-item">');
        const head = $('<div class="busbar-row-head">').appendTo(this.place);
        this.title = $('<span class="busbar-row-title">').appendTo(head);
        this.age = $('<span class="busbar-row-aside">').appendTo(head);
        this.why = $('<div class="busbar-row-text busbar-row-why">').appendTo(this.place);
        const order = (what) => () => this.actions.run(() => settle({ id: this.row.id, do: what }));
        this.actions = new Actions(
          button(say('dead.again'), order('requeue')),
          button(say('dead.delete'), order('drop')),
        );
        this.sink = $('<span class="busbar-side-to">');
        this.place.append(this.actions.place.append(this.sink));
      }

      fill(row) {
        this.row = row;
        setText(this.title, row.title);
        setText(this.why, row.reason);
        setText(this.sink, say('dead.sink', { sink: row.sink }));
        const when = new Date(row.ms).toLocaleString();
        if (this.age.attr('title') !== when) this.age.attr('title', when);
        setText(this.age, say('ago', { age: busbarOverview.showAge(row.now - row.ms) }));
      }
    }

    /** The newest that were refused; asked for while the list is open. */
    class DeadList {
      /** @param {string} runtime @param {(place: string, wish: object) => Promise<any>} settle */
      constructor(runtime, settle) {
        this.runtime = runtime;
        this.place = $('<details class="busbar-side-dead">').hide();
        this.summary = $('<summary>').appendTo(this.place);
        const list = $('<div>').appendTo(this.place);
        const settleOne = async (wish) => {
          const { left, reason } = await settle('dead', wish);
          if (left > 0) RED.notify(say('dead.left', { n: left }), 'warning');
          if (reason) RED.notify(reason, 'warning');
          await this.ask();
        };
        this.parts = new Parts(list, () => new DeadPart(settleOne));
        this.note = $('<div class="busbar-side-quiet">').appendTo(this.place);
        const again = button(say('dead.allAgain'), () => {
          const text = say('dead.askAgain', { n: this.shown });
          this.actions.ask(text, say('dead.again'), () => settleOne({ do: 'requeue' }));
        });
        const remove = button(say('dead.allDelete'), () => {
          const text = say('dead.askDelete', { n: this.shown });
          this.actions.ask(text, say('dead.delete'), () => settleOne({ do: 'drop' }));
        });
        this.actions = new Actions(again, remove);
        this.place.append(this.actions.place);
        this.rows = [];
        this.nextMs = 0;
        this.place.on('toggle', () => this.isOpen() && this.ask());
      }

      isOpen() {
        return this.place.prop('open') && this.count > 0;
      }

      async ask() {
        this.nextMs = Date.now() + LOOK_MS;
        try {
          const place = `dead?runtime=${encodeURIComponent(this.runtime)}`;
          const { dead } = await busbarEditor.ask('GET', place);
          this.rows = dead.map(busbarOverview.deadRow);
          this.showRows();
        } catch (error) {
          setText(this.note, error.message);
        }
      }

      showRows() {
        this.parts.show(this.rows.map((row) => ({ ...row, now: this.now })));
        const isPart = this.rows.length > 0 && this.rows.length < this.count;
        const words = { n: this.rows.length, all: this.shown };
        setText(this.note, isPart ? say('dead.newest', words) : '');
      }

      /** @param {number} count @param {number} bytes @param {number} now By the clock of the server. */
      show(count, bytes, now) {
        this.count = count;
        this.now = now;
        this.shown = busbarOverview.showCount(count);
        this.place.toggle(count > 0);
        const size = busbarOverview.showSize(bytes);
        setText(this.summary, say('dead.title', { n: this.shown, size }));
        if (!this.isOpen()) return;
        this.showRows();
        if (Date.now() >= this.nextMs) this.ask();
      }
    }

    /** The store of one runtime, and what is to be settled there. */
    class StorePart {
      /** @param {string} runtime @param {(place: string, wish: object) => Promise<any>} settle */
      constructor(runtime, settle) {
        this.place = $('<div class="busbar-side-store">');
        const head = $('<div class="busbar-row-head">').appendTo(this.place);
        this.dot = $('<span>').appendTo(head);
        this.text = $('<span class="busbar-side-main">').appendTo(head);
        this.bar = $('<div class="busbar-side-bar"><span></span></div>').appendTo(this.place);
        this.why = $('<div class="busbar-row-text busbar-row-why">').appendTo(this.place);
        this.note = $('<div class="busbar-row-text">').appendTo(this.place);
        const settleHere = (place, wish) => settle(place, { runtime, ...wish });
        const orphans = $('<div>').appendTo(this.place);
        this.orphans = new Parts(
          orphans,
          () => new OrphanPart((wish) => settleHere('orphans', wish)),
        );
        this.dead = new DeadList(runtime, settleHere);
        this.place.append(this.dead.place);
      }

      fill({ runtime, sinks, name, now }) {
        const { store } = runtime;
        const line = busbarOverview.storeLine(store, say);
        this.dot.attr('class', `busbar-dot busbar-dot-${line.dot}`);
        setText(this.text, line.text);
        setText(this.why, line.why);
        setText(this.note, [line.note, name].filter(Boolean).join(' · '));
        this.place.attr('title', store.path ?? null);
        this.bar.toggle(store.open).attr('data-dot', line.dot);
        /* What little there is can be seen; nothing is nothing. */
        this.bar
          .children()
          .toggle(line.share > 0)
          .css('width', `${(100 * line.share).toFixed(1)}%`);
        this.orphans.show(busbarOverview.orphanRows(runtime, sinks, say));
        this.dead.show(store.dead ?? 0, store.deadBytes, now);
      }
    }

    /** @param {any} place @param {() => Promise<void>} look Asks how all of it is now.
     * @returns {{show(runtimes: object[], sinks: object[], now: number): boolean}} */
    function storeView(place, look) {
      const settle = async (where, wish) => {
        const answer = await busbarEditor.ask('POST', where, wish);
        await look();
        return answer;
      };
      const parts = new Parts(place, (key) => new StorePart(key, settle));
      return {
        /** Whether there is something to see. */
        show(runtimes, sinks, now) {
          const rows = runtimes
            .filter(({ store }) => store)
            .map((runtime) => {
              const node = runtimes.length > 1 && runtime.id && RED.nodes.node(runtime.id);
              const name = node ? RED.utils.getNodeLabel(node) : '';
              return { key: runtime.id, runtime, sinks, name, now };
            });
          parts.show(rows);
          return rows.length > 0;
        },
      };
    }

    return { storeView };
  })(),
);
