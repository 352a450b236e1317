/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The data directory of a runtime, and where in it the control socket is. One runtime holds a
   directory at a time; whoever names the same directory means the same runtime.

     busbar.sock    the control socket, where that path is short enough
     runtime.json   {"pid", "socket", "metrics", "version", "started", "boot"} while it runs
     busbar.log     the log of a runtime that Node-RED started

   Where the directory cannot be written, the socket lies in <temporary directory>/busbar-<uid>-<hash>. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { BusbarError, codeOf, textOf } = require('./errors');

const SOCKET = 'busbar.sock';
const RECORD = 'runtime.json';
const RECORD_MAX_BYTES = 16384;

/** What the kernel takes as the path of a socket, without the terminator. */
const SOCKET_PATH_MAX_BYTES = 107;

/**
 * What a runtime says of itself in its data directory. A runtime that was killed leaves it behind.
 * @typedef {{pid?: number, socket?: string | null, metrics?: string | null, version?: string,
 *   started?: string, boot?: number}} RuntimeRecord
 */

/**
 * BUSBAR_DATA, else `busbar.dataDir` of settings.js (relative to the user directory), else `busbar`
 * in Node-RED's user directory.
 * @param {{userDir?: string, busbar?: {dataDir?: string}}} settings Those of Node-RED.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string} Absolute.
 */
function dataDir(settings, env = process.env) {
  if (env.BUSBAR_DATA) return path.resolve(env.BUSBAR_DATA);
  const userDir = settings.userDir || path.join(os.homedir(), '.node-red');
  return path.resolve(userDir, settings.busbar?.dataDir || 'busbar');
}

/** The person who runs this process, for sentences: "pi (1000)". */
function whoAmI() {
  const uid = process.getuid?.();
  try {
    return `${os.userInfo().username} (${uid})`;
  } catch {
    return `${uid ?? 'this user'}`;
  }
}

/**
 * Makes the directory (0700) and those above it that are missing, and sees to it that it can be
 * written. @param {string} dir
 */
function makeDataDir(dir) {
  try {
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    fs.accessSync(dir, fs.constants.W_OK | fs.constants.X_OK);
  } catch (error) {
    const code = codeOf(error);
    const advice = 'or name another one (BUSBAR_DATA, or busbar.dataDir in settings.js)';
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new BusbarError(
        'BUSBAR_PERMISSION',
        `the data directory ${dir} cannot be written by user ${whoAmI()}: ${textOf(error)}; ` +
          `give that user the directory, ${advice}`,
        { cause: error },
      );
    }
    const what = code === 'EEXIST' || code === 'ENOTDIR' ? 'there is a file in its place' : '';
    throw new BusbarError(
      'BUSBAR_PATH',
      `the data directory ${dir} cannot be made: ${what || textOf(error)}; free that path, ${advice}`,
      { cause: error },
    );
  }
}

/** @param {string} dir @returns {RuntimeRecord} {} where there is none to be read. */
function readRecord(dir) {
  try {
    const file = path.join(dir, RECORD);
    if (fs.statSync(file).size > RECORD_MAX_BYTES) return {};
    const record = JSON.parse(fs.readFileSync(file, 'utf8'));
    return record !== null && typeof record === 'object' ? record : {};
  } catch {
    return {};
  }
}

/** FNV-1a, 64 bits, of the text's bytes, as 16 hex digits. @param {string} text */
function hashOf(text) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}

/** @param {string} dir */
function realPath(dir) {
  try {
    return fs.realpathSync(dir);
  } catch {
    return path.resolve(dir);
  }
}

/**
 * The socket of a runtime of this user that cannot write in the directory: in a folder beside, which
 * nobody else can have put there. @param {string} dir @returns {string | undefined}
 */
function findBeside(dir) {
  const uid = process.getuid?.();
  const name = `busbar-${uid}-${hashOf(realPath(dir))}`;
  return [process.env.TMPDIR, '/tmp']
    .filter((folder) => folder && path.isAbsolute(folder))
    .map((folder) => path.join(/** @type {string} */ (folder), name))
    .filter((folder) => fs.lstatSync(folder, { throwIfNoEntry: false })?.uid === uid)
    .map((folder) => path.join(folder, SOCKET))
    .find((socket) => fs.existsSync(socket));
}

/**
 * Where the control socket is, or would be. The record is asked only where none is found, because a
 * killed runtime leaves its record behind.
 * @param {string} dir
 * @returns {string | null} null: it cannot lie there, and nobody has said where else it does.
 */
function findSocket(dir) {
  const own = path.join(dir, SOCKET);
  const fits = Buffer.byteLength(own) <= SOCKET_PATH_MAX_BYTES;
  if (fits && fs.existsSync(own)) return own;
  const beside = findBeside(dir);
  if (beside !== undefined) return beside;
  const { socket } = readRecord(dir);
  if (typeof socket === 'string' && path.isAbsolute(socket)) return socket;
  return fits ? own : null;
}

module.exports = {
  ...{ SOCKET_PATH_MAX_BYTES },
  ...{ dataDir, findSocket, makeDataDir, readRecord, whoAmI },
};
