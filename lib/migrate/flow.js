/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A flow of Node-RED while it is being migrated: a list of nodes that refer to each other by id. A
   node is replaced in its place, new ones come right behind the one they were made for, and their ids
   are made from its id, so that the same flow gives the same result each time. Wires, subflow
   ends and groups follow when a node is put before or behind another. */

const { createHash } = require('node:crypto');

/** @typedef {{id: string, type: string, [key: string]: any}} FlowNode */
/** @typedef {{id: string, type: string, name: string, text: string}} Note */

/** What says where a node stands and how it looks; ports and wires are told by the new node. */
const PLACE = ['id', 'type', 'z', 'g', 'd', 'l', 'info', 'x', 'y'];
const ROW = 40; /* Pixels to the next row of the canvas. */

/** A number or a text of a node, as a text. @param {unknown} value */
function text(value) {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

/** @template K, V @param {Map<K, V[]>} map @param {K} key @param {V} value */
function append(map, key, value) {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/** @param {FlowNode} node @returns {string[][]} */
function wiresOf(node) {
  if (!Array.isArray(node.wires)) return [];
  return node.wires.map((port) => (Array.isArray(port) ? port : []));
}

/** Ids that a node refers to outside of its wires. @param {FlowNode} node
 * @param {(id: string) => void} take */
function visitReferences(node, take) {
  const visit = (/** @type {unknown} */ value) => {
    if (typeof value === 'string') take(value);
    else if (value && typeof value === 'object') Object.values(value).forEach(visit);
  };
  for (const [key, value] of Object.entries(node)) {
    if (!PLACE.includes(key) && key !== 'wires') visit(value);
  }
}

class Flow {
  /** @param {FlowNode[]} nodes Ours to change. */
  constructor(nodes) {
    this.order = nodes.map(({ id }) => id);
    this.byId = new Map(nodes.map((node) => [node.id, node]));
    /** @type {Note[]} */
    this.notes = [];
    /** New nodes, by the id of the one they stand behind. @type {Map<string, FlowNode[]>} */
    this.behind = new Map();
    /** Who now takes what was wired to a node. @type {Map<string, string>} */
    this.entries = new Map();
    /** Who now gives what came out of a port; nobody, where it is gone.
     * @type {Map<string, {id: string, port: number} | undefined>} */
    this.exits = new Map();
    /** Ids of what was made once for many, by what it says. @type {Map<string, string>} */
    this.shared = new Map();
    /** Ids that stand for a thing outside of Node-RED, in use, and how often each was wanted.
     * @type {Map<string, number>} */
    this.claimed = new Map();
    /** What the ends of subflows take. @type {Set<string>} */
    this.ends = new Set();
    this.users = this.findUsers();
    nodes.forEach((node) => this.claimGiven(node));
    for (const subflow of this.list('subflow')) {
      const ends = endsOf(subflow, 'out', 'status');
      ends.forEach(({ id, port = 0 }) => this.ends.add(`${id} ${port}`));
    }
  }

  /** Who refers to a node, other than by wires. @returns {Map<string, FlowNode[]>} */
  findUsers() {
    /** @type {Map<string, FlowNode[]>} */
    const users = new Map();
    for (const node of this.byId.values()) {
      const seen = new Set();
      visitReferences(node, (id) => {
        if (!this.byId.has(id) || id === node.id || seen.has(id)) return;
        seen.add(id);
        append(users, id, node);
      });
    }
    return users;
  }

  /** @param {FlowNode} node */
  claimGiven(node) {
    if (!node.type.startsWith('busbar-')) return;
    const given = [node.deviceId, node.sinkId, ...[node.devices ?? []].flat().map((d) => d?.id)];
    given.map(text).forEach((id) => id && this.claimed.set(id, 1));
  }

  /** An id of a device or sink that is not in use yet. @param {string} wanted */
  claim(wanted) {
    let id = wanted;
    let n = this.claimed.get(wanted) ?? 0;
    while (this.claimed.has(id)) id = `${wanted.slice(0, 58)}-${++n}`;
    this.claimed.set(wanted, Math.max(n, 1));
    if (id !== wanted) this.claimed.set(id, 1);
    return id;
  }

  /** @param {...string} types @returns {FlowNode[]} */
  list(...types) {
    return [...this.byId.values()].filter(({ type }) => types.includes(type));
  }

  /** @param {unknown} id @returns {FlowNode | undefined} */
  get(id) {
    return this.byId.get(text(id));
  }

  /** The nodes that refer to a config node. @param {FlowNode} node @returns {FlowNode[]} */
  usersOf(node) {
    return this.users.get(node.id) ?? [];
  }

  /** @param {FlowNode} node @param {string} sentence */
  note({ id, type, name }, sentence) {
    this.notes.push({ id, type, name: text(name), text: sentence });
  }

  /** The id of what is made for a node: always the same for the same node and role.
   * @param {string} id @param {string} role @param {string} type */
  derive(id, role, type) {
    for (let n = 0; ; n++) {
      const hash = createHash('sha256').update(`busbar ${role} ${id} ${n}`).digest('hex');
      const derived = hash.slice(0, 16);
      if ((this.byId.get(derived)?.type ?? type) === type) return derived;
    }
  }

  /** Puts another node in the place of one. @param {FlowNode} node @param {string} type
   * @param {Record<string, unknown>} fields */
  replace(node, type, fields) {
    const kept = PLACE.filter((key) => node[key] !== undefined).map((key) => [key, node[key]]);
    const fresh = { ...Object.fromEntries(kept), type, ...fields };
    this.byId.set(node.id, fresh);
    return fresh;
  }

  /** @param {FlowNode} node */
  remove(node) {
    this.byId.delete(node.id);
  }

  /** A new node behind another, unless a former run has made it. @param {FlowNode} node
   * @param {FlowNode} fresh */
  add(node, fresh) {
    if (this.byId.has(fresh.id)) return;
    this.byId.set(fresh.id, fresh);
    append(this.behind, node.id, fresh);
  }

  /** A node on the canvas beside another, in its group and as disabled as it is.
   * @param {FlowNode} node @param {string} role @param {Record<string, unknown>} fields */
  addBeside(node, role, fields) {
    const id = this.derive(node.id, role, 'change');
    const kept = ['z', 'g', 'd'].filter((key) => node[key] !== undefined);
    const place = Object.fromEntries(kept.map((key) => [key, node[key]]));
    const y = Number(node.y) + (role === 'before' ? -ROW : ROW);
    const fresh = { id, type: 'change', ...place, ...fields, x: Number(node.x) || 0, y: y || 0 };
    this.add(node, fresh);
    const group = this.get(node.g);
    if (group && Array.isArray(group.nodes)) group.nodes.push(id);
    return fresh;
  }

  /** What was wired to a node goes to another first. @param {FlowNode} node
   * @param {FlowNode} first */
  putBefore(node, first) {
    this.entries.set(node.id, first.id);
  }

  /** @param {string} id @param {number} port @param {{id: string, port: number}} [to] */
  moveExit(id, port, to) {
    this.exits.set(`${id} ${port}`, to);
  }

  /** Whether an end of a subflow takes what comes out of a port. @param {string} id
   * @param {number} port */
  isExit(id, port) {
    return this.ends.has(`${id} ${port}`);
  }

  /** The whole flow, with its wires put right, and the notes in its order. */
  finish() {
    const flows = this.order.flatMap((id) => {
      const node = this.byId.get(id);
      return node ? [node, ...(this.behind.get(id) ?? [])] : [];
    });
    const first = new Set(this.entries.values());
    const enter = (/** @type {string} */ id) => this.entries.get(id) ?? id;
    for (const node of flows) {
      const isMoved = wiresOf(node).some((port) => port.some((id) => this.entries.has(id)));
      if (isMoved && !first.has(node.id)) {
        node.wires = wiresOf(node).map((port) => [...new Set(port.map(enter))]);
      }
      if (node.type === 'subflow') this.finishSubflow(node, enter);
    }
    const places = new Map(this.order.map((id, place) => [id, place]));
    const place = (/** @type {Note} */ { id }) => places.get(id) ?? 0;
    return { flows, notes: [...this.notes].sort((a, b) => place(a) - place(b)) };
  }

  /** @param {FlowNode} subflow @param {(id: string) => string} enter */
  finishSubflow(subflow, enter) {
    for (const wire of endsOf(subflow, 'in')) wire.id = enter(wire.id);
    for (const end of listOf(subflow.out, subflow.status)) {
      if (!Array.isArray(end.wires)) continue;
      end.wires = end.wires.flatMap((/** @type {End} */ wire) => {
        const key = `${wire?.id} ${wire?.port ?? 0}`;
        if (!this.exits.has(key)) return [wire];
        const to = this.exits.get(key);
        return to ? [{ ...wire, ...to }] : [];
      });
    }
  }
}

/** @typedef {{id: string, port?: number}} End */

/** The maps among some lists or maps. @param {...any} values @returns {any[]} */
function listOf(...values) {
  return values.flat().filter((value) => value && typeof value === 'object');
}

/** What the ends of a subflow are wired to. @param {FlowNode} subflow @param {...string} keys
 * @returns {End[]} */
function endsOf(subflow, ...keys) {
  return listOf(...keys.map((key) => subflow[key])).flatMap(({ wires }) => listOf(wires));
}

module.exports = { Flow, append, text, wiresOf };
