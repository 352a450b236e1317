/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Which device a message is for, of those that its node means. */

const { BusbarError } = require('./errors');

/** @param {import('./plan').Plan} plan @param {string} nodeId @param {Record<string, any>} config
 * @param {Record<string, any>} msg @returns {string} */
function chooseDevice(plan, nodeId, config, msg) {
  const devices = plan.devicesOf.get(nodeId) ?? [];
  const named = config.deviceId || (typeof msg.device === 'string' ? msg.device : msg.device?.id);
  if (devices.includes(named)) return named;
  if (named) {
    throw new BusbarError(
      'BUSBAR_INVALID',
      `there is no device "${named}" in this node; it has ${list(devices)}`,
    );
  }
  if (devices.length === 1) return devices[0];
  throw new BusbarError(
    'BUSBAR_INVALID',
    devices.length === 0
      ? 'no device is set, or it is disabled; choose one in this node'
      : `this node has ${devices.length} devices; name one in msg.device, such as "${devices[0]}"`,
  );
}

/** @param {string[]} devices */
function list(devices) {
  const shown = devices.slice(0, 5).join(', ') || 'none';
  return devices.length > 5 ? `${shown} and ${devices.length - 5} more` : shown;
}

module.exports = { chooseDevice };
