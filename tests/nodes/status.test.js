/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the dots say. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { ofDevice, ofDevices, ofSink, showCount } = require('../../lib/status');

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
  assert.equal(show(away), 'red ring: connection refused, backlog 5,000 (waiting)');
});

test('numbers', () => {
  assert.deepEqual([0, 999, 1234, 9999, 12000, 1234567].map(showCount), [
    ...['0', '999', '1,234', '9,999', '12 k', '1.2 M'],
  ]);
});
