/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the dialogs of the palette share: texts, questions to the server, sentences under fields, the
   list of tags, and trays on top of a dialog. Each file of this folder adds to one object and runs
   nothing by itself, so that any dialog can load them in any order and again. */

/* global $, RED, busbarPoints, busbarRules */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const MODULE = '@busbar/node-red';
    const PREFIX = 'node-config-input';
    const NONE = '_ADD_'; /* What a select of config nodes holds when nothing is chosen. */

    /** @param {string} key @param {Record<string, unknown>} [words] */
    function text(key, words) {
      return RED._(`${MODULE}/busbar-device:busbar-editor.${key}`, words);
    }

    /** A mistake of busbarRules in the language of the editor. */
    function sentence(mistake) {
      return busbarRules.sentence(mistake, (key) => {
        const found = text(`rules.${key}`, { ...mistake, interpolation: { escapeValue: false } });
        return found.endsWith(`rules.${key}`) ? undefined : found;
      });
    }

    /** For `validate` of a default: true, or the sentence. */
    function check(rule, value, ...limits) {
      const mistake = busbarRules[rule](value, ...limits);
      return mistake ? sentence(mistake) : true;
    }

    /** A quick answer or an Error with a sentence. */
    async function ask(method, place, body) {
      try {
        return await $.ajax({
          method,
          url: `busbar/${place}`,
          ...(body && { contentType: 'application/json', data: JSON.stringify(body) }),
        });
      } catch (failed) {
        const known = { 0: 'offline', 401: 'forbidden', 403: 'forbidden', 404: 'missing' };
        const { status, responseJSON } = failed;
        const why = responseJSON?.message ?? text(`ask.${known[status] ?? 'failed'}`, { status });
        throw Object.assign(new Error(why), { mistakes: responseJSON?.mistakes });
      }
    }

    let profiles;
    const documents = new Map();
    const arrived = new Map();

    /** The bundled profiles; asked for once, and again after a failure. */
    function listProfiles() {
      profiles ??= ask('GET', 'profiles').catch((error) => {
        profiles = undefined;
        throw error;
      });
      return profiles;
    }

    /** All of a bundled profile. */
    function loadProfile(id) {
      if (!documents.has(id)) {
        const place = `profiles/${id.split('/').map(encodeURIComponent).join('/')}`;
        const asked = ask('GET', place).then(
          (described) => {
            const document = busbarPoints.withoutDescription(described);
            arrived.set(id, document);
            return document;
          },
          (error) => {
            documents.delete(id);
            throw error;
          },
        );
        documents.set(id, asked);
      }
      return documents.get(id);
    }

    /** The same where it has come already. */
    function loaded(id) {
      return arrived.get(id);
    }

    function field(form, name, prefix = PREFIX) {
      return form.find(`#${prefix}-${name}`);
    }

    function valueOf(input) {
      if (input.attr('type') === 'checkbox') return input.prop('checked');
      const value = input.val();
      return value === NONE ? '' : value;
    }

    /** The settings of a node as they stand in its open dialog. */
    function readForm(form, node, prefix = PREFIX) {
      const values = { id: node.id, type: node.type };
      for (const name of Object.keys(node._def.defaults)) {
        const input = field(form, name, prefix);
        const value = input.length > 0 ? valueOf(input) : node[name];
        if (value !== undefined) values[name] = value;
      }
      return values;
    }

    /** The settings of another node as they are in the editor, deployed or not. */
    function readNode(id) {
      const node = RED.nodes.node(id);
      if (!node) return undefined;
      const names = Object.keys(node._def.defaults).filter((name) => node[name] !== undefined);
      const values = Object.fromEntries(names.map((name) => [name, node[name]]));
      return { ...values, id: node.id, type: node.type };
    }

    /** Settings that a flow from elsewhere leaves out have their default, not nothing. */
    function fillDefaults(form, node, prefix = PREFIX) {
      for (const [name, { value, type }] of Object.entries(node._def.defaults)) {
        if (node[name] !== undefined || type) continue;
        const input = field(form, name, prefix);
        if (input.attr('type') === 'checkbox') input.prop('checked', value === true);
        else if (typeof value === 'string') input.val(value);
      }
    }

    /** Shows one sentence below a row, or none; `about` keeps those of a row with two fields apart. */
    function tell(input, why, about = '') {
      const place = input.closest('.form-row');
      place
        .children('.busbar-sentence')
        .filter((_, each) => $(each).data('about') === about)
        .remove();
      if (why) {
        $('<div class="busbar-sentence" role="alert">')
          .text(why)
          .data('about', about)
          .appendTo(place);
      }
      input.toggleClass('busbar-wrong', Boolean(why));
    }

    /**
     * Says below each field what is wrong with it, once it was touched or when it holds something.
     * `draft` gives the settings as they stand, because rules may concern several of them.
     */
    function watch(form, node, draft, prefix = PREFIX) {
      fillDefaults(form, node, prefix);
      const touched = new Set();
      const names = Object.keys(node._def.defaults).filter((name) => {
        const { validate, required } = node._def.defaults[name];
        return (validate || required) && field(form, name, prefix).length > 0;
      });

      function refresh() {
        const settings = { ...node, ...draft() };
        for (const name of names) {
          const input = field(form, name, prefix);
          const value = valueOf(input);
          const { validate, required } = node._def.defaults[name];
          const isEmpty = value === '';
          const result = validate ? validate.call(settings, value, {}) : true;
          const why = required && isEmpty ? text('rules.missing') : result;
          const isShown = touched.has(name) || !isEmpty;
          tell(input, why === true || !isShown || input.is(':disabled') ? '' : why, name);
        }
      }

      let timer;
      const refreshSoon = () => {
        clearTimeout(timer);
        timer = setTimeout(refresh, 50);
      };
      for (const name of names) {
        field(form, name, prefix).on('blur input', () => touched.add(name));
      }
      form.on('change keyup', 'input, select, textarea', refreshSoon);
      refreshSoon();
      return { refresh, touch: (name) => void touched.add(name) };
    }

    /** Values that other nodes of the editor give to a tag, for suggestions. */
    function tagValues(key) {
      const values = new Set();
      RED.nodes.eachConfig((node) => {
        const tables = [node.tags, node.siteTags, ...(node.devices ?? []).map(({ tags }) => tags)];
        for (const [name, value] of tables.flatMap(busbarRules.tagEntries)) {
          if (name === key && value) values.add(value);
        }
      });
      return [...values].sort().slice(0, 50);
    }

    function datalist(values) {
      const id = `busbar-list-${Math.random().toString(36).slice(2)}`;
      const list = $('<datalist>').attr('id', id);
      for (const value of values) $('<option>').attr('value', value).appendTo(list);
      return { id, list };
    }

    /**
     * Rows of two texts, such as a tag and its value.
     * @param {any} list An `ol`.
     * @param {object[]} rows @param {[string, string]} keys Of a row.
     * @param {object} options
     * @param {string[]} options.names Suggested for the first text.
     * @param {(name: string) => string[]} [options.values] Suggested for the second.
     * @param {[string, string]} options.texts What the two are called.
     * @param {(rows: object[]) => object | undefined} options.check Finds a mistake.
     * @param {() => void} [options.onChange]
     * @returns {{read(): object[]}}
     */
    function pairList(list, rows, keys, { names, values, texts, check: find, onChange }) {
      const known = datalist(names);
      list.closest('.form-row').append(known.list);

      function input(data, at) {
        return $('<input type="text">')
          .addClass(at === 0 ? 'busbar-tag-key' : 'busbar-tag-value')
          .attr({ placeholder: texts[at], 'aria-label': texts[at] })
          .val(data[keys[at]] ?? '');
      }

      function addItem(container, index, data) {
        const line = $('<div class="busbar-tag">').appendTo(container);
        const key = input(data, 0).attr('list', known.id);
        const value = input(data, 1);
        line.append(key, $('<span>=</span>'), value);
        value.on('focus', () => {
          line.find('datalist').remove();
          const suggested = datalist(values?.(key.val().trim()) ?? []);
          line.append(suggested.list);
          value.attr('list', suggested.id);
        });
        line.on('input change', 'input', changed);
      }

      function read() {
        const found = [];
        list.editableList('items').each(function () {
          const inputs = $(this).find('input');
          const [key, value] = inputs.map((_, each) => $(each).val().trim()).get();
          if (key || value) found.push({ [keys[0]]: key, [keys[1]]: value });
        });
        return found;
      }

      function changed() {
        const mistake = find(read());
        tell(list, mistake ? sentence(mistake) : '');
        onChange?.();
      }

      const behaviour = { removable: true, sortable: true, height: 'auto' };
      list.editableList({ ...behaviour, addItem, removeItem: changed });
      list.editableList(
        'addItems',
        rows.map((row) => ({ ...row })),
      );
      return { read };
    }

    /** @param {any} list @param {{key: string, value: string}[] | undefined} tags
     * @param {string[]} names Suggested. @param {() => void} [onChange] */
    function tagList(list, tags, names, onChange) {
      const hasNoName = (rows) => rows.some(({ key }) => key === '');
      return pairList(list, tags ?? [], ['key', 'value'], {
        names,
        values: tagValues,
        texts: [text('tags.name'), text('tags.value')],
        check: (rows) =>
          hasNoName(rows) ? { key: 'tagName', given: '' } : busbarRules.tagList(rows),
        onChange,
      });
    }

    /** Fields that are seldom needed; open if one of them is filled in. */
    function fold(form, isOpen) {
      const more = form.find('.busbar-more');
      more.prop('open', isOpen);
    }

    /** A page on top of the dialog, which waits below. */
    function openTray({ title, width, buttons, build, onClose = () => {} }) {
      RED.tray.show({
        title,
        width,
        buttons,
        open(tray) {
          const body = tray.find('.red-ui-tray-body');
          build($('<div class="busbar busbar-tray">').appendTo(body));
        },
        close: onClose,
      });
    }

    function closeTray(done) {
      RED.tray.close(done);
    }

    function button(icon, label, onClick) {
      return $('<button type="button" class="red-ui-button">')
        .append($('<i>').addClass(`fa ${icon}`), ' ', $('<span>').text(label))
        .on('click', (event) => {
          event.preventDefault();
          onClick(event);
        });
    }

    /** A name like power/active/total, which may break behind a slash. */
    function path(name) {
      const parts = String(name).split(/(?<=\/)/);
      return $('<span>').append(
        parts.flatMap((part) => [document.createTextNode(part), $('<wbr>')]),
      );
    }

    function badge(kind, label, title) {
      return $('<span class="busbar-badge">')
        .addClass(`busbar-badge-${kind}`)
        .text(label)
        .attr('title', title ?? null);
    }

    function download(name, content) {
      const url = URL.createObjectURL(new Blob([content], { type: 'text/csv;charset=utf-8' }));
      const link = $('<a>').attr({ href: url, download: name }).appendTo('body');
      link[0].click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    }

    /** A node that someone else of the editor changes: as its own dialog would, with undo. */
    function editNode(node, changes) {
      const before = Object.fromEntries(Object.keys(changes).map((name) => [name, node[name]]));
      const event = {
        t: 'edit',
        node,
        changes: before,
        changed: node.changed,
        dirty: RED.nodes.dirty(),
      };
      Object.assign(node, changes, { changed: true, dirty: true });
      RED.history.push(event);
      RED.nodes.dirty(true);
      RED.editor.validateNode(node);
      RED.events.emit('nodes:change', node);
    }

    /** A config node as the dialog with its plus sign makes it. */
    function addConfigNode(type, settings) {
      const definition = RED.nodes.getType(type);
      const defaults = Object.entries(definition.defaults).map(([name, { value }]) => [
        name,
        value,
      ]);
      const node = {
        id: RED.nodes.id(),
        type,
        z: '',
        users: [],
        _def: definition,
        _: definition._,
        label: definition.label,
        changed: true,
        ...JSON.parse(JSON.stringify(Object.fromEntries(defaults))),
        ...settings,
      };
      const dirty = RED.nodes.dirty();
      RED.nodes.add(node);
      RED.editor.validateNode(node);
      RED.history.push({ t: 'add', nodes: [node.id], dirty });
      RED.nodes.dirty(true);
      return node;
    }

    /** The sheets of all dialogs, and more of them by name; each once. */
    function loadStyle(...more) {
      for (const name of ['editor', 'table', 'tray', ...more]) {
        const id = `busbar-style-${name}`;
        if (document.getElementById(id)) continue;
        const href = `${RED.settings.apiRootUrl ?? ''}resources/${MODULE}/busbar-${name}.css`;
        $('<link rel="stylesheet">').attr({ id, href }).appendTo('head');
      }
    }

    return {
      NONE,
      addConfigNode,
      ask,
      badge,
      button,
      check,
      closeTray,
      datalist,
      download,
      editNode,
      field,
      fold,
      listProfiles,
      loadProfile,
      loadStyle,
      loaded,
      openTray,
      pairList,
      path,
      readForm,
      readNode,
      sentence,
      tagList,
      tell,
      text,
      watch,
    };
  })(),
);
