/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the dialogs of the nodes in a flow share, and in part those of the sinks: which devices, scans
   and points there are to choose from, rules of their own fields, and examples of messages. Like the
   other files of this folder it adds to one object and runs nothing by itself. */

/* global $, RED, busbarEditor, busbarPoints, busbarRules */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const MODULE = '@busbar/node-red';
    const PREFIX = 'node-input';
    const MAX_SUGGESTED = 50;
    /** @param {string} key @param {Record<string, unknown>} [words] */
    function say(key, words) {
      const options = { ...words, interpolation: { escapeValue: false } };
      return RED._(`${MODULE}/busbar-in:busbar-flow.${key}`, options);
    }

    const clean = (value) => busbarRules.clean(value);
    const words = (text) => clean(text).split(',').map(clean).filter(Boolean);
    const isOpen = (value) => busbarRules.isOpen(value);

    /** Whether a text fits one of the patterns; `*` stands for anything. */
    function fits(patterns, text) {
      if (patterns.length === 0) return true;
      const escape = (part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&');
      return patterns.some((pattern) =>
        new RegExp(`^${pattern.split('*').map(escape).join('.*')}$`).test(text),
      );
    }

    /** "line=l1, area=*" as conditions that all must hold. */
    function tagConditions(text) {
      return words(text).map((word) => {
        const [key, ...rest] = word.split('=');
        return { key: clean(key), pattern: rest.length > 0 ? clean(rest.join('=')) : '*' };
      });
    }

    /** The devices of a device node, as they are in the editor. @returns {{id, tags, node}[]} */
    function devicesOf(node) {
      if (!node) return [];
      const own = Object.fromEntries(busbarRules.tagEntries(node.tags ?? []));
      const rows = Array.isArray(node.devices) ? node.devices : [];
      if (rows.length === 0) return node.deviceId ? [{ id: node.deviceId, tags: own, node }] : [];
      return rows.map(({ id, tags }) => {
        const more = Object.fromEntries(busbarRules.tagEntries(tags ?? {}));
        return { id, tags: { ...own, ...more }, node };
      });
    }

    /** What a device node is called in a flow: "meter-1", or the name of a table. */
    function deviceLabel(id) {
      const node = RED.nodes.node(id);
      const devices = devicesOf(node);
      return devices.length === 1 ? devices[0].id : node ? RED.utils.getNodeLabel(node) : '';
    }

    function listDevices() {
      const devices = [];
      RED.nodes.eachConfig((node) => {
        if (node.type === 'busbar-device' && node.enabled !== false)
          devices.push(...devicesOf(node));
      });
      return devices;
    }

    /** The devices that the settings of a node mean. */
    function chosen({ source, device, tags }) {
      if (source === 'all') return listDevices();
      if (source !== 'tags') return devicesOf(RED.nodes.node(device));
      const conditions = tagConditions(tags);
      return listDevices().filter((each) =>
        conditions.every(
          ({ key, pattern }) => each.tags[key] !== undefined && fits([pattern], each.tags[key]),
        ),
      );
    }

    /** "meter-1, meter-2 and 3 more". */
    function nameSome(ids) {
      if (ids.length <= 4) return ids.join(', ');
      return say('some', { names: ids.slice(0, 3).join(', '), n: ids.length - 3 });
    }

    /** Of a device or profile node: its profile, if it can be known here. */
    async function profileOf(node) {
      if (node?.profileType === 'path') return undefined;
      const isOwn = node?.type === 'busbar-profile' || node?.profileType === 'node';
      if (!isOwn) return node?.profile ? busbarEditor.loadProfile(node.profile) : undefined;
      const own = node.type === 'busbar-profile' ? node : RED.nodes.node(node.profileNode);
      const document = JSON.parse(own?.profile || '{}');
      if (!own?.extends) return document;
      return busbarPoints.mergeProfile(await busbarEditor.loadProfile(own.extends), document);
    }

    /** All points of several devices, by name. */
    async function listPoints(devices) {
      const nodes = new Map(
        devices.map(({ node }) => [`${node.profile}/${node.profileNode}`, node]),
      );
      const points = new Map();
      for (const node of nodes.values()) {
        const profile = await profileOf(node).catch(() => undefined);
        for (const point of busbarPoints.describePoints(profile)) points.set(point.name, point);
      }
      return [...points.values()];
    }

    /** "power/active/l1" also as "power/*", so that a group can be chosen at once. */
    function withGroups(names) {
      const groups = new Map();
      for (const name of names) {
        const parts = name.split('/');
        for (let i = 1; i < parts.length; i++) {
          const group = `${parts.slice(0, i).join('/')}/*`;
          groups.set(group, (groups.get(group) ?? 0) + 1);
        }
      }
      return [...[...groups.keys()].filter((group) => groups.get(group) > 1), ...names];
    }

    /** Proposes words while typing, also behind a comma. `find` answers them, now or later. */
    function suggest(input, find, isList = true) {
      input.autoComplete({
        minLength: 0,
        search(value, done) {
          const at = isList ? value.lastIndexOf(',') + 1 : 0;
          const head = at > 0 ? `${value.slice(0, at)} ` : '';
          const part = clean(value.slice(at)).toLowerCase();
          Promise.resolve(find()).then(
            (found) => {
              /* What is typed in full comes first: the Tab key takes the first. */
              const matching = found
                .filter((word) => word.toLowerCase().includes(part))
                .sort(
                  (a, b) => Number(b.toLowerCase() === part) - Number(a.toLowerCase() === part),
                );
              done(
                matching.slice(0, MAX_SUGGESTED).map((word, i) => ({
                  value: head + word,
                  label: word,
                  i,
                })),
              );
            },
            () => done([]),
          );
        },
      });
    }

    /* Rules of fields: true, or a sentence. */

    const ok = (isRight, key, given) => (isRight ? true : say(`rules.${key}`, { given }));

    /** The topic of single messages. */
    function checkPlainTopic(value) {
      const given = clean(value);
      if (isOpen(given)) return true;
      if (/[{}]/.test(given)) return ok(false, 'topicPlain', given);
      return ok(!/[+#]/.test(given), 'topicWildcard', given);
    }

    /** User properties, which stand as a JSON object. */
    function checkObject(value) {
      const given = clean(value);
      if (isOpen(given)) return true;
      try {
        const object = JSON.parse(given);
        return ok(
          object !== null && typeof object === 'object' && !Array.isArray(object),
          'object',
          given,
        );
      } catch {
        return ok(false, 'object', given);
      }
    }

    /** Patterns of names, with commas between. */
    function checkPatterns(value) {
      if (isOpen(value)) return true;
      const wrong = words(value).find((word) => !/^[\w./:[\]*-]{1,128}$/.test(word));
      return ok(wrong === undefined, 'pattern', wrong);
    }

    function checkTagQuery(value) {
      if (clean(value) === '') return busbarEditor.text('rules.missing');
      if (isOpen(value)) return true;
      const wrong = tagConditions(value).find(({ key, pattern }) => !key || !pattern);
      return ok(wrong === undefined, 'tagQuery', wrong?.key);
    }

    /** A config node that must be chosen. */
    function checkChosen(value, key) {
      return value && value !== busbarEditor.NONE && RED.nodes.node(value)
        ? true
        : say(`rules.${key}`);
    }

    /* Dialogs */

    /** Prepares the form of a node in a flow. @returns {{form, rules, settings, field}} */
    function open(node) {
      const form = $('#dialog-form');
      busbarEditor.loadStyle('flow');
      const settings = () => busbarEditor.readForm(form, node, PREFIX);
      const rules = busbarEditor.watch(form, node, settings, PREFIX);
      return { form, rules, settings, field: (name) => busbarEditor.field(form, name, PREFIX) };
    }

    /** Shows the parts whose data-`key` names the value. */
    function showFor(form, key, value) {
      form.find(`[data-${key}]`).each(function () {
        $(this).toggle(String($(this).data(key)).split(' ').includes(String(value)));
      });
    }

    /** A message as a person reads it. */
    function showExample(place, message) {
      const lines = Object.entries(message).map(([key, value]) => `  ${key}: ${write(value)}`);
      place.text(`{\n${lines.join(',\n')}\n}`);
    }

    function write(value) {
      if (typeof value === 'string') return value.startsWith('<') ? value : `"${value}"`;
      if (Array.isArray(value)) return `[${value.map(write).join(', ')}]`;
      if (value === null || typeof value !== 'object') return String(value);
      const inner = Object.entries(value).map(([key, each]) => `${writeKey(key)}: ${write(each)}`);
      return `{ ${inner.join(', ')} }`;
    }

    const writeKey = (key) => (/^[a-z_]\w*$/i.test(key) ? key : `"${key}"`);

    /** What a node sends, by its output. */
    function exampleOf(output, { device = 'meter-1', mode = 'scan' } = {}) {
      const timestamp = 1763688000123;
      const about = { id: device, tags: { line: 'l1' }, profile: 'rockwell/powermonitor-500' };
      const scan = mode === 'snapshot' ? {} : { scan: 'fast' };
      const values = { 'voltage/l1-n': 230.1, frequency: 50.01 };
      const forms = {
        object: { topic: device, payload: values, timestamp, device: about, ...scan },
        points: {
          ...{ topic: `${device}/voltage/l1-n`, payload: 230.1, unit: 'V', timestamp },
          ...{ point: 'voltage/l1-n', device: about, ...scan },
        },
        influx: {
          ...{ topic: device, measurement: 'powermonitor_500' },
          payload: [
            { ...values, time: timestamp },
            { asset: device, line: 'l1' },
          ],
          ...{ timestamp, device: about, ...scan },
        },
        registers: {
          ...{ topic: device, payload: [2301, 5001] },
          responseBuffer: { data: [2301, 5001], buffer: '<Buffer 08 fd 13 89>' },
          ...{ timestamp, device: about, ...scan },
        },
      };
      return forms[output] ?? forms.object;
    }

    return {
      flow: {
        PREFIX,
        checkChosen,
        checkPatterns,
        checkObject,
        checkPlainTopic,
        checkTagQuery,
        chosen,
        deviceLabel,
        devicesOf,
        exampleOf,
        listDevices,
        listPoints,
        nameSome,
        open,
        profileOf,
        say,
        showExample,
        showFor,
        suggest,
        withGroups,
        words,
      },
    };
  })(),
);
