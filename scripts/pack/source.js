/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Source packages of this machine's package archive, in the version of the binary packages that are
   installed. The archive is the one that apt uses already, asked for its sources beside its binaries;
   apt checks the signatures. What apt needs for that lies in a folder of ours: the system's own lists
   stay as they are, and nobody has to be root. */

const fs = require('node:fs');
const path = require('node:path');
const { StepError, run, runStep } = require('../command');
const { show } = require('../progress');

const ADVICE =
  'The package archive has to be reachable and has to have the version that is installed: ' +
  '`apt-get update` and `apt-get upgrade`, then start again.';

/** The version that its source package has, and that package's name.
 * @param {string} binary A package that is installed. @returns {Promise<{name: string, version: string}>} */
async function findSource(binary) {
  const format = '-f=${source:Package} ${source:Version}\n';
  const output = await runStep('dpkg-query', ['-W', format, binary], {
    what: 'Source packages',
    advice: `Install ${binary} first: \`node scripts/setup.js\` does.`,
  });
  const [name, version] = output.trim().split('\n')[0].split(' ');
  return { name, version };
}

/** The files that name the distribution's own archives; what else is configured need not have sources. */
async function listSourceFiles() {
  const { output } = await run('apt-get', [
    'indextargets',
    ...['--format', '$(ORIGIN)\t$(SOURCESENTRY)', 'Created-By: Packages'],
  ]);
  const rows = output.split('\n').map((line) => line.split('\t'));
  const own = rows.filter(([origin]) => origin === 'Debian' || origin === 'Ubuntu');
  return [...new Set(own.map(([, entry]) => entry.replace(/:\d+$/, '')))];
}

/** The same archives, but their sources. @param {string} file @param {string} text */
function turnToSources(file, text) {
  if (file.endsWith('.sources')) return text.replace(/^Types:.*$/gim, 'Types: deb-src');
  return text.replace(/^deb-src\b.*$/gm, '').replace(/^deb\b/gm, 'deb-src');
}

/** @param {string} folder For apt's files. @returns {Promise<string[]>} Options of apt-get. */
async function prepareApt(folder) {
  const parts = path.join(folder, 'sources.list.d');
  for (const name of [parts, path.join(folder, 'lists/partial'), path.join(folder, 'cache')]) {
    fs.mkdirSync(name, { recursive: true });
  }
  for (const file of await listSourceFiles()) {
    const text = turnToSources(file, fs.readFileSync(file, 'utf8'));
    fs.writeFileSync(path.join(parts, path.basename(file)), text);
  }
  return [
    ...['-q', '-o', 'Dir::Etc::SourceList=/dev/null', '-o', `Dir::Etc::SourceParts=${parts}`],
    ...['-o', `Dir::State::Lists=${folder}/lists`, '-o', `Dir::Cache=${folder}/cache`],
    /* Its own user for downloads may not write into our folder. */
    ...['-o', 'APT::Sandbox::User=root'],
  ];
}

/** @param {string} place @returns {string} The version of the source package that lies there. */
function readVersion(place) {
  const description = fs.readdirSync(place).find((name) => name.endsWith('.dsc'));
  const text = description ? fs.readFileSync(path.join(place, description), 'utf8') : '';
  const version = /^Version: (\S+)$/m.exec(text)?.[1];
  if (!version) throw new StepError(`There is no source package in ${place}.`);
  return version;
}

/** @param {string} what NAME or NAME=VERSION. @param {string} place Empty. @param {string[]} options */
async function download(what, place, options) {
  await runStep('apt-get', [...options, 'source', '--download-only', what], {
    cwd: place,
    what: `The source of ${what}`,
    onLine: show,
    advice: ADVICE,
  });
}

/**
 * @typedef {object} Source
 * @property {string} place The folder with a .dsc and the archives that it names.
 * @property {string} version
 */

/**
 * Fetches the source package of an installed package as it is, once.
 * @param {string} binary @param {string} folder Where source packages lie.
 * @param {{exact: boolean}} options Otherwise a newer version will do, where the archive has only that.
 * @returns {Promise<Source>}
 */
async function fetchSource(binary, folder, { exact }) {
  const { name, version } = await findSource(binary);
  const place = path.join(folder, `${name}_${version.replace(/^\d+:/, '')}`);
  if (fs.existsSync(place)) return { place, version: readVersion(place) };
  const options = await prepareApt(path.join(folder, 'apt'));
  show('asking the package archive for its sources');
  /* An archive that has none, or cannot be reached, need not be the one that matters. */
  await run('apt-get', [...options, 'update']);
  const coming = fs.mkdtempSync(path.join(folder, 'coming-'));
  try {
    await download(`${name}=${version}`, coming, options).catch((error) => {
      if (exact) throw error;
      return download(name, coming, options);
    });
    fs.renameSync(coming, place);
  } finally {
    fs.rmSync(coming, { recursive: true, force: true });
  }
  return { place, version: readVersion(place) };
}

/** Unpacks it, with the distribution's patches. @param {Source} source
 * @param {string} folder Which is made anew. */
async function unpackSource({ place }, folder) {
  const description = fs.readdirSync(place).find((name) => name.endsWith('.dsc'));
  fs.rmSync(folder, { recursive: true, force: true });
  await runStep('dpkg-source', ['-x', path.join(place, String(description)), folder], {
    what: 'Unpacking the source',
    onLine: show,
    advice: `Remove ${place} and start again.`,
  });
}

module.exports = { fetchSource, findSource, turnToSources, unpackSource };
