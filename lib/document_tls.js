/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A core tls-config node as options of a sink. Node-RED has read its certificates, from files or out of
   the editor; pem.js gives the runtime files of them. */

const { codeOf, textOf } = require('./errors');

/** @typedef {import('./document').LiveNode} LiveNode */

/* What the live tls-config node calls the content, read from a path; what its credentials call it where
   it was uploaded; and what the document calls the file. */
const FILES = [
  { read: 'ca', uploaded: 'cadata', option: 'ca_file', file: 'ca.pem' },
  { read: 'cert', uploaded: 'certdata', option: 'cert_file', file: 'cert.pem' },
  { read: 'key', uploaded: 'keydata', option: 'key_file', file: 'key.pem' },
];

/** @param {LiveNode} node @param {unknown} error @returns {import('./document').Problem} */
function explain(node, error) {
  const isKnown = codeOf(error) === 'BUSBAR_PERMISSION';
  const text = isKnown ? textOf(error) : `its certificate cannot be written: ${textOf(error)}`;
  return { nodeId: node.id, text, short: 'its certificates cannot be handed over' };
}

/** @param {LiveNode} node @param {string} id @param {Pick<import('./document').Parts, 'nodes' | 'writePem'>} parts
 * @param {{problems: import('./document').Problem[], secrets: Record<string, string>}} out
 * @returns {Record<string, any>} */
function makeTls(node, id, parts, { problems, secrets }) {
  if (!node.tls) return {};
  const tls = parts.nodes.get(node.tls);
  if (!tls) {
    problems.push({ nodeId: node.id, text: 'its TLS settings are missing; choose others or none' });
    return {};
  }
  /** @type {Record<string, any>} */
  const options = {};
  for (const { read, uploaded, option, file } of FILES) {
    const data = String(tls[read] || tls.credentials?.[uploaded] || '');
    if (!parts.writePem) continue;
    try {
      const name = parts.writePem({ node: tls, file, data });
      if (name) options[option] = name;
    } catch (error) {
      problems.push(explain(node, error));
      return options;
    }
  }
  if (tls.valid === false && Object.keys(options).length === 0) {
    const text = 'its certificates could not be read by Node-RED, which has logged why';
    problems.push({ nodeId: node.id, text, short: 'its certificates could not be read' });
  }
  if (tls.credentials?.passphrase) {
    secrets[`${id}.key_password`] = String(tls.credentials.passphrase);
    options.key_password_file = `secret:${id}.key_password`;
  }
  if (tls.verifyservercert === false) options.verify = false;
  return options;
}

module.exports = { makeTls };
