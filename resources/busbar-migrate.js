/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* *Migrate flow…*: takes a tab or all flows, has the server make nodes of other palettes ours, shows what
   could not be carried over, and offers the result through Node-RED's own import dialog, so that
   nothing changes before the user says so there. */

/* global $, RED, busbarEditor */

var busbarEditor = Object.assign(
  globalThis.busbarEditor ?? {},
  (() => {
    const say = (key, words) => busbarEditor.sidebarText(`migrate.${key}`, words);

    /** The nodes of one tab or subflow, with the config nodes that they use. */
    function takeTab(id) {
      const own = [];
      RED.nodes.eachConfig((node) => {
        if (node.z === id && node._def.hasUsers === false) own.push(node);
      });
      const place = RED.nodes.workspace(id) || RED.nodes.subflow(id);
      const nodes = [
        ...(place ? [place] : []),
        ...RED.nodes.groups(id),
        ...RED.nodes.junctions(id),
        ...RED.nodes.filterNodes({ z: id }),
        ...own,
      ];
      return addNamed(RED.nodes.createExportableNodeSet(nodes));
    }

    /** With the config nodes that they name; those of a palette that is not installed are not found
     * otherwise. */
    function addNamed(flows) {
      const taken = new Set(flows.map(({ id }) => id));
      const known = new Map();
      RED.nodes.eachConfig((node) => void known.set(node.id, node));
      for (let i = 0; i < flows.length; i++) {
        for (const value of Object.values(flows[i])) {
          if (typeof value !== 'string' || taken.has(value) || !known.has(value)) continue;
          taken.add(value);
          flows.push(RED.nodes.convertNode(known.get(value)));
        }
      }
      return flows;
    }

    /* The editor takes no other dialog until a tray has slid away. */
    const TRAY_MS = 500;

    const takeAll = () => RED.nodes.createCompleteNodeSet({ credentials: false });

    const countOurs = (flows) => flows.filter(({ type }) => /^busbar-/.test(type)).length;

    /** Node-RED's import dialog with the flow in it. */
    function offer(flows) {
      RED.actions.invoke('core:show-import-dialog');
      $('#red-ui-clipboard-dialog-import-text')
        .val(JSON.stringify(flows, null, 1))
        .trigger('keyup');
    }

    /** What stands in backticks is to be typed. */
    function withCommands(text) {
      return text
        .split('`')
        .map((part, i) => (i % 2 ? $('<code>').text(part) : document.createTextNode(part)));
    }

    function showNotes(place, notes) {
      place.empty();
      if (notes.length === 0) return;
      $('<div class="busbar-heading">')
        .text(say('notes', { n: notes.length }))
        .appendTo(place);
      const list = $('<ul class="busbar-notes">').appendTo(place);
      for (const { id, type, name, text } of notes) {
        const item = $('<li>').appendTo(list);
        const label = name ? `${type} "${name}"` : type;
        const link = $('<a href="#">').text(label).appendTo(item);
        link.on('click', (event) => {
          event.preventDefault();
          RED.view.reveal(id);
        });
        item.append(': ', withCommands(text));
      }
    }

    function openMigrate() {
      const active = RED.workspaces.active();
      const tab = RED.nodes.workspace(active) || RED.nodes.subflow(active);
      let result;
      let body;

      function choice(value, label, isChosen) {
        const line = $('<label class="busbar-choice">').appendTo(body);
        $('<input type="radio" name="busbar-migrate">')
          .val(value)
          .prop('checked', isChosen)
          .appendTo(line);
        $('<span>').text(label).appendTo(line);
      }

      function tell(kind, text) {
        body.find('.busbar-migrate-outcome').empty();
        if (!text) return;
        $('<div class="busbar-notice">')
          .addClass(`busbar-notice-${kind}`)
          .text(text)
          .appendTo(body.find('.busbar-migrate-outcome'));
      }

      async function migrate() {
        const isTab = body.find('input[name=busbar-migrate]:checked').val() === 'tab';
        const flows = isTab ? takeTab(active) : takeAll();
        result = undefined;
        $('#busbar-migrate-import').prop('disabled', true);
        showNotes(body.find('.busbar-migrate-notes'), []);
        tell('', say('working'));
        try {
          const answer = await busbarEditor.ask('POST', 'migrate', { flows });
          const made = countOurs(answer.flows) - countOurs(flows);
          showNotes(body.find('.busbar-migrate-notes'), answer.notes);
          if (made <= 0) return tell('', say('nothing'));
          result = answer.flows;
          $('#busbar-migrate-import').prop('disabled', false);
          tell('good', say(answer.notes.length > 0 ? 'doneNotes' : 'done', { n: made }));
        } catch (error) {
          tell('bad', error.message);
        }
        return undefined;
      }

      busbarEditor.openTray({
        title: say('title'),
        width: 560,
        buttons: [
          { id: 'busbar-migrate-close', text: say('close'), click: () => busbarEditor.closeTray() },
          {
            id: 'busbar-migrate-import',
            text: say('import'),
            class: 'primary',
            click() {
              busbarEditor.closeTray();
              if (result) setTimeout(() => offer(result), TRAY_MS);
            },
          },
        ],
        build(place) {
          body = place;
          $('<p>').text(say('what')).appendTo(body);
          if (tab) choice('tab', say('tab', { name: tab.label || tab.name }), true);
          choice('all', say('all'), !tab);
          $('<div class="busbar-bar">')
            .append(busbarEditor.button('fa-exchange', say('start'), migrate))
            .appendTo(body);
          body.append('<div class="busbar-migrate-outcome" role="status">');
          body.append('<div class="busbar-migrate-notes">');
          $('<p class="busbar-hint busbar-full">').text(say('twice')).appendTo(body);
          $('#busbar-migrate-import').prop('disabled', true);
        },
      });
    }

    return { openMigrate };
  })(),
);
