/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The include-direction check: which room of native/ may see which other one, and which library is
   used where. Includes of our own are written from native/ on: #include "base/err.h". */

const path = require('node:path');
const fs = require('node:fs');
const { REPO, listFiles, readFile } = require('./files');

const CORE = ['base', 'model', 'wire', 'encode', 'control', 'store', 'plug'];
const ALL = [...CORE, 'io', 'drivers', 'sinks', 'runtime', 'sim', 'cli'];

/** Room → the rooms it may include from; itself always. @type {Record<string, string[]>} */
const ROOMS = {
  base: [],
  model: ['base'],
  wire: ['base'],
  encode: ['base', 'model'],
  control: ['base', 'model'],
  store: ['base', 'model'],
  plug: ['base', 'model'],
  io: ['base'],
  drivers: ['base', 'model', 'plug', 'wire', 'encode', 'io'],
  sinks: ['base', 'model', 'plug', 'encode', 'io'],
  runtime: [...CORE, 'io', 'drivers', 'sinks'],
  sim: ['base', 'model', 'wire', 'encode', 'io'],
  cli: ALL,
  addon: ['base', 'model', 'wire', 'encode', 'control'],
  fuzz: [...ALL, 'addon'],
};

const LOOP = ['io', 'drivers', 'sinks', 'runtime', 'sim', 'cli'];

/** Headers of a library → the rooms that may use it. @type {[RegExp, string[]][]} */
const LIBRARIES = [
  [/^yaml\.h$/, ['base']],
  [/^sqlite3\.h$/, ['store']],
  [/^uv\.h$/, LOOP],
  [/^(curl\/|MQTT|openssl\/)/, ['io']],
  [/^zlib\.h$/, ['io', 'store', 'fuzz']],
  [/^modbus(\/|\.h$)/, ['drivers']],
  [/^(napi\.h|node_api\.h|js_native_api\.h)$/, ['addon']],
];

const LIBC_FOLDERS = /^(sys|linux|net|netinet|arpa|asm)\//;
const LIBC = new Set(
  `assert ctype dirent dlfcn endian errno fcntl fenv float fnmatch getopt glob grp ifaddrs inttypes
  libgen limits locale malloc math netdb poll pthread pty pwd sched semaphore setjmp signal spawn
  stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings syslog
  termios threads time unistd wchar`
    .split(/\s+/)
    .map((name) => `${name}.h`),
);

/* Only the glue of the addon is C++. */
const LIBCXX = new Set('cmath cstddef cstdint cstdio cstdlib cstring string vector'.split(' '));

/** @param {string} room @param {string} header */
function judgeOwn(room, header) {
  const other = header.split('/')[0];
  if (!header.includes('/')) return `write the path from native/ on, such as "${room}/${header}"`;
  if (!(other in ROOMS)) return `there is no room ${other}`;
  if (other === room || ROOMS[room].includes(other)) return '';
  const allowed = ROOMS[room].join(', ') || 'no other room';
  return `${room} may use ${allowed}, not ${other}`;
}

/** @param {string} room @param {string} header */
function judgeSystem(room, header) {
  const library = LIBRARIES.find(([pattern]) => pattern.test(header));
  if (library) {
    return library[1].includes(room) ? '' : `only ${library[1].join(', ')} may use it, not ${room}`;
  }
  if (room === 'addon' && LIBCXX.has(header)) return '';
  return LIBC.has(header) || LIBC_FOLDERS.test(header)
    ? ''
    : 'neither libc nor a library known to scripts/check-includes.js; if it is meant, add it there';
}

/**
 * @param {string} file Such as native/io/tcp.c @param {string} text
 * @returns {string[]} One sentence per mistake.
 */
function checkText(file, text) {
  const room = file.split('/')[1];
  if (!(room in ROOMS)) return [`${file}: there is no room ${room}; see scripts/check-includes.js`];
  /** @type {string[]} */
  const problems = [];
  text.split('\n').forEach((line, index) => {
    const found = /^\s*#\s*include\s*([<"])([^>"]+)[>"]/.exec(line);
    if (!found) return;
    const [, quote, header] = found;
    const problem = quote === '"' ? judgeOwn(room, header) : judgeSystem(room, header);
    if (problem) problems.push(`${file}:${index + 1}: ${header}: ${problem}`);
  });
  return problems;
}

/** @param {string} file @param {string} text */
function checkPresence(file, text) {
  return [...text.matchAll(/^\s*#\s*include\s*"([^"]+\/[^"]+)"/gm)]
    .filter(([, header]) => !fs.existsSync(path.join(REPO, 'native', header)))
    .map(([, header]) => `${file}: ${header}: there is no such file below native/`);
}

/** @returns {string[]} */
function check() {
  return listFiles('native', /^native\/.+\/.+\.(c|h|cc|hpp)$/).flatMap((file) => {
    const text = readFile(file);
    return [...checkText(file, text), ...checkPresence(file, text)];
  });
}

module.exports = { check, checkText };

if (require.main === module) {
  const problems = check();
  problems.forEach((problem) => console.error(problem));
  process.exitCode = problems.length > 0 ? 1 : 0;
}
