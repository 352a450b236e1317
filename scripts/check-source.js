/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Two checks of the text of source files: the licence line at the head, and C calls that have no
   place here because they cannot be told how much room there is, or hide errors. */

const { listFiles, readFile } = require('./files');

const LICENCE = '/* SPDX-License-Identifier: Apache-2.0 */';

/** Call → what to use instead. @type {Record<string, string>} */
const BANNED = {
  strcpy: 'bb_buf or memcpy with a length',
  strcat: 'bb_buf',
  sprintf: 'snprintf',
  vsprintf: 'vsnprintf',
  gets: 'fgets',
  strtok: 'a loop, or strtok_r',
  atoi: 'strtol with its end pointer',
  atol: 'strtol with its end pointer',
  atof: 'strtod with its end pointer',
};
/** The same for what is packed, in native/. @type {Record<string, string>} */
const TOO_NEW = { hypot: 'sqrt, as its newest version wants glibc 2.35' };

/** Blanks comments, strings and characters, keeping the lines. @param {string} text */
function stripC(text) {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
  return text.replace(token, (found) => found.replace(/[^\n]/g, ' '));
}

/** @param {string} file @param {string} text @returns {string[]} */
function findBannedCalls(file, text) {
  const banned = file.startsWith('native/') ? { ...BANNED, ...TOO_NEW } : BANNED;
  const call = new RegExp(`\\b(${Object.keys(banned).join('|')})\\s*\\(`, 'g');
  return stripC(text)
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(call)].map(
        ([, name]) => `${file}:${index + 1}: ${name}() is not used here; take ${banned[name]}`,
      ),
    );
}

/** The line stands first, or second below a #! line. @param {string} text */
function hasLicence(text) {
  return text.split('\n', 2).includes(LICENCE);
}

function listC() {
  const pattern = /\.(c|h|cc|hpp)$/;
  return [...listFiles('native', pattern), ...listFiles('tests', pattern)];
}

function checkCalls() {
  return listC().flatMap((file) => findBannedCalls(file, readFile(file)));
}

function checkLicence() {
  const scripts = ['scripts', 'tests', 'lib', 'nodes'].flatMap((folder) =>
    listFiles(folder, /\.(js|mjs|cjs)$/),
  );
  return [...listC(), ...scripts]
    .filter((file) => !hasLicence(readFile(file)))
    .map((file) => `${file}: the first line must be ${LICENCE}`);
}

module.exports = { checkCalls, checkLicence, findBannedCalls, hasLicence, listC };

if (require.main === module) {
  const problems = [...checkCalls(), ...checkLicence()];
  problems.forEach((problem) => console.error(problem));
  process.exitCode = problems.length > 0 ? 1 : 0;
}
