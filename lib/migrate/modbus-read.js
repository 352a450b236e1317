/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* modbus-read becomes a device with a profile of raw registers, and busbar-in in its place, which
   gives them as modbus-read did. */

const { text } = require('./flow');
const { READS, addDevice, rangeOf } = require('./device');
const { isTcp, unitOf } = require('./connection');
const { joinOutputs } = require('./ports');
const { boundedDuration } = require('./words');

/** @typedef {import('./flow').FlowNode} FlowNode */
/** @typedef {import('./flow').Flow} Flow */

/** Milliseconds in a rate of one. @type {Record<string, number>} */
const RATE_MS = { ms: 1, s: 1000, m: 60000, h: 3600000 };
const UNKNOWN_RATE = '10s'; /* What modbus-read takes for a unit it does not know. */

/** A device on a serial line has an address of its own. @param {FlowNode} node
 * @param {FlowNode} client */
function unitObstacle(node, client) {
  const isBroadcast = !isTcp(client) && unitOf(node.unitid, client) === '0';
  return isBroadcast ? 'unit 0 is the broadcast address of a serial line' : undefined;
}

/** What nodes that read have in common, and Busbar does otherwise. @param {Flow} flow
 * @param {FlowNode} node */
function noteReading(flow, node) {
  const io = flow.get(node.ioFile);
  if (node.useIOFile === true) {
    const file = text(io?.path) || text(node.ioFile) || 'it';
    flow.note(
      node,
      `The names and types of the IO file ${file} are not carried over` +
        (node.useIOForPayload === true ? ', and the payload is the plain registers now' : '') +
        ': describe them as points of a profile.',
    );
  }
  if (node.emptyMsgOnFail === true) {
    flow.note(node, 'It sent an empty message after a failure: take a catch node or busbar-event.');
  }
  if (node.enableDeformedMessages === true) {
    flow.note(node, 'It took deformed answers: Busbar takes them as failed.');
  }
}

/** @param {Flow} flow @param {FlowNode} node */
function periodOf(flow, node) {
  const scale = RATE_MS[text(node.rateUnit)];
  const note = (/** @type {string} */ sentence) => flow.note(node, sentence);
  const bounds = { min: 10, max: 7 * 24 * 3600000, what: 'The rate', scale };
  const period = scale && boundedDuration(node.rate, bounds, note);
  if (period) return period;
  note(`Its rate "${text(node.rate)} ${text(node.rateUnit)}" is none: it reads every 10 s now.`);
  return UNKNOWN_RATE;
}

/** @param {Flow} flow @param {FlowNode} node @param {string} deviceId */
function noteTopic(flow, node, deviceId) {
  const topic = text(node.topic);
  if (topic && topic !== deviceId) {
    flow.note(node, `Its messages had the topic "${topic}"; now it is the device, "${deviceId}".`);
  }
}

/** @param {Flow} flow @param {FlowNode} node @param {import('./device').Range} range */
function noteRange(flow, node, { table, quantity }) {
  const isBits = table.type === undefined;
  if (isBits && quantity % 8 !== 0) {
    const padded = Math.ceil(quantity / 8) * 8;
    flow.note(
      node,
      `It gave ${padded} values, the last of them padding; now it gives ${quantity}.`,
    );
  }
  if (quantity > (isBits ? 2000 : 125)) {
    flow.note(node, `It asked for ${quantity} at once; Busbar does so in several requests.`);
  }
}

/** A subflow makes a device for each of its instances, with the same id.
 * @param {Flow} flow @param {FlowNode} node @param {string} deviceId */
function noteSubflow(flow, node, deviceId) {
  const subflow = flow.get(node.z);
  if (subflow?.type !== 'subflow') return;
  const instances = flow.list(`subflow:${subflow.id}`);
  if (instances.length < 2 && !instances.some(({ z }) => flow.get(z)?.type === 'subflow')) return;
  flow.note(
    node,
    `Stands in a subflow that is used more than once, so its device "${deviceId}" would be too: ` +
      'make the device id a variable of the subflow, such as ${DEVICE}, and give each its own.',
  );
}

/** @type {import('./modbus').Mapping} */
const READ = {
  obstacle(node, client) {
    const range = rangeOf(node, READS[text(node.dataType)]);
    return typeof range === 'string' ? range : unitObstacle(node, client);
  },

  migrate(flow, node, client, connection) {
    const range = rangeOf(node, READS[text(node.dataType)]);
    if (typeof range === 'string') return;
    const period = periodOf(flow, node);
    const device = addDevice(flow, node, { client, connection, range, period });
    noteReading(flow, node);
    noteTopic(flow, node, device.deviceId);
    noteRange(flow, node, range);
    noteSubflow(flow, node, device.deviceId);
    flow.replace(node, 'busbar-in', {
      name: text(node.name),
      source: 'device',
      device: device.id,
      tags: '',
      mode: 'scan',
      output: 'registers',
      heartbeat: '',
      every: '',
      aggregate: '',
      points: '',
      wires: joinOutputs(flow, node),
    });
  },
};

module.exports = { READ, noteRange, noteReading, noteSubflow, unitObstacle };
