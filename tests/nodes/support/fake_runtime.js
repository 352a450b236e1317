/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A runtime of another version, as far as its life goes: listens in its data directory, says of itself
   what it was told to, and ends at `stop` and SIGTERM. Its command line is that of `busbar run`.

     node fake_runtime.js run --data DIR --linger 1min --hello JSON */

const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { TYPE, packMessage } = require('../../../lib/runtime_message');

const { argv, pid } = process;
const dataDir = argv[argv.indexOf('--data') + 1];
/** @type {Record<string, any>} */
const told = JSON.parse(argv[argv.indexOf('--hello') + 1]);
/** @type {Record<string, any>} */
const hello = { ...{ protocol: 1, pid, boot: 1, started: Date.now() }, ...told };
const socketPath = path.join(dataDir, 'busbar.sock');
const record = path.join(dataDir, 'runtime.json');

function end() {
  fs.rmSync(socketPath, { force: true });
  fs.rmSync(record, { force: true });
  process.exit(0);
}

/** @param {any} request */
function answer({ id, op }) {
  const refused = told.refuse && { ok: false, code: 'VERSION', error: told.refuse };
  return { id, ok: true, ...(op === 'hello' && hello), ...refused };
}

const server = net.createServer((socket) => {
  let rest = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 5 && rest.length >= 4 + rest.readUInt32LE(0)) {
      const length = 4 + rest.readUInt32LE(0);
      const request = JSON.parse(rest.toString('utf8', 5, length));
      rest = rest.subarray(length);
      const text = Buffer.from(JSON.stringify(answer(request)));
      socket.write(packMessage(TYPE.answer, text), () => request.op === 'stop' && end());
    }
  });
});
process.on('SIGTERM', end);
fs.writeFileSync(record, JSON.stringify({ pid, socket: socketPath, version: hello.version }));
server.listen(socketPath, () => console.log('listening'));
