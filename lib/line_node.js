/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What busbar-line does with a message: line protocol as text, as a Buffer or line by line. */

const { encodeInflux } = require('./influx_lines');

/** @param {Record<string, any>} msg @param {Record<string, any>} config
 * @returns {string | Buffer | string[]} */
function makeLines(msg, config) {
  const node = { id: '', measurement: config.measurement };
  const sink = { id: '', tags: config.tags, precision: config.precision || 'ms' };
  const text = encodeInflux(msg, node, sink, () => undefined)
    .map(String)
    .join('\n');
  if (config.output === 'buffer') return Buffer.from(text);
  return config.output === 'array' ? text.split('\n').filter(Boolean) : text;
}

module.exports = { makeLines };
