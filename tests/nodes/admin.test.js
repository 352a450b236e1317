/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The endpoints of the editor, each with its permission, against a stand-in for the hub and in a
   Node-RED that asks who somebody is. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { serveAdmin } = require('../../lib/admin');
const { BusbarError } = require('../../lib/errors');
const { startPalette } = require('./support/palette');

/** @param {any} [hub] */
function serve(hub = {}) {
  /** @type {{method: string, place: string | RegExp, permission: string, handler: any}[]} */
  const endpoints = [];
  const take =
    (/** @type {string} */ method) =>
    (/** @type {any} */ place, /** @type {string} */ permission, /** @type {any} */ handler) =>
      void endpoints.push({ method, place, permission, handler });
  const RED = {
    httpAdmin: { get: take('GET'), post: take('POST') },
    auth: { needsPermission: (/** @type {string} */ name) => name },
  };
  serveAdmin(RED, () => hub);

  /** @param {string} line @param {unknown} [body] @param {Record<string, string>} [query] */
  async function ask(line, body, query = {}) {
    const [method, url] = line.split(' ');
    for (const { method: own, place, permission, handler } of endpoints) {
      const found = place instanceof RegExp ? place.exec(url) : place === url && [];
      if (own !== method || !found) continue;
      const answer = {
        status: 200,
        type: 'json',
        value: /** @type {any} */ (undefined),
        permission,
      };
      const response = {
        status: (/** @type {number} */ code) => ((answer.status = code), response),
        type: (/** @type {string} */ name) => ((answer.type = name), response),
        json: (/** @type {unknown} */ value) =>
          void (answer.value = JSON.parse(JSON.stringify(value))),
        send: (/** @type {unknown} */ value) => void (answer.value = value),
        write: (/** @type {string} */ text) => void (answer.value = (answer.value ?? '') + text),
        end: () => void (answer.value = JSON.parse(answer.value)),
      };
      await handler({ body, query, params: { 0: found[1] } }, response);
      return answer;
    }
    return assert.fail(`there is no ${line}`);
  }
  return { RED, ask, endpoints };
}

test('each endpoint asks for its permission', () => {
  const { endpoints } = serve();
  const of = (/** @type {string} */ name) =>
    endpoints.filter(({ permission }) => permission === name).map(({ place }) => String(place));
  assert.deepEqual(of('busbar.write'), [
    ...['/busbar/test-read', '/busbar/migrate', '/busbar/orphans', '/busbar/dead'],
  ]);
  assert.equal(of('busbar.read').length + 4, endpoints.length);
});

/** The status of each endpoint's answer. @param {string} url @param {{token?: string}} [who] */
async function askAll(url, { token } = {}) {
  /** @type {Record<string, number>} */
  const answers = {};
  for (const { method, place, permission } of serve().endpoints) {
    const route = place instanceof RegExp ? '/busbar/profiles/generic/modbus' : place;
    const { status } = await fetch(`${url}${route}`, {
      method,
      headers: {
        'Content-Type': 'application/json',
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      ...(method === 'POST' && { body: '{}' }),
    });
    answers[`${permission} ${method} ${route}`] = status;
  }
  return answers;
}

/** @param {string} url @param {string} username Also the password. @returns {Promise<string>} */
async function logIn(url, username) {
  const response = await fetch(`${url}/auth/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      ...{ client_id: 'node-red-admin', grant_type: 'password', scope: '' },
      ...{ username, password: username },
    }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  const answer = /** @type {any} */ (await response.json());
  return answer.access_token;
}

test('where people must log in, each may do what they are permitted', async (t) => {
  /** @type {any} */
  const bcrypt = require('bcryptjs');
  const user = (/** @type {string} */ username, /** @type {string | string[]} */ permissions) => ({
    ...{ username, permissions, password: bcrypt.hashSync(username, 4) },
  });
  const users = [user('reader', 'read'), user('writer', ['busbar.write'])];
  const settings = { adminAuth: { type: 'credentials', users } };
  const { url } = await startPalette(t, [{ id: 'tab', type: 'tab', label: 'x' }], { settings });
  const [nobody, reader, writer] = [
    await askAll(url),
    await askAll(url, { token: await logIn(url, 'reader') }),
    await askAll(url, { token: await logIn(url, 'writer') }),
  ];
  for (const [endpoint, status] of Object.entries(nobody)) assert.equal(status, 401, endpoint);
  for (const [endpoint, status] of Object.entries(reader)) {
    assert.equal(status === 401, endpoint.startsWith('busbar.write'), `${endpoint}: ${status}`);
  }
  for (const [endpoint, status] of Object.entries(writer)) {
    assert.equal(status === 401, endpoint.startsWith('busbar.read'), `${endpoint}: ${status}`);
  }
  assert.equal(reader['busbar.read GET /busbar/overview'], 200);
});

test('asking twice adds nothing', () => {
  const { RED, endpoints } = serve();
  const before = endpoints.length;
  serveAdmin(RED);
  assert.equal(endpoints.length, before);
});

test('GET overview is that of the hub, with a turn for others between its parts', async () => {
  let turns = 0;
  const { ask } = serve({
    *writeOverview() {
      setImmediate(() => turns++);
      yield '{"devices"';
      assert.equal(turns, 1);
      yield ':[]}';
    },
  });
  assert.deepEqual((await ask('GET /busbar/overview')).value, { devices: [] });
});

test('GET profiles lists, and an id shows all points', async () => {
  const { ask } = serve();
  const { value: list } = await ask('GET /busbar/profiles');
  const { id, points, scans } = list.find((/** @type {any} */ entry) => /500$/.test(entry.id));
  const { value: profile } = await ask(`GET /busbar/profiles/${id}`);
  assert.equal(profile.points.length, points);
  assert.deepEqual(profile.scans, scans);
  const [first] = profile.points;
  assert.deepEqual(
    [first.name, first.table, first.address, first.type, first.unit, first.scan, first.writable],
    ['voltage/l1-n', 'input', 0x50, 'float32', 'V', 'fast', false],
  );
});

test('GET of a profile that is not there says so', async () => {
  const { status, value } = await serve().ask('GET /busbar/profiles/acme/none');
  assert.equal(status, 404);
  assert.match(value.message, /no bundled profile "acme\/none"/);
});

test('POST test-read hands over what stands in the dialog', async () => {
  const given = { connection: { host: '${HOST}' }, device: { unit: '1' }, profile: { name: 'x' } };
  /** @type {any} */
  let asked;
  const { ask } = serve({
    testRead: async (/** @type {any} */ what) => ((asked = what), { took_ms: 5, scans: [] }),
  });
  const { value } = await ask('POST /busbar/test-read', given);
  assert.deepEqual(asked, given);
  assert.deepEqual(value, { took_ms: 5, scans: [] });
});

test('POST test-read tells why the device cannot be read', async () => {
  const mistakes = [{ file: '', line: 0, path: 'devices[a].unit', text: '"x" does not fit' }];
  const { ask } = serve({
    testRead: () => Promise.reject(new BusbarError('BUSBAR_INVALID', 'no such', { mistakes })),
  });
  const { status, value } = await ask('POST /busbar/test-read', { connection: {}, device: {} });
  assert.equal(status, 422);
  assert.deepEqual(value, { message: 'no such', code: 'BUSBAR_INVALID', mistakes });
  const missing = await ask('POST /busbar/test-read', { device: {} });
  assert.equal(missing.status, 400);
});

test('POST csv/points reads a list, and export writes it', async () => {
  const { ask } = serve();
  const csv = 'name,table,address,type\r\na,holding,1,uint16\r\nb,holding,x,uint16\r\n';
  const { value } = await ask('POST /busbar/csv/points', { csv });
  assert.deepEqual(value.points, [{ name: 'a', type: 'uint16', holding: 1 }]);
  assert.deepEqual(
    value.errors.map((/** @type {any} */ { row, column }) => [row, column]),
    [[3, 'address']],
  );
  const written = await ask('POST /busbar/csv/points/export', { profile: value });
  assert.equal(written.type, 'text/csv');
  assert.match(written.value, /\r\na,holding,1,uint16,/);
});

test('POST csv/devices reads a table, and export writes it', async () => {
  const { ask } = serve();
  const { value } = await ask('POST /busbar/csv/devices', { csv: 'id;unit;line\r\na;1;l1' });
  assert.deepEqual(value.devices, [{ id: 'a', unit: '1', tags: { line: 'l1' } }]);
  const { devices } = value;
  const written = await ask('POST /busbar/csv/devices/export', { devices, delimiter: ';' });
  assert.equal(written.value, '\ufeffid;unit;line\r\na;1;l1\r\n');
});

test('POST migrate answers a sentence when it is given no flow', async () => {
  const { ask } = serve();
  const { value } = await ask('POST /busbar/migrate', { flows: [] });
  assert.deepEqual(value, { flows: [], notes: [] });
  const wrong = await ask('POST /busbar/migrate', { flows: 'x' });
  assert.equal(wrong.status, 400);
  assert.match(wrong.value.message, /no flow/);
});

for (const place of ['csv/points', 'csv/points/export', 'csv/devices', 'csv/devices/export']) {
  test(`POST ${place} without a body is refused in a sentence`, async () => {
    const { status, value } = await serve().ask(`POST /busbar/${place}`, undefined);
    assert.equal(status, 400);
    assert.match(value.message, /^The request has no "/);
  });
}

test('POST orphans drops a backlog, or gives it to another sink', async (t) => {
  const orphans = t.mock.fn((/** @type {any} */ _) => ({ batches: 3 }));
  const { ask } = serve({ orphans });
  const given = { runtime: 'r', sink: 'old', do: 'reassign', to: 'bus', more: 1 };
  assert.deepEqual((await ask('POST /busbar/orphans', given)).value, { batches: 3 });
  await ask('POST /busbar/orphans', { sink: 'old', do: 'drop', to: 'bus' });
  assert.deepEqual(
    orphans.mock.calls.map(({ arguments: [wish] }) => wish),
    [
      { runtime: 'r', sink: 'old', do: 'reassign', to: 'bus' },
      { sink: 'old', do: 'drop' },
    ],
  );
  /** @type {[object | undefined, RegExp][]} */
  const wrong = [
    [undefined, /no "do"/],
    [{ sink: 'old', do: 'burn' }, /drop or reassign, not "burn"/],
    [{ do: 'drop' }, /no "sink"/],
    [{ sink: 'old', do: 'reassign' }, /no "to"/],
  ];
  for (const [body, text] of wrong) {
    const { status, value } = await ask('POST /busbar/orphans', body);
    assert.equal(status, 400);
    assert.match(value.message, text);
  }
  assert.equal(orphans.mock.callCount(), 2);
});

test('dead: lists what was refused, sends it again or deletes it', async (t) => {
  const listDead = t.mock.fn((/** @type {any} */ _) => ({ dead: [] }));
  const settleDead = t.mock.fn((/** @type {any} */ _) => ({}));
  const { ask } = serve({ listDead, settleDead });
  await ask('GET /busbar/dead', undefined, { runtime: '', limit: '5' });
  await ask('GET /busbar/dead');
  assert.deepEqual(
    listDead.mock.calls.map(({ arguments: [wish] }) => wish),
    [{ runtime: '', limit: 5 }, { limit: 20 }],
  );
  assert.equal((await ask('GET /busbar/dead', undefined, { limit: 'all' })).status, 400);
  await ask('POST /busbar/dead', { runtime: '', do: 'requeue', id: 7 });
  await ask('POST /busbar/dead', { do: 'drop', sink: 'bus' });
  assert.deepEqual(
    settleDead.mock.calls.map(({ arguments: [wish] }) => wish),
    [
      { runtime: '', do: 'requeue', id: 7 },
      { do: 'drop', sink: 'bus' },
    ],
  );
  assert.equal((await ask('POST /busbar/dead', { do: 'drop', id: 'all' })).status, 400);
});
