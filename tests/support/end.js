/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a test leaves behind is cleared in reverse order, so that a program has ended before its
   folder goes. (Node.js itself would keep the order of registration.) */

/** @typedef {import('node:test').TestContext} TestContext */

/** @type {WeakMap<TestContext, (() => unknown)[]>} */
const ends = new WeakMap();

/** @param {(() => unknown)[]} works */
async function runAll(works) {
  /** @type {unknown[]} */
  const errors = [];
  for (const work of works.reverse()) {
    try {
      await work();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** Calls the function at the end of the test, whatever its outcome; a throw fails the test.
 * @param {TestContext} t @param {() => unknown} work */
function atEnd(t, work) {
  const works = ends.get(t);
  if (works) return void works.push(work);
  const first = [work];
  ends.set(t, first);
  t.after(() => runAll(first));
}

module.exports = { atEnd };
