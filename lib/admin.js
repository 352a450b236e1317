/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the editor asks the server for, below /busbar of the admin root: the state of the plant, the
   profiles, a read to try settings out, tables as CSV, and flows of other palettes made ours. An
   answer that is no success is {message}, a sentence for the person in front of the dialog. */

const { setImmediate: giveTurn } = require('node:timers/promises');
const { textOf } = require('./errors');
const { readDevices, writeDevices } = require('./device_csv');
const { readPoints, writePoints } = require('./profile_csv');
const { describeProfile, listProfiles, loadProfile } = require('./profiles');

/** @typedef {{body?: any, params: any, query?: any, [key: string]: any}} Request */
/** @typedef {{status(code: number): Response, json(value: unknown): void, type(name: string): Response,
 *   send(text: string): void, write(text: string): void, end(): void, destroyed: boolean, headersSent: boolean}} Response */
/** @typedef {(request: Request) => unknown} Handler */
/** @typedef {import('./migrate')} Migrate */

const CSV = Symbol('csv');
const PARTS = Symbol('parts');
/* Of what sinks refused for good, so many are shown. */
const DEAD_SHOWN = 20;
const DEAD_MOST = 200;

/** What the caller asked for cannot be done; the message says why. */
class RequestError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {unknown} text */
function csvAnswer(text) {
  return { [CSV]: text };
}

/** @param {Iterable<string>} parts Of a JSON text. */
function inParts(parts) {
  return { [PARTS]: parts };
}

/** @param {Request} request @param {string} key */
function textIn(request, key) {
  const text = request.body?.[key];
  if (typeof text === 'string') return text;
  throw new RequestError(400, `The request has no "${key}".`);
}

/** @param {Request} request */
function delimiterIn({ body }) {
  return [',', ';', '\t'].includes(body?.delimiter) ? body.delimiter : ',';
}

/** @param {Request} request */
function showProfile({ params }) {
  const id = String(params[0] ?? '');
  const profile = loadProfile(id);
  if (profile) return describeProfile(profile);
  throw new RequestError(404, `There is no bundled profile "${id}".`);
}

/** @param {Request} request */
function exportPoints(request) {
  const { profile } = request.body ?? {};
  if (Array.isArray(profile?.points)) return csvAnswer(writePoints(profile, delimiterIn(request)));
  throw new RequestError(400, 'The request has no "profile" with points.');
}

/** @param {Request} request */
function exportDevices(request) {
  const { devices } = request.body ?? {};
  if (Array.isArray(devices)) return csvAnswer(writeDevices(devices, delimiterIn(request)));
  throw new RequestError(400, 'The request has no "devices".');
}

/** @param {Request} request */
function migrateFlows(request) {
  const { FlowError, migrate } = require('./migrate');
  try {
    return migrate(request.body?.flows);
  } catch (error) {
    if (error instanceof FlowError) throw new RequestError(400, error.message);
    throw error;
  }
}

/** @param {any} hub @param {Request} request */
function testRead(hub, { body }) {
  const { connection, device, profile } = body ?? {};
  if (connection && device) return hub.testRead({ connection, device, profile });
  throw new RequestError(400, 'Choose a connection first.');
}

/** One of these words. @param {Request} request @param {string[]} words */
function orderIn(request, words) {
  const order = textIn(request, 'do');
  if (words.includes(order)) return order;
  throw new RequestError(400, `"do" is ${words.join(' or ')}, not "${order}".`);
}

/** The runtime that a request names, if it does. @param {any} fields */
function runtimeIn(fields) {
  return typeof fields?.runtime === 'string' ? { runtime: fields.runtime } : {};
}

/** @param {any} hub @param {Request} request */
function settleOrphans(hub, request) {
  const order = orderIn(request, ['drop', 'reassign']);
  const wish = { ...runtimeIn(request.body), sink: textIn(request, 'sink'), do: order };
  return hub.orphans(order === 'drop' ? wish : { ...wish, to: textIn(request, 'to') });
}

/** @param {any} hub @param {Request} request */
function listDead(hub, { query }) {
  const limit = Number(query?.limit ?? DEAD_SHOWN);
  if (!(limit >= 1 && limit <= DEAD_MOST)) {
    throw new RequestError(400, `"limit" is a number from 1 to ${DEAD_MOST}.`);
  }
  return hub.listDead({ ...runtimeIn(query), limit: Math.floor(limit) });
}

/** Without an id all of them, or all of the sink. @param {any} hub @param {Request} request */
function settleDead(hub, request) {
  const order = orderIn(request, ['requeue', 'drop']);
  const { sink, id } = request.body;
  if (id !== undefined && !Number.isSafeInteger(id)) {
    throw new RequestError(400, '"id" is the number of a dead letter.');
  }
  return hub.settleDead({
    ...{ ...runtimeIn(request.body), do: order },
    ...(typeof sink === 'string' && { sink }),
    ...(id !== undefined && { id }),
  });
}

/** @param {any} error @param {Response} response */
function answerError(error, response) {
  if (response.headersSent) return response.end();
  const isOurs = error?.name === 'BusbarError';
  const status = error instanceof RequestError ? error.status : isOurs ? 422 : 500;
  const { code, mistakes } = isOurs ? error : {};
  response.status(status).json({ message: textOf(error), code, mistakes });
}

/** What takes long as a whole holds up nobody in parts.
 * @param {Iterable<string>} parts @param {Response} response */
async function sendParts(parts, response) {
  response.type('json');
  for (const part of parts) {
    if (response.destroyed) return;
    response.write(part);
    await giveTurn();
  }
  response.end();
}

/** @param {Handler} handler @returns {(request: Request, response: Response) => Promise<void>} */
function answer(handler) {
  return async (request, response) => {
    try {
      const value = /** @type {any} */ (await handler(request));
      if (value && CSV in Object(value)) response.type('text/csv').send(value[CSV]);
      else if (value && PARTS in Object(value)) await sendParts(value[PARTS], response);
      else response.json(value ?? {});
    } catch (error) {
      answerError(error, response);
    }
  };
}

/** @type {WeakSet<object>} */
const served = new WeakSet();

/**
 * Adds the endpoints, once per Node-RED however many nodes ask.
 * @param {any} RED @param {(RED: any) => any} [hubOf] Who knows the runtime; asked when needed.
 */
function serveAdmin(RED, hubOf = (red) => require('./hub').of(red)) {
  if (served.has(RED.httpAdmin)) return;
  served.add(RED.httpAdmin);
  const may = (/** @type {string} */ what) => RED.auth.needsPermission(`busbar.${what}`);
  /** @type {[method: 'get' | 'post', place: string | RegExp, permission: string, handler: Handler][]} */
  const endpoints = [
    ['get', '/busbar/overview', 'read', () => inParts(hubOf(RED).writeOverview())],
    ['get', '/busbar/profiles', 'read', () => listProfiles()],
    ['get', /^\/busbar\/profiles\/(.+)$/, 'read', showProfile],
    ['post', '/busbar/test-read', 'write', (request) => testRead(hubOf(RED), request)],
    ['post', '/busbar/csv/points', 'read', (request) => readPoints(textIn(request, 'csv'))],
    ['post', '/busbar/csv/points/export', 'read', exportPoints],
    ['post', '/busbar/csv/devices', 'read', (request) => readDevices(textIn(request, 'csv'))],
    ['post', '/busbar/csv/devices/export', 'read', exportDevices],
    ['post', '/busbar/migrate', 'write', migrateFlows],
    ['post', '/busbar/orphans', 'write', (request) => settleOrphans(hubOf(RED), request)],
    ['get', '/busbar/dead', 'read', (request) => listDead(hubOf(RED), request)],
    ['post', '/busbar/dead', 'write', (request) => settleDead(hubOf(RED), request)],
  ];
  for (const [method, place, permission, handler] of endpoints) {
    RED.httpAdmin[method](place, may(permission), answer(handler));
  }
}

module.exports = { serveAdmin };
