/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The systemd unit of a runtime as a service, as text. What is left out on purpose: PrivateDevices and
   DevicePolicy, because of serial ports; ProtectClock, because it brings a DevicePolicy along. What a
   user's own systemd may not do without further rights (a file system and capabilities of its own)
   is left out of a user's unit. */

/**
 * @typedef {object} Unit
 * @property {string} name Without .service.
 * @property {boolean} ofUser Run by a user's own systemd.
 * @property {string} executable
 * @property {string} [config] The document; without it, the one that was applied last.
 * @property {string} dataDir
 * @property {string} [user] Whom the service runs as; not in a user's unit.
 * @property {boolean} shared The group of that user may use the control socket.
 * @property {string} [serialGroup] Who may use serial ports.
 * @property {string} environment A file with variables that may be there.
 */

const STATE = '/var/lib/';
const HOMES = /^\/(home|root|run\/user)(\/|$)/;

/** A word of a command line: systemd expands % in all of it, $ in arguments. @param {string} word */
function quote(word) {
  const plain = word.replace(/%/g, '%%').replace(/\$/g, '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}

/** A path as the value of a setting. @param {string} path */
function quotePath(path) {
  const plain = path.replace(/%/g, '%%');
  return /[\s"'\\]/.test(plain) ? `"${plain.replace(/["\\]/g, '\\$&')}"` : plain;
}

/** Whether a unit can name it at all. @param {string} path */
function isNameable(path) {
  return !/\p{Cc}/u.test(path);
}

/** @param {Unit} unit */
function accountLines({ ofUser, user, serialGroup }) {
  if (ofUser) return [];
  return [`User=${user}`, ...(serialGroup ? [`SupplementaryGroups=${serialGroup}`] : [])];
}

/** Below /var/lib systemd makes the directory, gives it to the user and lets it be written.
 * @param {Unit} unit */
function stateLines({ ofUser, dataDir, shared }) {
  if (ofUser) return [];
  if (!isState(dataDir)) return [`ReadWritePaths=${quotePath(dataDir)}`];
  return [
    `StateDirectory=${quotePath(dataDir.slice(STATE.length))}`,
    `StateDirectoryMode=${shared ? '0750' : '0700'}`,
  ];
}

/** @param {string} dataDir */
function isState(dataDir) {
  return dataDir.startsWith(STATE) && dataDir.length > STATE.length;
}

/** What holds for each of its processes; a user's systemd can do that, too. */
const PROCESS = [
  'UMask=0077',
  'NoNewPrivileges=yes',
  'LockPersonality=yes',
  'MemoryDenyWriteExecute=yes',
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service',
  'SystemCallErrorNumber=EPERM',
];

/** @param {Unit} unit */
function sandboxLines({ ofUser, executable, config, dataDir }) {
  if (ofUser) return PROCESS;
  const atHome = [executable, config ?? '', dataDir].some((path) => HOMES.test(path));
  return [
    ...PROCESS,
    'CapabilityBoundingSet=',
    'PrivateTmp=yes',
    'ProtectSystem=strict',
    `ProtectHome=${atHome ? 'read-only' : 'yes'}`,
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectProc=invisible',
    'RemoveIPC=yes',
  ];
}

/** @param {Unit} unit @returns {string} */
function makeUnit(unit) {
  const { ofUser, executable, config, dataDir, shared, environment } = unit;
  const share = shared ? ['--socket-mode', '0660'] : [];
  const command = [executable, 'run', ...(config ? [config] : []), ...share, '--data', dataDir];
  const online = ['Wants=network-online.target', 'After=network-online.target'];
  return [
    '# Written by `busbar service install`, which replaces it when it is run again.',
    '[Unit]',
    'Description=Busbar runtime',
    ...(ofUser ? [] : online),
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=notify',
    `ExecStart=${command.map(quote).join(' ')}`,
    ...(config ? ['ExecReload=/bin/kill -HUP $MAINPID'] : []),
    `EnvironmentFile=-${quotePath(environment)}`,
    ...accountLines(unit),
    ...stateLines(unit),
    '# Mistakes in the config are not mended by a new start: exit code 2.',
    'Restart=always',
    'RestartSec=1',
    'RestartPreventExitStatus=2',
    '# It says twice in that time that it does not hang.',
    'WatchdogSec=30',
    'KillMode=mixed',
    'TimeoutStopSec=10',
    'LimitNOFILE=65536',
    '',
    '# What it cannot do. Serial ports stay within reach.',
    ...sandboxLines(unit),
    '',
    '[Install]',
    `WantedBy=${ofUser ? 'default' : 'multi-user'}.target`,
    '',
  ].join('\n');
}

/** The data directory that a unit of ours names; '' in any other. @param {string} text */
function readDataDir(text) {
  const [, quoted, plain] = /^ExecStart=.* --data (?:"((?:[^"\\]|\\.)*)"|(\S+))$/m.exec(text) ?? [];
  const word = quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1');
  return word.replace(/%%/g, '%').replace(/\$\$/g, '$');
}

module.exports = { isNameable, isState, makeUnit, readDataDir };
