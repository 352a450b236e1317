/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `mqtt out` of Node-RED's own nodes becomes busbar-mqtt-out, and mqtt-broker busbar-mqtt, unless
   others such as `mqtt in` need the broker too. Settings: @node-red/nodes 4.1, core/network/10-mqtt. */

const { text } = require('./flow');
const { addSink, bracketed, countTypes, credentialsOf, noteUrl } = require('./sink');
const { boundedDuration } = require('./words');

/** @typedef {import('./flow').FlowNode} FlowNode */
/** @typedef {import('./flow').Flow} Flow */

const ADDRESS = /^([a-z]+):\/\/(?:([^/@]*)@)?(.*)$/i; /* Scheme, user, the rest. */
/** @type {Record<string, string>} */
const SCHEMES = { mqtt: 'mqtt', tcp: 'mqtt', mqtts: 'mqtts', ssl: 'mqtts', tls: 'mqtts' };
/** The fields of `mqtt out` that ours has under the same name. */
const SAME = [
  'topic',
  'qos',
  'retain',
  'respTopic',
  'contentType',
  'userProps',
  'correl',
  'expiry',
];
const BIRTH = 'Busbar tells on its state topic, retained, whether it is connected';

/** A checkbox, which older exports hold as a text. @param {unknown} value */
function isOn(value) {
  return value === true || value === 'true';
}

/** Why a broker cannot be reached by ours. @param {FlowNode} broker */
function obstacleOf(broker) {
  const [, scheme] = ADDRESS.exec(text(broker.broker)) ?? [];
  if (!scheme || SCHEMES[scheme.toLowerCase()]) return undefined;
  return `${scheme}:// is not spoken, only mqtt:// and mqtts://`;
}

/** @param {FlowNode} broker */
function addressOf(broker) {
  const [, scheme, user, rest] = ADDRESS.exec(text(broker.broker)) ?? [];
  if (scheme) return { url: `${SCHEMES[scheme.toLowerCase()]}://${rest}`, user };
  const host = bracketed(text(broker.broker) || 'localhost');
  const port = text(broker.port) || '1883';
  return { url: `${isOn(broker.usetls) ? 'mqtts' : 'mqtt'}://${host}:${port}`, user: undefined };
}

/** User and password of an address, percent-decoded. @param {string} user */
function splitUser(user) {
  const [name, ...password] = user.split(':').map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { user: name, ...(password.length > 0 && { password: password.join(':') }) };
}

/** The TLS configuration, and whether the certificate of the broker is looked at. Without a
 * configuration Node-RED does not, unless an old export asks for it.
 * @param {Flow} flow @param {FlowNode} broker @param {string} url */
function tlsOf(flow, broker, url) {
  const id = isOn(broker.usetls) ? text(broker.tls) : '';
  const config = flow.get(id);
  if (id && !config) {
    flow.note(broker, `Its TLS configuration ${id} is not in this file: choose it again.`);
  }
  const looks = id ? config?.verifyservercert !== false : isOn(broker.verifyservercert);
  const verify = looks || !url.startsWith('mqtts:');
  if (!verify) {
    flow.note(
      broker,
      'The certificate of the broker was not verified, and still is not: switch it on if you can.',
    );
  }
  return { tls: id, verify: String(verify) };
}

/** @param {Flow} flow @param {FlowNode} broker */
function keepaliveOf(flow, broker) {
  if (text(broker.keepalive) === '0') {
    flow.note(broker, 'It had no keep-alive; Busbar has one of 60 s.');
    return '60s';
  }
  const bounds = { min: 5000, max: 18 * 3600000, what: 'The keep-alive', scale: 1000 };
  return boundedDuration(broker.keepalive, bounds, (said) => flow.note(broker, said)) ?? '60s';
}

/** @param {Flow} flow @param {FlowNode} broker */
function noteLosses(flow, broker) {
  const note = (/** @type {string} */ sentence) => flow.note(broker, sentence);
  const version = text(broker.protocolVersion);
  if (isOn(broker.compatmode) || version === '3') note('It spoke MQTT 3.1; Busbar speaks 3.1.1.');
  const messages = { birth: 'birth', close: 'close', will: 'last will' };
  for (const [key, name] of Object.entries(messages)) {
    const topic = text(broker[`${key}Topic`]);
    if (topic) note(`Its ${name} message on "${topic}" is not carried over: ${BIRTH}.`);
  }
  if (broker.cleansession === false) {
    note('It kept its session at the broker; Busbar keeps what is not delivered by itself.');
  }
  if (text(broker.userProps)) note('Its user properties are not carried over.');
  if (broker.autoConnect === false || broker.autoConnect === 'false') {
    note('It connected only when a message said so; Busbar always connects.');
  }
}

/** @param {Flow} flow @param {FlowNode} broker @param {string} user Of the address, or "". */
function secretsOf(flow, broker, user) {
  const given = credentialsOf(broker, { user: 'user', password: 'password' });
  const credentials = { ...(user && splitUser(user)), ...given };
  if (user) flow.note(broker, 'User and password stood in its address; they are credentials now.');
  if (Object.keys(credentials).length > 0) return { credentials };
  flow.note(broker, 'An export has no secrets: enter user and password again if the broker asks.');
  return {};
}

/** Two clients of one id throw each other out. @param {Flow} flow @param {FlowNode} broker
 * @param {FlowNode[]} staying */
function clientIdOf(flow, broker, staying) {
  const id = text(broker.clientid);
  if (staying.length === 0) return id;
  const own = id && `${id}-busbar`;
  flow.note(
    broker,
    `Stays beside the new one, for ${countTypes(staying)}` +
      (id ? `; the new one has the client id "${own}", because two of one id cannot be.` : '.'),
  );
  return own;
}

/** @param {Flow} flow @param {FlowNode} broker @param {FlowNode[]} staying @returns {string} */
function addBroker(flow, broker, staying) {
  const { url, user } = addressOf(broker);
  noteUrl(flow, broker, url);
  noteLosses(flow, broker);
  return addSink(flow, broker, 'busbar-mqtt', staying.length > 0 ? 'mqtt' : '', {
    name: text(broker.name),
    sinkId: text(broker.name) || text(broker.broker).replace(ADDRESS, '$3') || 'mqtt',
    url,
    clientId: clientIdOf(flow, broker, staying),
    version: text(broker.protocolVersion) === '5' ? '5' : '3.1.1',
    keepalive: keepaliveOf(flow, broker),
    ...tlsOf(flow, broker, url),
    maxBytes: '',
    ...secretsOf(flow, broker, user ?? ''),
  });
}

/** Why a node has to stay. @param {Flow} flow @param {FlowNode} node */
function obstacle(flow, node) {
  const broker = flow.get(node.broker);
  if (!text(node.broker)) return 'it has no broker';
  if (!broker) return `its broker ${text(node.broker)} is not in this file: export it together`;
  if (broker.type !== 'mqtt-broker') return `its broker is a ${broker.type}`;
  return obstacleOf(broker);
}

/** @param {Flow} flow */
function migrateMqtt(flow) {
  /** @type {Set<FlowNode>} */
  const ours = new Set();
  for (const node of flow.list('mqtt out')) {
    const why = obstacle(flow, node);
    if (why) flow.note(node, `Stays, because ${why}.`);
    else ours.add(node);
  }
  for (const broker of flow.list('mqtt-broker')) {
    const users = flow.usersOf(broker);
    const mine = users.filter((node) => ours.has(node));
    if (mine.length === 0) continue;
    const staying = users.filter((node) => !ours.has(node));
    const sink = addBroker(flow, broker, staying);
    for (const node of mine) {
      const fields = SAME.map((key) => [key, typeof node[key] === 'string' ? node[key] : '']);
      const name = text(node.name);
      const own = { name, sink, ...Object.fromEntries(fields), wires: [] };
      flow.replace(node, 'busbar-mqtt-out', own);
    }
  }
}

module.exports = { migrateMqtt };
