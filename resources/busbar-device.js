/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Puts the parts of the dialog of busbar-device together (busbar-device-form.js): which of them are
   shown, and what one does to the other. The dialog is one closure, because all parts ask it for the
   settings as they stand. */

/* global $, RED, busbarEditor, busbarPoints */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const text = (key, words) => busbarEditor.text(`device.${key}`, words);

    /** The id that goes with the name, as long as the user has not given one. */
    function suggestIds(form, node, parts) {
      const name = busbarEditor.field(form, 'name');
      const id = busbarEditor.field(form, 'deviceId');
      let suggested = id.val();
      const isOurs = () => id.val() === '' || (suggested && id.val() === suggested);
      let follows = id.val() === '';
      name.on('input', () => {
        if (!follows || !isOurs()) return;
        const taken = parts.takenIds(node.id);
        const wanted = parts.suggestId(name.val());
        suggested = wanted;
        for (let n = 2; wanted && taken.has(suggested); n++) suggested = `${wanted}-${n}`;
        id.val(suggested).trigger('change');
      });
      id.on('input', () => (follows = id.val() === ''));
    }

    /** One text holds a bundled id or a path; each has a field of its own. */
    function watchProfile(form, rules, refresh) {
      const kept = busbarEditor.field(form, 'profile');
      const type = busbarEditor.field(form, 'profileType');
      const bundled = form.find('#busbar-profile-bundled');
      const path = form.find('#busbar-profile-path');
      const value = kept.val();
      if (type.val() === 'path') path.val(value);
      else $('<option>').val(value).text(value).appendTo(bundled); /* Until the list has come. */
      const take = () => {
        const given = type.val() === 'path' ? path.val().trim() : (bundled.val() ?? '');
        if (type.val() !== 'node') kept.val(given);
        kept.trigger('change');
        refresh();
      };
      type.on('change', () => {
        form.find('.busbar-profile-type').each(function () {
          $(this).toggle($(this).data('type') === type.val());
        });
        take();
      });
      for (const input of [bundled, path]) {
        input.on('blur change', () => {
          rules.touch('profile');
          take();
        });
      }
      return { bundled, kept, type };
    }

    /** Chooses a profile node that has just been made. */
    function chooseNode(form, node) {
      const select = busbarEditor.field(form, 'profileNode');
      if (select.find('option').filter((_, option) => option.value === node.id).length === 0) {
        $('<option>').val(node.id).text(node.name).prependTo(select);
      }
      select.val(node.id).trigger('change');
      busbarEditor.field(form, 'profileType').val('node').trigger('change');
    }

    /** A profile node that extends a bundled one. */
    function addOwnProfile(bundled, document, order, name) {
      const own = busbarPoints.setOrder({ points: [] }, document, name, order);
      return busbarEditor.addConfigNode('busbar-profile', {
        name: text('ownName', { name: document.name ?? bundled }),
        extends: bundled,
        profile: busbarPoints.layOut({ profile: 1, ...own }),
      });
    }

    /** What "use this" of a test read comes to, by the kind of profile. */
    function orderUser({ form, settings, current, refresh, parts }) {
      return (point, order) => {
        const { profileType, profile, profileNode } = settings();
        if (profileType === 'path') return { say: text('orderPath', { path: profile, order }) };
        if (profileType === 'bundled') {
          const document = current();
          return {
            ask: text('orderBundled', { name: document?.name ?? profile, order }),
            act() {
              const node = addOwnProfile(profile, document, order, point.name);
              chooseNode(form, node);
              return text('ownMade', { name: node.name, order });
            },
          };
        }
        return {
          act() {
            const node = RED.nodes.node(profileNode);
            const base = node.extends ? busbarEditor.loaded(node.extends) : undefined;
            const own = busbarPoints.setOrder(parts.parse(node.profile), base, point.name, order);
            busbarEditor.editNode(node, { profile: busbarPoints.layOut(own) });
            refresh();
            const others = node.users.filter(({ id }) => id !== settings().id).length;
            return text(others > 0 ? 'orderSetShared' : 'orderSet', {
              name: node.name,
              order,
              n: others,
            });
          },
        };
      };
    }

    /** The dialog. @returns {{save(): void}} */
    function deviceDialog(node) {
      const parts = busbarEditor.deviceParts;
      const form = $('#node-config-dialog-edit-form');
      const stored = Array.isArray(node.devices) ? node.devices : [];
      const state = { nodeId: node.id, many: stored.length > 0, rows: structuredClone(stored) };
      let document;
      let shown = 0;

      const settings = () => ({
        ...busbarEditor.readForm(form, node),
        tags: tags.read(),
        scans: scans.read(),
        devices: state.many ? table.read() : [],
      });
      const rules = busbarEditor.watch(form, node, () => ({ ...settings() }));
      const changed = () => rules.refresh();

      const tagsHere = node.tags ?? [];
      const tags = busbarEditor.tagList(form.find('#busbar-tags'), tagsHere, parts.TAGS, changed);
      const scans = parts.scanList(form.find('#busbar-scans'), node.scans ?? [], changed);
      const connection = () => settings().connection;
      const limits = () => parts.unitLimits(busbarEditor.field(form, 'connection').val());
      const table = parts.deviceTable(state, form.find('#busbar-devices'), limits, changed);

      suggestIds(form, node, parts);
      const chooser = watchProfile(form, rules, showProfile);
      busbarEditor.field(form, 'profileNode').on('change', showProfile);
      busbarEditor.field(form, 'connection').on('change', () => {
        const isExternal =
          RED.nodes.node(busbarEditor.field(form, 'connection').val())?.protocol === 'external';
        form.find('.busbar-unit').toggle(!isExternal);
        table.check();
        rules.refresh();
      });

      busbarEditor
        .listProfiles()
        .then((list) =>
          parts.fillBundled(
            chooser.bundled,
            list,
            node.profileType === 'path' ? '' : chooser.kept.val(),
          ),
        )
        .catch((error) => {
          parts.fillBundled(chooser.bundled, [], chooser.kept.val());
          busbarEditor.tell(chooser.bundled, error.message);
        });

      const pathHint = () => $('<div class="busbar-hint">').text(text('pathHint'));

      /** The card, the scans; both follow from the profile. */
      async function showProfile() {
        const mine = ++shown;
        const place = form.find('#busbar-profile-card');
        const { profileType } = settings();
        try {
          const found = await parts.findProfile(settings());
          if (mine !== shown) return;
          document = found;
          place.empty();
          const own = profileType === 'node' && RED.nodes.node(settings().profileNode);
          if (found) place.append(parts.profileCard(found, own || undefined));
          else if (profileType === 'path') place.append(pathHint());
        } catch (error) {
          if (mine !== shown) return;
          document = undefined;
          place.empty().append(busbarEditor.notice('bad', error.message));
        }
        const periods = Object.entries(busbarPoints.SCANS);
        const usual = periods.map(([scan, period]) => ({ scan, period }));
        scans.show(
          document ? busbarPoints.listScans(document) : profileType === 'path' ? usual : [],
        );
      }

      function showMany(many) {
        state.many = many;
        form.find('.busbar-one').toggle(!many);
        form.find('.busbar-many').toggle(many);
        form.find('#busbar-mode-one').toggleClass('selected', !many).attr('aria-pressed', !many);
        form.find('#busbar-mode-many').toggleClass('selected', many).attr('aria-pressed', many);
        form.find('#busbar-unit-label').text(text(many ? 'unitCommon' : 'unit'));
        if (many && state.rows.length === 0) {
          const { deviceId, unit } = busbarEditor.readForm(form, node);
          if (deviceId) table.set([{ id: deviceId, ...(unit && { unit }), tags: {} }], 'replace');
        }
        rules.refresh();
      }

      form.find('#busbar-mode-one').on('click', () => showMany(false));
      form.find('#busbar-mode-many').on('click', () => showMany(true));
      form.find('#busbar-devices-add').on('click', table.add);
      form.find('#busbar-devices-import').on('click', () => importDevices(table, state));
      form.find('#busbar-devices-export').on('click', () => {
        busbarEditor.exportCsv(
          'csv/devices/export',
          { devices: table.read() },
          node.name || 'devices',
        );
      });
      showMany(state.many);

      /** One device of the dialog, as if it stood alone. */
      function deviceOf(row) {
        const common = settings();
        if (!row) return { ...common, devices: [] };
        const own = Object.entries(row.tags).map(([key, value]) => ({ key, value }));
        const others = common.tags.filter(({ key }) => !Object.hasOwn(row.tags, key));
        const unit = row.unit ?? common.unit;
        return { ...common, deviceId: row.id, unit, tags: [...others, ...own], devices: [] };
      }

      function whyNot() {
        const { connection: id, profileType, profile, profileNode } = settings();
        if (!RED.nodes.node(id)) return text('testNoConnection');
        if (RED.nodes.node(id).protocol === 'external') return text('testExternal');
        const hasProfile = profileType === 'node' ? RED.nodes.node(profileNode) : profile;
        if (!hasProfile) return text('testNoProfile');
        return state.many && table.read().length === 0 ? text('noRows') : '';
      }

      const testButton = form.find('#busbar-test');
      testButton.on('click', (event) => {
        event.preventDefault();
        const why = whyNot();
        busbarEditor.tell(testButton, why);
        if (why) return;
        const rows = state.many ? table.read() : [undefined];
        busbarEditor.testRead({
          devices: rows.map((row) => {
            const label = row ? row.id : settings().deviceId || node.name || text('this');
            return { label, read: () => deviceOf(row) };
          }),
          settings: (device) => ({
            connection: busbarEditor.readNode(connection()),
            device,
            ...(device.profileType === 'node' && {
              profile: busbarEditor.readNode(device.profileNode),
            }),
          }),
          profile: () => document,
          useOrder: orderUser({
            form,
            settings,
            current: () => document,
            refresh: showProfile,
            parts,
          }),
        });
      });

      return {
        save() {
          const { tags: ownTags, scans: ownScans, devices } = settings();
          Object.assign(node, { tags: ownTags, scans: ownScans, devices });
        },
      };
    }

    function importDevices(table, state) {
      busbarEditor.importCsv({
        title: text('importTitle'),
        hint: text('importHint'),
        place: 'csv/devices',
        key: 'devices',
        columns: [
          { label: text('column.id'), render: ({ id }) => id },
          { label: text('column.unit'), render: ({ unit }) => unit ?? '' },
          {
            label: text('column.tags'),
            render: ({ tags }) =>
              Object.entries(tags)
                .map((pair) => pair.join('='))
                .join(', '),
          },
        ],
        search: ({ id, unit, tags }) => [id, unit, ...Object.values(tags)].join(' '),
        example: () => {
          const devices = [
            { id: 'meter-1', unit: '1', tags: { asset: 'mdb-a-main', line: 'l1' } },
            { id: 'meter-2', unit: '2', tags: { asset: 'mdb-a-hvac', line: 'l2' } },
          ];
          return busbarEditor.ask('POST', 'csv/devices/export', { devices });
        },
        hasRows: state.rows.length > 0,
        onImport: table.set,
      });
    }

    return { deviceDialog };
  })(),
);
