/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `busbar service` on a machine that only exists in the test, and its unit before systemd's own
   judgement. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { service } = require('../../lib/service');
const { makeUnit, readDataDir } = require('../../lib/service_unit');
const { BUSBAR, lacks, startBusbar, tempDir, waitFor } = require('../support');

/** @typedef {import('../../lib/service_system').System} System */

const EXECUTABLE = '/usr/lib/node_modules/@busbar/node-red/busbar';
const ANALYZE = { skip: lacks('systemd-analyze') };

/** A machine with the users root and pi.
 * @param {Partial<System> & {files?: Record<string, any>}} [parts] */
function makeSystem({ files = {}, ...parts } = {}) {
  /** @type {string[]} */
  const steps = [];
  /** @type {Record<string, any>} */
  const place = {
    '/': { mode: 0o755 },
    '/usr': { mode: 0o755 },
    '/usr/lib': { mode: 0o755 },
    '/usr/lib/node_modules': { mode: 0o755 },
    '/usr/lib/node_modules/@busbar': { mode: 0o755 },
    '/usr/lib/node_modules/@busbar/node-red': { mode: 0o755 },
    [EXECUTABLE]: { mode: 0o755 },
    '/etc': { mode: 0o755 },
    '/home': { mode: 0o755 },
    '/home/pi': { mode: 0o700, uid: 1000, gid: 1000 },
    ...files,
  };
  /** @type {System} */
  const system = {
    env: { SUDO_USER: 'pi' },
    home: '/root',
    self: '/usr/bin/node /usr/bin/busbar',
    isRoot: () => true,
    hasSystemd: () => true,
    findUser: (name) => (name === 'pi' ? { name, uid: 1000, gids: [1000] } : null),
    hasGroup: (name) => name === 'dialout',
    read: (file) => place[file]?.text ?? null,
    write(file, text) {
      steps.push(`write ${file}`);
      place[file] = { text };
    },
    remove(file) {
      steps.push(`remove ${file}`);
      delete place[file];
    },
    stat: (file) => place[file] && { uid: 0, gid: 0, ...place[file] },
    run(command) {
      steps.push(command.join(' '));
      return { code: 0, stdout: '', stderr: '' };
    },
    ...parts,
  };
  return { system, steps, place };
}

/** @param {System} system @param {...string} args */
async function run(system, ...args) {
  let [stdout, stderr] = ['', ''];
  const code = await service(args, {
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    system,
  });
  return { code, stdout, stderr };
}

const chosen = ['--executable', EXECUTABLE];

test('install makes user, group, unit, and starts it', async () => {
  const { system, steps, place } = makeSystem();
  const { code, stdout, stderr } = await run(system, 'install', ...chosen);
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(steps, [
    'useradd --system --user-group --home-dir /var/lib/busbar --no-create-home --shell /usr/sbin/nologin busbar',
    'usermod --append --groups busbar pi',
    'write /etc/systemd/system/busbar.service',
    'systemctl daemon-reload',
    'systemctl enable busbar.service',
    'systemctl restart busbar.service',
  ]);
  const unit = place['/etc/systemd/system/busbar.service'].text;
  for (const line of [
    `ExecStart=${EXECUTABLE} run --socket-mode 0660 --data /var/lib/busbar`,
    'Type=notify',
    'WatchdogSec=30',
    'User=busbar',
    'SupplementaryGroups=dialout',
    'StateDirectory=busbar',
    'StateDirectoryMode=0750',
    'ProtectHome=yes',
  ]) {
    assert.ok(unit.includes(`\n${line}\n`), `${line} is missing in\n${unit}`);
  }
  assert.match(stdout, /BUSBAR_DATA=\/var\/lib\/busbar/);
  assert.match(stdout, /Restart Node-RED: pi is in the group busbar from the next start on/);
});

test('what is there already is not made again', async () => {
  const findUser = (/** @type {string} */ name) => ({ name, uid: 7, gids: [7] });
  const { system, steps } = makeSystem({ findUser, env: {} });
  const { code, stdout } = await run(system, 'install', ...chosen);
  assert.equal(code, 0);
  assert.deepEqual(
    steps.filter((step) => /^user/.test(step)),
    [],
  );
  assert.match(stdout, /Its user has to be in the group busbar: usermod -aG busbar NAME/);
});

test('a service of a user who is there shares nothing', async () => {
  const { system, steps, place } = makeSystem();
  const { code } = await run(system, 'install', '--user', 'pi', '--name', 'line-2', ...chosen);
  assert.equal(code, 0);
  assert.equal(steps[0], 'write /etc/systemd/system/line-2.service');
  const unit = place['/etc/systemd/system/line-2.service'].text;
  assert.match(unit, /^User=pi$/m);
  assert.match(unit, /^StateDirectory=line-2$/m);
  assert.match(unit, /^StateDirectoryMode=0700$/m);
  assert.doesNotMatch(unit, /--socket-mode/);
  const missing = await run(system, 'install', '--user', 'eve', ...chosen);
  assert.deepEqual([missing.code, missing.stderr], [1, 'busbar service: there is no user eve\n']);
});

test('a config in a home is reachable, or it is said what is in the way', async () => {
  const files = { '/home/pi/site.yaml': { mode: 0o600, uid: 1000, gid: 1000 } };
  const { system, steps, place } = makeSystem({ files });
  const refused = await run(system, 'install', '/home/pi/site.yaml', ...chosen);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /user busbar cannot read \/home\/pi\/site\.yaml: \/home\/pi is closed to that user; run/,
  );
  assert.deepEqual(steps, []);
  const args = [
    'install',
    '/home/pi/site.yaml',
    '--user',
    'pi',
    '--data',
    '/data/meters',
    ...chosen,
  ];
  const { code, stdout } = await run(system, ...args);
  assert.equal(code, 0);
  assert.equal(steps[0], 'install -d -o pi -m 0700 /data/meters');
  const unit = place['/etc/systemd/system/busbar.service'].text;
  assert.match(unit, /^ExecStart=\S+ run \/home\/pi\/site\.yaml --data \/data\/meters$/m);
  assert.match(unit, /^ProtectHome=read-only$/m);
  assert.match(unit, /^ReadWritePaths=\/data\/meters$/m);
  assert.match(unit, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
  assert.match(stdout, /It follows \/home\/pi\/site\.yaml/);
  const none = await run(system, 'install', '/etc/none.yaml', ...chosen);
  assert.match(none.stderr, /\/etc\/none\.yaml is not there/);
});

test('a service of one’s own user lies where Node-RED looks', async () => {
  const parts = { isRoot: () => false, env: {}, home: '/home/pi' };
  const { system, steps, place } = makeSystem({
    ...parts,
    files: { '/home/pi/.node-red': { mode: 0o755 } },
  });
  const { code, stdout } = await run(system, 'install', '--user-unit', ...chosen);
  assert.equal(code, 0);
  assert.deepEqual(steps, [
    'write /home/pi/.config/systemd/user/busbar.service',
    'systemctl --user daemon-reload',
    'systemctl --user enable busbar.service',
    'systemctl --user restart busbar.service',
  ]);
  const unit = place['/home/pi/.config/systemd/user/busbar.service'].text;
  assert.match(unit, / run --data \/home\/pi\/\.node-red\/busbar$/m);
  assert.match(unit, /^WantedBy=default\.target$/m);
  assert.doesNotMatch(unit, /^(User|ProtectSystem|CapabilityBoundingSet|StateDirectory)/m);
  assert.match(stdout, /loginctl enable-linger/);
  assert.doesNotMatch(stdout, /BUSBAR_DATA/);
});

test('without root it is said what to call', async () => {
  const { system, steps } = makeSystem({ isRoot: () => false, env: {} });
  const { code, stderr } = await run(system, 'install', 'my site.yaml', ...chosen);
  assert.equal(code, 1);
  const command = `sudo /usr/bin/node /usr/bin/busbar service install 'my site.yaml' --executable ${EXECUTABLE}`;
  assert.ok(stderr.includes(command), stderr);
  assert.match((await run(system, 'uninstall')).stderr, /busbar service uninstall \(or /);
  const { system: sudo } = makeSystem();
  const wrong = await run(sudo, 'install', '--user-unit', ...chosen);
  assert.match(wrong.stderr, /call it without sudo/);
  const { system: other } = makeSystem({ hasSystemd: () => false });
  const none = await run(other, 'install', ...chosen);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /not run by systemd: .*busbar run --data \/var\/lib\/busbar/);
  assert.deepEqual(steps, []);
});

test('a dry run and print change nothing', async () => {
  const { system, steps } = makeSystem({ isRoot: () => false, hasSystemd: () => false });
  const dry = await run(system, 'install', '--dry-run', ...chosen);
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^\+ useradd .*\n\+ usermod .*\n\+ write \S+\n {4}# Written/);
  assert.match(dry.stdout, /\+ systemctl restart busbar\.service\n/);
  const { code, stdout } = await run(system, 'print', ...chosen);
  assert.equal(code, 0);
  assert.match(stdout, /^# Written by `busbar service install`/);
  assert.deepEqual(steps, []);
});

test('a step that fails ends it, with its reason', async () => {
  const { system, steps } = makeSystem({
    run(command) {
      steps.push(command.join(' '));
      const code = command[1] === 'enable' ? 1 : 0;
      return { code, stdout: '', stderr: code ? 'Failed to enable unit: no.\n' : '' };
    },
  });
  const { code, stderr } = await run(system, 'install', ...chosen);
  assert.equal(code, 1);
  assert.equal(stderr, 'busbar service: systemctl enable failed: Failed to enable unit: no.\n');
  assert.equal(steps.at(-1), 'systemctl enable busbar.service');
});

test('uninstall leaves what was kept', async () => {
  const { system, steps } = makeSystem();
  assert.match((await run(system, 'uninstall')).stderr, /is not there: nothing to uninstall/);
  await run(system, 'install', '--data', '/data/my meters', ...chosen);
  steps.length = 0;
  const { code, stdout } = await run(system, 'uninstall');
  assert.equal(code, 0);
  assert.deepEqual(steps, [
    'systemctl disable --now busbar.service',
    'remove /etc/systemd/system/busbar.service',
    'systemctl daemon-reload',
  ]);
  assert.match(stdout, /stays in \/data\/my meters,/);
});

test('status says how the service is, and what its runtime answers', async (t) => {
  const dataDir = tempDir(t);
  startBusbar(t, ['run', '--data', dataDir]);
  await waitFor(() => fs.existsSync(path.join(dataDir, 'busbar.sock')), { what: 'the socket' });
  let state = 'active';
  const { system } = makeSystem({
    run: () => ({
      code: 0,
      stderr: '',
      stdout: [
        ...[`ActiveState=${state}`, 'SubState=running', 'UnitFileState=enabled', 'MainPID=4711'],
        ...['NRestarts=2', 'Result=exit-code', 'ActiveEnterTimestamp=Sat 2026-01-31 08:15:00 UTC'],
      ].join('\n'),
    }),
  });
  const none = await run(system, 'status');
  assert.deepEqual([none.code, none.stderr], [1, '']);
  assert.match(none.stdout, /busbar\.service is not installed/);
  await run(system, 'install', '--data', dataDir, ...chosen);
  const { code, stdout } = await run(system, 'status');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /active \(running\) since Sat 2026-01-31 08:15:00 UTC, process 4711/);
  assert.match(stdout, /at boot: enabled; started again 2 times/);
  assert.match(stdout, /busbar \d\S+ answers: 0 of 0 devices up, 0 of 0 sinks ready/);
  state = 'failed';
  const failed = await run(system, 'status');
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /failed \(running\), exit-code/);
});

test('wrong usage is told', async () => {
  const { system, steps } = makeSystem();
  /** @type {[string[], RegExp][]} */
  const cases = [
    [[], /what to do is missing; take install, uninstall, status, print/],
    [['start'], /there is no "service start"/],
    [['install', '--nope'], /Unknown option '--nope'; see busbar service --help/],
    [['install', '--data'], /--data/],
    [['install', 'a.yaml', 'b.yaml'], /b\.yaml is too much/],
    [['status', 'a.yaml'], /a\.yaml is too much/],
    [['install', '--name', 'a b'], /--name a b is no name/],
    [['install', '--user', 'a;b'], /--user a;b is no name/],
    [['install', '--user-unit', '--user', 'pi'], /do not go with it/],
    [['install', '--data', `/${'x'.repeat(90)}`, ...chosen], /is too long: at most 88 bytes/],
    [['install', '--data', '/a\nb', ...chosen], /cannot stand in a unit/],
  ];
  for (const [args, pattern] of cases) {
    const { code, stderr } = await run(system, ...args);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, pattern);
    assert.match(stderr, /^busbar service: [^\n]*\n$/);
  }
  const help = await run(system, 'install', '--help');
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Usage: busbar service install/);
  assert.deepEqual(steps, []);
});

/** @type {import('../../lib/service_unit').Unit} */
const unit = {
  name: 'busbar',
  ofUser: false,
  executable: BUSBAR,
  dataDir: '/var/lib/busbar',
  user: 'root',
  shared: true,
  serialGroup: 'root',
  environment: '/etc/busbar/secrets',
};

/** @type {Record<string, Partial<import('../../lib/service_unit').Unit>>} */
const kinds = {
  plain: {},
  'with a config': { config: '/home/pi/a "site" at 5% $HOME.yaml', shared: false },
  'with a directory of its own': { dataDir: '/data/my meters/5%' },
  'of a user': {
    ofUser: true,
    user: undefined,
    dataDir: '/home/pi/.node-red/busbar',
    shared: false,
  },
};

for (const [name, part] of Object.entries(kinds)) {
  test(`systemd finds nothing wrong with a unit ${name}`, ANALYZE, (t) => {
    const file = path.join(tempDir(t), 'busbar.service');
    const text = makeUnit({ ...unit, ...part });
    fs.writeFileSync(file, text);
    const flags = part.ofUser ? ['--user'] : [];
    const env = { ...process.env, XDG_RUNTIME_DIR: path.dirname(file) };
    const args = [...flags, 'verify', '--man=no', file];
    const { status, stdout, stderr } = spawnSync('systemd-analyze', args, {
      encoding: 'utf8',
      env,
    });
    assert.equal(`${stdout}${stderr}`, '', text);
    assert.equal(status, 0);
    assert.equal(readDataDir(text), part.dataDir ?? unit.dataDir);
  });
}

test('systemd finds the unit well closed', ANALYZE, (t) => {
  const file = path.join(tempDir(t), 'busbar.service');
  fs.writeFileSync(file, makeUnit({ ...unit, user: 'busbar' }));
  const args = ['security', '--offline=true', '--threshold=30', '--no-pager', file];
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout.split('\n').slice(-4).join('\n')}${stderr}`);
});

test('the group of the service gets the socket', async (t) => {
  const dataDir = tempDir(t);
  const socket = path.join(dataDir, 'busbar.sock');
  const text = makeUnit({ ...unit, dataDir });
  const [, args] = /^ExecStart=\S+ (run .*)$/m.exec(text) ?? [];
  startBusbar(t, args.split(' '));
  await waitFor(() => fs.existsSync(socket) && (fs.statSync(socket).mode & 0o777) === 0o660, {
    what: 'the socket for the group',
  });
});
