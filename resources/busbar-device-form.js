/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The dialog of busbar-device: one device or a table of many, its profile with the points shown, its
   scans and tags, and a test read of what stands in the dialog. */

/* global $, RED, busbarEditor, busbarPoints, busbarRules */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const TAGS = ['asset', 'line', 'area'];
    const text = (key, words) => busbarEditor.text(`device.${key}`, words);

    /** "Zähler 3, Halle Süd" → "zaehler-3-halle-sued" */
    function suggestId(name) {
      const plain = name
        .trim()
        .toLowerCase()
        .replace(/[äöüß]/g, (letter) => ({ ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss' })[letter])
        .normalize('NFD')
        .replace(/[^a-z0-9_.]+/g, '-');
      return plain.replace(/^[-.]+|[-.]+$/g, '').slice(0, 64);
    }

    const rowsOf = (node) => (Array.isArray(node.devices) ? node.devices : []);

    /** Ids of a node; those that only the server knows are left out. */
    function idsOf(node) {
      const rows = rowsOf(node);
      const ids = rows.length > 0 ? rows.map(({ id }) => id) : [node.deviceId];
      return ids.map(busbarRules.clean).filter((id) => id !== '' && !busbarRules.isVariable(id));
    }

    /** The ids that other nodes of the editor have, with the names of these. */
    function takenIds(nodeId) {
      const taken = new Map();
      RED.nodes.eachConfig((other) => {
        if (other.type !== 'busbar-device' || other.id === nodeId || other.d) return;
        for (const id of idsOf(other)) taken.set(id, other.name || other.deviceId || other.id);
      });
      return taken;
    }

    /** @returns {object | undefined} The mistake of an id. */
    function checkId(id, taken) {
      const given = busbarRules.clean(id);
      if (given === '') return { key: 'deviceIdMissing' };
      const other = taken.get(given);
      if (other !== undefined) return { key: 'deviceIdTaken', given, other };
      return busbarRules.deviceId(given);
    }

    function checkRow(row, { taken, before, limits }) {
      const id = checkId(row.id, taken);
      if (id) return id;
      const first = before.get(busbarRules.clean(row.id));
      if (first !== undefined) return { key: 'deviceIdTwice', given: row.id, first };
      return busbarRules.whole(row.unit, ...limits) ?? row.mistake;
    }

    /** The first mistake of each row, in order; rows that are right have none. */
    function checkRows(rows, nodeId, limits) {
      const taken = takenIds(nodeId);
      const before = new Map();
      return rows.map((row, index) => {
        const mistake = checkRow(row, { taken, before, limits });
        const id = busbarRules.clean(row.id);
        if (!before.has(id) && !busbarRules.isVariable(id)) before.set(id, index + 1);
        return mistake;
      });
    }

    /** Serial lines know 1 to 247; gateways and meters on a network take others too. */
    function unitLimits(connectionId) {
      const isSerial = RED.nodes.node(connectionId)?.protocol === 'modbus-rtu';
      return isSerial ? [1, 247] : [0, 255];
    }

    /** For `validate` of the defaults: what a node says about itself. */
    const deviceRules = {
      deviceId(node, value) {
        if (rowsOf(node).length > 0) return true;
        const mistake = checkId(value, takenIds(node.id));
        return mistake ? busbarEditor.sentence(mistake) : true;
      },
      devices(node, value) {
        const rows = rowsOf({ devices: value });
        if (rows.length === 0) return true;
        const mistakes = checkRows(rows, node.id, unitLimits(node.connection));
        const index = mistakes.findIndex(Boolean);
        if (index < 0) return true;
        return text('rowMistake', { n: index + 1, why: busbarEditor.sentence(mistakes[index]) });
      },
      unit(node, value) {
        return busbarEditor.check('whole', value, ...unitLimits(node.connection));
      },
      profile(node, value) {
        if (node.profileType === 'node' || value) return true;
        return text(node.profileType === 'path' ? 'pathMissing' : 'profileMissing');
      },
      profileNode(node, value) {
        if (node.profileType !== 'node') return true;
        const chosen = RED.nodes.node(value);
        if (!chosen) return text('profileMissing');
        return chosen.valid !== false || text('profileNodeWrong');
      },
      scans(node, value) {
        const rows = Array.isArray(value) ? value : [];
        const wrong = rows.map(({ period }) => checkPeriod(period)).find(Boolean);
        return wrong ? busbarEditor.sentence(wrong) : true;
      },
    };

    function checkPeriod(period) {
      if (period === 'off' || period === 'on-request') return undefined;
      return busbarRules.duration(period, '10ms', '168h');
    }

    function parse(json) {
      try {
        return JSON.parse(json || '{}');
      } catch {
        return undefined;
      }
    }

    /** The profile document that the settings mean; undefined where only the server knows it. */
    async function findProfile({ profileType, profile, profileNode }) {
      if (profileType === 'bundled') return profile ? busbarEditor.loadProfile(profile) : undefined;
      const node = profileType === 'node' ? RED.nodes.node(profileNode) : undefined;
      const own = node && parse(node.profile);
      if (!own || !node.extends) return own;
      return busbarPoints.mergeProfile(await busbarEditor.loadProfile(node.extends), own);
    }

    /** The table of devices: rows with fields. @returns {object} */
    function deviceTable(state, place, limits, onChange) {
      const rows = state.rows;
      let mistakes = [];
      const lines = new Map(); /* Row → where its mistake is shown. */

      function input(row, key, label, write) {
        const field = $('<input type="text" class="busbar-cell-input">').attr('aria-label', label);
        field.val(key === 'tags' ? (row.text ?? busbarRules.writeTags(row.tags)) : row[key]);
        return field.on('input', () => {
          write(field.val().trim());
          check();
          onChange();
        });
      }

      function writeUnit(row, value) {
        if (value === '') delete row.unit;
        else row.unit = value;
      }

      function writeTags(row, value) {
        const { tags, mistake } = busbarRules.readTags(value);
        Object.assign(row, { tags, mistake, text: value });
      }

      function remove(row) {
        rows.splice(rows.indexOf(row), 1);
        table.refresh();
        check();
        onChange();
      }

      const columns = [
        {
          label: text('column.id'),
          className: 'busbar-id-cell',
          render: (row) => input(row, 'id', text('column.id'), (value) => (row.id = value)),
        },
        {
          label: text('column.unit'),
          className: 'busbar-unit-cell',
          render: (row) =>
            input(row, 'unit', text('column.unit'), (value) => writeUnit(row, value)),
        },
        {
          label: text('column.tags'),
          render: (row) => {
            const field = input(row, 'tags', text('column.tags'), (value) => writeTags(row, value));
            return field.attr('placeholder', 'line=l1, area=hall-2');
          },
        },
        {
          label: '',
          className: 'busbar-button-cell',
          render: (row) =>
            $('<button type="button" class="red-ui-button red-ui-button-small">')
              .attr({ title: text('remove'), 'aria-label': text('remove') })
              .append($('<i class="fa fa-remove">'))
              .on('click', () => remove(row)),
        },
      ];

      const table = busbarEditor.table({
        columns,
        rows: () => rows,
        search: (row) => `${row.id} ${row.unit ?? ''} ${busbarRules.writeTags(row.tags)}`,
        empty: text('noRows'),
        below: (row) => {
          const line = $('<div class="busbar-sentence busbar-full">');
          lines.set(row, line);
          return line;
        },
      });
      place.empty().append(table.element);

      function check() {
        mistakes = checkRows(rows, state.nodeId, limits());
        rows.forEach((row, index) => {
          const isFresh = busbarRules.clean(row.id) === '' && row.isNew;
          const mistake = isFresh ? undefined : mistakes[index];
          lines.get(row)?.text(mistake ? busbarEditor.sentence(mistake) : '');
        });
      }

      /** A row with the next id and unit, as people number their meters. */
      function nextRow() {
        const last = rows.at(-1);
        const [, stem, number] = /^(.*?)(\d+)$/.exec(last?.id ?? '') ?? [];
        const id =
          number === undefined
            ? ''
            : stem + String(Number(number) + 1).padStart(number.length, '0');
        const unit = /^\d+$/.test(last?.unit ?? '') ? { unit: String(Number(last.unit) + 1) } : {};
        return { id, ...unit, tags: {}, isNew: true };
      }

      function add() {
        const row = nextRow();
        rows.push(row);
        table.pin(row);
        check();
        table.element.find('tbody input').eq(-3).trigger('focus');
        onChange();
      }

      function set(devices, how) {
        const incoming = devices.map((device) => ({ ...device, tags: device.tags ?? {} }));
        const names = new Set(incoming.map(({ id }) => id));
        const kept = how === 'add' ? rows.filter(({ id }) => !names.has(id)) : [];
        rows.splice(0, rows.length, ...kept, ...incoming);
        table.refresh();
        check();
        onChange();
      }

      function read() {
        return rows.map(({ id, unit, tags }) => ({
          id: busbarRules.clean(id),
          ...(unit !== undefined && { unit }),
          tags: Object.fromEntries(busbarRules.tagEntries(tags)),
        }));
      }

      check();
      return { add, check, read, set };
    }

    /** Scans with the profile's period, whether they are read, and how often here. */
    function scanList(place, stored, onChange) {
      const chosen = new Map(stored.map(({ scan, period }) => [scan, period]));

      function line({ scan, period, points, isUnknown }) {
        const own = chosen.get(scan) ?? '';
        const box = $('<input type="checkbox">').prop('checked', own !== 'off');
        const name = $('<label>').append(box, $('<span>').text(scan));
        const count = $('<span class="busbar-quiet">').text(
          isUnknown
            ? text('scanUnknown')
            : points === undefined
              ? ''
              : text('scanPoints', { n: points }),
        );
        const field = $('<input type="text">')
          .attr({ placeholder: period || text('period'), 'aria-label': text('periodOf', { scan }) })
          .val(own === 'off' ? '' : own)
          .prop('disabled', own === 'off');
        const why = $('<div class="busbar-sentence" role="alert">');
        const take = () => {
          const isOn = box.prop('checked');
          field.prop('disabled', !isOn);
          chosen.set(scan, isOn ? field.val().trim() : 'off');
          const mistake = isOn ? checkPeriod(field.val().trim()) : undefined;
          why.text(mistake ? busbarEditor.sentence(mistake) : '');
          onChange();
        };
        box.on('change', take);
        field.on('input', take);
        return [name, count, field, why];
      }

      function show(scans) {
        const known = scans.map(({ scan }) => scan);
        const others = [...chosen.keys()].filter(
          (scan) => !known.includes(scan) && chosen.get(scan),
        );
        const rows = [...scans, ...others.map((scan) => ({ scan, isUnknown: scans.length > 0 }))];
        const heads = ['scan', 'points', 'every'].map((key) => {
          return $('<span class="busbar-scan-head">').text(text(`column.${key}`));
        });
        place.empty().append(rows.length > 0 ? heads : $('<span>').text(text('noScans')));
        place.append(rows.flatMap(line));
      }

      function read() {
        return [...chosen]
          .filter(([, period]) => period !== '')
          .map(([scan, period]) => ({ scan, period }));
      }

      return { show, read };
    }

    function showPlace({ table, address }) {
      return address === undefined ? '' : `${table} ${address}`;
    }

    /** All points of a profile, to look at. */
    function pointsTable(profile) {
      const points = busbarPoints.describePoints(profile);
      const marks = (point) => {
        const line = $('<span>')
          .text(point.name)
          .attr('title', point.description ?? null);
        if (point.writable) {
          line.append(' ', $('<i class="fa fa-pencil">').attr('title', text('writable')));
        }
        if (point.inferred) {
          line.append(
            ' ',
            $('<i class="fa fa-question-circle-o">').attr('title', text('inferred')),
          );
        }
        return line;
      };
      return busbarEditor.table({
        columns: [
          { label: text('column.point'), className: 'busbar-name', render: marks },
          { label: text('column.unitOf'), render: ({ unit }) => unit ?? '' },
          { label: text('column.scan'), render: ({ scan }) => scan },
          {
            label: text('column.address'),
            className: 'busbar-nowrap busbar-quiet',
            render: (point) =>
              $('<span>')
                .text(showPlace(point))
                .attr(
                  'title',
                  `0x${(point.address ?? 0).toString(16).padStart(4, '0')}, ${point.type}`,
                ),
          },
        ],
        rows: () => points,
        search: (point) =>
          `${point.name} ${point.unit ?? ''} ${point.scan} ${showPlace(point)} ${point.description ?? ''}`,
        empty: text('noPoints'),
      }).element;
    }

    function badgeOf(profile, isOwn) {
      if (profile.verified === true) {
        return busbarEditor.badge('good', text('verified'), text('verifiedTitle'));
      }
      if (isOwn) return busbarEditor.badge('own', text('own'));
      return busbarEditor.badge('note', text('fromManual'), text('fromManualTitle'));
    }

    /** Who made it, how many points, and how far to trust it. @param {object} [node] Of an own one. */
    function profileCard(profile, node) {
      const points = busbarPoints.describePoints(profile);
      const card = $('<div class="busbar-card">');
      const name = node?.name ?? profile.name ?? profile.id ?? '';
      const maker = profile.vendor ? ` ${profile.vendor} ` : ' ';
      card.append($('<div>').append($('<b>').text(name), maker, badgeOf(profile, Boolean(node))));
      if (node?.extends) {
        const base = busbarEditor.loaded(node.extends)?.name ?? node.extends;
        card.append($('<div class="busbar-card-source">').text(text('extends', { name: base })));
      }
      if (profile.source) {
        card.append(
          $('<div class="busbar-card-source">').text(text('source', { source: profile.source })),
        );
      }
      if (points.some(({ inferred }) => inferred)) {
        const n = points.filter(({ inferred }) => inferred).length;
        card.append($('<div class="busbar-card-source">').text(text('inferredMany', { n })));
      }
      const details = $('<details>');
      $('<summary>')
        .text(text('showPoints', { n: points.length }))
        .appendTo(details);
      details.one('toggle', () => details.append(pointsTable(profile)));
      return card.append(details);
    }

    function fillBundled(select, list, current) {
      select.empty().append($('<option value="">').text(text('choose')));
      const groups = new Map();
      for (const entry of list) {
        const maker = entry.manufacturer || text('examples');
        if (!groups.has(maker)) {
          groups.set(maker, $('<optgroup>').attr('label', maker).appendTo(select));
        }
        const words = [
          entry.name,
          text('points', { n: entry.points }),
          text(entry.verified ? 'verified' : 'fromManual'),
        ];
        $('<option>').val(entry.id).text(words.join(', ')).appendTo(groups.get(maker));
      }
      if (current && !list.some(({ id }) => id === current)) {
        $('<option>')
          .val(current)
          .text(text('unknownProfile', { id: current }))
          .appendTo(select);
      }
      select.val(current);
    }

    return {
      checkPeriod,
      deviceParts: {
        TAGS,
        deviceTable,
        fillBundled,
        findProfile,
        parse,
        profileCard,
        scanList,
        suggestId,
        takenIds,
        unitLimits,
      },
      deviceRules,
    };
  })(),
);
