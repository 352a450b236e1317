/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* `npm start` as a person or a script uses it: it shows the meters, and leaves nothing behind. */

const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { BUSBAR, atEnd, lacks, tempDir, waitFor } = require('../support');
const { listen } = require('../support/listener');

/** @typedef {import('node:test').TestContext} TestContext */

const REPO = path.resolve(__dirname, '../..');
const CLIENTS = { skip: lacks('mosquitto', 'mosquitto_sub') };
const MOSQUITTO = { skip: lacks('mosquitto') };

/** Processes that have the word in their environment: id → command line. @param {string} word */
function findProcesses(word) {
  /** @type {Map<number, string>} */
  const found = new Map();
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!fs.readFileSync(`/proc/${name}/environ`, 'latin1').includes(word)) continue;
      const line = fs.readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ');
      found.set(Number(name), line);
    } catch {
      /* It has ended, or is not ours. */
    }
  }
  return found;
}

class Demo {
  /** In a process group of its own, with a mark that its children inherit.
   * @param {TestContext} t @param {string[]} args */
  constructor(t, args) {
    this.mark = `BUSBAR_TEST_MARK=${crypto.randomUUID()}`;
    this.temp = tempDir(t);
    const [key, value] = this.mark.split('=');
    this.output = '';
    this.child = spawn('npm', ['start', '--', ...args], {
      cwd: REPO,
      detached: true,
      env: { ...process.env, [key]: value, BUSBAR_BIN: BUSBAR, TMPDIR: this.temp },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.output += text));
    }
    /** @type {Promise<number | null>} */
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    atEnd(t, () => {
      for (const pid of this.list().keys()) process.kill(pid, 'SIGKILL');
    });
  }

  list() {
    return findProcesses(this.mark);
  }

  /** The process whose command line has the pattern. @param {RegExp} pattern */
  async find(pattern) {
    const look = () => [...this.list()].find(([, line]) => pattern.test(line));
    const [pid] = await waitFor(look, { timeoutMs: 60000, what: `a process ${pattern}` });
    return pid;
  }

  /** Until the runtime's page does, or does not, name the device as lost.
   * @param {string} device @param {boolean} isLost */
  async waitForDevice(device, isLost) {
    const [site] = fs.readdirSync(this.temp).filter((name) => /^busbar-/.test(name));
    const place = path.join(this.temp, site, 'data/runtime.json');
    const look = async () => {
      const { metrics } = JSON.parse(fs.readFileSync(place, 'utf8'));
      const page = await (await fetch(`http://${metrics}/readyz`)).text();
      if (page.includes(`device ${device}: `) !== isLost) throw new Error(page);
      return true;
    };
    const what = `${device} to be ${isLost ? 'lost' : 'back'}`;
    await waitFor(look, { timeoutMs: 30000, what });
  }

  async waitForEnd() {
    const look = () => {
      const left = [...this.list().values()];
      if (left.length > 0) throw new Error(left.join('; '));
      return true;
    };
    await waitFor(look, { timeoutMs: 30000, what: 'the end of all' });
  }

  /** Nothing is left of it: no process, no file. */
  async expectNothing() {
    await this.waitForEnd();
    assert.deepEqual(fs.readdirSync(this.temp), []);
  }

  /** @param {RegExp} pattern */
  waitForOutput(pattern) {
    return waitFor(() => pattern.test(this.output), {
      timeoutMs: 60000,
      what: `${pattern} in\n${this.output}`,
    });
  }
}

test('npm start -- --check prints a line a meter and leaves nothing', MOSQUITTO, async (t) => {
  const demo = new Demo(t, ['--check']);
  assert.equal(await demo.ended, 0, demo.output);
  for (const meter of ['meter-1', 'meter-2', 'meter-3']) {
    const line = new RegExp(`^${meter}: good, V L1-N 2\\d\\d\\.\\d, .*kWh \\d`, 'm');
    assert.match(demo.output, line);
  }
  await demo.expectNothing();
});

test('a check that does not see all says what is missing', MOSQUITTO, async (t) => {
  const demo = new Demo(t, ['--check', '--within', '0']);
  assert.equal(await demo.ended, 1, demo.output);
  assert.match(demo.output, /^meter-3: no .* on MQTT within 0 s/m);
  await demo.expectNothing();
});

test('what it prints can be opened, and Ctrl-C ends all of it', MOSQUITTO, async (t) => {
  const demo = new Demo(t, []);
  await demo.waitForOutput(/Ctrl-C ends all of it/);
  const addressOf = (/** @type {string} */ name) =>
    new RegExp(`^ *${name} +(\\S+)`, 'm').exec(demo.output)?.[1] ?? assert.fail(demo.output);
  for (const [name, text] of [
    ['Flows', '<title>Node-RED'],
    ['Dashboard', '<div id="app"'],
  ]) {
    const response = await fetch(addressOf(name));
    assert.equal(response.status, 200, addressOf(name));
    assert.ok((await response.text()).includes(text), `${name} has ${text}`);
  }
  const listener = await listen(t, addressOf('MQTT'), { topic: 'plant/#' });
  await listener.waitFor(({ topic }) => topic === 'plant/meter-1/fast', { what: 'a reading' });
  process.kill(-(/** @type {number} */ (demo.child.pid)), 'SIGINT');
  await demo.ended;
  assert.match(demo.output, /^All ended\.$/m);
  await demo.expectNothing();
});

test('a meter that dies is shown as lost, and comes back', MOSQUITTO, async (t) => {
  const demo = new Demo(t, ['--away', '3']);
  await demo.waitForOutput(/Ctrl-C ends all of it/);
  await demo.waitForDevice('meter-2', false);
  const first = await demo.find(/ sim .*--seed 2/);
  process.kill(first, 'SIGKILL');
  await demo.waitForDevice('meter-2', true);
  await demo.waitForOutput(/^meter-2 is back\.$/m);
  const sentence = 'meter-2 is gone: it was ended by SIGKILL. It is started again in 3 s.';
  assert.equal(demo.output.split(sentence).length, 2, demo.output);
  await demo.waitForDevice('meter-2', false);
  assert.notEqual(await demo.find(/ sim .*--seed 2/), first);
  process.kill(-(/** @type {number} */ (demo.child.pid)), 'SIGINT');
  await demo.ended;
  assert.match(demo.output, /^All ended\.$/m);
  await demo.expectNothing();
});

test('without Node-RED the demo ends, also while a meter is away', MOSQUITTO, async (t) => {
  const demo = new Demo(t, ['--away', '999']);
  await demo.waitForOutput(/Ctrl-C ends all of it/);
  process.kill(await demo.find(/ sim .*--seed 2/), 'SIGKILL');
  await demo.waitForOutput(/^meter-2 is gone: /m);
  process.kill(await demo.find(/^node-red\s*$/), 'SIGKILL');
  assert.equal(await demo.ended, 1);
  assert.match(demo.output, /^Node-RED is gone: it was ended by SIGKILL\.$/m);
  await demo.expectNothing();
});

test('a check in which a meter dies fails with one sentence', MOSQUITTO, async (t) => {
  const demo = new Demo(t, ['--check']);
  process.kill(await demo.find(/ sim .*--seed 2/), 'SIGKILL');
  assert.equal(await demo.ended, 1);
  assert.match(demo.output, /^meter-2 (is gone|did not start): it was ended by SIGKILL\.$/m);
  await demo.expectNothing();
});

test('the line of the README shows what is on MQTT', CLIENTS, async (t) => {
  const readme = fs.readFileSync(path.join(REPO, 'README.md'), 'utf8');
  const line = /^ *mosquitto_sub (.*?) +# /m.exec(readme)?.[1].replaceAll("'", '').split(' ');
  assert.ok(line);
  assert.equal(line[3], '1883');
  const demo = new Demo(t, []);
  await demo.waitForOutput(/Ctrl-C ends all of it/);
  const port = /mosquitto_sub -h 127\.0\.0\.1 -p (\d+) -t 'plant\/#' -v$/m.exec(demo.output)?.[1];
  assert.ok(port, demo.output);
  const args = [...line.slice(0, 3), port, ...line.slice(4), '-C', '1', '-W', '30'];
  const [topic, payload] = execFileSync('mosquitto_sub', args, { encoding: 'utf8' }).split(' ');
  assert.match(topic, /^plant\/meter-[123]\/(fast|slow|energy)$/);
  assert.ok(JSON.parse(payload).values, payload);
});

test('SIGTERM to npm ends it too', MOSQUITTO, async (t) => {
  const demo = new Demo(t, []);
  await demo.waitForOutput(/Ctrl-C ends all of it/);
  demo.child.kill('SIGTERM');
  await demo.ended;
  await demo.expectNothing();
});

test('when the demo itself is killed, nothing outlives it', MOSQUITTO, async (t) => {
  const demo = new Demo(t, []);
  await demo.waitForOutput(/Ctrl-C ends all of it/);
  process.kill(await demo.find(/^node scripts\/start\.js/), 'SIGKILL');
  await demo.waitForEnd();
});
