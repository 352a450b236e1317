/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A core tls-config node as options of a sink. Node-RED has read its certificates, from files or out of
   the editor; they are handed over as secrets are, beside the document. */

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {{problems: import('./document').Problem[], warnings: import('./document').Problem[],
 *   secrets: Record<string, string>}} Out */

/* What the live tls-config node calls the content, read from a path; what its credentials call it where
   it was uploaded; and what the document calls it. */
const FILES = [
  { read: 'ca', uploaded: 'cadata', key: 'ca' },
  { read: 'cert', uploaded: 'certdata', key: 'cert' },
  { read: 'key', uploaded: 'keydata', key: 'key' },
];
/* As the runtime takes them. */
const MAX_BYTES = 65535;

/** @param {LiveNode} node @param {string} text @param {string} [short] @returns {import('./document').Problem} */
function say(node, text, short) {
  return { nodeId: node.id, text, ...(short && { short }) };
}

/** Options of the certificates; what is not named there is handed over.
 * @param {LiveNode} node @param {LiveNode} tls @param {string} id
 * @param {Pick<import('./document').Parts, 'pemFile'>} parts @param {Out} out */
function makeFiles(node, tls, id, { pemFile }, { problems, secrets }) {
  /** @type {Record<string, any>} */
  const options = {};
  for (const { read, uploaded, key } of FILES) {
    const own = pemFile?.(tls, key);
    const data = String(tls[read] || tls.credentials?.[uploaded] || '');
    if (own) {
      options[`${key}_file`] = own;
    } else if (Buffer.byteLength(data) > MAX_BYTES) {
      const text = `its ${key} certificate or key has more than ${MAX_BYTES} bytes; give a shorter one`;
      problems.push(say(node, text, 'a certificate is too long'));
    } else if (data !== '') {
      secrets[`${id}.${key}`] = data;
      options[`${key}_file`] = `secret:${id}.${key}`;
    }
  }
  return options;
}

/** What the libraries below the runtime have no way for. @param {LiveNode} node @param {LiveNode} tls
 * @param {Out} out */
function warn(node, tls, { warnings }) {
  const host = /^\w+:\/\/(?:\[([^\]]*)\]|([^:/?#]*))/.exec(node.url ?? '');
  const name = String(tls.servername ?? '').trim();
  if (name !== '' && name !== (host?.[1] ?? host?.[2])) {
    const text =
      `its TLS settings name the server ${name}, and the runtime asks for the host of the address, and ` +
      'checks the certificate for that: put the name into the address';
    warnings.push(say(node, text));
  }
  if (String(tls.alpnprotocol ?? '').trim() !== '') {
    warnings.push(
      say(node, `the ALPN protocol ${tls.alpnprotocol} of its TLS settings is not sent`),
    );
  }
}

/** @param {LiveNode} node @param {string} id @param {Pick<import('./document').Parts, 'nodes' | 'pemFile'>} parts
 * @param {Out} out @returns {Record<string, any>} */
function makeTls(node, id, parts, out) {
  if (!node.tls) return {};
  const { problems, secrets } = out;
  const tls = parts.nodes.get(node.tls);
  if (!tls) {
    problems.push(say(node, 'its TLS settings are missing; choose others or none'));
    return {};
  }
  const options = makeFiles(node, tls, id, parts, out);
  if (tls.valid === false && Object.keys(options).length === 0) {
    const text = 'its certificates could not be read by Node-RED, which has logged why';
    problems.push(say(node, text, 'its certificates could not be read'));
  }
  if (tls.credentials?.passphrase && options.key_file) {
    secrets[`${id}.key_password`] = String(tls.credentials.passphrase);
    options.key_password_file = `secret:${id}.key_password`;
  }
  if (tls.verifyservercert === false) options.verify = false;
  warn(node, tls, out);
  return options;
}

module.exports = { makeTls };
