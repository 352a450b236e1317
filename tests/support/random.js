/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a test does at random, the same once more: const random = seeded(t); random(6). */

/** Numbers below `below`, by the seed that is told with the test, or that BUSBAR_SEED says.
 * @param {import('node:test').TestContext} t @returns {(below: number) => number} */
function seeded(t) {
  let state = Number(process.env.BUSBAR_SEED || Date.now() % 1000000);
  t.diagnostic(`BUSBAR_SEED=${state}`);
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * below;
  };
}

module.exports = { seeded };
