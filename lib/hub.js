/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The one place per Node-RED where all busbar nodes meet. Config nodes and flow nodes are added when
   they are made; once all flows have started, what they want together is worked out and given to the
   runtimes (plant.js). Nodes ask here for their device, sink and status. */

const { EventEmitter } = require('node:events');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { serveAdmin } = require('./admin');
const { listDead, settleDead, settleOrphan } = require('./backlog');
const { listUsers } = require('./below');
const { dataDir } = require('./data_dir');
const { Deploy, findMissing } = require('./deploy');
const { KINDS } = require('./document_sink');
const { BusbarError, asError } = require('./errors');
const { makeOverview, writeOverview } = require('./overview');
const { isForeign } = require('./pem');
const { planRuntime, sinkIdOf, wiredOf } = require('./plan');
const { Plant } = require('./plant');
const { Runtime } = require('./runtime');
const { realPath } = require('./runtime_process');
const { StatusBoard } = require('./status_board');
const { testRead } = require('./test_read');
const { findTwins } = require('./twins');

/** @typedef {import('./document').LiveNode} LiveNode */
/** @typedef {import('./document').Problem} Problem */

/* After a stop of the flows that no start has followed for that long, polling rests. */
const REST_AFTER_MS = 2000;
/* How long a read from a dialog waits for the runtime to be there. */
const START_MS = 8000;
const LOOK_MS = 50;
const SAFE_MODE =
  'Node-RED is in safe mode and starts no runtime: deploy to leave it, or start the service of the runtime';

/** @typedef {object} Added
 * @property {any} node The live node.
 * @property {LiveNode} config
 * @property {() => import('./status').Status} [status]
 * @property {Set<string>} [warned] What it was warned of.
 */

class Hub extends EventEmitter {
  /** @param {any} RED */
  constructor(RED) {
    super();
    this.setMaxListeners(0);
    this.RED = RED;
    /** @type {Map<string, Added>} */
    this.added = new Map();
    /** @type {Map<string, Plant>} by the id of the busbar-runtime, '' for the default one */
    this.plants = new Map();
    /** @type {Map<string, import('./plan').Plan>} */
    this.plans = new Map();
    /** Which wires run inside the runtimes. @type {Map<string, import('./plan').Plan['direct']>} */
    this.running = new Map();
    /** What connections are called, by node. @type {Map<string, string>} */
    this.connectionIds = new Map();
    /** Runtimes whose data directory is that of another one. @type {ReturnType<typeof findTwins>} */
    this.twins = new Map();
    /** Nodes that a person has disabled. @type {Set<string>} */
    this.disabled = new Set();
    /** Files that tls-config nodes name, which their live nodes have forgotten.
     * @type {Map<string, Record<string, any>>} */
    this.tlsFiles = new Map();
    /** The ids of sinks that a person has disabled. @type {Set<string>} */
    this.disabledSinks = new Set();
    this.board = new StatusBoard(this);
    /** @type {NodeJS.Timeout | undefined} */
    this.resting = undefined;
    this.deploys = 0;
    /** Flows stand still until a deploy; what nodes see of the settings says so for ever.
     * @type {boolean} */
    this.safeMode = Boolean(RED.settings.safeMode);
    serveAdmin(RED);
    RED.events.on('flows:started', () => this.onStarted());
    RED.events.on('runtime-event', (/** @type {any} */ event) => this.onRuntimeEvent(event));
    process.on('exit', (code) => this.onExit(code));
  }

  /** @param {any} node @param {Record<string, any>} config Its settings, environment resolved.
   * @param {() => import('./status').Status} [status] For its dot. */
  add(node, config, status) {
    const live = { ...config, id: node.id, type: node.type, name: node.name ?? config.name };
    const added = { node, config: /** @type {LiveNode} */ (live), status };
    this.added.set(node.id, added);
    node.on('close', () => {
      if (this.added.get(node.id) === added) this.added.delete(node.id);
    });
    if (status) this.board.show(added);
  }

  /** All live config of ours, with credentials and wires as they are now, and the TLS settings that they
   * name. @returns {LiveNode[]} */
  liveNodes() {
    const nodes = [...this.added.values()].map(({ node, config }) => {
      /** @type {LiveNode} */
      const live = {
        ...config,
        credentials: node.credentials ?? {},
        wires: node.busbarWires ?? node.wires ?? [],
      };
      return live;
    });
    const tls = nodes.map((node) => this.RED.nodes.getNode(node.tls)).filter(Boolean);
    return [...nodes, ...tls];
  }

  /** Nothing that goes wrong with us may end Node-RED. */
  onStarted() {
    clearTimeout(this.resting);
    this.deploys++;
    this.safeMode = false;
    try {
      this.takeDeploy();
    } catch (error) {
      this.RED.log.error(`busbar: the deploy could not be taken: ${asError(error).stack}`);
    }
    this.board.begin();
  }

  takeDeploy() {
    /** @type {import('./deploy').RawNode[]} */
    const raws = [];
    this.RED.nodes.eachNode((/** @type {any} */ raw) => void raws.push(raw));
    const deploy = new Deploy(inOrderOf(raws, this.liveNodes()));
    const off = raws.filter(({ d }) => d === true);
    this.disabled = new Set(off.map(({ id }) => id));
    this.disabledSinks = new Set(off.filter(({ type }) => KINDS[type]).map(sinkIdOf));
    const tls = raws.filter(({ type }) => type === 'tls-config');
    this.tlsFiles = new Map(tls.map((raw) => [raw.id, raw]));
    const missing = findMissing(raws, (id) => this.RED.nodes.getNode(id));
    const keys = new Set(deploy.runtimes());
    this.takeTwins(keys, deploy);
    /* What did not come to life may be what a runtime belongs to. */
    if (missing.length === 0) this.retireAll(keys, deploy);
    this.retireChanged(keys, deploy);
    for (const key of keys) this.makePlan(key, deploy);
    this.takeUsers();
    for (const key of keys) this.converge(key, deploy, missing);
  }

  /** Those that nothing uses have no state to show, so each says it when it comes about.
   * @param {Set<string>} keys @param {Deploy} deploy */
  takeTwins(keys, deploy) {
    const before = this.twins;
    const places = deploy.ofTypes('busbar-runtime').map((node) => {
      const { dataDir: directory } = this.optionsOf(node.id, deploy);
      const plant = this.plants.get(node.id);
      const runs = plant?.runtime.dataDir === directory && plant.blocked === undefined;
      return { node, directory: realPath(directory), runs };
    });
    this.twins = findTwins(places);
    for (const [id, { text }] of this.twins) {
      if (!keys.has(id) && before.get(id)?.text !== text) this.tell([{ nodeId: id, text }]);
    }
  }

  /** @param {string} key @param {Deploy} deploy
   * @returns {{dataDir: string, mode: 'attach' | 'spawn', linger: string}} */
  optionsOf(key, deploy) {
    const node = deploy.nodes.get(key);
    const { settings } = this.RED;
    return {
      dataDir: node?.dataDir
        ? path.resolve(settings.userDir || '.', node.dataDir)
        : dataDir(settings),
      mode: node?.mode === 'attach' || this.safeMode ? 'attach' : 'spawn',
      linger: node?.linger || '15min',
    };
  }

  /** @param {Set<string>} keys @param {Deploy} deploy */
  retireAll(keys, deploy) {
    for (const [key, plant] of this.plants) {
      if (!keys.has(key)) this.retire(key, plant, [...keys], deploy);
    }
  }

  /** @param {Set<string>} keys @param {Deploy} deploy */
  retireChanged(keys, deploy) {
    for (const key of keys) {
      const plant = this.plants.get(key);
      if (!plant) continue;
      const same = JSON.stringify(plant.options) === JSON.stringify(this.optionsOf(key, deploy));
      if (!same) this.retire(key, plant, [...keys], deploy);
    }
  }

  /** One with a variable in it is nothing that the runtime could open.
   * @param {LiveNode} node A tls-config. @param {string} what @returns {string | undefined} */
  tlsFileOf(node, what) {
    const { [what]: named } = this.tlsFiles.get(node.id) ?? {};
    const name = String(named ?? '').trim();
    return path.isAbsolute(name) && !name.includes('${') ? name : undefined;
  }

  /** @param {string} key @param {Deploy} deploy */
  makePlan(key, deploy) {
    const { runtime } = this.plants.get(key) ?? this.open(key, deploy);
    const foreign = isForeign(runtime.dataDir);
    const plan = planRuntime(key, deploy, {
      pemFile: (node, what) => (foreign ? this.tlsFileOf(node, what) : undefined),
      connectionIds: this.connectionIds,
    });
    this.plans.set(key, plan);
  }

  /** @param {string} key @param {Deploy} deploy @param {import('./deploy').RawNode[]} missing */
  converge(key, deploy, missing) {
    const plant = /** @type {Plant} */ (this.plants.get(key));
    const plan = /** @type {import('./plan').Plan} */ (this.plans.get(key));
    this.warn(plan.assembly.warnings);
    const twin = this.twins.get(key);
    if (twin) {
      plant.block({ nodeId: key, text: twin.text, short: 'its data folder is taken' });
      return;
    }
    plant.pause(false);
    const { devices } = plan.assembly;
    plant.poller.devices = [...devices].filter(([, { used }]) => used).map(([id]) => id);
    /* Until the document runs, wires are divided as they were. */
    this.divide(plant, plan, this.running.get(key) ?? plan.direct);
    plant.want({
      assembly: plan.assembly,
      memorySecrets: deploy.nodes.get(key)?.secrets === 'memory',
      refusal: this.explainMissing(missing),
      onApplied: () => {
        this.running.set(key, plan.direct);
        this.divide(plant, plan, plan.direct);
      },
    });
  }

  /** Which wires carry messages, and so whose batches are wanted. @param {Plant} plant
   * @param {import('./plan').Plan} plan @param {import('./plan').Plan['direct']} direct */
  divide(plant, plan, direct) {
    /** @type {Parameters<Plant['setReaders']>[0]} */
    const readers = [];
    for (const source of plan.sources) {
      const { node, devices } = source;
      const wires = wiredOf(source, direct);
      this.added.get(node.id)?.node.setWires?.(wires);
      if (devices.length === 0 || !wires.some((port) => port.length > 0)) continue;
      const send = (/** @type {any[]} */ messages) =>
        this.added.get(node.id)?.node.send(messages.length === 1 ? messages[0] : [messages]);
      readers.push({ node, devices, send });
    }
    plant.setReaders(readers);
  }

  /** @param {import('./deploy').RawNode[]} missing */
  explainMissing(missing) {
    if (missing.length === 0) return undefined;
    const names = missing.slice(0, 3).map(({ type, name, id }) => `${type} ${name || id}`);
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
    return `${names.join(', ')}${more} did not start; what ran before goes on until all do`;
  }

  /** @param {string} key @param {Deploy} deploy */
  open(key, deploy) {
    const { log } = this.RED;
    const say = (/** @type {string} */ level) => (/** @type {string} */ text) =>
      log[level](`busbar: ${text}`);
    const options = this.optionsOf(key, deploy);
    const runtime = new Runtime({
      ...options,
      name: 'node-red',
      log: { info: say('info'), warn: say('warn'), error: say('error') },
    });
    const plant = new Plant({ id: key, runtime, options });
    plant.on('change', () => this.board.refresh());
    plant.on('happening', (happening) => this.emit('happening', happening));
    plant.on('refused', (mistakes, refusal) => {
      this.tell(mistakes.length > 0 ? mistakes : this.spread(key, refusal));
    });
    this.plants.set(key, plant);
    return plant;
  }

  /** What no node has caused concerns all of the runtime; the default one has no node of its own.
   * @param {string} key @param {string} text @returns {Problem[]} */
  spread(key, text) {
    const ids = key ? [key] : [...(this.plans.get(key)?.belowOf.keys() ?? [])];
    return ids.map((nodeId) => ({ nodeId, text }));
  }

  /** Each mistake at its node, where Catch nodes see it. @param {Problem[]} mistakes */
  tell(mistakes) {
    for (const { nodeId, text } of mistakes) this.added.get(nodeId)?.node.error(text, {});
  }

  /** Node-RED hands an error of a global config node on to those that stand in its `users`, as with the
   * core's mqtt-broker. Only nodes of flows may: a config node would be asked for its own without end. */
  takeUsers() {
    const below = [...this.plans.values()].flatMap((plan) => [...plan.belowOf]);
    const usersOf = listUsers(below);
    const inFlows = new Set(below.map(([id]) => id));
    for (const [id, { node }] of this.added) {
      if (inFlows.has(id)) continue;
      const users = (usersOf.get(id) ?? []).flatMap((user) => this.added.get(user)?.node ?? []);
      node.users = Object.fromEntries(users.map((user) => [user.id, user]));
    }
  }

  /** Once, as long as it is so. @param {Problem[]} warnings */
  warn(warnings) {
    for (const { nodeId, text } of warnings) {
      const added = this.added.get(nodeId);
      if (!added || added.warned?.has(text)) continue;
      (added.warned ??= new Set()).add(text);
      added.node.warn(text);
    }
  }

  /** A runtime that another one of the deploy goes on with does not end.
   * @param {string} key @param {Plant} plant @param {string[]} keys @param {Deploy} deploy */
  retire(key, plant, keys, deploy) {
    const directory = plant.runtime.dataDir;
    const goesOn = keys.some((other) => this.optionsOf(other, deploy).dataDir === directory);
    this.plants.delete(key);
    this.plans.delete(key);
    this.running.delete(key);
    plant
      .stop({ end: !goesOn, why: 'its flows are gone' })
      .catch((error) => this.RED.log.warn(`busbar: ${error.message}`));
  }

  /** The state of the flows, as the editor is told it: stopped by hand, not for a deploy and not for
   * something that is missing.
   * @param {{id: string, payload?: {state?: string, error?: string, deploy?: boolean}}} event */
  onRuntimeEvent({ id, payload }) {
    if (id !== 'runtime-state' || payload?.state !== 'stop') return;
    if (payload.error || payload.deploy) return;
    clearTimeout(this.resting);
    /* Node-RED that ends says the same. */
    this.resting = setTimeout(() => {
      for (const plant of this.plants.values()) plant.pause(true);
    }, REST_AFTER_MS);
    this.resting.unref();
  }

  /** A clean end takes a runtime that was spawned along; after any other it lingers.
   * @param {number} code */
  onExit(code) {
    if (code !== 0) return;
    Runtime.stopAllSync([...this.plants.values()].map(({ runtime }) => runtime));
  }

  /** Where a node belongs, and what it names. @param {string} id Of a live node. */
  placeOf(id) {
    for (const [key, plan] of this.plans) {
      if (plan.members.has(id)) return { plant: this.plants.get(key), plan };
    }
    return undefined;
  }

  /** The same for one that must work now.
   * @param {string} id @returns {{plant: Plant, plan: import('./plan').Plan}} */
  need(id) {
    const place = this.placeOf(id);
    if (!place?.plant) {
      throw new BusbarError(
        'BUSBAR_DOWN',
        'it belongs to no runtime: choose a device, a connection or a sink that is deployed',
      );
    }
    const { plant, plan } = place;
    if (plant.blocked) throw new BusbarError('BUSBAR_CONFIG', plant.blocked.text);
    return { plant, plan };
  }

  /** The sink that an end of a flow leads to. @param {string} id */
  needSink(id) {
    const { plant, plan } = this.need(id);
    const sink = plan.sinkOf.get(id) ?? '';
    const known = plan.assembly.sinks.get(sink);
    if (!known) throw new BusbarError('BUSBAR_INVALID', 'no sink is set; choose one in this node');
    const sinkNode = /** @type {Added} */ (this.added.get(known.nodeId)).config;
    const shapes = (/** @type {string} */ device, /** @type {string} */ scan) =>
      plant.state.shapeOf(device, scan) ?? plan.assembly.devices.get(device)?.describe();
    return { plant, sink, sinkNode, shapes };
  }

  /** A runtime for a read that nothing of the deployed flows is needed for. In safe mode none is started,
   * also for that.
   * @param {string | undefined} id Of a busbar-runtime. @returns {Promise<Plant>} */
  async anyPlant(id) {
    const key = this.twins.get(id ?? '')?.first ?? id ?? '';
    const plant =
      this.plants.get(key) ??
      [...this.plants.values()].find(({ blocked }) => !blocked) ??
      this.open('', new Deploy([]));
    plant.start();
    const { runtime } = plant;
    const isSafe = this.safeMode;
    const end = Date.now() + START_MS;
    const isOpen = () => runtime.state !== 'up' && !(isSafe && runtime.state === 'down');
    while (isOpen() && Date.now() < end) await delay(LOOK_MS);
    if (isSafe && runtime.state !== 'up') throw new BusbarError('BUSBAR_DOWN', SAFE_MODE);
    return plant;
  }

  /** Reads a device once, as its dialog describes it. @param {import('./test_read').Wish} wish */
  async testRead(wish) {
    const plant = await this.anyPlant(wish.connection.runtime);
    const nodes = new Map(this.liveNodes().map((node) => [node.id, node]));
    return testRead(this.RED, plant, wish, nodes);
  }

  /** A backlog whose sink is gone. @param {import('./backlog').OrphanWish} wish */
  orphans(wish) {
    return settleOrphan(this, wish);
  }

  /** What sinks refused for good. @param {{runtime?: string, limit: number}} wish */
  listDead(wish) {
    return listDead(this, wish);
  }

  /** @param {import('./backlog').DeadWish} wish */
  settleDead(wish) {
    return settleDead(this, wish);
  }

  overview() {
    this.watch();
    return makeOverview(this);
  }

  /** As JSON, part by part. */
  writeOverview() {
    this.watch();
    return writeOverview(this);
  }

  /** Somebody looks. */
  watch() {
    for (const plant of this.plants.values()) plant.poller.watch();
  }
}

/** As they stand in the flows, whichever of them was made anew; those of subflows last.
 * @param {import('./deploy').RawNode[]} raws @param {LiveNode[]} nodes */
function inOrderOf(raws, nodes) {
  const places = new Map(raws.map(({ id }, place) => [id, place]));
  const placeOf = (/** @type {LiveNode} */ { id }) => places.get(id) ?? raws.length;
  return [...nodes].sort((a, b) => placeOf(a) - placeOf(b));
}

/** @type {WeakMap<object, Hub>} */
const hubs = new WeakMap();

/** The hub of this Node-RED; its RED object differs from module to module, its events do not.
 * @param {any} RED @returns {Hub} */
function of(RED) {
  let hub = hubs.get(RED.events);
  if (!hub) hubs.set(RED.events, (hub = new Hub(RED)));
  return hub;
}

module.exports = { Hub, of };
