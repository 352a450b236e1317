/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The dots of all nodes: published on change, at most once a second. */

const PERIOD_MS = 1000;

class StatusBoard {
  /** @param {import('./hub').Hub} hub */
  constructor(hub) {
    this.hub = hub;
    /** @type {WeakMap<object, string>} what each node shows */
    this.shown = new WeakMap();
    /** Those that were there when the flows started the last time. @type {WeakSet<object>} */
    this.begun = new WeakSet();
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    this.last = 0;
  }

  /** The flows have started. What a node showed while it was made no Status node has heard, so it is
   * published again. */
  begin() {
    for (const { node } of this.hub.added.values()) {
      if (!this.begun.has(node)) this.shown.delete(node);
      this.begun.add(node);
    }
    this.refresh();
  }

  /** Something has changed: shows it, unless that was done just now; then a little later. */
  refresh() {
    if (this.timer) return;
    const wait = Math.max(0, this.last + PERIOD_MS - Date.now());
    this.timer = setTimeout(() => this.showAll(), wait);
    this.timer.unref();
  }

  showAll() {
    this.timer = undefined;
    this.last = Date.now();
    let ages = false;
    for (const added of this.hub.added.values()) {
      if (added.status) ages = this.show(added) || ages;
    }
    /* Ages go on by themselves. */
    if (ages) this.refresh();
  }

  /** @param {import('./hub').Added} added @returns {boolean} Whether it changes with time alone. */
  show({ node, status }) {
    if (!status) return false;
    const now = status();
    const text = JSON.stringify(now);
    if (this.shown.get(node) !== text) {
      this.shown.set(node, text);
      node.status(now);
    }
    return now.busbar?.state !== 'unused';
  }
}

module.exports = { StatusBoard };
