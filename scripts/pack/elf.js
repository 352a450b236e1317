/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a binary wants of the machine that it is run on, as binutils see it. */

const { runStep } = require('../command');

/**
 * @typedef {object} Wants
 * @property {string[]} libraries Shared libraries, by name.
 * @property {string} runpath Where they are looked for first; '' for nowhere special.
 * @property {string} glibc The oldest version that has all that is used, such as "2.34".
 */

/** @param {string} a @param {string} b Both like "2.34". */
function compareVersions(a, b) {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** @param {string} text Of `readelf -W -d -V`. @returns {Wants} */
function parseWants(text) {
  const find = (/** @type {RegExp} */ pattern) =>
    [...text.matchAll(pattern)].map(([, found]) => found);
  return {
    libraries: find(/\(NEEDED\).*\[(.+)\]/g).sort(),
    runpath: find(/\((?:RUNPATH|RPATH)\).*\[(.*)\]/g).join(':'),
    glibc:
      find(/\bName: GLIBC_(\d[\d.]*)/g)
        .sort(compareVersions)
        .at(-1) ?? '',
  };
}

/** @param {string} file @returns {Promise<Wants>} */
async function readWants(file) {
  const output = await runStep('readelf', ['-W', '-d', '-V', file], {
    env: { LC_ALL: 'C' },
    what: `What ${file} wants`,
    advice: 'readelf belongs to the package binutils.',
  });
  return parseWants(output);
}

module.exports = { compareVersions, parseWants, readWants };
