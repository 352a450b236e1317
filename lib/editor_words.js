/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Sentences of the runtime name the keys of its document. In Node-RED nobody has seen a document, so they
   name the fields of the dialogs: those of busbar-runtime, busbar-mqtt, busbar-influxdb and tls-config. */

/* The longest first, because one may be a part of another. A secret that the palette has handed over has
   no place that a person could look at. */
/** @type {[RegExp, string][]} */
const WORDS = [
  [/ in secret:[\w.-]+/g, ''],
  [/\bsecret:[\w.-]+/g, 'the settings of this node'],
  [/\bset user and password_env\b/g, 'set user and password in its settings'],
  [/\bset token_env or token_file\b/g, 'set the token in its settings'],
  [/\b(token|key_password|password)_(?:env|file)(?:,? or \1_(?:env|file))?\b/g, '$1'],
  [/\bkey_password\b/g, 'passphrase'],
  [/\bca_file\b/g, 'the CA certificate of "Certificates"'],
  [/\bcert_file\b/g, 'the certificate of "Certificates"'],
  [/\bkey_file\b/g, 'the private key of "Certificates"'],
  [
    /\bruntime\.(?:store\.max_bytes|store\.max_age)\b/g,
    '"On the disk" in the settings of the runtime',
  ],
  [/\bruntime\.queue_bytes\b/g, '"In memory" in the settings of the runtime'],
  [/(?<!\.)\bstore\.(?:max_bytes|max_age)\b/g, '"At most"'],
];

/** @template {string | undefined} T @param {T} sentence @returns {T} */
function inEditorWords(sentence) {
  if (!sentence) return sentence;
  let text = /** @type {string} */ (sentence);
  for (const [keys, words] of WORDS) text = text.replace(keys, words);
  return /** @type {T} */ (text);
}

module.exports = { inEditorWords };
