/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a runtime's greeting says of its life, in words: who keeps it alive, what takes it along, and
   whether it is of our version. */

const { findUnit } = require('./runtime_process');
const { formatDuration } = require('./units');

/** @typedef {import('./client').Hello} Hello */

/** Whether it was spawned by a client, and not by hand or a service manager. @param {Hello} hello */
function isSpawned({ mode, linger_ms: lingerMs }) {
  return mode === 'spawned' && lingerMs !== undefined;
}

/** One sentence on what it survives. @param {Hello} hello */
function describeLife(hello) {
  const { mode, killed_with: killedWith, linger_ms: lingerMs, pid } = hello;
  if (mode === 'service') {
    const unit = findUnit(pid);
    return `kept alive by systemd${unit && ` (${unit})`}; Node-RED may stop and start as it likes`;
  }
  if (mode === 'container') {
    return killedWith === 'container'
      ? 'runs beside Node-RED in this container, and ends with it'
      : 'kept alive as a container of its own; Node-RED may stop and start as it likes';
  }
  if (!isSpawned(hello)) return 'started by hand (busbar run); nobody starts it again when it ends';
  if (killedWith === 'container') return 'spawned by Node-RED; ends with this container';
  if (killedWith === 'unit') {
    return `spawned by Node-RED; ends with ${findUnit('self') || "Node-RED's systemd service"}`;
  }
  return `spawned by Node-RED; survives a restart of Node-RED for ${formatDuration(lingerMs ?? 0)}`;
}

/** @param {string} version @returns {number[]} */
function parseVersion(version) {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  return parts ? parts.slice(1).map(Number) : [];
}

/** Whether `a` is of an earlier version than `b`; false where one of them is none.
 * @param {string} a @param {string} b */
function isOlder(a, b) {
  const [x, y] = [parseVersion(a), parseVersion(b)];
  const at = x.findIndex((part, index) => part !== y[index]);
  return at >= 0 && x[at] < y[at];
}

module.exports = { describeLife, isOlder, isSpawned };
