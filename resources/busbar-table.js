/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A table that stays quick with thousands of rows: it shows the first ones and a search finds the
   others. A row can open a form below itself. A table is one closure: its parts share what is open. */

/* global $, busbarEditor */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const LIMIT = 200;
    const SEARCH_FROM = 8; /* Rows; fewer are found by looking. */

    function headOf(columns) {
      const row = $('<tr>');
      for (const { label, className } of columns) {
        $('<th scope="col">')
          .text(label)
          .addClass(className ?? '')
          .appendTo(row);
      }
      return $('<thead>').append(row);
    }

    function cellOf({ className, render }, row) {
      const shown = render(row);
      const cell = $('<td>').addClass(className ?? '');
      return typeof shown === 'object' && shown !== null
        ? cell.append(shown)
        : cell.text(shown ?? '');
    }

    /**
     * @param {object} options
     * @param {{label: string, className?: string, render: (row: any) => any}[]} options.columns
     * @param {() => any[]} options.rows
     * @param {(row: any) => string} options.search What a search looks at.
     * @param {string} options.empty Shown in place of rows.
     * @param {(row: any, place: any, update: (row: any) => void) => void} [options.details] Builds the
     *   form below a row; `update` shows what became of the row without closing the form.
     * @param {(row: any) => string} [options.rowClass]
     * @param {(row: any) => unknown} [options.identity] To keep a row open when it is replaced.
     * @param {(row: any) => any} [options.below] A line below a row.
     */
    function table(options) {
      const { columns, rows, search, empty, details, rowClass, below } = options;
      const identity = options.identity ?? ((row) => row);
      const element = $('<div class="busbar-table">');
      const find = $('<input type="text" class="busbar-search" autocomplete="off">')
        .attr({
          placeholder: busbarEditor.text('table.search'),
          'aria-label': busbarEditor.text('table.search'),
        })
        .appendTo(element);
      const scroller = $('<div class="busbar-scroller">').appendTo(element);
      const grid = $('<table>').append(headOf(columns)).appendTo(scroller);
      const body = $('<tbody>').appendTo(grid);
      const more = $('<div class="busbar-more-rows">').appendTo(element);
      const pinned = new Set(); /* Identities that are shown past the limit too. */
      let open;

      function fill(line, row) {
        line.empty().append(columns.map((column) => cellOf(column, row)));
        line.attr('class', rowClass?.(row) ?? '');
        if (!details) return;
        const isOpen = open === identity(row);
        line.addClass('busbar-clickable').toggleClass('busbar-open', isOpen);
        line.attr({ tabindex: 0, role: 'button', 'aria-expanded': isOpen });
      }

      function showDetails(line, row) {
        const cell = $('<td>').attr('colspan', columns.length);
        details(row, cell, (changed) => fill(line, changed));
        return $('<tr class="busbar-details">').append(cell);
      }

      function showOpen() {
        const form = body.find('.busbar-details');
        form[0]?.scrollIntoView({ block: 'nearest' });
        form.prev()[0]?.scrollIntoView({ block: 'nearest' }); /* Where both do not fit, the row. */
        form.find(':input:enabled:visible')[0]?.focus({ preventScroll: true });
      }

      function toggle(row) {
        open = open === identity(row) ? undefined : identity(row);
        refresh();
        showOpen();
      }

      function showRow(row) {
        const line = $('<tr>');
        fill(line, row);
        if (!details) return line;
        return line
          .on('click', () => toggle(row))
          .on('keydown', (event) => {
            if (event.key !== 'Enter' && event.key !== ' ') return;
            event.preventDefault();
            toggle(row);
          });
      }

      function show(all, found) {
        body.empty();
        const isShown = (row, index) => index < LIMIT || pinned.has(identity(row));
        for (const row of found.filter(isShown)) {
          const line = showRow(row).appendTo(body);
          const extra = below?.(row);
          if (extra) {
            const cell = $('<td>').attr('colspan', columns.length).append(extra);
            body.append($('<tr class="busbar-below">').append(cell));
          }
          if (details && open === identity(row)) body.append(showDetails(line, row));
        }
        if (found.length === 0) {
          const why = all.length === 0 ? empty : busbarEditor.text('table.nothing');
          const cell = $('<td class="busbar-empty">').attr('colspan', columns.length).text(why);
          body.append($('<tr>').append(cell));
        }
      }

      function refresh() {
        const all = rows();
        const words = find.val().toLowerCase().split(/\s+/).filter(Boolean);
        const found = all.filter((row) => {
          const content = search(row).toLowerCase();
          return words.every((word) => content.includes(word));
        });
        find.toggle(all.length > SEARCH_FROM);
        show(all, found);
        const hidden = found.length - LIMIT;
        more.text(hidden > 0 ? busbarEditor.text('table.more', { n: hidden }) : '');
      }

      /** Shows a row, whatever was searched for and however many there are. */
      function pin(id) {
        find.val('');
        pinned.add(id);
        refresh();
      }

      /** The same, and opens its form. */
      function reveal(id) {
        open = id;
        pin(id);
        showOpen();
      }

      find.on('input', refresh);
      /* Enter would send the form that the table stands in. */
      find.on('keydown', (event) => event.key !== 'Enter');
      refresh();
      return { element, pin, refresh, reveal, toggle };
    }

    return { table };
  })(),
);
