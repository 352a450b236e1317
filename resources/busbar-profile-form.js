/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The points of busbar-profile: those of the bundled profile that it extends, and its own, in one
   table; a click on a row opens its form below it. The editor of the points is one closure, because its
   parts share the points. */

/* global $, busbarEditor, busbarPoints, busbarRules */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const text = (key, words) => busbarEditor.text(`profile.${key}`, words);
    /** Fields that few points need. */
    const SELDOM = [
      'add',
      'bits',
      'byte',
      'description',
      'deadband',
      'sentinels',
      'valid_min',
      'valid_max',
      'step',
    ];

    let lastId = 0;

    /** A point as it is shown: `base` is the bundled one, `own` what this profile says of it. */
    function entry(base, own) {
      return { uid: ++lastId, base, own };
    }

    /** What an entry comes to. */
    function pointOf({ base, own }) {
      if (!own) return base;
      return base ? busbarPoints.mergePoint(base, own) : own;
    }

    function makeEntries(base, own) {
      const mine = new Map();
      const others = [];
      for (const point of busbarPoints.pointsOf(own)) {
        if (mine.has(point.name)) others.push(point);
        else mine.set(point.name, point);
      }
      const entries = busbarPoints.pointsOf(base).map((point) => {
        const change = mine.get(point.name);
        mine.delete(point.name);
        return entry(point, change);
      });
      return [...entries, ...[...mine.values(), ...others].map((point) => entry(undefined, point))];
    }

    /** "0,1" and "0.1" as a number; what is none stays, for the rules to complain of. */
    function readNumber(value) {
      const decimal = value.replace(/^([+-]?\d*),(\d+)$/, '$1.$2');
      const isExact = busbarRules.isDecimal(decimal) && decimal.length <= 15;
      return isExact ? Number(decimal) : decimal;
    }

    function readSentinels(value) {
      return value.split(/[\s,;]+/).map((each) => (/^0x/i.test(each) ? each : readNumber(each)));
    }

    /** The type that goes with the table; without one, bits. */
    const typeOf = (point) => point.type ?? (isBits(point) ? 'bit' : '');
    const isBits = (point) => point.coil !== undefined || point.discrete !== undefined;
    const tableOf = (point, profile) => {
      const key = busbarPoints.addressKey(point);
      return key === 'register' ? (profile.modbus?.table ?? 'holding') : (key ?? 'holding');
    };
    const canWrite = (point, profile) => ['holding', 'coil'].includes(tableOf(point, profile));
    const isNumber = (point) => busbarRules.FITTING.scale.includes(typeOf(point));

    /** Leaves out what no longer fits the type or the table. */
    function withoutMisfits(point, profile) {
      const type = typeOf(point);
      const left = Object.entries(point).filter(
        ([key]) => busbarRules.FITTING[key]?.includes(type) ?? true,
      );
      const { write, ...rest } = Object.fromEntries(left);
      if (!write || !canWrite(rest, profile)) return rest;
      return { ...rest, write: isNumber(rest) ? write : true };
    }

    function set(point, key, value) {
      const { [key]: _, ...rest } = point;
      return value === undefined || value === '' ? rest : { ...point, [key]: value };
    }

    function setWithin(point, key, inner, value) {
      const map = set(Object(point[key]), inner, value);
      const isEmpty = Object.keys(map).length === 0;
      if (key === 'write') return { ...point, write: isEmpty ? true : map };
      return set(point, key, isEmpty ? undefined : map);
    }

    function setPlace(point, table, address) {
      const rest = Object.fromEntries(
        Object.entries(point).filter(([key]) => !busbarPoints.ADDRESS_KEYS.includes(key)),
      );
      return { ...rest, [table]: address };
    }

    /** How the fields of the form read and write a point. Those with `shown` are seldom all needed. */
    function fieldsOf(profile) {
      const fits = (key) => (point) => busbarRules.FITTING[key].includes(typeOf(point));
      const order = profile.modbus?.word_order ?? 'ABCD';
      const wide = (point) => /(32|64|text)$/.test(typeOf(point));
      const writes = (point) => Boolean(point.write) && isNumber(point) && canWrite(point, profile);
      const addressOf = (point) => point[busbarPoints.addressKey(point)];
      const plain = (key, more) => ({
        key,
        read: (point) => point[key],
        write: (point, value) => set(point, key, value),
        ...more,
      });
      const number = (key, more) => ({
        ...plain(key, more),
        write: (point, value) => set(point, key, value === '' ? undefined : readNumber(value)),
      });
      const inner = (key, map, name, shown) => ({
        key,
        shown,
        read: (point) => Object(point[map])[name],
        write: (point, value) =>
          setWithin(point, map, name, value === '' ? undefined : readNumber(value)),
      });
      return [
        plain('name', { span: true }),
        {
          key: 'table',
          options: busbarRules.TABLES.map((table) => [table, text(`table.${table}`)]),
          read: (point) => tableOf(point, profile),
          write: (point, table) => {
            const wasBits = isBits(point);
            const moved = setPlace(point, table, addressOf(point) ?? '');
            if (isBits(moved)) return withoutMisfits(set(set(moved, 'type'), 'bit'), profile);
            return withoutMisfits(wasBits ? set(moved, 'type', 'uint16') : moved, profile);
          },
        },
        {
          key: 'address',
          title: text('hex'),
          read: addressOf,
          write: (point, value) => {
            const number = busbarRules.wholeNumber(value);
            return setPlace(point, tableOf(point, profile), Number.isNaN(number) ? value : number);
          },
        },
        plain('type', {
          options: busbarRules.TYPES.filter((type) => type !== 'bool').map((type) => [type, type]),
          shown: (point) => !isBits(point),
          read: (point) => (typeOf(point) === 'bool' ? 'bit' : typeOf(point)),
          write: (point, value) => withoutMisfits(set(point, 'type', value), profile),
        }),
        plain('unit'),
        number('scale', { shown: fits('scale'), hint: '1' }),
        number('add', { shown: fits('add'), hint: '0' }),
        plain('scan', {
          suggest: Object.keys({ ...busbarPoints.SCANS, ...profile.scans }),
          hint: 'fast',
        }),
        plain('order', {
          options: [
            ['', text('asProfile', { order })],
            ...busbarRules.ORDERS.map((each) => [each, each]),
          ],
          shown: wide,
        }),
        number('length', { shown: fits('length') }),
        number('bit', {
          shown: (point) =>
            !isBits(point) && (point.bits !== undefined || /^(bit|bool)$/.test(typeOf(point))),
        }),
        number('bits', { shown: fits('bits') }),
        plain('byte', {
          options: [
            ['', text('low')],
            ['high', text('high')],
          ],
          shown: fits('byte'),
        }),
        plain('description', { span: true }),
        number('deadband', { shown: fits('deadband'), hint: '0' }),
        plain('sentinels', {
          shown: fits('sentinels'),
          hint: '0x8000 -1',
          read: ({ sentinels }) => (sentinels ?? []).join(' '),
          write: (point, value) => set(point, 'sentinels', value && readSentinels(value)),
        }),
        inner('valid_min', 'valid', 'min', fits('valid')),
        inner('valid_max', 'valid', 'max', fits('valid')),
        {
          key: 'write',
          tick: true,
          shown: (point) => canWrite(point, profile),
          read: ({ write }) => Boolean(write),
          write: (point, value) => set(point, 'write', value || undefined),
        },
        inner('min', 'write', 'min', writes),
        inner('max', 'write', 'max', writes),
        inner('step', 'write', 'step', writes),
      ];
    }

    function control(field) {
      if (field.tick) return $('<input type="checkbox">');
      if (field.options) {
        const select = $('<select>');
        for (const [value, label] of field.options) {
          $('<option>').val(value).text(label).appendTo(select);
        }
        return select;
      }
      return $('<input type="text">').attr({
        placeholder: field.hint ?? null,
        title: field.title ?? null,
      });
    }

    /** The form of one point. `take` is given the point after each change. */
    function pointForm({ point, profile, isFixed, check, take }) {
      const form = $('<div class="busbar-fields">');
      const seldom = $('<div class="busbar-fields">');
      const more = $('<details>').append($('<summary>').text(text('moreFields')), seldom);
      let current = point;
      const parts = fieldsOf(profile).map((field) => {
        const input = control(field);
        const label = $('<label>').toggleClass('busbar-span', Boolean(field.span));
        const name = $('<span>').text(text(`field.${field.key}`));
        if (field.tick) label.addClass('busbar-tick').append(input, name);
        else label.append(name, input);
        if (field.suggest) {
          const { id, list } = busbarEditor.datalist(field.suggest);
          label.append(list);
          input.attr('list', id);
        }
        if (field.key === 'name' && isFixed) input.prop('disabled', true);
        const why = $('<div class="busbar-sentence" role="alert">').appendTo(label);
        (SELDOM.includes(field.key) ? seldom : form).append(label);
        return { field, input, label, why };
      });

      function show() {
        for (const { field, input, label } of parts) {
          label.toggle(field.shown?.(current) ?? true);
          const value = field.read(current);
          if (field.tick) input.prop('checked', value);
          else if (!input.is(':focus')) input.val(value ?? '');
        }
      }

      function complain() {
        const mistakes = check(current);
        for (const { field, why } of parts) {
          const mistake = mistakes.find(({ column }) => column === field.key);
          why.text(mistake ? busbarEditor.sentence(mistake) : '');
        }
      }

      for (const { field, input } of parts) {
        input.on('input change', () => {
          const value = field.tick ? input.prop('checked') : input.val().trim();
          const next = field.write(current, value);
          if (JSON.stringify(next) === JSON.stringify(current)) return;
          current = next;
          show();
          complain();
          take(current);
        });
      }
      show();
      complain();
      const isFilled = ({ key, read }) => SELDOM.includes(key) && Boolean(read(point) ?? '');
      more.prop(
        'open',
        parts.some(({ field }) => isFilled(field)),
      );
      return form.append(more);
    }

    /**
     * @param {object} options
     * @param {() => object} options.profile The whole profile, for its defaults.
     * @param {() => void} options.onChange
     */
    function pointsEditor({ profile, onChange }) {
      let entries = [];

      let counts; /* Name → how often; until something changes. */

      function isTwice(name) {
        if (!counts) {
          counts = new Map();
          for (const each of entries) {
            const { name: other } = pointOf(each);
            counts.set(other, (counts.get(other) ?? 0) + 1);
          }
        }
        return counts.get(name) > 1;
      }

      function checkEntry(each) {
        const point = pointOf(each);
        const twice = { column: 'name', key: 'pointNameTaken', given: point.name };
        return [
          ...(point.name && isTwice(point.name) ? [twice] : []),
          ...busbarRules.checkPoint(point, profile().external),
        ];
      }

      function changed() {
        counts = undefined;
        onChange();
      }

      function showName(each) {
        const point = pointOf(each);
        const cell = busbarEditor.path(point.name || '–').attr('title', point.description ?? null);
        const isChanged = each.base && each.own;
        const isAdded = !each.base && hasBase();
        if (isChanged || isAdded) {
          const label = text(isChanged ? 'badge.changed' : 'badge.own');
          cell.append(' ', busbarEditor.badge('own', label));
        }
        if (point.write) {
          cell.append(' ', $('<i class="fa fa-pencil">').attr('title', text('field.write')));
        }
        return cell;
      }

      function placeOf(each) {
        const point = pointOf(each);
        const address = point[busbarPoints.addressKey(point)];
        return address === undefined ? '' : `${tableOf(point, profile())} ${address}`;
      }

      function showAddress(each) {
        const point = pointOf(each);
        const number = busbarRules.wholeNumber(point[busbarPoints.addressKey(point)]);
        return $('<span>')
          .text(placeOf(each))
          .attr('title', Number.isNaN(number) ? null : `0x${number.toString(16).padStart(4, '0')}`);
      }

      const showType = (point) =>
        point.scale === undefined ? typeOf(point) : `${typeOf(point)} × ${point.scale}`;
      const hasBase = () => entries.some(({ base }) => base);

      const table = busbarEditor.table({
        columns: [
          { label: text('column.point'), className: 'busbar-name', render: showName },
          { label: text('column.address'), className: 'busbar-nowrap', render: showAddress },
          {
            label: text('column.type'),
            className: 'busbar-nowrap',
            render: (each) => showType(pointOf(each)),
          },
          { label: text('column.unit'), render: (each) => pointOf(each).unit ?? '' },
          { label: text('column.scan'), render: (each) => pointOf(each).scan ?? 'fast' },
        ],
        rows: () => entries,
        identity: ({ uid }) => uid,
        search: (each) => {
          const { name, unit, scan, description } = pointOf(each);
          return [name, unit, scan ?? 'fast', description, placeOf(each)].join(' ');
        },
        empty: text('empty'),
        rowClass: (each) => {
          if (checkEntry(each).length > 0) return 'busbar-faulty';
          return each.own ? '' : 'busbar-inherited';
        },
        details: showDetails,
      });

      function showDetails(each, place, update) {
        if (each.base) $('<p class="busbar-quiet">').text(text('inheritedOnly')).appendTo(place);
        const form = pointForm({
          point: pointOf(each),
          profile: profile(),
          isFixed: Boolean(each.base),
          check: (point) => {
            Object.assign(each, ownOf(each, point));
            counts = undefined;
            return checkEntry(each);
          },
          take: (point) => {
            Object.assign(each, ownOf(each, point));
            update(each);
            revert.toggle(Boolean(each.base && each.own));
            changed();
          },
        });
        const revert = busbarEditor
          .button('fa-undo', text('revert'), () => {
            each.own = undefined;
            changed();
            table.refresh();
          })
          .toggle(Boolean(each.base && each.own));
        const bar = $('<div class="busbar-bar">').append(
          busbarEditor.button('fa-check', text('done'), () => table.toggle(each)),
          busbarEditor.button('fa-copy', text('duplicate'), () => duplicate(each)),
          revert,
        );
        if (!each.base) {
          bar.append(busbarEditor.button('fa-trash', text('remove'), () => remove(each)));
        }
        place.append(form, bar, $('<div class="busbar-quiet">').text(text('more')));
      }

      function ownOf({ base }, point) {
        return { own: base ? busbarPoints.diffPoint(base, point) : point };
      }

      function insert(point, before) {
        const made = entry(undefined, point);
        const index = before ? entries.indexOf(before) + 1 : entries.length;
        entries.splice(index, 0, made);
        changed();
        table.reveal(made.uid);
      }

      /** Behind the last one, with its table, type and scan. */
      function add() {
        const own = entries.filter((each) => !each.base);
        const last = own.length > 0 ? pointOf(own.at(-1)) : { type: 'uint16', holding: 0 };
        insert(nextPoint({ ...last, name: '' }, own.length === 0));
      }

      function nextPoint(point, isFirst) {
        const key = busbarPoints.addressKey(point);
        const { name, type, scan } = point;
        const size = /64$/.test(type)
          ? 4
          : /32$/.test(type)
            ? 2
            : type === 'text'
              ? point.length
              : 1;
        const address = Number(point[key]) + (isFirst ? 0 : size);
        return {
          name,
          ...(type && { type }),
          [key]: Number.isNaN(address) ? '' : address,
          ...(scan && { scan }),
          ...(type === 'text' && { length: point.length }),
          ...(type === 'bit' && point.bit !== undefined && { bit: point.bit }),
        };
      }

      function duplicate(each) {
        const point = pointOf(each);
        insert({ ...point, name: `${point.name}-2` }, each);
      }

      function remove(each) {
        entries.splice(entries.indexOf(each), 1);
        changed();
        table.refresh();
      }

      /** Points of a CSV table; how they meet the own ones is the user's choice. */
      function take(points, how) {
        const byName = new Map(entries.map((each) => [pointOf(each).name, each]));
        if (how === 'replace') {
          entries = entries.filter(({ base }) => base);
          entries.forEach((each) => (each.own = undefined));
        }
        for (const point of points) {
          const known = byName.get(point.name);
          if (known && entries.includes(known)) Object.assign(known, ownOf(known, point));
          else entries.push(entry(undefined, point));
        }
        changed();
        table.refresh();
      }

      return {
        element: table.element,
        add,
        take,
        points: () => entries.map(pointOf),
        own: () => entries.filter(({ own }) => own).map(({ own }) => own),
        faulty: () => entries.filter((each) => checkEntry(each).length > 0),
        reveal: ({ uid }) => table.reveal(uid),
        show(base, own) {
          entries = makeEntries(base, own);
          counts = undefined;
          table.refresh();
        },
      };
    }

    return { pointsEditor };
  })(),
);
