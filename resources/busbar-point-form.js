/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The form of one point of a profile: which fields it has, and how each reads and writes the point. */

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

    return { pointForm, pointTable: tableOf, pointType: typeOf };
  })(),
);
