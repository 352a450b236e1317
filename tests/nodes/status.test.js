/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the dots say. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { inEditorWords } = require('../../lib/editor_words');
const { ofDevice, ofDevices, ofDown, ofFault, ofSink, showCount } = require('../../lib/status');
const { StatusBoard } = require('../../lib/status_board');

const NOW = 1763688012000;
const GOOD = { id: 'm', up: true, points: 60, good: 60 };

/** @param {import('../../lib/status').Status} status */
function show({ fill, shape, text, busbar }) {
  return `${fill} ${shape}: ${text} (${busbar.state})`;
}

test('a device', () => {
  /** @type {[any, string][]} */
  const rows = [
    [{ id: 'm', points: 0, good: 0 }, 'yellow ring: connecting (connecting)'],
    [GOOD, 'green dot: 60 points (good)'],
    [{ ...GOOD, points: 1, good: 1 }, 'green dot: 1 point (good)'],
    [{ ...GOOD, good: 57 }, 'yellow dot: 57 of 60 good (degraded)'],
    [
      { ...GOOD, up: false, sinceMs: NOW - 12000, reason: 'no answer within 1 s', code: 'TIMEOUT' },
      'red ring: no answer, 12 s (lost)',
    ],
    [
      {
        ...{ ...GOOD, up: false, sinceMs: NOW - 300000 },
        reason: 'no connection to 10.0.0.9:502: connection refused; next try in 2 s',
      },
      'red ring: connection refused, 5 min (lost)',
    ],
  ];
  for (const [device, text] of rows) assert.equal(show(ofDevice(device, NOW)), text);
});

test('several devices at once', () => {
  const lost = { ...GOOD, up: false };
  assert.equal(show(ofDevices([], NOW)), 'grey ring: not used (unused)');
  assert.equal(show(ofDevices([GOOD, GOOD], NOW)), 'green dot: 2 devices (good)');
  assert.equal(show(ofDevices([GOOD, lost], NOW)), 'yellow dot: 1 of 2 devices (lost)');
  assert.equal(show(ofDevices([lost, lost], NOW)), 'red ring: none of 2 devices (lost)');
});

test('a sink', () => {
  assert.equal(show(ofSink({ id: 's', waiting: 0 })), 'yellow ring: connecting (connecting)');
  assert.equal(show(ofSink({ id: 's', ready: true, waiting: 3 })), 'green dot: connected (ready)');
  const backlog = ofSink({ id: 's', ready: true, waiting: 12345 });
  assert.equal(show(backlog), 'yellow dot: backlog 12 k (backlog)');
  const reason = 'no connection to 10.0.0.5:1883: connection refused; next try in 2 s';
  const away = ofSink({ id: 's', ready: false, waiting: 5000, reason });
  assert.equal(show(away), 'red ring: backlog 5,000, sink away (waiting)');
  const few = ofSink({ id: 's', ready: false, waiting: 5, reason });
  assert.equal(show(few), 'red ring: connection refused (waiting)');
});

test('a sink that is away: what its peer does, without the address', () => {
  const place = 'mqtt.plant-7.example.com:8883';
  /** @type {[string, string][]} Sentences of the runtime, and the texts of the dot. */
  const rows = [
    [`the connection to ${place} broke; next try in 2 s`, 'the connection broke'],
    [
      `the connection to ${place} broke (is another client connected with the id "a;b"?); next try in 2 s`,
      'is its client id used twice?',
    ],
    [
      `${place} ended the connection: another client came with the same client id; next try in 1 s`,
      'its client id is used twice',
    ],
    [`${place} refused the connection: not authorized; next try in 60 s`, 'not authorized'],
    [`${place} closed the connection before it answered; next try in 1 s`, 'closed the connection'],
    [`${place} acknowledges nothing any more; next try in 1 s`, 'acknowledges nothing'],
    [
      `no connection to ${place} (2 addresses): no route to host; next try in 1 s`,
      'no route to host',
    ],
  ];
  for (const [reason, text] of rows) {
    const status = ofSink({ id: 's', ready: false, waiting: 0, reason });
    assert.deepEqual([status.text, status.busbar.reason], [text, reason]);
  }
});

test('a sink whose store fails', () => {
  const full = '/var/lib/busbar/store.db: the disk is full (SQLITE_FULL 13); free space there';
  const ready = { id: 's', ready: true, waiting: 0 };
  const shown = ofSink(ready, full);
  assert.equal(show(shown), 'yellow dot: store: disk full (unsaved)');
  assert.equal(shown.busbar.store, full);
  const many = { ...ready, waiting: 12345 };
  assert.equal(show(ofSink(many, full)), 'yellow dot: store: disk full, backlog 12 k (unsaved)');
  const away = { ...ready, ready: false, reason: 'no connection to 10.0.0.5:1883: refused' };
  assert.equal(show(ofSink(away, 'x')), 'red ring: store: fails, sink away (waiting)');
  assert.equal(
    show(ofSink({ ...away, waiting: 12345 }, full)),
    'red ring: store: disk full, backlog 12 k (waiting)',
  );
  const inMemory = ofSink({ ...ready, store: 'memory' }, full);
  assert.deepEqual(
    [show(inMemory), inMemory.busbar.store],
    ['green dot: connected (ready)', undefined],
  );
});

test('a device that is read on request', () => {
  const silent = { id: 'm', points: 0, good: 0 };
  assert.equal(show(ofDevice(silent, NOW, true)), 'grey dot: on request (idle)');
  assert.equal(show(ofDevice(GOOD, NOW, true)), 'green dot: 60 points (good)');
});

test('what is long is cut where it may be, and whole in busbar.reason', () => {
  /** @type {[string, string][]} */
  const rows = [
    ['no sink is set; choose one in this node', 'no sink is set; choose one in this node'],
    [
      'the device id "meter-1" is given twice; ids differ',
      'the device id "meter-1" is given twice',
    ],
    [
      'a sentence of many words that has no end where it could be cut',
      'a sentence of many words that has no…',
    ],
    [`${'x'.repeat(60)}`, `${'x'.repeat(39)}…`],
  ];
  for (const [text, shown] of rows) {
    const status = ofFault(text);
    assert.equal(status.text, shown);
    assert.equal(status.busbar.reason, text);
    assert.ok(status.text.length <= 40, status.text);
  }
  const down = ofDown('no runtime runs in /var/lib/busbar: start its service', 'BUSBAR_DOWN');
  assert.equal(down.text, 'no runtime runs');
  assert.match(down.busbar.reason, /start its service/);
  const mistake = { text: 'devices[m].unit: 999 is too much', short: 'unit: 999 is too much' };
  assert.equal(ofFault(mistake.text, mistake).text, 'unit: 999 is too much');
});

test('sentences of the runtime name the fields of the dialogs', () => {
  /** @type {[string, string][]} */
  const rows = [
    [
      'db:8086 wants a user (403); set user and password_env',
      'db:8086 wants a user (403); set user and password in its settings',
    ],
    [
      'db:8086 wants a token (401); set token_env or token_file',
      'db:8086 wants a token (401); set the token in its settings',
    ],
    [
      'db:8086 does not take the token in secret:hist.token (401)',
      'db:8086 does not take the token (401)',
    ],
    [
      'db:8086: the token in secret:hist.token may not write to bucket b (403)',
      'db:8086: the token may not write to bucket b (403)',
    ],
    ['no trust; check ca_file', 'no trust; check the CA certificate of "Certificates"'],
    [
      'sinks[bus].mqtt.user: user is given, but no password_env or password_file',
      'sinks[bus].mqtt.user: user is given, but no password',
    ],
    [
      'there is no more room: raise runtime.store.max_bytes, or see why the sink is away',
      'there is no more room: raise "On the disk" in the settings of the runtime, or see why the sink is away',
    ],
    [
      'more waits than store.max_bytes of the sink allows',
      'more waits than "At most" of the sink allows',
    ],
    ['sinks[bus].store.max_age: no duration', 'sinks[bus].store.max_age: no duration'],
    ['key_password_file needs cert_file', 'passphrase needs the certificate of "Certificates"'],
    ['no answer within 1 s', 'no answer within 1 s'],
  ];
  for (const [sentence, words] of rows) assert.equal(inEditorWords(sentence), words);
  assert.equal(inEditorWords(undefined), undefined);
});

/** A node that shows what `state` says, and what it has shown, with the times.
 * @param {string} text @param {string} [state] */
function makeNode(text, state = 'unused') {
  const now = { text, state };
  /** @type {[number, string][]} */
  const shown = [];
  const node = { status: (/** @type {any} */ status) => shown.push([Date.now(), status.text]) };
  const status = () => ({ ...ofFault(now.text), busbar: { state: now.state } });
  return { now, shown, added: /** @type {any} */ ({ node, status }) };
}

/** Time passes step by step: a timer is called when it is due, not at the end of all.
 * @param {import('node:test').TestContext} t @param {number} ms */
function pass(t, ms) {
  for (let i = 0; i < ms; i++) t.mock.timers.tick(1);
}

test('a dot is shown at once, then on change, at most once a second', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW });
  const [one, other] = [makeNode('a'), makeNode('x')];
  const added = new Map([one, other].map((each, i) => [String(i), each.added]));
  const board = new StatusBoard(/** @type {any} */ ({ added }));
  for (const each of added.values()) board.show(each);
  assert.deepEqual([one.shown, other.shown], [[[NOW, 'a']], [[NOW, 'x']]]);

  one.now.text = 'b';
  board.refresh();
  pass(t, 1);
  assert.deepEqual(one.shown.splice(0), [
    [NOW, 'a'],
    [NOW + 1, 'b'],
  ]);
  /* Ten changes within a second are one, a second after the last. */
  for (let i = 0; i < 10; i++) {
    one.now.text = `c${i}`;
    board.refresh();
    pass(t, 50);
  }
  pass(t, 10000);
  assert.deepEqual(one.shown, [[NOW + 1001, 'c9']]);
  assert.equal(other.shown.length, 1, 'what did not change is not shown again');
});

test('a dot with an age goes on by itself', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW });
  const device = { ...GOOD, up: false, sinceMs: NOW, reason: 'no answer within 1 s' };
  /** @type {string[]} */
  const shown = [];
  const node = { status: (/** @type {any} */ { text }) => shown.push(text) };
  const added = { node, status: () => ofDevice(device, Date.now()) };
  const hub = { added: new Map([['in', added]]) };
  const board = new StatusBoard(/** @type {any} */ (hub));
  board.refresh();
  pass(t, 3500);
  const ages = [0, 1, 2, 3].map((age) => `no answer within 1 s, ${age} s`);
  assert.deepEqual(shown, ages);
  hub.added.clear();
  pass(t, 5000);
  assert.deepEqual(shown, ages, 'who is gone shows nothing');
});

test('numbers', () => {
  assert.deepEqual([0, 999, 1234, 9999, 12000, 1234567].map(showCount), [
    ...['0', '999', '1,234', '9,999', '12 k', '1.2 M'],
  ]);
});
