/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the dialogs of the sinks share: their ids, URLs and topics, and what is kept while a sink is
   away. Like the other files of this folder it adds to one object and runs nothing by itself. */

/* global $, RED, busbarEditor, busbarRules */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const clean = (value) => busbarRules.clean(value);
    const isOpen = (value) => busbarRules.isOpen(value);
    const say = (key, words) => busbarEditor.flow.say(key, words);

    /* Rules of fields: true, or a sentence. */

    const ok = (isRight, key, given) => (isRight ? true : say(`rules.${key}`, { given }));

    /** The id of a sink, which no other of the same runtime has. */
    function checkId(node, value) {
      const given = clean(value);
      if (given === '') return say('rules.sinkIdMissing');
      if (isOpen(given)) return true;
      if (!busbarRules.isDeviceId(given)) return busbarEditor.check('deviceId', given);
      let other;
      RED.nodes.eachConfig((each) => {
        const isSink = each.type === 'busbar-mqtt' || each.type === 'busbar-influxdb';
        const isThere = isSink && each.id !== node.id && each.d !== true;
        const sameRuntime = (each.runtime || '') === (node.runtime || '');
        if (isThere && sameRuntime && clean(each.sinkId) === given) other = each;
      });
      return other ? say('rules.sinkIdTaken', { given, other: other.name || other.sinkId }) : true;
    }

    function checkUrl(value, schemes, key) {
      const given = clean(value);
      if (given === '') return busbarEditor.text('rules.missing');
      if (isOpen(given)) return true;
      const [, scheme, authority] = /^([a-z0-9+.-]+):\/\/([^/?#]*)/i.exec(given) ?? [];
      if (!authority || !schemes.includes(scheme.toLowerCase())) return ok(false, key, given);
      if (authority.includes('@')) return ok(false, 'urlSecret', given);
      const isPlace = /^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(authority);
      return ok(isPlace, key, given);
    }

    /** The topic of a sink. @param {unknown} value @param {string} payload batch or point */
    function checkTopic(value, payload) {
      const given = clean(value);
      if (isOpen(given)) return true;
      const bare = given.replace(/\{[\w./:[\]-]+\}/g, 'x');
      if (/[{}]/.test(bare)) return ok(false, 'topicBraces', given);
      if (/[+#]/.test(bare)) return ok(false, 'topicWildcard', given);
      const hasPoint = given.includes('{point}');
      if (payload !== 'point') return ok(!hasPoint, 'topicBatch', given);
      return ok(hasPoint, 'topicPoint', given);
    }

    /** The settings of what waits while the sink is away. */
    function storeDefaults() {
      return {
        storeMode: { value: 'disk' },
        storeBytes: {
          value: '',
          validate(v, opt) {
            return this.storeMode === 'memory' || busbarEditor.check('size', v, '0', '1TiB');
          },
        },
        storeAge: {
          value: '',
          validate(v, opt) {
            return this.storeMode === 'memory' || busbarEditor.check('duration', v, '0s', '45d');
          },
        },
        historyRate: {
          value: '',
          validate(v, opt) {
            return busbarEditor.check('whole', v, 0, 1000000);
          },
        },
      };
    }

    /* Dialogs */

    /** Prepares the form of a sink. @returns {{form, rules, settings, field}} */
    function open(node) {
      const form = $('#node-config-dialog-edit-form');
      busbarEditor.loadStyle('flow');
      const settings = () => busbarEditor.readForm(form, node);
      const rules = busbarEditor.watch(form, node, settings);
      return { form, rules, settings, field: (name) => busbarEditor.field(form, name) };
    }

    /** An id that goes with the name, until the user gives one; `usual` for the first of its kind. */
    function suggestId(node, field, usual) {
      const id = field('sinkId');
      const free = (wanted) => {
        for (let n = 1; ; n++) {
          const tried = n === 1 ? wanted : `${wanted}-${n}`;
          if (checkId(node, tried) === true) return tried;
        }
      };
      let suggested = id.val();
      if (suggested) return;
      const suggest = (wanted) => {
        suggested = free(wanted);
        id.val(suggested).trigger('change');
      };
      suggest(usual);
      field('name').on('input', () => {
        if (id.val() !== '' && id.val() !== suggested) return;
        const word = clean(field('name').val())
          .toLowerCase()
          .replace(/[äöüß]/g, (letter) => ({ ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss' })[letter])
          .normalize('NFD')
          .replace(/[\u0300-\u036f]/g, '')
          .replace(/[^\w.]+/g, '-')
          .replace(/^[-.]+|-+$/g, '')
          .slice(0, 60);
        suggest(word || usual);
      });
    }

    /** The site that a node belongs to, by its runtime or the only one that there is. */
    function siteOf(runtimeId) {
      const nodes = [];
      RED.nodes.eachConfig((node) => {
        if (node.type === 'busbar-runtime') nodes.push(node);
      });
      const node = runtimeId
        ? RED.nodes.node(runtimeId)
        : nodes.length === 1
          ? nodes[0]
          : undefined;
      return clean(node?.siteId);
    }

    /** What a topic comes to for a device of this flow; what is not known becomes _ in it. */
    function previewTopic(topic, site) {
      const [device = { id: 'meter-1', tags: {}, node: {} }] = busbarEditor.flow.listDevices();
      const profile = device.node.profile || 'powermonitor-500';
      const words = {
        asset: device.id,
        ...device.tags,
        device: device.id,
        scan: 'fast',
        site,
        profile,
      };
      return topic.replace(/\{([^}]+)\}/g, (_, word) => {
        if (word === 'point') return 'voltage/l1-n';
        return (words[word] || '_').replace(/[/+#]/g, '_');
      });
    }

    return {
      sink: {
        checkId,
        checkTopic,
        checkUrl,
        open,
        previewTopic,
        siteOf,
        storeDefaults,
        suggestId,
      },
    };
  })(),
);
