/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The secrets of the sinks, by name: which the runtime has, and which a deploy has lost. */

/** @param {import('./runtime').Runtime} runtime @returns {Promise<string[]>} */
async function listSecrets(runtime) {
  const { names = [] } = await runtime.request('secret', {});
  return names;
}

/** Secrets of sinks that are still there, which the runtime has and the deploy has not: a lost key of
 * the credentials file looks like that.
 * @param {import('./document').Assembly} assembly @param {string[]} known @returns {string[]} */
function findEmptied({ sinks, secrets }, known) {
  return known.filter((name) => {
    const sink = name.slice(0, name.lastIndexOf('.'));
    return sinks.get(sink)?.used === true && !Object.hasOwn(secrets, name);
  });
}

module.exports = { findEmptied, listSecrets };
