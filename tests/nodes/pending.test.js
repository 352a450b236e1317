/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Each input ends in exactly one `done`. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Pending } = require('../../lib/pending');

/** @param {number} bytes */
function message(bytes) {
  return { topic: '', payload: Buffer.alloc(bytes) };
}

/** @returns {{calls: (Error | undefined)[], done: (error?: Error) => void}} */
function makeDone() {
  /** @type {(Error | undefined)[]} */
  const calls = [];
  return { calls, done: (error) => void calls.push(error) };
}

test('done follows once all messages of an input have their end', () => {
  const pending = new Pending('bus');
  const { calls, done } = makeDone();
  const sent = pending.add([message(1), message(1)], done);
  assert.deepEqual(
    sent.map(({ id }) => id),
    [1, 2],
  );
  pending.takenUpTo(1);
  assert.equal(calls.length, 0);
  pending.takenUpTo(2);
  pending.takenUpTo(2);
  assert.deepEqual(calls, [undefined]);
  assert.deepEqual([pending.size, pending.bytes], [0, 0]);
});

test('one that was not taken is the error of its input alone', () => {
  const pending = new Pending('bus');
  const [a, b] = [makeDone(), makeDone()];
  pending.add([message(1), message(1)], a.done);
  pending.add([message(1)], b.done);
  pending.end(1, new Error('no topic'));
  pending.takenUpTo(3);
  assert.deepEqual(
    a.calls.map((error) => error?.message),
    ['no topic'],
  );
  assert.deepEqual(b.calls, [undefined]);
});

test('full by number or by bytes: refused as a whole, with what to do', () => {
  const pending = new Pending('bus', { maxMessages: 2, maxBytes: 100 });
  const { calls, done } = makeDone();
  assert.equal(pending.add([message(101)], done).length, 0);
  pending.add([message(50)], () => {});
  assert.equal(pending.add([message(10), message(10)], done).length, 0);
  assert.equal(calls.length, 2);
  for (const error of calls) {
    assert.equal(/** @type {any} */ (error).code, 'BUSBAR_FULL');
    assert.match(
      String(error),
      /sink bus has (0 messages|1 message) \(.* at most 2 or 100 B .* send slower/,
    );
  }
});

test('10,000 messages may be on their way, or 16 MiB', () => {
  for (const { count, bytes } of [
    { count: 10000, bytes: 1 },
    { count: 16, bytes: 2 ** 20 },
  ]) {
    const pending = new Pending('bus');
    const [first, late, next] = [makeDone(), makeDone(), makeDone()];
    for (let i = 0; i < count; i++) {
      assert.equal(pending.add([message(bytes)], first.done).length, 1, `${i} of ${count}`);
    }
    assert.equal(pending.add([message(1)], late.done).length, 0);
    assert.equal(/** @type {any} */ (late.calls[0]).code, 'BUSBAR_FULL');
    assert.match(String(late.calls[0]), /at most 10000 or 16 MiB may be on their way/);
    /* Those before it are not touched, and there is room again once one of them has its end. */
    assert.deepEqual(first.calls, []);
    pending.takenUpTo(1);
    assert.equal(pending.add([message(1)], next.done).length, 1);
    assert.deepEqual([first.calls, next.calls], [[undefined], []]);
  }
});

test('unless told otherwise 10,000 messages or 16 MiB may be on their way', () => {
  const [many, big] = [new Pending('bus'), new Pending('bus')];
  const { calls, done } = makeDone();
  for (let i = 0; i < 10000; i++) assert.equal(many.add([message(1)], done).length, 1);
  for (let i = 0; i < 16; i++) assert.equal(big.add([message(1024 * 1024)], done).length, 1);
  assert.deepEqual(calls, []);
  assert.equal(many.add([message(1)], done).length, 0);
  assert.equal(big.add([message(1)], done).length, 0);
  assert.deepEqual(
    calls.map((error) => /** @type {any} */ (error).code),
    ['BUSBAR_FULL', 'BUSBAR_FULL'],
  );
  many.takenUpTo(1);
  assert.equal(many.add([message(1)], done).length, 1, 'there is room for one again');
});

test('nothing to send is done at once; at the end all are told', () => {
  const pending = new Pending('bus');
  const { calls, done } = makeDone();
  pending.add([], done);
  assert.deepEqual(calls, [undefined]);
  pending.add([message(1)], done);
  assert.equal(pending.unsent().length, 1);
  pending.endAll(new Error('gone'));
  assert.match(String(calls[1]), /gone/);
});
