/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* What a person sees while the scripts work: a line per step, and on a terminal one moving line
   for a step that takes long. */

const moving = Boolean(process.stdout.isTTY);

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** @param {string} text */
function say(text) {
  process.stdout.write(`${text}\n`);
}

/** Shows the text in place of the last one; nothing where output is not a terminal.
 * @param {string} text */
function show(text) {
  if (!moving) return;
  const width = (process.stdout.columns || 80) - 1;
  process.stdout.write(`\r\x1b[K${`    ${text}`.slice(0, width)}`);
}

function clear() {
  if (moving) process.stdout.write('\r\x1b[K');
}

/**
 * A step with its name, what came of it, and how long it took where that is worth saying.
 * @param {string} name
 * @param {() => Promise<string> | string} work Returns what came of it.
 */
async function step(name, work) {
  const started = Date.now();
  const outcome = await work();
  const seconds = (Date.now() - started) / 1000;
  clear();
  say(`  ${name.padEnd(16)} ${outcome}${seconds < 2 ? '' : ` (${duration(seconds)})`}`);
}

module.exports = { clear, duration, say, show, step };
