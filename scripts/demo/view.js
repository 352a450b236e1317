/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The live view: on a terminal a table that is drawn anew each second, else a line a meter. */

const { writeHead, writeLine, writeRow } = require('./table');

const LOG_LINES = 3;

/** @typedef {import('./site').Site} Site */
/** @typedef {import('./values').Values} Values */

/** @param {Site} site @param {Values} values */
function writeScreen(site, values) {
  const now = Date.now();
  return [
    '',
    writeHead(),
    ...values.meters.map((meter) => writeRow(meter, now)),
    '',
    `  broker ${site.broker}   metrics ${site.metrics}   Ctrl-C ends`,
    ...site.log.slice(-LOG_LINES).map((line) => `  ${line}`),
  ];
}

/** Draws over what was drawn before. @param {string[]} lines @param {number} drawn */
function draw(lines, drawn) {
  const width = (process.stdout.columns || 80) - 1;
  const text = lines.map((line) => `${line.slice(0, width)}\x1b[K\n`).join('');
  process.stdout.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}\r${text}\x1b[J`);
  return lines.length;
}

/** Shows the values until the returned function is called.
 * @param {Site} site @param {Values} values @returns {() => void} */
function startView(site, values) {
  let drawn = 0;
  const show = () => {
    if (process.stdout.isTTY) drawn = draw(writeScreen(site, values), drawn);
    else for (const meter of values.meters) console.log(writeLine(meter));
  };
  show();
  const timer = setInterval(show, 1000);
  return () => clearInterval(timer);
}

module.exports = { startView };
