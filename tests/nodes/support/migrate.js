/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A flow on its way through `busbar migrate`: what came of it, and what is said. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { migrate } = require('../../../lib/migrate');

const VECTORS = path.join(__dirname, '../vectors/migrate');

/** @param {any[]} flow */
function run(...flow) {
  const { flows, notes } = migrate(flow);
  return {
    flows,
    /** @param {string} id @returns {any} */
    get: (id) => flows.find((node) => node.id === id),
    /** The one node of a type. @param {string} type @returns {any} */
    only: (type) => {
      const found = flows.filter((node) => node.type === type);
      assert.equal(found.length, 1, `${found.length} of ${type}`);
      return found[0];
    },
    /** What is said about a node. @param {string} id */
    said: (id) => notes.filter((note) => note.id === id).map(({ text }) => text),
    notes,
  };
}

/** A published flow. @param {string} file @returns {any[]} */
function example(file) {
  return JSON.parse(fs.readFileSync(path.join(VECTORS, file), 'utf8'));
}

module.exports = { VECTORS, example, run };
