/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Waiting for conditions, never for time to pass. */

const net = require('node:net');
const { setTimeout: delay } = require('node:timers/promises');

const POLL_MS = 20;

/** @param {unknown} value */
function describe(value) {
  if (value instanceof Error) return value.message;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === undefined ? String(value) : text.slice(0, 500);
}

/**
 * Calls the function again and again until it returns something true, and returns that. A throw
 * counts as "not yet".
 * @template T
 * @param {() => T | Promise<T>} condition
 * @param {{timeoutMs?: number, what: string}} options `what` ends the sentence "waited for …".
 * @returns {Promise<Exclude<T, false | 0 | '' | null | undefined>>}
 */
async function waitFor(condition, { timeoutMs = 10000, what }) {
  const end = Date.now() + timeoutMs;
  /** @type {unknown} */
  let last;
  for (;;) {
    try {
      const value = await condition();
      if (value) return /** @type {any} */ (value);
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= end) {
      throw new Error(`waited ${timeoutMs} ms for ${what}; the last look gave: ${describe(last)}`);
    }
    await delay(POLL_MS);
  }
}

/** @param {number} port @returns {Promise<boolean>} Whether somebody accepts connections there. */
function isListening(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const end = (/** @type {boolean} */ answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

module.exports = { waitFor, isListening };
