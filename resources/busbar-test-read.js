/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Test read: asks the device once with the settings as they stand in its dialog, and shows each point
   with its value, quality and raw bytes, and what the bytes would be in the other word orders. */

/* global $, busbarEditor, busbarPoints */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const text = (key, words) => busbarEditor.text(`test.${key}`, words);

    /** Numbers that no meter means are kept short. */
    function showNumber(value) {
      if (typeof value !== 'number' || value === 0) return String(value ?? '–');
      const size = Math.abs(value);
      return size >= 1e12 || size < 1e-4 ? value.toExponential(4) : String(value);
    }

    function showValue({ value, unit }) {
      if (value === undefined || value === null) return '–';
      return unit ? `${value} ${unit}` : String(value);
    }

    function showQuality({ quality = '', cause }) {
      const [kind] = quality.split(',');
      const known = text(`quality.${kind}`);
      const name = known.endsWith(`quality.${kind}`) ? kind : known;
      const why = quality.split(', ')[1] ?? cause ?? '';
      const words = [name, why.replaceAll('-', ' ')];
      return $('<span>').addClass(`busbar-quality-${kind}`).text(words.filter(Boolean).join(', '));
    }

    function showPlace({ table, address, type }) {
      const place = address === undefined ? '' : `${table} ${address}`;
      return [place, type].filter(Boolean).join(', ');
    }

    /** What the bytes are in each word order; the one in use has a tick. */
    function showOrders(point, used, onUse) {
      const line = $('<div class="busbar-orders">');
      for (const { order, value } of point.orders ?? []) {
        const chip = $('<span class="busbar-order">').appendTo(line);
        $('<b>')
          .text(order)
          .attr('title', text(`order.${order}`))
          .appendTo(chip);
        $('<span class="busbar-order-value">')
          .text(showNumber(value))
          .attr('title', value)
          .appendTo(chip);
        if (order === used) {
          chip.addClass('busbar-order-used').attr('title', text('inUse'));
          $('<i class="fa fa-check">').appendTo(chip);
          continue;
        }
        $('<button type="button" class="red-ui-button red-ui-button-small">')
          .text(text('use'))
          .attr('title', text('useTitle', { order, name: text(`order.${order}`) }))
          .on('click', () => onUse(point, order))
          .appendTo(chip);
      }
      return line;
    }

    function tableOf(points, usedOf, view, onUse) {
      const columns = [
        {
          label: text('column.point'),
          className: 'busbar-name',
          render: (point) => busbarEditor.path(point.name).attr('title', showPlace(point)),
        },
        { label: text('column.value'), className: 'busbar-number', render: showValue },
        { label: text('column.quality'), render: showQuality },
        { label: text('column.raw'), className: 'busbar-raw', render: ({ raw }) => raw ?? '' },
      ];
      return busbarEditor.table({
        columns,
        rows: () => (view.onlyFaults ? points.filter(({ quality }) => quality !== 'good') : points),
        search: (point) => `${point.name} ${point.scan} ${point.unit ?? ''} ${showPlace(point)}`,
        empty: text('allGood'),
        below: (point) =>
          view.hasOrders && point.orders?.length > 1
            ? showOrders(point, usedOf(point), onUse)
            : undefined,
      });
    }

    function notice(kind, sentence, mistakes = []) {
      const box = $('<div class="busbar-notice">').addClass(`busbar-notice-${kind}`);
      box.append($('<div>').text(sentence));
      if (mistakes.length > 0) {
        const items = mistakes.map(({ path, text: what }) => {
          const place = path?.replace(/^(connections|devices)\[test\]\.?(modbus-\w+\.?)?/, '');
          return $('<li>').text([place, what].filter(Boolean).join(': '));
        });
        box.append($('<ul>').append(items));
      }
      return box;
    }

    /** "84 points in 0.2 s: 82 good, 2 not." */
    function summary(points, tookMs) {
      const good = points.filter(({ quality }) => quality === 'good').length;
      const words = {
        n: points.length,
        good,
        other: points.length - good,
        seconds: (Math.round(tookMs / 10) / 100).toLocaleString(),
      };
      const key = good === points.length ? 'summaryGood' : 'summary';
      return notice(good > 0 ? 'good' : 'bad', text(points.length > 0 ? key : 'noPoints', words));
    }

    /**
     * @param {object} options
     * @param {{label: string, read: () => object}[]} options.devices What can be asked, one or a table.
     * @param {(device: object) => {connection: object, device: object, profile?: object}} options.settings
     * @param {() => object | undefined} options.profile The document, where it is known.
     * @param {(point: object, order: string) => {ask?: string, act?: () => string, say?: string}} options.useOrder
     *   What using an order comes to: something to do, at once or once asked for, or only to be said.
     */
    function testRead({ devices, settings, profile, useOrder }) {
      const view = { onlyFaults: false, hasOrders: true };
      let chosen = devices[0];
      let runs = 0;
      let place;
      let said;

      async function run() {
        const mine = ++runs;
        place
          .empty()
          .append(
            $('<div class="busbar-notice">').append(
              $('<i class="fa fa-spinner fa-spin">'),
              ` ${text('reading', { device: chosen.label })}`,
            ),
          );
        try {
          const answer = await busbarEditor.ask('POST', 'test-read', settings(chosen.read()));
          if (mine === runs) show(answer);
        } catch (error) {
          const why = notice('bad', error.message, error.mistakes);
          if (mine === runs) place.empty().append(said, why);
        }
        said = undefined;
      }

      function tick(name, label, table) {
        const box = $('<input type="checkbox">').prop('checked', view[name]);
        box.on('change', () => {
          view[name] = box.prop('checked');
          table.refresh();
        });
        return $('<label class="busbar-option">').append(box, ' ', label);
      }

      function show({ scans = [], took_ms: tookMs = 0, connected, reason }) {
        if (connected === false) {
          place.empty().append(said, notice('bad', reason ?? text('notConnected')));
          return;
        }
        const points = scans.flatMap(({ scan, points: list }) => {
          return list.map((point) => ({ ...point, scan }));
        });
        const usedOf = ({ name, order }) => order ?? busbarPoints.orderOf(profile(), name);
        const table = tableOf(points, usedOf, view, take);
        const bar = $('<div class="busbar-bar">');
        if (points.some(({ orders }) => orders?.length > 1)) {
          bar.append(tick('hasOrders', text('showOrders'), table));
        }
        if (points.some(({ quality }) => quality !== 'good')) {
          bar.append(tick('onlyFaults', text('onlyFaults'), table));
        }
        const legend = $('<div class="busbar-quiet">').text(text('legend'));
        legend.toggle(points.some(({ orders }) => orders?.length > 1));
        const why = reason ? notice('bad', reason) : summary(points, tookMs);
        place.empty().append(said, why, bar, legend, table.element);
      }

      function take(point, order) {
        const { ask, act, say } = useOrder(point, order);
        const box = notice('good', say ?? ask ?? '');
        const finish = () => {
          said = notice('good', act());
          run();
        };
        if (act && !ask) return finish();
        if (act) {
          const bar = $('<div class="busbar-bar">').appendTo(box);
          bar.append(
            busbarEditor.button('fa-check', text('makeOwn'), finish).addClass('primary'),
            busbarEditor.button('fa-times', text('leave'), () => box.remove()),
          );
        }
        place.children('.busbar-asked').remove();
        place.prepend(box.addClass('busbar-asked'));
        place.closest('.busbar-tray').scrollTop(0);
        return undefined;
      }

      function chooser() {
        const select = $('<select>').attr('aria-label', text('device'));
        devices.forEach(({ label }, index) =>
          $('<option>').val(index).text(label).appendTo(select),
        );
        select.on('change', () => {
          chosen = devices[select.val()];
          run();
        });
        return select;
      }

      busbarEditor.openTray({
        title: text('title'),
        width: 900,
        buttons: [
          { text: text('again'), click: () => void run() },
          { text: text('close'), class: 'primary', click: () => busbarEditor.closeTray() },
        ],
        build(tray) {
          if (devices.length > 1) tray.append($('<p>').append(`${text('device')} `, chooser()));
          place = $('<div>').appendTo(tray);
          run();
        },
        onClose: () => void runs++,
      });
    }

    return { notice, testRead };
  })(),
);
