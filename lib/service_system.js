/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The machine as `busbar service` sees it: users, files and commands. Tests take another one. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/**
 * @typedef {{name: string, uid: number, gids: number[]}} Account
 * @typedef {{code: number, stdout: string, stderr: string}} Outcome
 *
 * @typedef {object} System
 * @property {NodeJS.ProcessEnv} env
 * @property {string} home
 * @property {string} self How this command was called, for `sudo`.
 * @property {() => boolean} isRoot
 * @property {() => boolean} hasSystemd
 * @property {(name: string) => Account | null} findUser
 * @property {(name: string) => boolean} hasGroup
 * @property {(file: string) => string | null} read null: there is none.
 * @property {(file: string, text: string) => void} write
 * @property {(file: string) => void} remove
 * @property {(file: string) => fs.Stats | null} stat
 * @property {(command: string[]) => Outcome} run
 */

/** @param {string} file @returns {string[][]} Fields, line by line. */
function readTable(file) {
  try {
    const lines = fs.readFileSync(file, 'utf8').split('\n');
    return lines.filter(Boolean).map((line) => line.split(':'));
  } catch {
    return [];
  }
}

/** By the name service, because users may not stand in /etc/passwd. @param {string} name
 * @returns {Account | null} */
function findUser(name) {
  const number = (/** @type {string} */ flag) => {
    const { status, stdout } = spawnSync('id', [flag, '--', name], { encoding: 'utf8' });
    return status === 0 ? stdout.trim().split(' ').map(Number) : null;
  };
  const [uid, gids] = [number('-u'), number('-G')];
  return uid && gids ? { name, uid: uid[0], gids } : null;
}

/** @param {string} word For a shell. */
function quoteShell(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}

/** @returns {System} */
function realSystem() {
  return {
    env: process.env,
    home: os.homedir(),
    self: [process.execPath, path.resolve(process.argv[1] ?? 'busbar')].map(quoteShell).join(' '),
    isRoot: () => process.getuid?.() === 0,
    hasSystemd: () => fs.existsSync('/run/systemd/system'),
    findUser,
    hasGroup: (name) => readTable('/etc/group').some(([group]) => group === name),
    read: (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null),
    write(file, text) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(`${file}.new`, text, { mode: 0o644 });
      fs.renameSync(`${file}.new`, file);
    },
    remove: (file) => fs.rmSync(file, { force: true }),
    stat: (file) => fs.statSync(file, { throwIfNoEntry: false }) ?? null,
    run([command, ...args]) {
      const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
      const failure = error ? `${command}: ${error.message}` : stderr;
      return { code: status ?? 1, stdout: stdout ?? '', stderr: failure };
    },
  };
}

/** Whether that account has those rights on the file (4 read, 1 execute), and may walk to it.
 * @param {System} system @param {string} file @param {Account} account @param {number} rights
 * @returns {string} What is in its way; '' when nothing is. */
function findObstacle(system, file, account, rights) {
  const parts = file.split('/').filter(Boolean);
  for (let i = 0; i <= parts.length; i++) {
    const place = `/${parts.slice(0, i).join('/')}`;
    const stats = system.stat(place);
    if (!stats) return place;
    const needed = i < parts.length ? 1 : rights;
    const isOwner = stats.uid === account.uid;
    const shift = isOwner ? 6 : account.gids.includes(stats.gid) ? 3 : 0;
    if (account.uid !== 0 && ((stats.mode >> shift) & needed) !== needed) return place;
  }
  return '';
}

module.exports = { findObstacle, quoteShell, realSystem };
