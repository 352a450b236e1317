/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Which readings a flow is told, and what of them. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Reporter, readDuration } = require('../../lib/reporting');

/** @param {Partial<import('../../lib/reporting').Reporting>} how */
function reporter(how) {
  const points = [{ name: 'power', deadband: 1 }, { name: 'count' }, { name: 'label' }];
  return new Reporter(
    { changes: false, heartbeatMs: 0, everyMs: 0, aggregate: 'none', ...how },
    points,
  );
}

/** @param {any} power @param {any} [count] @param {any} [label] */
function reading(power, count = 1, label = 'x') {
  return { payload: { power, count, label } };
}

test('durations', () => {
  assert.equal(readDuration('250ms'), 250);
  assert.equal(readDuration(' 1.5 s '), 1500);
  assert.equal(readDuration('7d'), 7 * 86400000);
  assert.equal(readDuration(''), 0);
  assert.ok(Number.isNaN(readDuration('soon')));
});

test('changes: the first as a whole, then only what changed by more than the deadband', () => {
  const r = reporter({ changes: true });
  assert.deepEqual(r.report(reading(10), 0), reading(10));
  assert.equal(r.report(reading(11), 1000), undefined);
  assert.deepEqual(r.report(reading(11.1), 2000), { payload: { power: 11.1 } });
  assert.deepEqual(r.report(reading(11.1, 2, 'y'), 3000), { payload: { count: 2, label: 'y' } });
});

test('changes: a point that is lost, and back', () => {
  const r = reporter({ changes: true });
  r.report(reading(10), 0);
  const lost = { payload: { count: 1, label: 'x' }, quality: { power: 'bad, no answer' } };
  assert.deepEqual(r.report(lost, 1), { payload: {}, quality: { power: 'bad, no answer' } });
  assert.equal(r.report(lost, 2), undefined);
  assert.deepEqual(r.report(reading(10), 3), { payload: { power: 10 } });
});

test('a heartbeat tells all again', () => {
  const r = reporter({ changes: true, heartbeatMs: 5000 });
  r.report(reading(10), 0);
  assert.equal(r.report(reading(10), 4999), undefined);
  assert.deepEqual(r.report(reading(10), 5000), reading(10));
  assert.equal(r.report(reading(10), 9999), undefined);
});

test('at most one in a whole period', () => {
  const r = reporter({ everyMs: 1000 });
  const told = [100, 900, 1000, 1100, 1999, 2000].filter((ms) => r.report(reading(ms), ms));
  assert.deepEqual(told, [100, 1000, 2000]);
});

test('aggregates are of a whole period', () => {
  /** @type {[import('../../lib/reporting').Aggregate, number][]} */
  const rows = [
    ['mean', 20],
    ['min', -10],
    ['max', 60],
    ['last', 60],
  ];
  for (const [aggregate, expected] of rows) {
    const r = reporter({ everyMs: 60000, aggregate });
    for (const round of [10, 11]) {
      [10, -10, 20, 60].forEach((power, k) => {
        const told = r.report(reading(power, k + 1, `t${k}`), round * 60000 + (k + 1) * 1000);
        assert.equal(told !== undefined, round === 11 && k === 0, aggregate);
      });
    }
    const told = r.report(reading(99, 9, 'end'), 12 * 60000);
    assert.equal(told?.payload.power, expected, aggregate);
    assert.equal(told?.payload.label, 't3', 'a text has its last');
  }
});

test('the mean of a float32 is one, in its shortest decimal, as the runtime has it', () => {
  const points = [{ name: 'single', type: 'float32' }, { name: 'double' }];
  const how = { changes: false, heartbeatMs: 0, everyMs: 60000, aggregate: 'mean' };
  const r = new Reporter(/** @type {any} */ (how), points);
  for (const [at, value] of [
    [60000, 230.1],
    [90000, 230.2],
  ]) {
    r.report({ payload: { single: value, double: value } }, at);
  }
  const told = r.report({ payload: { single: 1, double: 1 } }, 120000);
  assert.deepEqual(told?.payload, { single: 230.15, double: (230.1 + 230.2) / 2 });
  const thirds = new Reporter(/** @type {any} */ (how), points);
  for (const value of [1, 1, 2])
    thirds.report({ payload: { single: value, double: value } }, 60000);
  const third = thirds.report({ payload: { single: 1, double: 1 } }, 120000);
  assert.deepEqual(third?.payload, { single: 1.3333334, double: 4 / 3 });
});

test('a mean leaves out what is not good', () => {
  const r = reporter({ everyMs: 60000, aggregate: 'mean' });
  r.report(reading(1), 0);
  r.report(reading(10), 60001);
  r.report(
    { payload: { power: 1e6, count: 1, label: 'x' }, quality: { power: 'uncertain' } },
    60002,
  );
  r.report(reading(20), 60003);
  assert.equal(r.report(reading(0), 120000)?.payload.power, 15);
});

test('a loss is told at once', () => {
  const r = reporter({ everyMs: 60000, aggregate: 'mean' });
  r.report(reading(1), 1);
  const lost = { payload: {}, quality: { power: 'stale, no answer' } };
  assert.deepEqual(r.report(lost, 2, true), lost);
});
