/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The dialog of busbar-profile: its points, what the device allows, and the document as JSON. The three
   pages show one document; the page that is left hands it to the next. The dialog is one closure,
   because its parts share that document. */

/* global $, RED, busbarEditor, busbarPoints, busbarRules */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const text = (key, words) => busbarEditor.text(`profile.${key}`, words);

    /** The own document, or the mistake in it. */
    function parseProfile(json) {
      let profile;
      try {
        profile = JSON.parse(json.trim() || '{}');
      } catch (error) {
        return { mistake: { key: 'json', given: error.message } };
      }
      const isMap = Object(profile) === profile && !Array.isArray(profile);
      return isMap ? { profile } : { mistake: { key: 'jsonMap' } };
    }

    /** Fields of the second page: where they stand in the document, and what they may hold. */
    const limits = () => [
      { path: ['modbus', 'word_order'], options: busbarRules.ORDERS, fallback: 'ABCD' },
      { path: ['modbus', 'table'], options: ['holding', 'input'], fallback: 'holding' },
      { path: ['modbus', 'max_registers'], whole: [1, 125], fallback: '125' },
      { path: ['modbus', 'max_gap'], whole: [0, 124], fallback: '8' },
      { path: ['modbus', 'max_in_flight'], whole: [1, 16], fallback: '1' },
      { path: ['modbus', 'min_interval'], duration: ['0ms', '60s'], fallback: '0ms' },
      { path: ['vendor'] },
      { path: ['source'] },
      { path: ['measurement'] },
    ];

    const at = (profile, path) => path.reduce((value, key) => value?.[key], profile);

    function checkLimit({ whole, duration, options }, value) {
      if (value === undefined) return undefined;
      if (whole) return busbarRules.whole(value, ...whole);
      if (duration) return busbarRules.duration(value, ...duration);
      return options && busbarRules.choice(value, options);
    }

    /** For `validate`: with a bundled profile below, points may say only what is different. */
    const profileRules = {
      profile(node, value) {
        const { profile, mistake } = parseProfile(value ?? '');
        if (mistake) return busbarEditor.sentence(mistake);
        const limit = limits().find((each) => checkLimit(each, at(profile, each.path)));
        if (limit) {
          const why = busbarEditor.sentence(checkLimit(limit, at(profile, limit.path)));
          return `${text(`limit.${limit.path.at(-1)}`)}: ${why}`;
        }
        const points = busbarPoints.pointsOf(profile);
        if (points.length === 0 && !node.extends) {
          return busbarEditor.sentence({ key: 'jsonPoints' });
        }
        for (const point of points) {
          const isChange = node.extends && busbarPoints.addressKey(point) === undefined;
          const [first] = isChange ? [] : busbarRules.checkPoint(point, profile.external);
          if (first) return `${point.name || '?'}: ${busbarEditor.sentence(first)}`;
        }
        return true;
      },
    };

    function put(profile, [key, inner], value) {
      if (inner === undefined) {
        const { [key]: _, ...rest } = profile;
        return value === undefined ? rest : { ...rest, [key]: value };
      }
      const map = put(Object(profile[key]), [inner], value);
      return put(profile, [key], Object.keys(map).length > 0 ? map : undefined);
    }

    function limitField(limit, state, onChange) {
      const { path, options, fallback, whole } = limit;
      const name = path.at(-1);
      const label = $('<label>').append($('<span>').text(text(`limit.${name}`)));
      const inherited = at(state.base, path) ?? fallback;
      const input = $(options ? '<select>' : '<input type="text">').appendTo(label);
      if (options) {
        $('<option value="">')
          .text(text(state.base ? 'asBundled' : 'asIs', { value: inherited }))
          .appendTo(input);
        for (const each of options) {
          const label = text(`option.${each}`);
          $('<option>').val(each).text(label).appendTo(input);
        }
      } else {
        input.attr('placeholder', inherited ?? '');
      }
      input.val(at(state.own, path) ?? '');
      const why = $('<div class="busbar-sentence" role="alert">').appendTo(label);
      input.on('input change', () => {
        const value = input.val().trim();
        const mistake = checkLimit(limit, value);
        why.text(mistake ? busbarEditor.sentence(mistake) : '');
        const isNumber = whole && /^\d+$/.test(value);
        state.own = put(
          state.own,
          path,
          value === '' ? undefined : isNumber ? Number(value) : value,
        );
        onChange();
      });
      return label.toggleClass('busbar-span', name === 'source');
    }

    function checkScans(rows) {
      for (const { scan, period } of rows) {
        if (!busbarRules.isName(scan)) return { key: 'pointName', given: scan };
        const mistake = busbarRules.duration(period, '10ms', '168h');
        if (mistake || period === '') return mistake ?? { key: 'duration', given: period };
      }
      return undefined;
    }

    function scansHint(base) {
      const scans = Object.entries({ ...busbarPoints.SCANS, ...base?.scans });
      return text('scansHint', { scans: scans.map((pair) => pair.join(' ')).join(', ') });
    }

    function limitsPage(place, state, onChange) {
      place.empty();
      const fields = limits().map((each) => limitField(each, state, onChange));
      $('<div class="busbar-fields">').append(fields).appendTo(place);
      $('<h4>').text(text('scans')).appendTo(place);
      const row = $('<div class="form-row busbar-block">').appendTo(place);
      const list = $('<ol>').appendTo(row);
      $('<div class="busbar-hint busbar-full">').text(scansHint(state.base)).appendTo(row);
      const stored = Object.entries(state.own.scans ?? {});
      const pairs = busbarEditor.pairList(
        list,
        stored.map(([scan, period]) => ({ scan, period })),
        ['scan', 'period'],
        {
          names: Object.keys({ ...busbarPoints.SCANS, ...state.base?.scans }),
          values: () => ['250ms', '1s', '5s', '10s', '60s', '15min', '1h'],
          texts: [text('scan'), text('period')],
          check: checkScans,
          onChange() {
            const rows = pairs.read().filter(({ scan }) => scan);
            const scans = Object.fromEntries(rows.map(({ scan, period }) => [scan, period]));
            state.own = put(state.own, ['scans'], rows.length > 0 ? scans : undefined);
            onChange();
          },
        },
      );
    }

    /** The dialog. @returns {{save(): void, close(): void, resize(size: object): void}} */
    function profileDialog(node) {
      const form = $('#node-config-dialog-edit-form');
      const rules = busbarEditor.watch(form, node, () => busbarEditor.readForm(form, node));
      const { profile, mistake } = parseProfile(node.profile ?? '');
      const state = {
        own: profile ?? {},
        base: undefined,
        page: undefined,
        isBroken: Boolean(mistake),
      };
      const select = busbarEditor.field(form, 'extends');
      const chosen = node.extends ?? '';
      let asked = 0;

      const whole = () => {
        const own = { ...state.own, points: points.own() };
        return state.base ? busbarPoints.mergeProfile(state.base, own) : own;
      };
      const points = busbarEditor.pointsEditor({
        profile: () => (state.base ? busbarPoints.mergeProfile(state.base, state.own) : state.own),
        onChange: summarize,
      });
      form.find('#busbar-points').append(points.element);

      let editor;

      /** Made when its page is looked at first: few do, and it takes a while to load. */
      function jsonEditor() {
        editor ??= RED.editor.createEditor({
          id: 'busbar-profile-json',
          mode: 'ace/mode/json',
          value: mistake ? node.profile : '',
        });
        return editor;
      }

      /** The document as it stands, the version of the format first. */
      function layOut() {
        const { profile: version = 1, points: _, ...rest } = state.own;
        return busbarPoints.layOut({ profile: version, ...rest, points: points.own() });
      }

      function summarize() {
        const all = points.points().length;
        const own = points.own().length;
        form
          .find('#busbar-points-summary')
          .text(state.base ? text('summary', { n: all, own }) : '');
        form.find('#busbar-points-export').prop('disabled', all === 0);
        const faulty = points.faulty();
        const why = form.find('#busbar-points-faulty').empty();
        if (faulty.length === 0) return;
        const link = $('<a href="#">').text(text('showFaulty'));
        link.on('click', (event) => {
          event.preventDefault();
          points.reveal(faulty[0]);
        });
        why.append(text('faulty', { n: faulty.length }), ' ', link);
      }

      function showJsonMistake(why) {
        const row = form.find('#busbar-profile-json').closest('.form-row');
        busbarEditor.tell(row, why ? busbarEditor.sentence(why) : '');
        form.find('.busbar-needs-json').toggle(!why);
        form.find('.busbar-json-first').toggle(Boolean(why));
      }

      /** Takes over what was written as JSON. */
      function readJson() {
        const { profile: read, mistake: why } = parseProfile(jsonEditor().getValue());
        state.isBroken = Boolean(why);
        showJsonMistake(why);
        if (why) return;
        state.own = read;
        points.show(state.base, read);
        summarize();
      }

      const PAGES = {
        points() {},
        limits() {
          limitsPage(form.find('#busbar-limits'), state, () => {});
        },
        json() {
          const shown = jsonEditor();
          if (!state.isBroken) shown.setValue(layOut(), -1);
          shown.resize?.();
        },
      };

      const tabs = RED.tabs.create({
        element: form.find('#busbar-profile-tabs'),
        onchange(tab) {
          if (state.page === 'json') readJson();
          state.page = tab.id;
          form.find('.busbar-page').hide();
          form.find(`.busbar-page[data-page="${tab.id}"]`).show();
          if (!state.isBroken || tab.id === 'json') PAGES[tab.id]();
        },
      });
      for (const id of ['points', 'limits', 'json']) tabs.addTab({ id, label: text(`tab.${id}`) });

      /** The points of the bundled profile below, once they have come. */
      async function showBase() {
        const mine = ++asked;
        const id = select.val() ?? chosen;
        try {
          const base = id ? await busbarEditor.loadProfile(id) : undefined;
          if (mine !== asked) return;
          if (state.page === 'json') readJson();
          const own = {
            ...state.own,
            points: state.base ? points.own() : (state.own.points ?? points.own()),
          };
          state.base = base;
          points.show(base, own);
          state.own = own;
          busbarEditor.tell(select, '');
        } catch (error) {
          if (mine === asked) busbarEditor.tell(select, error.message);
        }
        summarize();
        if (state.page === 'limits') PAGES.limits();
      }

      busbarEditor.listProfiles().then(
        (list) => {
          busbarEditor.deviceParts.fillBundled(select, list, chosen);
          select.find('option').first().text(text('none'));
        },
        (error) => busbarEditor.tell(select, error.message),
      );
      if (chosen) $('<option>').val(chosen).text(chosen).appendTo(select);
      select.val(chosen);

      points.show(undefined, state.own);
      summarize();
      showBase();
      select.on('change', () => {
        if (state.page && (select.val() ?? '') !== (state.base?.id ?? '')) showBase();
      });
      if (mistake) {
        showJsonMistake(mistake);
        tabs.activateTab('json');
      }

      form.find('#busbar-points-add').on('click', points.add);
      form.find('#busbar-points-import').on('click', () => importPoints(points));
      form.find('#busbar-points-export').on('click', () => {
        const name = busbarEditor.field(form, 'name').val() || 'points';
        busbarEditor.exportCsv('csv/points/export', { profile: whole() }, name);
      });

      return {
        save() {
          if (state.page === 'json') readJson();
          node.profile = state.isBroken ? jsonEditor().getValue() : layOut();
        },
        close: () => editor?.destroy(),
        resize({ height }) {
          const room = Math.max(220, height - 230);
          form.find('.busbar-json').height(room);
          form
            .find('#busbar-points .busbar-scroller')
            .css('max-height', Math.max(420, height - 250));
          editor?.resize?.();
        },
        rules,
      };
    }

    function importPoints(points) {
      const place = (point) => {
        const key = busbarPoints.addressKey(point);
        return `${key} ${point[key]}`;
      };
      busbarEditor.importCsv({
        title: text('importTitle'),
        hint: text('importHint'),
        place: 'csv/points',
        key: 'points',
        columns: [
          { label: text('column.point'), className: 'busbar-name', render: ({ name }) => name },
          { label: text('column.address'), className: 'busbar-nowrap', render: place },
          { label: text('column.type'), render: ({ type }) => type ?? 'bit' },
          { label: text('column.unit'), render: ({ unit }) => unit ?? '' },
          {
            label: text('column.scale'),
            className: 'busbar-number',
            render: ({ scale }) => scale ?? '',
          },
          { label: text('column.scan'), render: ({ scan }) => scan ?? 'fast' },
        ],
        search: (point) => [point.name, place(point), point.unit, point.scan].join(' '),
        example: () => {
          const example = [
            { name: 'voltage/l1-n', input: 0, type: 'float32', unit: 'V' },
            { name: 'power/active/total', holding: 52, type: 'int32', unit: 'W', scale: 0.1 },
            {
              name: 'energy/active/import',
              holding: 256,
              type: 'uint64',
              unit: 'Wh',
              scan: 'energy',
            },
            { name: 'relay/1', coil: 0, write: true },
          ];
          return busbarEditor.ask('POST', 'csv/points/export', { profile: { points: example } });
        },
        hasRows: points.own().length > 0,
        onImport: points.take,
      });
    }

    return { profileDialog, profileRules };
  })(),
);
