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
        return address === undefined
          ? ''
          : `${busbarEditor.pointTable(point, profile())} ${address}`;
      }

      function showAddress(each) {
        const point = pointOf(each);
        const number = busbarRules.wholeNumber(point[busbarPoints.addressKey(point)]);
        return $('<span>')
          .text(placeOf(each))
          .attr('title', Number.isNaN(number) ? null : `0x${number.toString(16).padStart(4, '0')}`);
      }

      const showType = (point) =>
        point.scale === undefined
          ? busbarEditor.pointType(point)
          : `${busbarEditor.pointType(point)} × ${point.scale}`;
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
        const form = busbarEditor.pointForm({
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
