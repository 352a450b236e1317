/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `influxdb out` and `influxdb batch` of node-red-contrib-influxdb 0.7 become busbar-influx-out. What
   they write to (bucket, retention policy) stands at our configuration node, so that one of theirs
   becomes one of ours for each place that is written to. */

const { append, text } = require('./flow');
const { addSink, bracketed, countTypes, credentialsOf, noteUrl } = require('./sink');

/** @typedef {import('./flow').FlowNode} FlowNode */
/** @typedef {import('./flow').Flow} Flow */

const TYPES = ['influxdb out', 'influxdb batch'];
/** Theirs to ours, the finest first. @type {Record<string, string>} */
const PRECISIONS = { n: 'ns', ns: 'ns', u: 'us', us: 'us', ms: 'ms', s: 's' };
const FINEST = ['ns', 'us', 'ms', 's'];

/** Without a version it is 1.x. @param {FlowNode} config */
function versionOf(config) {
  return text(config.influxdbVersion) || '1.x';
}

/** What a node writes to. @param {FlowNode} config @param {FlowNode} node */
function placeOf(config, node) {
  const none = { org: '', bucket: '', database: '', retentionPolicy: '' };
  switch (versionOf(config)) {
    case '2.0':
      return { ...none, org: text(node.org), bucket: text(node.bucket) };
    case '1.8-flux': {
      const retentionPolicy = text(node.retentionPolicyV18Flux) || 'autogen';
      return { ...none, database: text(node.database), retentionPolicy };
    }
    default: {
      const retentionPolicy = text(node.retentionPolicy);
      return { ...none, database: text(config.database), retentionPolicy };
    }
  }
}

/** The precision of a node, which an empty one leaves to InfluxDB. @param {FlowNode} config
 * @param {FlowNode} node */
function precisionOf(config, node) {
  return versionOf(config) === '1.x' ? text(node.precision) : text(node.precisionV18FluxV20);
}

/** @param {FlowNode} config */
function isTls(config) {
  return config.usetls === true || text(config.protocol) === 'https';
}

/** @param {FlowNode} config */
function urlOf(config) {
  if (versionOf(config) !== '1.x') return text(config.url);
  const host = bracketed(text(config.hostname) || '127.0.0.1');
  return `${isTls(config) ? 'https' : 'http'}://${host}:${text(config.port) || '8086'}`;
}

/** The TLS configuration: that of 1.x, or one that leaves the certificate alone as before.
 * @param {Flow} flow @param {FlowNode} config */
function tlsOf(flow, config) {
  if (versionOf(config) === '1.x') {
    const id = isTls(config) ? text(config.tls) : '';
    if (id && !flow.get(id)) {
      flow.note(config, `Its TLS configuration ${id} is not in this file: choose it again.`);
    }
    return id;
  }
  if (config.rejectUnauthorized !== false || !/^https:/i.test(text(config.url))) return '';
  flow.note(
    config,
    'The certificate of the server was not verified, and still is not: switch it on in the TLS ' +
      'configuration if you can.',
  );
  const id = flow.derive(config.id, 'tls', 'tls-config');
  const files = { cert: '', key: '', ca: '', certname: '', keyname: '', caname: '' };
  const name = `${text(config.name) || 'InfluxDB'}, not verified`;
  const checks = { servername: '', verifyservercert: false, alpnprotocol: '' };
  flow.add(config, { id, type: 'tls-config', name, ...files, ...checks });
  return id;
}

/** @param {Flow} flow @param {FlowNode} config */
function secretsOf(flow, config) {
  const names = { user: 'username', password: 'password', token: 'token' };
  const credentials = credentialsOf(config, names);
  if (Object.keys(credentials).length > 0) return { credentials };
  const what = versionOf(config) === '2.0' ? 'the token' : 'user and password';
  flow.note(config, `An export has no secrets: enter ${what} again if the server asks for it.`);
  return {};
}

/** @param {Flow} flow @param {FlowNode} config @param {FlowNode[]} staying @param {number} places */
function noteConfig(flow, config, staying, places) {
  noteUrl(flow, config, urlOf(config));
  const timeout = text(config.timeout);
  if (versionOf(config) !== '1.x' && timeout && timeout !== '10') {
    flow.note(config, `Its timeout of ${timeout} s is not carried over: Busbar waits 10 s.`);
  }
  if (versionOf(config) === '1.8-flux') {
    flow.note(config, 'A text such as 7i was an integer, and is a float now: send 7n, a BigInt.');
  }
  if (staying.length > 0) {
    flow.note(config, `Stays beside the new one, for ${countTypes(staying)}.`);
  }
  if (places > 1) {
    flow.note(config, `Its nodes write to ${places} places, so it became ${places} of ours.`);
  }
}

/** @param {Flow} flow @param {FlowNode} node @param {FlowNode} config @param {string} sink */
function replaceOut(flow, node, config, sink) {
  const given = precisionOf(config, node);
  const precision = PRECISIONS[given] ?? '';
  if (given && !precision) {
    flow.note(
      node,
      `Its precision "${given}" is not one of ns, us, ms and s: give times in one of these.`,
    );
  }
  flow.replace(node, 'busbar-influx-out', {
    name: text(node.name),
    sink,
    measurement: node.type === 'influxdb out' ? text(node.measurement) : '',
    precision,
    wires: [],
  });
}

/** @param {Flow} flow @param {FlowNode} config @param {FlowNode[]} mine @param {FlowNode[]} staying */
function migrateConfig(flow, config, mine, staying) {
  /** @type {Map<string, FlowNode[]>} */
  const places = new Map();
  for (const node of mine) {
    append(places, JSON.stringify(placeOf(config, node)), node);
  }
  noteConfig(flow, config, staying, places.size);
  const common = {
    version: versionOf(config) === '2.0' ? '2' : '1',
    url: urlOf(config),
    tls: tlsOf(flow, config),
    ...secretsOf(flow, config),
  };
  [...places.entries()].forEach(([key, nodes], index) => {
    const place = /** @type {ReturnType<typeof placeOf>} */ (JSON.parse(key));
    const asked = nodes.map((node) => PRECISIONS[precisionOf(config, node)]);
    const where = place.bucket || place.retentionPolicy || place.database;
    const name = text(config.name);
    const role = index === 0 && staying.length === 0 ? '' : `influxdb ${key}`;
    const sink = addSink(flow, config, 'busbar-influxdb', role, {
      name: index === 0 ? name : `${name || 'InfluxDB'} ${where}`.trim(),
      sinkId: [name || 'influxdb', index === 0 ? '' : where].filter(Boolean).join('-'),
      ...common,
      ...place,
      precision: FINEST.find((precision) => asked.includes(precision)) ?? 'ms',
    });
    nodes.forEach((node) => replaceOut(flow, node, config, sink));
  });
}

/** @param {Flow} flow */
function migrateInfluxdb(flow) {
  /** @type {Set<FlowNode>} */
  const ours = new Set();
  for (const node of flow.list(...TYPES)) {
    const id = text(node.influxdb);
    const type = flow.get(id)?.type;
    if (type === 'influxdb') ours.add(node);
    else if (!id) flow.note(node, 'Stays, because it has no server.');
    else if (type) flow.note(node, `Stays, because its server is a ${type}.`);
    else
      flow.note(node, `Stays, because its server ${id} is not in this file: export it together.`);
  }
  for (const config of flow.list('influxdb')) {
    const users = flow.usersOf(config);
    const mine = users.filter((node) => ours.has(node));
    const staying = users.filter((node) => !ours.has(node));
    if (mine.length > 0) migrateConfig(flow, config, mine, staying);
  }
}

module.exports = { migrateInfluxdb };
