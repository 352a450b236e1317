/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The system packages Busbar is built, shown and tested with, and their installation by apt. Only
   missing ones are installed; the services some of them bring are kept from starting, because our
   brokers and databases are our own processes on free ports. */

const fs = require('node:fs');
const path = require('node:path');
const { StepError, run, runStep } = require('./command');
const { clear, say, show } = require('./progress');

/** For `npm start` and `npm run bench`, and for everything else. */
const BUILD = [
  'build-essential',
  'cmake',
  'ninja-build',
  'pkg-config',
  'python3',
  'libuv1-dev',
  'libmodbus-dev',
  'libpaho-mqtt-dev',
  'libcurl4-openssl-dev',
  'libyaml-dev',
  'zlib1g-dev',
  'libsqlite3-dev',
  'libssl-dev',
  'mosquitto',
];

/** For `npm test` in addition: package, and what is skipped where the archive has no such one.
 * @type {Record<string, string>} */
const TEST = {
  'libcmocka-dev': '',
  openssl: '',
  clang: 'the fuzz targets',
  'clang-format-14': 'the clang-format check',
  'mosquitto-clients': 'tests that use mosquitto_pub or mosquitto_sub',
  influxdb: 'the tests against InfluxDB 1',
  'victoria-metrics': 'the tests against VictoriaMetrics',
  chromium: 'the tests in a browser, unless playwright-core has one',
  'fonts-liberation': 'letters in the tests in a browser',
};

/* Packages of the lists above that bring a system service of the same name. */
const SERVICES = ['mosquitto', 'influxdb', 'victoria-metrics'];

const DAY_MS = 24 * 3600 * 1000;

/** @typedef {'start' | 'test' | 'bench'} Purpose */

/** Debian from 12 and Ubuntu from 22.04; testing and sid have no version. @param {string} text */
function isSupported(text) {
  const field = (/** @type {string} */ name) =>
    new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] || '';
  const version = Number.parseFloat(field('VERSION_ID') || '99');
  return (
    (field('ID') === 'debian' && version >= 12) || (field('ID') === 'ubuntu' && version >= 22.04)
  );
}

function readRelease() {
  try {
    return fs.readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}

/** @param {string[]} names @returns {Promise<Map<string, string>>} Installed ones: name → depends. */
async function queryInstalled(names) {
  const format = '-f=${Package}\t${db:Status-Status}\t${Depends}\n';
  const { output } = await run('dpkg-query', ['-W', format, ...names]);
  const rows = output.split('\n').map((line) => line.split('\t'));
  return new Map(rows.filter((row) => row[1] === 'installed').map((row) => [row[0], row[2]]));
}

/** @param {string[]} names @returns {Promise<string[]>} Those that the archive offers. */
async function queryOffered(names) {
  const { output } = await run('apt-cache', ['policy', ...names], { env: { LC_ALL: 'C' } });
  /** @type {string[]} */
  const offered = [];
  let name = '';
  for (const line of output.split('\n')) {
    if (/^\S+:$/.test(line)) name = line.slice(0, -1);
    else if (/^ +Candidate: (?!\(none\))/.test(line)) offered.push(name);
  }
  return offered;
}

/** libFuzzer belongs to clang in some releases, in others it is a package of clang's own version.
 * @returns {Promise<string | undefined>} The package, where libFuzzer is not there yet. */
async function nameFuzzerPackage() {
  const clang = await run('clang', ['-print-resource-dir']).catch(() => undefined);
  if (!clang) return undefined;
  const folder = path.join(clang.output.trim(), 'lib/linux');
  const files = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  if (files.some((file) => file.startsWith('libclang_rt.fuzzer-'))) return undefined;
  const depends = (await queryInstalled(['clang'])).get('clang') || '';
  const major = /\bclang-(\d+)/.exec(depends)?.[1];
  return major && `libclang-rt-${major}-dev`;
}

/** How to run a command as root here. */
async function findRootPrefix() {
  if (process.getuid?.() === 0) return [];
  const quiet = await run('sudo', ['-n', 'true']).catch(() => undefined);
  if (quiet?.code === 0) return ['sudo', '-n'];
  return quiet && process.stdin.isTTY ? ['sudo'] : undefined;
}

/** While apt works, a policy that forbids service starts stands where there is none. Names are our
 * own, so they need no quoting. @param {string[]} names */
function writeInstallScript(names) {
  const services = names.filter((name) => SERVICES.includes(name)).map((name) => `${name}.service`);
  return [
    'set -e',
    'export DEBIAN_FRONTEND=noninteractive',
    'policy=/usr/sbin/policy-rc.d',
    'if [ ! -e $policy ]; then',
    "  trap 'rm -f /usr/sbin/policy-rc.d' EXIT",
    "  printf '#!/bin/sh\\nexit 101\\n' > $policy && chmod 755 $policy",
    'fi',
    `apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends ${names.join(' ')}`,
    services.length === 0
      ? ''
      : `[ ! -d /run/systemd/system ] || systemctl disable -q ${services.join(' ')} || true`,
  ].join('\n');
}

/** @param {string[]} prefix @param {string} script @param {string} what */
async function runAsRoot(prefix, script, what) {
  const [command, ...args] = [...prefix, 'sh', '-c', script];
  await runStep(command, args, {
    what,
    ask: prefix.length === 1,
    onLine: show,
    advice: 'Look at the last lines above; `apt-get update` and a network connection may help.',
  });
}

/** @param {string[]} names */
function askForPackages(names) {
  return `Install them as root and start again:\n  apt-get install -y --no-install-recommends ${names.join(' ')}`;
}

/** Remembers for a day what the archive does not have, so that it is not asked on every start. */
class Unavailable {
  /** @param {string} file */
  constructor(file) {
    this.file = file;
  }

  /** @returns {string[]} */
  read() {
    try {
      if (Date.now() - fs.statSync(this.file).mtimeMs > DAY_MS) return [];
      return fs.readFileSync(this.file, 'utf8').split('\n').filter(Boolean);
    } catch {
      return [];
    }
  }

  /** @param {string[]} names */
  write(names) {
    fs.mkdirSync(path.dirname(this.file), { recursive: true });
    fs.writeFileSync(this.file, names.map((name) => `${name}\n`).join(''));
  }
}

/**
 * @param {string[]} missing
 * @returns {Promise<string[]>} Names that the archive does not have.
 */
async function installMissing(missing) {
  const prefix = await findRootPrefix();
  if (!prefix) {
    throw new StepError(`System packages are missing: ${missing.join(', ')}.`, {
      advice: askForPackages(missing),
    });
  }
  let offered = await queryOffered(missing);
  if (offered.length < missing.length) {
    show('asking the package archive');
    await runAsRoot(prefix, 'apt-get -o DPkg::Lock::Timeout=300 update', 'System packages');
    offered = await queryOffered(missing);
  }
  const absent = missing.filter((name) => !offered.includes(name));
  const needed = absent.filter((name) => BUILD.includes(name));
  if (needed.length > 0) {
    throw new StepError(`This machine's package archive does not have: ${needed.join(', ')}.`, {
      advice: 'On Ubuntu, enable the "universe" component; then start again.',
    });
  }
  if (offered.length === 0) return absent;
  clear();
  say(`  installing ${offered.length} system packages: ${offered.join(' ')}`);
  if (offered.some((name) => SERVICES.includes(name))) {
    say('  (the system services among them stay switched off: Busbar starts its own)');
  }
  await runAsRoot(prefix, writeInstallScript(offered), 'System packages');
  return absent;
}

/**
 * @param {string[]} names @param {Unavailable} unavailable
 * @returns {Promise<{installed: number, absent: string[]}>}
 */
async function ensure(names, unavailable) {
  const present = await queryInstalled(names);
  const known = unavailable.read();
  const lacking = names.filter((name) => !present.has(name));
  const missing = lacking.filter((name) => !known.includes(name));
  if (missing.length === 0) return { installed: 0, absent: lacking };
  const absent = await installMissing(missing);
  if (absent.length > 0) unavailable.write([...known, ...absent]);
  return {
    installed: missing.length - absent.length,
    absent: lacking.filter((name) => known.includes(name) || absent.includes(name)),
  };
}

/**
 * Makes sure that the packages for the purpose are there.
 * @param {Purpose} purpose @param {string} noteFile Where unavailable names are remembered.
 * @returns {Promise<{installed: number, absent: string[]}>}
 */
async function preparePackages(purpose, noteFile) {
  const wanted = purpose === 'test' ? [...BUILD, ...Object.keys(TEST)] : BUILD;
  if (process.env.BUSBAR_PACKAGES === 'installed') {
    return { installed: 0, absent: [] };
  }
  if (!isSupported(readRelease())) {
    throw new StepError(
      'Busbar installs its system packages on Debian 12 or newer and Ubuntu 22.04 or newer only.',
      {
        advice:
          `Install what corresponds to these Debian packages:\n  ${wanted.join(' ')}\n` +
          'Then start again with BUSBAR_PACKAGES=installed in the environment.',
      },
    );
  }
  const unavailable = new Unavailable(noteFile);
  const first = await ensure(wanted, unavailable);
  const fuzzer = purpose === 'test' ? await nameFuzzerPackage() : undefined;
  if (!fuzzer) return first;
  const second = await ensure([fuzzer], unavailable);
  return {
    installed: first.installed + second.installed,
    absent: [...first.absent, ...second.absent],
  };
}

/** @param {string} name @returns {string} What the tests leave out without the package. */
function describeLoss(name) {
  return TEST[name] || (name.startsWith('libclang-rt-') ? 'the fuzz targets' : 'some tests');
}

module.exports = { preparePackages, describeLoss, isSupported, writeInstallScript };
