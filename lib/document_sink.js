/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The sinks of the document. What is routed to them stands in the routes, so each begins with no
   device at all. */

const { leaveOutEmpty, readBoolean, readNumber, readTagList } = require('./fields');
const { makeTls } = require('./document_tls');

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {import('./document').Problem} Problem */
/** @typedef {{id: string, kind: string, entry: Record<string, any>, secrets: Record<string, string>}} MadeSink */

const UNVERIFIED =
  'the certificate of the server is not verified: whoever answers at its address gets what is sent, and ' +
  'the password';
const ENCRYPTED =
  'the key in its TLS settings has a passphrase, which is not taken for InfluxDB: give a key without';

/** What a secret is called, and the option that says so. @param {string} sink @param {string} key */
function secretName(sink, key) {
  return `${sink}.${key}`;
}

/** @param {LiveNode} node @param {string} id @param {string} key @param {Record<string, string>} secrets */
function useSecret(node, id, key, secrets) {
  const value = node.credentials?.[key];
  if (!value) return undefined;
  secrets[secretName(id, key)] = String(value);
  return `secret:${secretName(id, key)}`;
}

/** Only what was switched off is said, and only of a URL with TLS: the runtime refuses it elsewhere.
 * @param {LiveNode} node */
function verifyOf({ url, verify }) {
  return readBoolean(verify) === false && /^(mqtts|https):/.test(url ?? '') ? false : undefined;
}

/** @param {LiveNode} node @param {string} id @param {Record<string, string>} secrets */
function mqtt(node, id, secrets) {
  return {
    url: node.url,
    version: node.version,
    client_id: node.clientId,
    user: node.credentials?.user,
    password_file: useSecret(node, id, 'password', secrets),
    verify: verifyOf(node),
    topic: node.topic,
    payload: node.payload,
    qos: readNumber(node.qos),
    retain: readBoolean(node.retain),
    tags: readBoolean(node.deviceTags),
    keepalive: node.keepalive,
    connect_timeout: node.connectTimeout,
    max_in_flight: readNumber(node.maxInFlight),
    linger: node.linger,
    state_topic: node.stateTopic,
  };
}

/** @param {LiveNode} node @param {string} id @param {Record<string, string>} secrets */
function influxdb(node, id, secrets) {
  const v2 = String(node.version) === '2';
  const place = v2
    ? { org: node.org, bucket: node.bucket, token_file: useSecret(node, id, 'token', secrets) }
    : {
        database: node.database,
        retention_policy: node.retentionPolicy,
        user: node.credentials?.user,
        password_file: useSecret(node, id, 'password', secrets),
      };
  return {
    url: node.url,
    ...place,
    precision: node.precision,
    measurement: node.measurement,
    layout: node.layout,
    field_names: node.fieldNames,
    numbers: node.numbers,
    unsigned: node.unsigned,
    tags: readTagList(node.tags),
    batch: leaveOutEmpty({ lines: readNumber(node.batchLines), age: node.batchAge }),
    concurrency: readNumber(node.concurrency),
    gzip: readBoolean(node.gzip),
    timeout: node.timeout,
    verify: verifyOf(node),
  };
}

/** @type {Record<string, {kind: string, make: (node: LiveNode, id: string,
 *   secrets: Record<string, string>) => Record<string, any>}>} */
const KINDS = {
  'busbar-mqtt': { kind: 'mqtt', make: mqtt },
  'busbar-influxdb': { kind: 'influxdb', make: influxdb },
};

/** What is kept of what it has not taken. Bounds of the disk mean nothing in memory.
 * @param {LiveNode} node */
function storeOf({ storeMode, storeBytes, storeAge, historyRate }) {
  const bounds = storeMode === 'memory' ? {} : { max_bytes: storeBytes, max_age: storeAge };
  return leaveOutEmpty({ mode: storeMode, ...bounds, history_rate: readNumber(historyRate) });
}

/** @param {LiveNode} node @param {Pick<import('./document').Parts, 'nodes' | 'pemFile'>} parts
 * @param {{problems: Problem[], warnings: Problem[]}} out @returns {MadeSink} */
function makeSink(node, parts, out) {
  const id = String(node.sinkId ?? '').trim() || node.id;
  const { kind, make } = KINDS[/** @type {string} */ (node.type)];
  /** @type {Record<string, string>} */
  const secrets = {};
  const options = leaveOutEmpty({
    ...make(node, id, secrets),
    ...makeTls(node, id, parts, { ...out, secrets }),
  });
  if (options.verify === false) out.warnings.push({ nodeId: node.id, text: UNVERIFIED });
  if (kind === 'influxdb' && options.key_password_file) {
    out.problems.push({ nodeId: node.id, text: ENCRYPTED, short: 'its key is encrypted' });
  }
  const store = storeOf(node);
  const kept = Object.keys(store).length > 0 && { store };
  return { id, kind, entry: { id, [kind]: options, ...kept, devices: [] }, secrets };
}

module.exports = { KINDS, makeSink };
