/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The tarball that `npm run pack` makes: what is in it, and that its binaries run where there is
   nothing but glibc and Node.js. Only where the package archive cannot be reached for two sources, and
   they were not fetched before, there is none to look at. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { StepError } = require('../../scripts/command');
const { REPO, listFiles, readFile } = require('../../scripts/files');
const { pack } = require('../../scripts/pack');
const { checkBinaries, listProblems } = require('../../scripts/pack/check');
const { compareVersions, parseWants } = require('../../scripts/pack/elf');
const { turnToSources } = require('../../scripts/pack/source');
const { startProgram } = require('../support/program');
const { freePort, tempDir } = require('../support/place');

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {{root: string, packed: import('../../scripts/pack').Packed}} Unpacked */

const { version } = JSON.parse(readFile('package.json'));
const TARGET = `linux-${process.arch}-glibc`;
const BINARIES = `prebuilds/${TARGET}`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bb-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Once for all tests: the tarball, and what it becomes in node_modules beside what it depends on.
 * @returns {Promise<Unpacked | string>} Or why there is none. */
async function makePackage() {
  try {
    const packed = await pack({ to: folder });
    const root = path.join(folder, 'node_modules/@busbar/node-red');
    fs.mkdirSync(root, { recursive: true });
    execFileSync('tar', ['-xzf', packed.file, '-C', root, '--strip-components=1']);
    fs.cpSync(path.join(REPO, 'node_modules/yaml'), path.join(folder, 'node_modules/yaml'), {
      recursive: true,
    });
    return { root, packed };
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    const [what] = /^The source of [^:]+(?=: )/.exec(error.message) ?? [];
    if (!what) throw error;
    return `${what} is not within reach`;
  }
}

/* Its build takes minutes on two cores. */
const made = process.env.BUSBAR_PACK ? makePackage() : Promise.resolve('BUSBAR_PACK=1 asks for it');
made.catch(() => {});

/** @param {string} name @param {(t: TestContext, made: Unpacked) => unknown} body */
function testPackage(name, body) {
  test(name, async (t) => {
    const unpacked = await made;
    if (typeof unpacked === 'string') t.skip(unpacked);
    else await body(t, unpacked);
  });
}

/** A copy to break. @param {TestContext} t @param {Unpacked} made */
function copyPackage(t, { root }) {
  const copy = path.join(tempDir(t), 'node_modules');
  fs.cpSync(path.resolve(root, '../..'), copy, { recursive: true });
  return path.join(copy, '@busbar/node-red');
}

/** @param {string} root @param {string} code @returns {any} What it returns, by way of JSON. */
function ask(root, code) {
  const script = `process.stdout.write(JSON.stringify((() => { ${code} })()))`;
  const env = { ...process.env, BUSBAR_EXECUTABLE: '' };
  return JSON.parse(
    execFileSync(process.execPath, ['-e', script], { cwd: root, env, encoding: 'utf8' }),
  );
}

test('what a binary wants is read from readelf', () => {
  const text = [
    ' 0x0000000000000001 (NEEDED)             Shared library: [libmodbus.so.5]',
    ' 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]',
    ' 0x000000000000001d (RUNPATH)            Library runpath: [$ORIGIN/lib]',
    '  0x0010:   Name: GLIBC_2.9  Flags: none  Version: 7',
    '  0x0020:   Name: GLIBC_2.34  Flags: none  Version: 4',
    '  0x0030:   Name: GLIBC_2.3.4  Flags: none  Version: 2',
  ].join('\n');
  const libraries = ['libc.so.6', 'libmodbus.so.5'];
  assert.deepEqual(parseWants(text), { libraries, runpath: '$ORIGIN/lib', glibc: '2.34' });
  assert.deepEqual(parseWants(''), { libraries: [], runpath: '', glibc: '' });
  assert.ok(compareVersions('2.4', '2.28') < 0 && compareVersions('2.28', '2.28') === 0);
});

test('a binary that is not fit is told in sentences', (t) => {
  const place = tempDir(t);
  fs.mkdirSync(path.join(place, 'lib'));
  fs.writeFileSync(path.join(place, 'busbar'), `\x7fELF assert at ${REPO}/native/cli/main.c`);
  const wants = { libraries: ['libc.so.6', 'libcurl.so.4'], runpath: '/opt/lib', glibc: '2.28' };
  assert.deepEqual(listProblems(place, 'busbar', wants), [
    'busbar wants libcurl.so.4, which is not in the package',
    'busbar has the run path "/opt/lib", not "$ORIGIN/lib"',
    `busbar contains the path ${REPO} of this machine`,
  ]);
});

test('the sources are asked of the archives that the binaries come from', () => {
  const deb822 = 'Types: deb\nURIs: http://archive/debian\nSuites: bookworm\n';
  assert.match(turnToSources('debian.sources', deb822), /^Types: deb-src\nURIs: http:\/\/archive/);
  const list = 'deb [signed-by=/k.gpg] http://archive/debian bookworm main\ndeb-src http://x y z\n';
  assert.equal(
    turnToSources('sources.list', list).trim(),
    'deb-src [signed-by=/k.gpg] http://archive/debian bookworm main',
  );
});

testPackage('the tarball holds what a user needs and nothing else', (_t, { packed }) => {
  const files = packed.files.map((file) => file.path);
  const folders = /^(bin|lib|nodes|resources|profiles|examples|prebuilds|docs|LICENSES)\//;
  const single = ['LICENSE', 'README.md', 'THIRD-PARTY.md', 'package.json'];
  const others = files.filter((file) => !folders.test(file) && !single.includes(file));
  assert.deepEqual(others, []);
  const binaries = files.filter((file) => file.startsWith('prebuilds/'));
  const names = ['busbar', 'busbar.node', 'lib/libmodbus.so.5', 'needs.json'];
  assert.deepEqual(
    binaries.sort(),
    names.map((name) => `${BINARIES}/${name}`),
  );
  const manifest = JSON.parse(readFile('package.json'))['node-red'];
  const nodes = Object.values({ ...manifest.nodes, ...manifest.plugins });
  const wanted = [...nodes, ...nodes.map((file) => file.replace(/js$/, 'html'))];
  const flows = listFiles('flows', /\.json$/).map((file) => `examples/${file}`);
  const lacking = [...wanted, ...flows, 'LICENSES/libmodbus.txt'].filter((f) => !files.includes(f));
  assert.deepEqual(lacking, []);
  assert.ok(packed.bytes < 5e6, `${packed.bytes} bytes`);
});

testPackage('only the two programs may be executed', (_t, { packed }) => {
  const executable = packed.files.filter(({ mode }) => mode & 0o111).map((file) => file.path);
  assert.deepEqual(executable.sort(), ['bin/busbar.js', `${BINARIES}/busbar`]);
});

testPackage('nothing runs when it is installed, and all versions are one', (_t, { root }) => {
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  assert.deepEqual(
    [manifest.version, manifest.scripts, manifest.gypfile],
    [version, undefined, false],
  );
  const said = execFileSync(path.join(root, 'bin/busbar.js'), ['version'], { encoding: 'utf8' });
  assert.equal(said.trim(), version);
  assert.deepEqual(
    ask(
      root,
      "const { binding, error } = require('./lib/binding'); return [binding?.version, error]",
    ),
    [version, null],
  );
});

testPackage('every link in its texts leads to a file of it', (_t, { root, packed }) => {
  const texts = packed.files.map((file) => file.path).filter((file) => file.endsWith('.md'));
  const links = texts.flatMap((file) => {
    const text = fs.readFileSync(path.join(root, file), 'utf8');
    const found = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target);
    return found.filter((target) => !/^\w+:/.test(target)).map((target) => [file, target]);
  });
  assert.ok(links.length > 10, `${links.length} links`);
  const dead = links.filter(
    ([file, target]) => !fs.existsSync(path.join(root, path.dirname(file), target)),
  );
  assert.deepEqual(dead, []);
});

testPackage('the binaries want glibc alone, and tell no path of this machine', async (_t, made) => {
  const place = path.join(made.root, BINARIES);
  const { glibc, wants } = await checkBinaries(place, version);
  const needs = JSON.parse(fs.readFileSync(path.join(place, 'needs.json'), 'utf8'));
  assert.equal(needs.glibc, glibc);
  assert.match(glibc, /^2\.\d+$/);
  assert.equal(wants.busbar.runpath, '$ORIGIN/lib');
  assert.ok(wants.busbar.libraries.includes('libmodbus.so.5'), String(wants.busbar.libraries));
  assert.equal(wants['busbar.node'].runpath, '');
});

testPackage('another libmodbus can be put in the place of ours', (t, { root }) => {
  const place = tempDir(t);
  fs.writeFileSync(path.join(place, 'libmodbus.so.5'), 'none');
  const env = { ...process.env, LD_LIBRARY_PATH: place };
  assert.throws(
    () => execFileSync(path.join(root, BINARIES, 'busbar'), ['version'], { env, stdio: 'pipe' }),
    new RegExp(`${place}/libmodbus\\.so\\.5: (invalid ELF header|file too short)`),
  );
});

/** A root directory with glibc, Node.js and what Node.js itself wants.
 * @param {TestContext} t @param {string} root Of the package. */
function makeRoot(t, root) {
  const place = tempDir(t);
  const listed = execFileSync('ldd', [process.execPath], { encoding: 'utf8' });
  const files = [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file);
  for (const file of files) {
    fs.mkdirSync(path.join(place, path.dirname(file)), { recursive: true });
    fs.copyFileSync(file, path.join(place, file));
  }
  fs.mkdirSync(path.join(place, 'proc'));
  fs.copyFileSync(process.execPath, path.join(place, 'node'));
  fs.cpSync(path.resolve(root, '../..'), path.join(place, 'node_modules'), { recursive: true });
  return place;
}

/** @param {string[]} command @returns {string} */
function runAsRoot(command) {
  return execFileSync('unshare', ['--mount', ...command], { encoding: 'utf8', stdio: 'pipe' });
}

function lacksRoot() {
  try {
    runAsRoot(['true']);
    return '';
  } catch {
    return 'only root may change the root directory';
  }
}

testPackage('both binaries start where there is only glibc and Node.js', (t, { root }) => {
  const lacking = lacksRoot();
  if (lacking) return t.skip(lacking);
  const place = makeRoot(t, root);
  const script = 'mount -t proc proc "$0/proc" && exec env -i "$(command -v chroot)" "$0" "$@"';
  const inside = (/** @type {string[]} */ ...command) =>
    runAsRoot(['sh', '-c', script, place, ...command]);
  const own = '/node_modules/@busbar/node-red';
  assert.equal(inside(`${own}/${BINARIES}/busbar`, 'version').trim(), version);
  assert.match(inside('/node', `${own}/bin/busbar.js`, 'profiles'), /rockwell\/powermonitor-500/);
  const code = `console.log(require('${own}/lib/codec').decodeRegisters([17254, 6554],
    { type: 'float32' }).values[0])`;
  assert.equal(inside('/node', '-e', code).trim(), '230.1');
  return undefined;
});

/** Addresses that a process listens on over TCP, as hex of its kernel. @param {number} pid */
function listListening(pid) {
  const links = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => {
    return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
  });
  const rows = ['tcp', 'tcp6'].flatMap((name) =>
    fs.readFileSync(`/proc/${pid}/net/${name}`, 'utf8').trim().split('\n').slice(1),
  );
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((row) => row[3] === '0A' && links.includes(`socket:[${row[9]}]`))
    .map((row) => row[1]);
}

testPackage(
  'its runtime listens on a loopback port for metrics, and on no other',
  async (t, made) => {
    const port = await freePort();
    const file = path.join(tempDir(t), 'site.json');
    const runtime = { metrics: `127.0.0.1:${port}` };
    fs.writeFileSync(file, JSON.stringify({ busbar: 1, site: { id: 'p' }, runtime }));
    const program = startProgram(t, {
      command: path.join(made.root, BINARIES, 'busbar'),
      args: ['run', file, '--data', tempDir(t)],
    });
    await program.waitForOutput(/applied/);
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    assert.deepEqual(listListening(program.pid), [`0100007F:${hex}`]);
    await program.stop();
  },
);

testPackage('where no binary fits, one sentence says so and nothing throws', (t, made) => {
  const root = copyPackage(t, made);
  const load = (/** @type {object} */ place) =>
    ask(
      root,
      `const { load, executable } = require('./lib/binding');
       return [load(${JSON.stringify(place)}).error, executable(${JSON.stringify(place)}).error]`,
    );
  for (const error of load({ libc: 'musl' })) {
    assert.match(
      error,
      /^Busbar has no busbar\S* for linux-\w+-musl \(such as Alpine\), only for linux-\w+-glibc; docs\/install\.md /,
    );
  }
  const other = process.arch === 'x64' ? 'arm64' : 'x64';
  assert.match(
    load({ arch: other })[1],
    new RegExp(`no busbar for linux-${other}-glibc, only for`),
  );
  assert.match(
    load({ glibc: '2.17' })[1],
    /busbar needs glibc 2\.\d+, and this machine has 2\.17; docs/,
  );
  assert.deepEqual(load({ glibc: '3.0' }), [null, null]);

  fs.rmSync(path.join(root, BINARIES, 'busbar.node'));
  assert.match(
    load({})[0],
    /busbar\.node is not there \(looked at .*\); .*install @busbar\/node-red again/,
  );
  fs.rmSync(path.join(root, 'prebuilds'), { recursive: true });
  for (const error of load({})) assert.match(error, /is not there \(looked at /);
  const files = fs.readdirSync(path.join(root, 'nodes')).filter((name) => name.endsWith('.js'));
  const types = ask(
    root,
    `return ${JSON.stringify(files)}.map((name) => typeof require('./nodes/' + name))`,
  );
  assert.deepEqual(types, Array(files.length).fill('function'));
});
