/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The connections of the document. */

const { leaveOutEmpty, readBoolean, readNumber } = require('./fields');

/** @typedef {import('./document').LiveNode} LiveNode */

/** @type {Record<string, (node: LiveNode) => Record<string, any>>} */
const KINDS = {
  'modbus-tcp': (node) => ({
    host: node.host,
    port: readNumber(node.port),
    framing: node.framing,
    max_in_flight: readNumber(node.maxInFlight),
    connect_timeout: node.connectTimeout,
    pause_after_connect: node.pauseAfterConnect,
    close_after_poll: readBoolean(node.closeAfterPoll),
    keepalive: node.keepalive,
    ...common(node),
  }),
  'modbus-rtu': (node) => ({
    path: node.path,
    baud: readNumber(node.baud),
    parity: node.parity,
    data_bits: readNumber(node.dataBits),
    stop_bits: readNumber(node.stopBits),
    mode: node.mode,
    rts: node.rts,
    ...common(node),
  }),
  external: () => ({}),
};

/** @param {LiveNode} node */
function common(node) {
  return {
    timeout: node.timeout,
    pause_between_requests: node.pauseBetween,
    min_interval: node.minInterval,
    reconnect_max: node.reconnectMax,
  };
}

/** @param {LiveNode} node @param {string} id @returns {{id: string} & Record<string, any>} */
function makeConnection(node, id) {
  const kind = Object.hasOwn(KINDS, node.protocol) ? node.protocol : 'modbus-tcp';
  return { id, [kind]: leaveOutEmpty(KINDS[kind](node)) };
}

module.exports = { makeConnection };
