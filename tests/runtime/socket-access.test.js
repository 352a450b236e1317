/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Who may connect to the control socket. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { runBusbar, startBusbar, tempDir } = require('../support');
const { connectSocket } = require('../support/socket');

const DOCUMENT = { busbar: 1, runtime: { owner: 'editor', metrics: 'off' } };

/** @param {Record<string, any>} [socket] */
function documentOf(socket) {
  return JSON.stringify({ ...DOCUMENT, runtime: { ...DOCUMENT.runtime, socket } });
}

/** Mode and group of the file. @param {string} data */
function accessOf(data) {
  const { mode, gid } = fs.statSync(path.join(data, 'busbar.sock'));
  return [(mode & 0o777).toString(8), gid];
}

/** Another group that this user may give files to: any for root, else one of its own. */
function otherGroup() {
  const own = process.getgid?.();
  const groups = fs.readFileSync('/etc/group', 'utf8').split('\n');
  const mine = new Set(process.getgroups?.());
  for (const line of groups) {
    const [name, , gid] = line.split(':');
    const may = process.getuid?.() === 0 || mine.has(Number(gid));
    if (name && Number(gid) !== own && may) return { name, gid: Number(gid) };
  }
  return undefined;
}

const OTHER = otherGroup();

test('the socket is for its user alone, unless the command line or the document says', async (t) => {
  const own = process.getgid?.();
  const data = tempDir(t);
  startBusbar(t, ['run', '--data', data]);
  const client = await connectSocket(t, data);
  assert.deepEqual(accessOf(data), ['600', own]);
  await client.must('apply', { document: documentOf({ mode: '0660' }) });
  assert.deepEqual(accessOf(data), ['660', own]);
  await client.must('apply', { document: documentOf({ mode: '0666' }) });
  assert.deepEqual(accessOf(data), ['666', own]);
  await client.must('apply', { document: documentOf() });
  assert.deepEqual(accessOf(data), ['600', own]);

  const told = tempDir(t);
  startBusbar(t, ['run', '--data', told, '--socket-mode', '0660']);
  const second = await connectSocket(t, told);
  assert.deepEqual(accessOf(told), ['660', own]);
  await second.must('apply', { document: documentOf() });
  assert.deepEqual(accessOf(told), ['660', own], 'the document says nothing');
  await second.must('apply', { document: documentOf({ mode: '0600' }) });
  assert.deepEqual(accessOf(told), ['600', own]);
});

test(
  'a group gets the socket, and a warning where it cannot reach it',
  { skip: !OTHER },
  async (t) => {
    const { name, gid } = /** @type {{name: string, gid: number}} */ (OTHER);
    const data = tempDir(t);
    fs.chmodSync(data, 0o700);
    const program = startBusbar(t, [
      ...['run', '--data', data, '--socket-mode', '0660', '--socket-group', name],
    ]);
    const client = await connectSocket(t, data);
    assert.deepEqual(accessOf(data), ['660', gid]);
    const mode = (fs.statSync(data).mode & 0o777).toString(8);
    await program.waitForOutput(
      new RegExp(`may use the socket, but not enter ${data} \\(mode ${mode}\\)`),
    );
    await client.must('apply', { document: documentOf({ mode: '0600' }) });
    assert.equal(accessOf(data)[0], '600');
    await client.must('apply', { document: documentOf({ mode: '0660', group: name }) });
    assert.deepEqual(accessOf(data), ['660', gid]);
  },
);

test('what cannot be meant is refused in words', async (t) => {
  const data = tempDir(t);
  const program = startBusbar(t, ['run', '--data', data]);
  const client = await connectSocket(t, data);
  for (const [socket, text] of /** @type {const} */ ([
    [{ mode: '0777' }, /runtime\.socket\.mode: .*"0777".*allowed: 0600, 0660, 0666/],
    [{ mode: 660 }, /runtime\.socket\.mode: .*allowed: 0600, 0660, 0666/],
    [{ group: 'busbar' }, /runtime\.socket\.group: with the mode 0600 no group may connect; add/],
    [{ mode: '0660', group: '' }, /runtime\.socket\.group: "" does not fit; allowed: text/],
    [{ modes: '0660' }, /runtime\.socket\.modes: unknown key; did you mean "mode"/],
  ])) {
    const answer = await client.ask('apply', { document: documentOf(socket) });
    const said = answer.mistakes?.map((/** @type {any} */ m) => `${m.path}: ${m.text}`).join('\n');
    assert.match(String(said), text);
  }
  assert.equal(accessOf(data)[0], '600');
  const unknown = documentOf({ mode: '0660', group: 'no-such-group' });
  await client.must('apply', { document: unknown });
  await program.waitForOutput(/there is no group no-such-group on this machine; until then only/);
  assert.equal(accessOf(data)[0], '600');
  const file = path.join(tempDir(t), 'site.json');
  fs.writeFileSync(file, unknown);
  assert.match(
    (await runBusbar(['check', file])).stderr,
    /warning: there is no group no-such-group/,
  );

  for (const [args, text] of /** @type {const} */ ([
    [['--socket-mode', '660'], /--socket-mode 660 is not possible; allowed: 0600, 0660, 0666/],
    [['--socket-mode'], /--socket-mode needs a mode/],
    [
      ['--socket-group', 'busbar'],
      /with the mode 0600 no group may connect; add --socket-mode 0660/,
    ],
  ])) {
    const { code, stderr } = await runBusbar(['run', ...args]);
    assert.deepEqual([code, text.test(stderr)], [2, true], stderr);
  }
});
