/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* modbus-client becomes busbar-connection. Defaults and limits of both: node-red-contrib-modbus 5.60,
   modbus/modbus-client.html, and docs/config.md. */

const { text } = require('./flow');
const { boundedDuration, hasVariable, isVariable } = require('./words');

/** @typedef {import('./flow').FlowNode} FlowNode */

/** What Busbar has no way for, by setting. @type {Record<string, Record<string, string>>} */
const UNSUPPORTED = {
  tcpType: { UDP: 'Modbus over UDP', C701: 'the UDP bridge C701' },
  serialType: { ASCII: 'Modbus ASCII' },
  serialParity: { mark: 'parity mark', space: 'parity space' },
  serialDatabits: { 5: '5 data bits', 6: '6 data bits' },
  serialStopbits: { 1.5: '1.5 stop bits' },
  serialBaudrate: { 75: '75 baud' },
};

/** Without a type it is TCP to the editor, a serial line to the runtime: the editor's word counts,
 * because it was shown. @param {FlowNode} client */
function isTcp(client) {
  return (text(client.clienttype) || 'tcp') === 'tcp';
}

/** Why a client cannot become a connection. @param {FlowNode} client
 * @returns {string | undefined} */
function obstacleOf(client) {
  const settings = isTcp(client)
    ? ['tcpType']
    : ['serialType', 'serialParity', 'serialDatabits', 'serialStopbits', 'serialBaudrate'];
  const found = settings.map((key) => UNSUPPORTED[key][text(client[key])]).find(Boolean);
  if (found) return `it asks for ${found}, which Busbar does not speak`;
  const [what, place] = isTcp(client)
    ? ['host', client.tcpHost]
    : ['serial port', client.serialPort];
  return text(place) ? undefined : `it has no ${what}`;
}

/** @param {FlowNode} client */
function placeOf(client) {
  if (!isTcp(client)) return text(client.serialPort);
  return `${text(client.tcpHost)}:${text(client.tcpPort) || 502}`;
}

/** The unit that a node asks for, else that of its client. @param {unknown} unit
 * @param {FlowNode} client */
function unitOf(unit, client) {
  const most = isTcp(client) ? 255 : 247;
  const fits = (/** @type {unknown} */ value) =>
    isVariable(value) || (/^\d+$/.test(text(value)) && Number(value) <= most);
  const given = [unit, client.unit_id].find(fits);
  if (given === undefined) return isTcp(client) ? '0' : '1';
  return isVariable(given) ? text(given) : String(Number(given));
}

/** Settings that have no place, but were changed. @param {FlowNode} client
 * @param {(sentence: string) => void} note */
function noteLosses(client, note) {
  const reconnect = text(client.reconnectTimeout);
  if (reconnect && reconnect !== '2000') {
    note(
      `It waited ${reconnect} ms before it connected again: Busbar waits 1 s, then twice as long ` +
        'each time, up to 60 s.',
    );
  }
  if (client.reconnectOnTimeout === false) {
    note('It kept the connection after a timeout: Busbar decides that by itself.');
  }
  if (client.bufferCommands === false) {
    note('It sent requests without a queue: Busbar asks one after the other.');
  }
  const delay = text(client.serialConnectionDelay);
  if (!isTcp(client) && delay && delay !== '100' && delay !== '500') {
    note(`It waited ${delay} ms after the serial port was opened: Busbar does not wait.`);
  }
  if (isTcp(client) && text(client.tcpType) === 'TELNET') {
    note('It was of type TELNET: Busbar sends the same RTU frames, without Telnet around them.');
  }
  if (hasVariable(text(client.tcpHost)) && !isVariable(client.tcpHost)) {
    note('Its host has a variable inside a text, which Node-RED does not fill in: set the host.');
  }
}

/** @param {FlowNode} client @param {(sentence: string) => void} note */
function timesOf(client, note) {
  const timeout = { min: 10, max: 60000, what: 'The timeout' };
  const pause = { min: 0, max: 60000, what: 'The delay between commands' };
  const between = boundedDuration(client.commandDelay, pause, note) ?? '';
  return {
    timeout: boundedDuration(client.clientTimeout, timeout, note) ?? '1s',
    maxInFlight: client.parallelUnitIdsAllowed === false ? '1' : '',
    pauseAfterConnect: '',
    /* The default of 1 ms was only there because there had to be a timer. */
    pauseBetween: ['0ms', '1ms'].includes(between) ? '' : between,
    minInterval: '',
    closeAfterPoll: false,
    runtime: '',
  };
}

/** The settings of a busbar-connection. @param {FlowNode} client
 * @param {(sentence: string) => void} note */
function connectionOf(client, note) {
  noteLosses(client, note);
  const tcp = isTcp(client);
  const serial = (/** @type {unknown} */ value, /** @type {string} */ usual) =>
    tcp ? usual : text(value) || usual;
  const isRtu = ['TCP-RTU-BUFFERED', 'TELNET'].includes(text(client.tcpType));
  return {
    name: text(client.name),
    protocol: tcp ? 'modbus-tcp' : 'modbus-rtu',
    host: tcp ? text(client.tcpHost) : '',
    port: tcp ? text(client.tcpPort) || '502' : '502',
    framing: tcp && isRtu ? 'rtu' : 'tcp',
    path: tcp ? '' : text(client.serialPort),
    baud: serial(client.serialBaudrate, '9600'),
    parity: serial(client.serialParity, 'none'),
    dataBits: serial(client.serialDatabits, '8'),
    stopBits: serial(client.serialStopbits, '1'),
    ...timesOf(client, note),
  };
}

module.exports = { connectionOf, isTcp, obstacleOf, placeOf, unitOf };
