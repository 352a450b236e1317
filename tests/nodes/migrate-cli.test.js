/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What npm puts on the PATH as `busbar`: the subcommand migrate, and the way to the native executable,
   here one that a test has written. */

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { migrate } = require('../../lib/migrate');
const { tempDir } = require('../support');

const ROOT = path.resolve(__dirname, '../..');
const BUSBAR = path.join(ROOT, 'bin/busbar.js');
const PLANT = path.join(__dirname, 'vectors/migrate/plant.json');

/** @param {...string} args */
function run(...args) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [BUSBAR, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return { stdout, stderr, status };
}

/** @param {import('node:test').TestContext} t @param {string | Buffer} content */
function fileOf(t, content) {
  const file = path.join(tempDir(t), 'flows.json');
  fs.writeFileSync(file, content);
  return file;
}

test('migrate prints the flow on stdout, and the notes on stderr, a line each', () => {
  const { stdout, stderr, status } = run('migrate', PLANT);
  const { flows, notes } = migrate(JSON.parse(fs.readFileSync(PLANT, 'utf8')));
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout), flows);
  assert.ok(notes.length > 5);
  const lines = stderr.split('\n');
  assert.equal(lines.pop(), '');
  assert.deepEqual(
    lines,
    notes.map(({ id, type, name, text }) => `${type}${name && ` "${name}"`} (${id}): ${text}`),
  );
});

test('migrate --output writes the flow to a file, and leaves the one that was given', (t) => {
  const given = fs.readFileSync(PLANT, 'utf8');
  for (const option of ['--output', '-o']) {
    const output = path.join(tempDir(t), 'new.json');
    const { stdout, status } = run('migrate', PLANT, option, output);
    assert.deepEqual([stdout, status], ['', 0]);
    assert.deepEqual(JSON.parse(fs.readFileSync(output, 'utf8')), migrate(JSON.parse(given)).flows);
  }
  assert.equal(fs.readFileSync(PLANT, 'utf8'), given);
});

test('migrate of a flow without anything to say says nothing', (t) => {
  const { stdout, stderr, status } = run('migrate', fileOf(t, '\uFEFF[]'));
  assert.deepEqual([stdout, stderr, status], ['[]\n', '', 0]);
});

test('a name with a line break stays on its line', (t) => {
  const node = { id: 'a', type: 'modbus-server', name: 'one\ntwo' };
  const { stderr } = run('migrate', fileOf(t, JSON.stringify([node])));
  assert.match(stderr, /^modbus-server "one two" \(a\): Stays[^\n]*\n$/);
});

test('migrate --help tells how it is used', () => {
  const { stdout, stderr, status } = run('migrate', '--help');
  assert.deepEqual([stderr, status], ['', 0]);
  assert.match(stdout, /^Usage: busbar migrate FILE \[--output FILE\]/);
});

/** @type {[string, string[], RegExp][]} */
const USAGE = [
  ['no file', [], /FILE is missing; see busbar migrate --help\./],
  ['two files', ['a', 'b'], /only one FILE can be given/],
  ['an unknown option', ['a', '--wrong'], /Unknown option '--wrong'/],
  ['an option without its value', ['a', '--output'], /--output/],
  ['itself as output', [PLANT, '-o', PLANT], /is the flow itself; name another file/],
];

for (const [what, args, sentence] of USAGE) {
  test(`migrate with ${what} is wrong usage`, () => {
    const { stdout, stderr, status } = run('migrate', ...args);
    assert.deepEqual([stdout, status], ['', 2]);
    assert.match(stderr, sentence);
    assert.match(stderr, /^busbar migrate: [^\n]*\.\n$/);
  });
}

/** @type {[string, string | Buffer, RegExp][]} */
const BAD = [
  ['no JSON', '{ "a": ', /flows\.json: is no JSON: /],
  ['nothing', '', /is no JSON/],
  ['bytes', Buffer.from([0xff, 0xfe, 0x00]), /is no JSON/],
  ['a map', '{"flows":[]}', /This is no flow, because it is not a list of nodes/],
  ['something else', '[1]', /its entry 1 is no node/],
];

for (const [what, content, sentence] of BAD) {
  test(`migrate of a file that holds ${what} fails in one sentence`, (t) => {
    const { stdout, stderr, status } = run('migrate', fileOf(t, content));
    assert.deepEqual([stdout, status], ['', 1]);
    assert.match(stderr, sentence);
    assert.match(stderr, /^busbar migrate: [^\n]*\.\n$/);
  });
}

test('migrate of a file that is not there, of a folder, of a huge file fails', (t) => {
  const folder = tempDir(t);
  const huge = path.join(folder, 'huge.json');
  fs.writeFileSync(huge, '');
  fs.truncateSync(huge, 64 * 1024 * 1024 + 1); /* Takes no room on the disk. */
  /** @type {[string, RegExp][]} */
  const cases = [
    [path.join(folder, 'none'), /cannot be read: there is no such file/],
    [folder, /cannot be read: it is a folder/],
    [huge, /has 65 MiB; at most 64 MiB can be\./],
  ];
  for (const [file, sentence] of cases) {
    const { stderr, status } = run('migrate', file);
    assert.equal(status, 1);
    assert.match(stderr, sentence);
  }
});

test('migrate to where nothing can be written fails', (t) => {
  const { stderr, status } = run('migrate', PLANT, '-o', path.join(tempDir(t), 'none/new.json'));
  assert.equal(status, 1);
  assert.match(stderr, /cannot be written: there is no such file or folder/);
});

test('a reader that goes away early does no harm', () => {
  const file = path.join(__dirname, 'vectors/migrate/Simple-Modbus-Demo.json');
  const line = `"${process.execPath}" "${BUSBAR}" migrate "${file}" 2>/dev/null | head -c 10`;
  const { stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
  assert.deepEqual([stdout, stderr], ['[\n  {\n    ', '']);
});

/** The launcher beside a binding of the test's own. @param {import('node:test').TestContext} t
 * @param {object} found What executable() returns. */
function launcher(t, found) {
  const folder = tempDir(t);
  fs.mkdirSync(path.join(folder, 'bin'));
  fs.mkdirSync(path.join(folder, 'lib'));
  const file = path.join(folder, 'bin/busbar.js');
  fs.copyFileSync(BUSBAR, file);
  const binding = `exports.executable = () => (${JSON.stringify(found)});`;
  fs.writeFileSync(path.join(folder, 'lib/binding.js'), binding);
  return file;
}

/** A program that does as the test says. @param {import('node:test').TestContext} t
 * @param {string} script */
function program(t, script) {
  const file = path.join(tempDir(t), 'native');
  fs.writeFileSync(file, `#!${process.execPath}\n${script}`, { mode: 0o755 });
  return launcher(t, { path: file });
}

test('help lists what the launcher does itself beside what the executable does', () => {
  for (const args of [['--help'], ['-h'], ['help']]) {
    const { stdout, stderr, status } = run(...args);
    assert.deepEqual([status, stderr], [0, ''], String(args));
    const listed = [...stdout.matchAll(/^ {2}(\w+) +\S/gm)].map(([, name]) => name);
    for (const name of ['run', 'check', 'migrate', 'service', 'help']) {
      assert.equal(listed.filter((other) => other === name).length, 1, `${name} of ${listed}`);
    }
  }
  const { stdout, stderr, status } = run();
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /^ {2}service +/m);
});

test('all else goes to the native executable, with arguments, streams and exit code', (t) => {
  const script = `process.stdin.on('data', (bytes) => process.stdout.write('in ' + bytes));
    process.stdin.on('end', () => {
      console.log(JSON.stringify(process.argv.slice(2)));
      console.error('said');
      process.exitCode = 7;
    });`;
  const busbar = program(t, script);
  const args = ['run', 'site.yaml', '--flag', 'a b'];
  const options = { input: 'typed\n', encoding: /** @type {const} */ ('utf8') };
  const { stdout, stderr, status } = spawnSync(process.execPath, [busbar, ...args], options);
  assert.equal(stdout, `in typed\n${JSON.stringify(args)}\n`);
  assert.deepEqual([stderr, status], ['said\n', 7]);
});

for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGTERM', 'SIGINT', 'SIGHUP'])) {
  test(`${signal} is passed on, and how the executable ends then is how it ends`, async (t) => {
    const script = `process.on('${signal}', () => { console.log('got it'); process.exit(3); });
      setInterval(() => {}, 1000);
      console.log('ready');`;
    const child = spawn(process.execPath, [program(t, script), 'run']);
    t.after(() => child.kill('SIGKILL'));
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
      if (text.includes('ready')) child.kill(signal);
    });
    const [code] = await once(child, 'close');
    assert.deepEqual([out, code], ['ready\ngot it\n', 3]);
  });
}

test('an executable that dies by a signal lets the launcher die by it', (t) => {
  const busbar = program(t, `process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000);`);
  const { status, signal } = spawnSync(process.execPath, [busbar, 'run']);
  assert.deepEqual([status, signal], [null, 'SIGTERM']);
});

test('without an executable, the reason is said', (t) => {
  const busbar = launcher(t, { error: 'there is none for this system; build it' });
  const { stderr, status } = spawnSync(process.execPath, [busbar], { encoding: 'utf8' });
  assert.deepEqual([stderr, status], ['busbar: there is none for this system; build it\n', 1]);
});

test('an executable that cannot be started is said', (t) => {
  const busbar = launcher(t, { path: '/nowhere/busbar' });
  const { stderr, status } = spawnSync(process.execPath, [busbar], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /^busbar: \/nowhere\/busbar could not be started: .*ENOENT/);
});

test('the launcher can be started by its name', () => {
  assert.ok(fs.statSync(BUSBAR).mode & 0o100, 'is executable');
  assert.match(fs.readFileSync(BUSBAR, 'utf8'), /^#!\/usr\/bin\/env node\n/);
});
