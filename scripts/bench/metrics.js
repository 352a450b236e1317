/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What the runtime's /metrics says. */

/** Sum of all series of that name. @param {string} url @param {string} name */
async function sumMetric(url, name) {
  const text = await (await fetch(url)).text();
  const lines = text.split('\n').filter((line) => line.split(/[ {]/, 1)[0] === name);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

module.exports = { sumMetric };
