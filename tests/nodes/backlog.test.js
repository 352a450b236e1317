/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a person decides about what waits, and what flows are told of the store, beside a runtime that
   answers as told. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { listDead, settleDead, settleOrphan } = require('../../lib/backlog');
const { BusbarError } = require('../../lib/errors');
const { Plant } = require('../../lib/plant');
const { PlantState } = require('../../lib/plant_state');
const { StoreWatch } = require('../../lib/store_watch');

/** @param {(op: string, args: any) => any} answer @param {string} [state] */
function makePlant(answer, state = 'up') {
  /** @type {[string, any][]} */
  const asked = [];
  const runtime = {
    ...{ state, sentence: 'no runtime runs in /data', on: () => {} },
    request: async (/** @type {string} */ op, /** @type {any} */ args) => {
      asked.push([op, args]);
      return answer(op, args);
    },
  };
  const plant = new Plant({ id: '', runtime: /** @type {any} */ (runtime), options: {} });
  return { plant, asked };
}

/** @param {Record<string, Plant>} plants @returns {any} */
const hubOf = (plants) => ({ plants: new Map(Object.entries(plants)) });

test('an orphan is settled where it is, and looked at once more', async () => {
  const orphans = [{ sink: 'old', batches: 3, bytes: 90 }];
  const first = makePlant(() => ({}));
  const second = makePlant((op) => (op === 'status' ? { orphans: [] } : { batches: 3 }));
  second.plant.state.takeStatus({ orphans });
  const hub = hubOf({ '': first.plant, r: second.plant });
  assert.deepEqual(await settleOrphan(hub, { sink: 'old', do: 'reassign', to: 'bus' }), {
    batches: 3,
  });
  assert.deepEqual(second.asked, [
    ['store', { do: 'reassign', sink: 'old', to: 'bus' }],
    ['status', { devices: [] }],
  ]);
  assert.deepEqual(second.plant.state.orphans, []);
  await settleOrphan(hub, { runtime: '', sink: 'old', do: 'drop' });
  assert.deepEqual(first.asked[0], ['store', { do: 'drop', sink: 'old' }]);
});

test('what cannot be settled is said in a sentence', async () => {
  const { plant } = makePlant(() => {
    throw new BusbarError('BUSBAR_REFUSED', 'there is no sink bus in the config that runs');
  });
  const wish = { sink: 'old', do: /** @type {const} */ ('drop') };
  const refused = async () => settleOrphan(hubOf({ '': plant }), wish);
  await assert.rejects(refused, /there is no sink bus/);
  const down = makePlant(() => ({}), 'down');
  const unreachable = async () => settleOrphan(hubOf({ '': down.plant }), wish);
  await assert.rejects(unreachable, { code: 'BUSBAR_DOWN', message: /no runtime runs/ });
  const gone = async () => settleOrphan(hubOf({}), { ...wish, runtime: 'r' });
  await assert.rejects(gone, /no longer there/);
});

test('dead letters: one or all, again or away', async () => {
  const { plant, asked } = makePlant(() => ({}));
  const hub = hubOf({ '': plant });
  await settleDead(hub, { do: 'requeue', id: 7 });
  await settleDead(hub, { do: 'drop', sink: 'bus' });
  await settleDead(hub, { do: 'drop' });
  assert.deepEqual(
    asked.filter(([op]) => op === 'store').map(([, args]) => args),
    [{ do: 'requeue', letter: 7 }, { do: 'drop_dead', sink: 'bus' }, { do: 'drop_dead' }],
  );
});

test('dead letters: the newest first, whatever was deleted between', async () => {
  const all = Array.from({ length: 5000 }, (_, i) => ({
    ...{ id: 100 + i, sink: 'bus', reason: 'no', time: i, values: {} },
  }));
  const few = all.filter(({ id }) => id < 300 || id > 5090);
  for (const letters of [all, few, all.slice(0, 3), []]) {
    const { plant, asked } = makePlant((_, { after, limit }) => {
      const behind = letters.filter(({ id }) => id > after);
      const page = behind.slice(0, Math.min(limit, 90)); /* One may end early. */
      return { letters: page, more: page.length < behind.length };
    });
    plant.state.takeStatus({ store: { open: true, failing: false, dead: letters.length } });
    const { dead } = await listDead(hubOf({ '': plant }), { limit: 20 });
    const shown = dead.map(({ id }) => id);
    const newest = letters.slice(-20).map(({ id }) => id);
    assert.deepEqual(shown, newest.reverse());
    assert.ok(dead.every((letter) => !('values' in letter) && letter.reason === 'no'));
    assert.ok(asked.length < 5, `${asked.length} requests for ${letters.length}`);
  }
});

test('events: the store fails and works again, each told once', () => {
  const watch = new StoreWatch();
  const state = new PlantState();
  const look = (/** @type {object} */ store) => {
    state.takeEvent({
      event: 'store',
      store: { open: true, failing: false, orphans: [], ...store },
    });
    return watch.take(state, 0);
  };
  assert.deepEqual(look({}), []);
  const failing = { failing: true, reason: 'the disk is full' };
  assert.deepEqual(look(failing), [
    { topic: 'store', payload: { event: 'failing', text: 'the disk is full' } },
  ]);
  assert.equal(state.storeFailure, 'the disk is full');
  assert.deepEqual(look(failing), []);
  assert.deepEqual(look({}), [{ topic: 'store', payload: { event: 'works' } }]);
});

test('events: a backlog without a sink is told when it is found', () => {
  const watch = new StoreWatch();
  const state = new PlantState();
  const look = (/** @type {object[]} */ orphans) => {
    state.takeStatus({ store: { open: true, failing: false }, orphans });
    return watch.take(state, 0).map(({ topic, payload }) => [topic, payload.event]);
  };
  const old = { sink: 'old', batches: 3, bytes: 90 };
  assert.deepEqual(look([old]), [['sink/old', 'orphan']]);
  assert.deepEqual(look([{ ...old, batches: 2 }]), []);
  assert.deepEqual(look([]), []);
  assert.deepEqual(look([old, { ...old, sink: 'b' }]), [
    ['sink/old', 'orphan'],
    ['sink/b', 'orphan'],
  ]);
});

test('events: what is dropped is told, at most once a minute', () => {
  const watch = new StoreWatch();
  const state = new PlantState();
  const look = (/** @type {number} */ dropped, /** @type {number} */ nowMs) => {
    state.takeStatus({ sinks: [{ id: 'bus', ready: false, waiting: 1, dropped }] });
    return watch.take(state, nowMs).map(({ payload }) => [payload.batches, payload.total]);
  };
  assert.deepEqual(look(5, 0), [], 'of before');
  assert.deepEqual(look(7, 2000), [[2, 7]]);
  assert.deepEqual(look(9, 4000), []);
  assert.deepEqual(look(12, 62000), [[5, 12]]);
  assert.deepEqual(look(1, 63000), [], 'another runtime');
  assert.deepEqual(look(2, 64000), [[1, 2]]);
});
