/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `busbar service`: makes the runtime a service of systemd, so that it survives whatever Node-RED does,
   and shows how that service is. The unit's text is in service_unit.js. */

const path = require('node:path');
const { parseArgs } = require('node:util');
const binding = require('./binding');
const { attach } = require('./attach');
const { textOf } = require('./errors');
const { findObstacle, quoteShell, realSystem } = require('./service_system');
const { isNameable, isState, makeUnit, readDataDir } = require('./service_unit');

/** @typedef {import('./service_system').System} System */
/** @typedef {import('./service_unit').Unit} Unit */
/** @typedef {{stdout: (text: string) => void, stderr: (text: string) => void}} Streams */

const EXIT = { done: 0, failed: 1, usage: 2 };
const NAME = /^[a-zA-Z][\w-]{0,31}$/;
const DATA_MAX_BYTES = 88; /* so that the socket lies in it */
const HOME_OF_NODE_RED = '.node-red';

const HELP = `Usage: busbar service install [CONFIG] [options]
       busbar service print [CONFIG] [options]
       busbar service status [--user-unit] [--name NAME]
       busbar service uninstall [--user-unit] [--name NAME] [--dry-run]

Makes the runtime a service of systemd: it starts at boot, is started again when it fails, and goes on
whatever Node-RED does. Without CONFIG it runs what Node-RED deploys.

  --user NAME      run as that user; default: busbar, who is made if need be
  --node-red NAME  the user of Node-RED, who gets into the group of the service, so that Node-RED may
                   use its socket; default: who has called sudo
  --user-unit      a service of your own user, without root
  --data DIR       what the runtime keeps; default: /var/lib/busbar, or with --user-unit
                   ~/.node-red/busbar, where Node-RED looks by itself
  --name NAME      of the unit; default: busbar
  --executable F   the runtime; default: the one of this package
  --dry-run        only say what would be done
  -h, --help       print this text

print shows the unit and changes nothing.

Example: sudo busbar service install

Exit codes: 0 done, or the service runs; 1 failed, or it does not run; 2 wrong usage.
`;

/** Ends with a sentence and an exit code. */
class CommandError extends Error {
  /** @param {string} sentence @param {number} [exit] */
  constructor(sentence, exit = EXIT.failed) {
    super(sentence);
    this.exit = exit;
  }
}

/** @param {string} sentence */
function wrongUsage(sentence) {
  return new CommandError(`${sentence}; see busbar service --help`, EXIT.usage);
}

const OPTIONS = /** @type {const} */ ({
  user: { type: 'string' },
  'node-red': { type: 'string' },
  'user-unit': { type: 'boolean' },
  data: { type: 'string' },
  name: { type: 'string' },
  executable: { type: 'string' },
  'dry-run': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
});
const ACTIONS = ['install', 'uninstall', 'status', 'print'];

/** @param {string[]} args */
function readArguments(args) {
  let parsed;
  try {
    parsed = parseArgs({ args, allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw wrongUsage(
      textOf(error)
        .split(/\.? To specify|\n/)[0]
        .replace(/\.$/, ''),
    );
  }
  const [action = '', config, ...rest] = parsed.positionals;
  const options = parsed.values;
  if (options.help) return { action: 'help', config, options };
  if (!ACTIONS.includes(action)) {
    const what = action === '' ? 'what to do is missing' : `there is no "service ${action}"`;
    throw wrongUsage(`${what}; take ${ACTIONS.join(', ')}`);
  }
  const takesConfig = action === 'install' || action === 'print';
  if (rest.length > 0 || (config !== undefined && !takesConfig)) {
    throw wrongUsage(`${rest[0] ?? config} is too much`);
  }
  for (const name of /** @type {const} */ (['user', 'node-red', 'name'])) {
    const value = options[name];
    if (value !== undefined && !NAME.test(value)) throw wrongUsage(`--${name} ${value} is no name`);
  }
  if (options['user-unit'] && (options.user || options['node-red'])) {
    throw wrongUsage(
      '--user-unit is a service of your own user; --user and --node-red do not go with it',
    );
  }
  return { action, config, options };
}

/** @typedef {ReturnType<typeof readArguments>} Wish */

class Service {
  /** @param {Wish} wish @param {Streams} streams @param {System} system */
  constructor({ action, config, options }, streams, system) {
    this.action = action;
    this.options = options;
    this.streams = streams;
    this.system = system;
    this.ofUser = options['user-unit'] === true;
    this.name = options.name ?? 'busbar';
    this.config = config === undefined ? undefined : path.resolve(config);
    this.user = options.user ?? 'busbar';
    this.shared = !this.ofUser && options.user === undefined;
  }

  get unitName() {
    return `${this.name}.service`;
  }

  get unitFile() {
    const { env, home } = this.system;
    const folder = this.ofUser
      ? path.join(env.XDG_CONFIG_HOME || path.join(home, '.config'), 'systemd/user')
      : '/etc/systemd/system';
    return path.join(folder, this.unitName);
  }

  get dataDir() {
    const { env, home, stat } = this.system;
    if (this.options.data) return path.resolve(this.options.data);
    if (!this.ofUser) return `/var/lib/${this.name}`;
    const nodeRed = path.join(home, HOME_OF_NODE_RED);
    if (stat(nodeRed)) return path.join(nodeRed, this.name);
    return path.join(env.XDG_STATE_HOME || path.join(home, '.local/state'), this.name);
  }

  get environment() {
    const { env, home } = this.system;
    if (!this.ofUser) return `/etc/${this.name}/secrets`;
    return path.join(env.XDG_CONFIG_HOME || path.join(home, '.config'), this.name, 'secrets');
  }

  /** Who runs Node-RED, if that is another one than the service's. */
  get guest() {
    const name = this.options['node-red'] ?? this.system.env.SUDO_USER;
    return this.shared && name && name !== 'root' && name !== this.user ? name : undefined;
  }

  findExecutable() {
    if (this.options.executable) return path.resolve(this.options.executable);
    const { path: file, error } = binding.executable();
    if (file) return file;
    throw new CommandError(String(error).replace(/\.$/, ''));
  }

  /** @returns {Unit} */
  describe() {
    const { name, ofUser, config, dataDir, user, shared, environment } = this;
    const executable = this.findExecutable();
    for (const place of [executable, dataDir, config ?? '']) {
      if (!isNameable(place)) throw wrongUsage(`${JSON.stringify(place)} cannot stand in a unit`);
    }
    if (/[$\\]/.test(executable)) throw new CommandError(`${executable} cannot stand in a unit`);
    if (Buffer.byteLength(dataDir) > DATA_MAX_BYTES) {
      const most = `at most ${DATA_MAX_BYTES} bytes, so that its socket lies in it`;
      throw wrongUsage(`the data directory ${dataDir} is too long: ${most}`);
    }
    const serialGroup = ['dialout', 'uucp'].find((group) => this.system.hasGroup(group));
    return {
      ...{ name, ofUser, executable, config, dataDir, user, shared, environment, serialGroup },
    };
  }

  /** What the service's user cannot reach would only show in its log. @param {Unit} unit */
  checkReach({ executable, config, ofUser }) {
    const { system, user } = this;
    if (ofUser) return;
    const account = system.findUser(user) ?? { name: user, uid: -1, gids: [] };
    if (account.uid < 0 && !this.shared) throw new CommandError(`there is no user ${user}`);
    /** @type {[string, number, string][]} */
    const needs = [
      [executable, 5, 'execute'],
      ...(config ? [/** @type {any} */ ([config, 4, 'read'])] : []),
    ];
    for (const [file, rights, verb] of needs) {
      const obstacle = findObstacle(system, file, account, rights);
      if (obstacle === '') continue;
      if (!system.stat(obstacle)) throw new CommandError(`${obstacle} is not there`);
      throw new CommandError(
        `user ${user} cannot ${verb} ${file}: ${obstacle} is closed to that user; run the service as ` +
          "the file's owner (--user NAME), or put the file where all can reach it, such as /usr/local " +
          'or /etc',
      );
    }
  }

  /** @param {string} text */
  say(text) {
    this.streams.stdout(`${text}\n`);
  }

  /** @param {string[]} command */
  systemctl(...command) {
    return ['systemctl', ...(this.ofUser ? ['--user'] : []), ...command];
  }

  /** @param {string[]} command A step; it is shown, and unless --dry-run, done. */
  step(command) {
    this.say(`+ ${command.map(quoteShell).join(' ')}`);
    if (this.options['dry-run']) return;
    const { code, stderr } = this.system.run(command);
    if (code === 0) return;
    const why = stderr.trim().split('\n').slice(-3).join('; ') || `exit code ${code}`;
    throw new CommandError(`${command.slice(0, 2).join(' ')} failed: ${why}`);
  }

  /** What an action that changes something needs. @param {string[]} args For the same with sudo. */
  checkRights(args) {
    const { system } = this;
    if (this.options['dry-run']) return;
    if (!system.hasSystemd()) {
      throw new CommandError(
        'this machine is not run by systemd: have what starts its services run `busbar run --data ' +
          `${this.dataDir}\`; \`busbar service print\` shows what the service would be`,
      );
    }
    if (this.ofUser && system.isRoot() && system.env.SUDO_USER) {
      throw new CommandError('--user-unit is for your own user: call it without sudo');
    }
    if (this.ofUser || system.isRoot()) return;
    const words = ['service', ...args].map(quoteShell).join(' ');
    throw new CommandError(
      `a service of the machine needs root: sudo ${system.self} ${words} (or a service of your own ` +
        'user: --user-unit)',
    );
  }

  install() {
    const unit = this.describe();
    this.checkReach(unit);
    this.makeAccounts();
    const { dataDir, user } = this;
    if (!this.ofUser && !isState(dataDir)) {
      this.step(['install', '-d', '-o', user, '-m', this.shared ? '0750' : '0700', dataDir]);
    }
    this.say(`+ write ${this.unitFile}`);
    if (this.options['dry-run']) this.streams.stdout(makeUnit(unit).replace(/^(?=.)/gm, '    '));
    else this.system.write(this.unitFile, makeUnit(unit));
    this.step(this.systemctl('daemon-reload'));
    this.step(this.systemctl('enable', this.unitName));
    this.step(this.systemctl('restart', this.unitName));
    this.advise();
    return EXIT.done;
  }

  makeAccounts() {
    const { system, user, guest } = this;
    if (!this.shared) return;
    if (!system.findUser(user)) {
      const place = [
        '--home-dir',
        this.dataDir,
        '--no-create-home',
        '--shell',
        '/usr/sbin/nologin',
      ];
      this.step(['useradd', '--system', '--user-group', ...place, user]);
    }
    if (!guest) return;
    if (!system.findUser(guest)) throw new CommandError(`there is no user ${guest}`);
    this.step(['usermod', '--append', '--groups', user, guest]);
  }

  /** What is left for a person to do. */
  advise() {
    const { ofUser, dataDir, guest, shared, user, name, unitName } = this;
    const flag = ofUser ? '--user ' : '';
    this.say('');
    this.say(`${unitName} keeps the runtime in ${dataDir}.`);
    if (this.config) this.say(`It follows ${this.config}, unless that says owner: editor.`);
    if (path.basename(path.dirname(dataDir)) !== HOME_OF_NODE_RED || name !== 'busbar') {
      this.say(
        `Node-RED uses it with BUSBAR_DATA=${dataDir} in its environment, or in settings.js ` +
          `busbar: { dataDir: '${dataDir}' }.`,
      );
    }
    if (guest)
      this.say(`Restart Node-RED: ${guest} is in the group ${user} from the next start on.`);
    else if (shared) this.say(`Its user has to be in the group ${user}: usermod -aG ${user} NAME`);
    else this.say('Restart Node-RED, so that a runtime that it has spawned makes room.');
    if (ofUser)
      this.say('So that it also runs while you are not logged in: loginctl enable-linger');
    this.say(`See it: busbar service status; journalctl ${flag}-u ${name} -f`);
  }

  uninstall() {
    const { unitFile, unitName, system } = this;
    const text = system.read(unitFile);
    if (text === null) throw new CommandError(`${unitFile} is not there: nothing to uninstall`);
    this.step(this.systemctl('disable', '--now', unitName));
    this.say(`+ remove ${unitFile}`);
    if (!this.options['dry-run']) system.remove(unitFile);
    this.step(this.systemctl('daemon-reload'));
    const left = readDataDir(text);
    if (left) this.say(`What it kept stays in ${left}, and its user stays.`);
    return EXIT.done;
  }

  async status() {
    const { unitFile, unitName, system } = this;
    const text = system.read(unitFile);
    if (text === null) {
      this.say(`${unitName} is not installed: ${unitFile} is not there`);
      return EXIT.failed;
    }
    const names =
      'ActiveState,SubState,UnitFileState,MainPID,NRestarts,ActiveEnterTimestamp,Result';
    const asked = system.run(this.systemctl('show', unitName, `--property=${names}`));
    if (asked.code !== 0) throw new CommandError(`systemctl: ${asked.stderr.trim()}`);
    const lines = asked.stdout.trim().split('\n');
    /** @type {Record<string, string>} */
    const facts = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2)));
    const { ActiveState: active, SubState: sub, Result: result } = facts;
    const since = facts.ActiveEnterTimestamp ? ` since ${facts.ActiveEnterTimestamp}` : '';
    const runs = active === 'active';
    const how = runs ? `, process ${facts.MainPID}` : result !== 'success' ? `, ${result}` : '';
    this.say(`${unitName}: ${active} (${sub})${runs ? since : ''}${how}`);
    this.say(`at boot: ${facts.UnitFileState}; started again ${facts.NRestarts || 0} times`);
    const dataDir = readDataDir(text);
    if (dataDir) this.say(`data in ${dataDir}`);
    if (dataDir && runs) this.say(await describeRuntime(dataDir));
    return runs ? EXIT.done : EXIT.failed;
  }

  print() {
    this.streams.stdout(makeUnit(this.describe()));
    return EXIT.done;
  }
}

/** @param {string} dataDir */
async function describeRuntime(dataDir) {
  try {
    const client = await attach({ dataDir, name: 'service' });
    try {
      const { devices, sinks } = await client.request('status');
      const up = (/** @type {any[]} */ list, /** @type {string} */ key) =>
        `${list.filter((one) => one[key]).length} of ${list.length}`;
      const { version } = /** @type {import('./client').Hello} */ (client.hello);
      return `busbar ${version} answers: ${up(devices, 'up')} devices up, ${up(sinks, 'ready')} sinks ready`;
    } finally {
      await client.close();
    }
  } catch (error) {
    return `the runtime could not be asked: ${textOf(error)}`;
  }
}

/**
 * @param {string[]} argv After `service`.
 * @param {Streams & {system?: System}} context
 * @returns {Promise<number>} Exit code: 0, 1 failed or not running, 2 wrong usage.
 */
async function service(argv, { system = realSystem(), ...streams }) {
  try {
    const wish = readArguments(argv);
    if (wish.action === 'help') {
      streams.stdout(HELP);
      return EXIT.done;
    }
    const one = new Service(wish, streams, system);
    if (wish.action === 'print') return one.print();
    if (wish.action === 'status') return await one.status();
    one.checkRights(argv);
    return wish.action === 'install' ? one.install() : one.uninstall();
  } catch (error) {
    streams.stderr(`busbar service: ${textOf(error)}\n`);
    return error instanceof CommandError ? error.exit : EXIT.failed;
  }
}

module.exports = { service };
