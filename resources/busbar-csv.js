/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Tables in and out of a dialog as CSV: from a file or from the clipboard, with a preview, and what is
   wrong by row. Nothing is taken while a row is wrong, unless the user leaves these rows out. */

/* global $, RED, busbarEditor */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const text = (key, words) => busbarEditor.text(`csv.${key}`, words);
    const CHECK_AFTER_MS = 300;
    const SHOWN = 100; /* Mistakes; more do not help. */

    /** Where the comma parts decimals, spreadsheets part columns with semicolons. */
    const delimiter = () => ((1.5).toLocaleString().includes(',') ? ';' : ',');

    /** "Row 7, address: The address is missing." */
    function sayMistake(error) {
      const why = error.key ? busbarEditor.sentence(error) : error.text;
      const where = text(error.column ? 'rowColumn' : 'row', error);
      return $('<li>').append($('<b>').text(where), ` ${why}`);
    }

    function listMistakes({ errors, ignored = [] }) {
      const box = $('<div>');
      if (errors.length > 0) {
        const rows = new Set(errors.map(({ row }) => row)).size;
        const list = $('<ul>').append(errors.slice(0, SHOWN).map(sayMistake));
        if (errors.length > SHOWN) {
          list.append($('<li>').text(text('moreMistakes', { n: errors.length - SHOWN })));
        }
        const why = busbarEditor.notice('bad', text('wrongRows', { n: rows }));
        box.append(why.append(list));
      }
      if (ignored.length > 0) {
        const names = ignored.join(', ');
        box.append(busbarEditor.notice('note', text('ignored', { names })));
      }
      return box;
    }

    /** Text of a file; what is no UTF-8 is read as spreadsheets of Windows write it. */
    async function readFile(file) {
      const bytes = await file.arrayBuffer();
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      } catch {
        return new TextDecoder('windows-1252').decode(bytes);
      }
    }

    /**
     * @param {object} options
     * @param {string} options.title
     * @param {string} options.hint What columns there are.
     * @param {string} options.place The endpoint that reads.
     * @param {string} options.key Under which it answers the rows.
     * @param {object[]} options.columns Of the preview.
     * @param {(row: any) => string} options.search
     * @param {() => Promise<string>} options.example A table to begin with.
     * @param {boolean} options.hasRows Whether there are rows that could be kept.
     * @param {(rows: any[], how: 'replace' | 'add') => void} options.onImport
     */
    function importCsv(options) {
      const { title, hint, place, key, columns, search, example, hasRows, onImport } = options;
      let result;
      let leaveOut = false;
      let how = hasRows ? 'add' : 'replace';
      let checks = 0;
      let timer;
      let area;
      let found;

      const count = () => result?.[key].length ?? 0;
      const isReady = () => count() > 0 && (result.errors.length === 0 || leaveOut);

      function refreshButton() {
        $('#busbar-csv-import')
          .toggleClass('disabled', !isReady())
          .prop('disabled', !isReady())
          .text(isReady() ? text('importN', { n: count() }) : text('import'));
      }

      function showResult() {
        found.empty();
        if (!result) return refreshButton();
        found.append(listMistakes(result));
        const isHead = result.errors.some(({ row }) => row === 1);
        if (result.errors.length > 0 && count() > 0 && !isHead) {
          const box = $('<input type="checkbox">').prop('checked', leaveOut);
          box.on('change', () => {
            leaveOut = box.prop('checked');
            refreshButton();
          });
          const label = text('leaveOut', { n: count() });
          found.append($('<label class="busbar-option">').append(box, ' ', label));
        }
        if (count() > 0) {
          found.append($('<div class="busbar-heading">').text(text('preview', { n: count() })));
          const table = busbarEditor.table({ columns, rows: () => result[key], search, empty: '' });
          found.append(table.element);
        }
        return refreshButton();
      }

      async function check() {
        const mine = ++checks;
        const csv = area.val();
        leaveOut = false;
        if (csv.trim() === '') {
          result = undefined;
          return showResult();
        }
        try {
          const answer = await busbarEditor.ask('POST', place, { csv });
          if (mine === checks) result = answer;
        } catch (error) {
          if (mine === checks) result = { [key]: [], errors: [{ row: 1, text: error.message }] };
        }
        return mine === checks && showResult();
      }

      async function take(file) {
        if (!file) return;
        area.val(await readFile(file));
        check();
      }

      function buildHead(tray) {
        const input = $('<input type="file" accept=".csv,.txt,.tsv,text/csv" hidden>');
        input.on('change', () => take(input[0].files[0]));
        const choose = () => input.trigger('click');
        const showExample = async () => {
          area.val((await example()).replace(/^\ufeff/, ''));
          check();
        };
        tray.append(
          $('<p>').text(hint),
          $('<div class="busbar-bar">').append(
            input,
            busbarEditor.button('fa-folder-open-o', text('file'), choose),
            busbarEditor.button('fa-lightbulb-o', text('example'), showExample),
          ),
        );
      }

      function buildChoice(tray) {
        if (!hasRows) return;
        const bar = $('<div class="busbar-bar">').appendTo(tray);
        for (const each of ['add', 'replace']) {
          const radio = $('<input type="radio" name="busbar-csv-how">').prop(
            'checked',
            each === how,
          );
          radio.on('change', () => void (how = each));
          bar.append($('<label class="busbar-option">').append(radio, ' ', text(each)));
        }
      }

      function build(tray) {
        buildHead(tray);
        area = $('<textarea spellcheck="false">')
          .attr({ placeholder: text('paste'), 'aria-label': text('paste') })
          .on('input', () => {
            clearTimeout(timer);
            timer = setTimeout(check, CHECK_AFTER_MS);
          })
          .appendTo(tray);
        buildChoice(tray);
        found = $('<div>').appendTo(tray);
        tray
          .on('dragover', (event) => {
            event.preventDefault();
            tray.addClass('busbar-drop');
          })
          .on('dragleave drop', () => tray.removeClass('busbar-drop'))
          .on('drop', (event) => {
            event.preventDefault();
            take(event.originalEvent.dataTransfer.files[0]);
          });
        setTimeout(refreshButton, 0);
      }

      busbarEditor.openTray({
        title,
        width: 720,
        buttons: [
          { text: text('cancel'), click: () => busbarEditor.closeTray() },
          {
            id: 'busbar-csv-import',
            text: text('import'),
            class: 'primary',
            click() {
              if (!isReady()) return;
              const rows = result[key];
              busbarEditor.closeTray(() => onImport(rows, how));
            },
          },
        ],
        build,
        onClose: () => void checks++,
      });
    }

    /** @param {string} place @param {object} body @param {string} name Of the file. */
    async function exportCsv(place, body, name) {
      try {
        const csv = await busbarEditor.ask('POST', place, { ...body, delimiter: delimiter() });
        const file = name.replace(/[^\w.-]+/g, '-').replace(/^-+|-+$/g, '');
        busbarEditor.download(`${file || 'busbar'}.csv`, csv);
      } catch (error) {
        RED.notify(error.message, 'error');
      }
    }

    return { exportCsv, importCsv };
  })(),
);
