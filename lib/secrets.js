/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The secrets of the sinks, by name: which the runtime has, and which a deploy has lost. */

/** @param {import('./runtime').Runtime} runtime @returns {Promise<string[]>} */
async function listSecrets(runtime) {
  const { names = [] } = await runtime.request('secret', {});
  return names;
}

/* What a person has entered, by the last part of a secret's name. */
/** @type {Record<string, string>} */
const WORDS = {
  ca: 'CA certificate',
  cert: 'certificate',
  key: 'private key',
  key_password: 'passphrase',
};

/** @param {string} name */
function splitName(name) {
  const end = name.lastIndexOf('.');
  return { sink: name.slice(0, end), key: name.slice(end + 1) };
}

/** Secrets of sinks that are still there, which the runtime has and the deploy has not: a lost key of
 * the credentials file looks like that.
 * @param {import('./document').Assembly} assembly @param {string[]} known @returns {string[]} */
function findEmptied({ sinks, secrets }, known) {
  return known.filter((name) => {
    return sinks.get(splitName(name).sink)?.used === true && !Object.hasOwn(secrets, name);
  });
}

/** Each at its sink. @param {import('./document').Assembly} assembly @param {string[]} names
 * @returns {import('./document').Problem[]} */
function describeEmptied({ sinks }, names) {
  return names.map((name) => {
    const { sink, key } = splitName(name);
    const what = `its ${WORDS[key] ?? key}`;
    return {
      nodeId: sinks.get(sink)?.nodeId ?? '',
      text: `${what} was there and is empty now: enter it again, or deploy once more to go on without`,
      short: `${what} is empty now`,
    };
  });
}

module.exports = { describeEmptied, findEmptied, listSecrets };
