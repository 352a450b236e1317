/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Finds the two binaries of this package: the addon busbar.node, which holds the codecs, and the
   executable busbar, which is the runtime. A binary that is not there, or not for this machine, is
   told in one sentence and never thrown when this file is loaded, so that everything else of the
   palette stays usable. */

const fs = require('node:fs');
const path = require('node:path');

/**
 * What the addon exports; native/addon/classes.hpp says what each takes.
 * @typedef {object} Frames
 * @property {(bytes: Uint8Array, at: number, columns: Float64Array) => number} read
 * @property {(bytes: Uint8Array, at: number, tags: boolean, historical: boolean) => string} json
 * @property {(bytes: Uint8Array, at: number) => string} line
 *
 * @typedef {object} Shape
 * @property {() => string} hash
 * @property {() => Buffer} frame
 * @property {(device: number, ms: number, ns: number, seq: number, flags: number,
 *   values: unknown[], quality: Uint8Array) => Buffer} batch
 *
 * @typedef {{ok: boolean, value?: number | string | boolean, code?: string, reason?: string}} Verdict
 *
 * @typedef {object} Profile
 * @property {() => number} bytes
 * @property {() => string} describe
 * @property {(bytes: Uint8Array, table: number, address: number, count: number,
 *   columns: Float64Array) => void} decode
 * @property {(bytes: Uint8Array, at: number, most: number, columns: Float64Array) => number} repeat
 * @property {(point: number, value: unknown) => Verdict} check
 *
 * @typedef {object} Lines
 * @property {(document: string) => number} plan
 * @property {(document: string) => number} series
 * @property {(plan: number, series: number, values: Float64Array, texts: string[], ms: number,
 *   ns: number) => string} encode
 *
 * @typedef {object} Binding
 * @property {string} version
 * @property {Record<string, number>} columns Where things lie in the columns of a batch.
 * @property {Record<number, string>} errors Names of error codes, such as FORMAT.
 * @property {string[]} types By type number.
 * @property {string[]} qualities By quality byte, such as "bad, no answer".
 * @property {new () => Frames} Frames
 * @property {new (document: string) => Shape} Shape
 * @property {new (text: string, name: string) => Profile} Profile
 * @property {new () => Lines} Lines
 * @property {(document: string) => Buffer} packDevice
 */

/**
 * Where to look, and for what machine; all of it is this process' own when left out.
 * @typedef {object} Place
 * @property {string} [root] The package.
 * @property {string} [platform]
 * @property {string} [arch]
 * @property {string} [libc] glibc or musl.
 * @property {string} [glibc] The version of glibc.
 */

const ROOT = path.resolve(__dirname, '..');
const ARCHITECTURES = ['x64', 'arm64'];
const SET_UP =
  'in a checkout, `node scripts/setup.js` builds it, else install @busbar/node-red again';
const WHAT_ELSE = 'docs/install.md of the package says what to do';

/** The version of glibc that this Node.js runs on, '' for another C library; without the report's look
 * at network connections, which can take seconds. */
function findGlibc() {
  const report = /** @type {any} */ (process.report);
  const { excludeNetwork } = report;
  report.excludeNetwork = true;
  const { header } = report.getReport();
  report.excludeNetwork = excludeNetwork;
  return String(header.glibcVersionRuntime ?? '');
}

/** What a folder of binaries for that machine is called. @param {Place} [place] */
function nameTarget({ arch = process.arch, libc } = {}) {
  return `linux-${arch}-${libc ?? (findGlibc() ? 'glibc' : 'musl')}`;
}

/** Why no binary can be for this machine, if so. @param {Place} place */
function describeMachine({ platform = process.platform, arch = process.arch }) {
  if (platform !== 'linux') return `Busbar runs on Linux; this is ${platform} (${arch})`;
  if (ARCHITECTURES.includes(arch)) return '';
  if (/^(arm|ia32|mips|mipsel|ppc|s390)$/.test(arch)) {
    return `Busbar needs a 64-bit Node.js, because its decimals take 128-bit arithmetic; this one is ${arch}`;
  }
  return '';
}

/** The places where a binary may lie, the first one first.
 * @param {Place} place @param {string} name @param {string} built */
function listPlaces(place, name, built) {
  const { root = ROOT } = place;
  const places = [path.join(root, built)];
  const prebuilds = path.join(root, 'prebuilds');
  if (fs.existsSync(prebuilds)) places.unshift(path.join(prebuilds, nameTarget(place), name));
  return places;
}

/** Why there is no such file: a package for other machines only, or one that is not whole.
 * @param {Place} place @param {string} name @param {string[]} places Where it was looked for. */
function describeAbsence(place, name, places) {
  const prebuilds = path.join(place.root ?? ROOT, 'prebuilds');
  const targets = fs.existsSync(prebuilds) ? fs.readdirSync(prebuilds) : [];
  const target = targets.length > 0 ? nameTarget(place) : '';
  if (target === '' || targets.includes(target)) {
    return `${name} is not there (looked at ${places.join(', ')}); ${SET_UP}.`;
  }
  const system = target.endsWith('-musl') ? `${target} (such as Alpine)` : target;
  return `Busbar has no ${name} for ${system}, only for ${targets.join(' and ')}; ${WHAT_ELSE}.`;
}

/** Why a binary of this package would not start, if its glibc is to blame. The loader would say so only
 * into the log of the runtime. @param {string} file @param {string} [glibc] Of this machine. */
function describeGlibc(file, glibc) {
  const needs = path.join(path.dirname(file), 'needs.json');
  if (!fs.existsSync(needs)) return '';
  const needed = String(JSON.parse(fs.readFileSync(needs, 'utf8')).glibc);
  const found = glibc ?? findGlibc();
  const [have, want] = [found, needed].map((text) => text.split('.').map(Number));
  if (have[0] > want[0] || (have[0] === want[0] && have[1] >= want[1])) return '';
  return `needs glibc ${needed}, and this machine has ${found || 'another C library'}; ${WHAT_ELSE}`;
}

/** @param {string} file @param {unknown} problem */
function describeFailure(file, problem) {
  const text = String(problem instanceof Error ? problem.message : problem).split('\n')[0];
  const hint = /GLIBC_|GLIBCXX_/.test(text)
    ? 'the C library of this machine is too old for it'
    : 'it is for another kind of machine or Node.js: install @busbar/node-red again on this one';
  return `${file} cannot be loaded; ${hint} (${text.replace(`${file}: `, '')})`;
}

/** @param {string} root */
function readVersion(root) {
  return JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')).version;
}

/** What ELF calls the processors. @type {Record<string, number>} */
const MACHINES = { x64: 62, arm64: 183, riscv64: 243 };

/** A file that was cut off would end the process when it is loaded, so its table of sections, which
 * stands at its end, has to be there. @param {string} file */
function checkElf(file) {
  const head = Buffer.alloc(64);
  const descriptor = fs.openSync(file, 'r');
  try {
    fs.readSync(descriptor, head, 0, head.length, 0);
    if (head.toString('latin1', 0, 4) !== '\x7fELF') throw new Error('it is no program library');
    const machine = MACHINES[process.arch];
    if (head[4] !== 2 || (machine && head.readUInt16LE(18) !== machine)) {
      throw new Error(`it is not for ${process.arch}`);
    }
    const end = head.readBigUInt64LE(40) + BigInt(head.readUInt16LE(58) * head.readUInt16LE(60));
    if (BigInt(fs.fstatSync(descriptor).size) < end) throw new Error('its end is missing');
  } finally {
    fs.closeSync(descriptor);
  }
}

/** @param {string} file @param {string} root @returns {Binding} */
function open(file, root) {
  checkElf(file);
  /** @type {Binding} */
  const binding = require(file);
  const version = readVersion(root);
  if (binding.version === version) return binding;
  throw new Error(`it is of version ${binding.version}, this package of ${version}`);
}

/**
 * Loads the addon: `binding`, or `error`, a sentence that says why not and what to do.
 * @param {Place} [place]
 * @returns {{binding?: Binding, error?: string}}
 */
function load(place = {}) {
  try {
    const machine = describeMachine(place);
    if (machine) return { error: `${machine}: the codecs are not available.` };
    const places = listPlaces(place, 'busbar.node', 'build/Release/busbar.node');
    /** @type {string | undefined} */
    let error;
    for (const file of places.filter((candidate) => fs.existsSync(candidate))) {
      try {
        return { binding: open(file, place.root ?? ROOT) };
      } catch (problem) {
        error ??= `${describeFailure(file, problem)}.`;
      }
    }
    return { error: error ?? describeAbsence(place, 'busbar.node', places) };
  } catch (problem) {
    return { error: `busbar.node cannot be looked for: ${String(problem)}` };
  }
}

/** Why a file cannot be run, if so. @param {string} file */
function describeRun(file) {
  const stats = fs.statSync(file, { throwIfNoEntry: false });
  if (!stats) return 'is not there';
  if (!stats.isFile()) return 'is no file';
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return '';
  } catch {
    return `may not be executed; \`chmod +x ${file}\` allows it`;
  }
}

/**
 * Finds the executable of the runtime: the one that BUSBAR_EXECUTABLE names, else the one that came
 * with this package, else the one of a checkout.
 * @param {Place} [place]
 * @returns {{path?: string, error?: string}} One of the two.
 */
function executable(place = {}) {
  try {
    const chosen = process.env.BUSBAR_EXECUTABLE;
    if (chosen) {
      const file = path.resolve(chosen);
      const problem = describeRun(file);
      return problem ? { error: `BUSBAR_EXECUTABLE: ${file} ${problem}.` } : { path: file };
    }
    const machine = describeMachine(place);
    if (machine) return { error: `${machine}: the runtime is not available.` };
    const places = listPlaces(place, 'busbar', 'native/build/busbar');
    const file = places.find((candidate) => fs.existsSync(candidate));
    if (!file) return { error: describeAbsence(place, 'busbar', places) };
    const problem = describeRun(file) || describeGlibc(file, place.glibc);
    return problem ? { error: `${file} ${problem}.` } : { path: file };
  } catch (problem) {
    return { error: `busbar cannot be looked for: ${String(problem)}` };
  }
}

const { binding, error } = load();

/** The addon for who cannot do without it. @returns {Binding} */
function need() {
  if (binding) return binding;
  throw Object.assign(new Error(error), { code: 'BUSBAR_NO_BINDING' });
}

module.exports = { binding, error, executable, load, nameTarget, need };
