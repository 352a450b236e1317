/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The bundled profiles, as the palette reads them: profiles/<vendor>/<model>.yaml, each by its id. They
   are read at the first question and kept, because they only change with the package. */

const fs = require('node:fs');
const path = require('node:path');
const yaml = require('yaml');
const { describePoints, listScans, mergeProfile } = require('../resources/busbar-points');
const { textOf } = require('./errors');

/** @typedef {Record<string, any>} Profile */
/** @typedef {{id: string, name: string, manufacturer: string, verified: boolean, points: number,
 *   scans: Record<string, string>}} Entry */

const FOLDER = path.join(__dirname, '../profiles');

/** Raw values in hex stand for bits, not for numbers, and may be past what a number holds: they stay
 * as they are written. @param {import('yaml').Document} document */
function keepBits(document) {
  yaml.visit(document, {
    Pair(_, pair) {
      const key = /** @type {any} */ (pair.key)?.value;
      if (key !== 'sentinels' || !yaml.isSeq(pair.value)) return;
      for (const item of pair.value.items) {
        if (yaml.isScalar(item) && item.format === 'HEX') item.value = item.source;
      }
    },
  });
}

/** @param {string} text @returns {Profile} */
function parseProfile(text) {
  const document = yaml.parseDocument(text);
  if (document.errors.length > 0) throw document.errors[0];
  keepBits(document);
  const profile = document.toJS();
  if (Object(profile) !== profile) throw new Error('it is no map');
  return profile;
}

/** @param {string} folder @returns {string[]} Paths of files, relative. */
function listFiles(folder) {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.ya?ml$/.test(file))
    .sort();
}

/** @param {string} [folder] Where the profiles lie. */
function openProfiles(folder = FOLDER) {
  /** @type {Map<string, Profile> | undefined} */
  let known;
  /** @type {string[]} */
  const mistakes = [];

  function read() {
    /** @type {Map<string, Profile>} */
    const found = new Map();
    for (const file of fs.existsSync(folder) ? listFiles(folder) : []) {
      const id = file.replace(/\.ya?ml$/, '').replaceAll(path.sep, '/');
      try {
        const profile = parseProfile(fs.readFileSync(path.join(folder, file), 'utf8'));
        found.set(profile.id ?? id, { ...profile, id: profile.id ?? id });
      } catch (error) {
        mistakes.push(`${file}: ${textOf(error)}`);
      }
    }
    return found;
  }

  /** @param {string} id @returns {Profile | undefined} A copy: ours to keep, the caller's to change. */
  function loadProfile(id) {
    known ??= read();
    const profile = known.get(id);
    return profile && structuredClone(profile);
  }

  /** @returns {Entry[]} By manufacturer and name. */
  function listProfiles() {
    known ??= read();
    return [...known.values()].map(entryOf).sort(byName);
  }

  return { listProfiles, loadProfile, mistakes };
}

/** @param {Profile} profile @returns {Entry} */
function entryOf(profile) {
  return {
    id: profile.id,
    name: profile.name ?? profile.id,
    manufacturer: profile.vendor ?? '',
    verified: profile.verified === true,
    points: describePoints(profile).length,
    scans: Object.fromEntries(listScans(profile).map(({ scan, period }) => [scan, period])),
  };
}

/** Those of nobody stand last: they are made up. @param {Entry} a @param {Entry} b */
function byName(a, b) {
  const key = (/** @type {Entry} */ entry) => `${entry.manufacturer || '\uffff'} ${entry.name}`;
  return key(a).localeCompare(key(b));
}

/** The document as an endpoint shows it: what points leave to defaults is filled in.
 * @param {Profile} profile */
function describeProfile(profile) {
  return {
    ...profile,
    verified: profile.verified === true,
    scans: Object.fromEntries(listScans(profile).map(({ scan, period }) => [scan, period])),
    points: describePoints(profile),
  };
}

const { listProfiles, loadProfile } = openProfiles();

module.exports = { describeProfile, listProfiles, loadProfile, mergeProfile, openProfiles };
