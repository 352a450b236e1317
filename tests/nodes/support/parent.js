/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A process that keeps a runtime as Node-RED does: tells each greeting as a line of JSON, and ends with
   the exit code that it reads from stdin.

     node parent.js DATA EXECUTABLE LINGER */

const { Runtime } = require('../../../lib/runtime');

const [dataDir, executable, linger] = process.argv.slice(2);
const runtime = new Runtime({ dataDir, executable, linger, name: 'parent' });
runtime.on('up', (hello) => console.log(JSON.stringify(hello)));
runtime.on('down', (error) => console.error(error.message));
process.on('exit', (code) => {
  if (code === 0) runtime.stopSync();
});
process.stdin.on('data', (text) => process.exit(Number(text)));
void runtime.start();
