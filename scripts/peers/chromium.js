/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* A Chromium for the tests in a browser: the system's, or the one that playwright-core has fetched. What
   is there and cannot run, such as Ubuntu's placeholder for a snap, is none. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome'];
const ASK_MS = 20000;

/** What to do where there is none. */
const NO_CHROMIUM =
  'no Chromium that runs: apt-get install chromium, or npx playwright-core install --with-deps chromium';

function listPlaces() {
  /* When this is loaded, npm's packages may be missing still. */
  const { chromium } = require('playwright-core');
  const folders = (process.env.PATH || '').split(':');
  const system = COMMANDS.flatMap((command) => folders.map((each) => path.join(each, command)));
  return [...system, chromium.executablePath()].filter((place) => fs.existsSync(place));
}

/** @returns {string | undefined} The program. */
function findChromium() {
  return listPlaces().find(
    (place) => spawnSync(place, ['--version'], { timeout: ASK_MS }).status === 0,
  );
}

module.exports = { NO_CHROMIUM, findChromium };
