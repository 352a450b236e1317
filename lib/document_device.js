/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The devices of the document: of each busbar-device node one, or those of its table. */

const { leaveOutEmpty, readBoolean, readNumber, readTagList } = require('./fields');
const { describeValues, resolveProfile } = require('./profile');

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {import('./document').Problem} Problem */

/** @param {LiveNode} node @returns {{id: string, unit: any, tags: Record<string, string>}[]} */
function rowsOf(node) {
  const common = readTagList(node.tags);
  const table = Array.isArray(node.devices) ? node.devices.filter(Boolean) : [];
  if (table.length === 0) {
    return [{ id: String(node.deviceId ?? '').trim(), unit: node.unit, tags: common }];
  }
  return table.map((row) => {
    const own = Array.isArray(row.tags) ? readTagList(row.tags) : (row.tags ?? {});
    return {
      id: String(row.id ?? '').trim(),
      unit: row.unit ?? node.unit,
      tags: { ...common, ...own },
    };
  });
}

/** @param {LiveNode} node @returns {Record<string, string>} */
function scansOf(node) {
  const rows = Array.isArray(node.scans) ? node.scans : [];
  return Object.fromEntries(
    rows
      .filter((row) => row?.scan && String(row.period ?? '').trim() !== '')
      .map(({ scan, period }) => [scan, String(period).trim()]),
  );
}

/** Scans that are only read when someone asks. @param {string[]} scans */
function onRequest(scans) {
  return Object.fromEntries(scans.map((scan) => [scan, 'on-request']));
}

/** @param {LiveNode} node @param {Problem[]} problems @returns {import('./profile').Complain} */
function complainOf(node, problems) {
  return (text, nodeId = node.id) => void problems.push({ nodeId, text });
}

/**
 * @param {import('./document').Parts} parts @param {Map<string, string>} connectionOf Ids in the document by
 *   those of the nodes. @param {Problem[]} problems
 * @returns {{entries: (Record<string, any> & {connection: string})[], devices: import('./document').Assembly['devices']}}
 */
function makeDevices(parts, connectionOf, problems) {
  /** @type {(Record<string, any> & {connection: string})[]} */
  const entries = [];
  /** @type {import('./document').Assembly['devices']} */
  const devices = new Map();
  for (const node of parts.devices) {
    const complain = complainOf(node, problems);
    const connection = connectionOf.get(node.connection);
    if (connection === undefined) {
      complain('the device has no connection; choose one in its settings');
      continue;
    }
    const profile = resolveProfile(node, parts.nodes, complain);
    if (profile === undefined) continue;
    for (const { id, unit, tags } of rowsOf(node)) {
      if (id === '') {
        complain('a device without an id; give it one that lasts, such as meter-1');
        continue;
      }
      const other = devices.get(id);
      if (other) {
        complain(`the device id "${id}" is given twice; ids differ`);
        if (other.nodeId !== node.id) {
          problems.push({
            nodeId: other.nodeId,
            text: `the device id "${id}" is given twice; ids differ`,
          });
        }
        continue;
      }
      const enabled = readBoolean(node.enabled) !== false;
      const use = enabled ? parts.useOf(id) : 'disabled';
      const used = use === 'polled' || use === 'asked';
      devices.set(id, {
        nodeId: node.id,
        connection,
        tags,
        profile: profile.id,
        profileNode: profile.nodeId,
        names: profile.points && { points: profile.points, scans: profile.scans },
        describe: () => describeValues(profile),
        ...{ used, use },
      });
      if (!used) continue;
      const scan = use === 'polled' ? scansOf(node) : onRequest(profile.scans);
      entries.push({
        ...leaveOutEmpty({
          id,
          connection,
          profile: profile.value,
          unit: readNumber(unit),
          tags,
          scan,
        }),
        connection,
      });
    }
  }
  return { entries, devices };
}

module.exports = { makeDevices, rowsOf };
