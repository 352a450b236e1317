/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* libcurl as an archive that speaks HTTP and HTTPS and nothing else. The distribution's own wants
   thirty libraries more, for protocols and logins that Busbar never uses; this is its source, with its
   patches, in the version that Busbar is tested with. */

const fs = require('node:fs');
const path = require('node:path');
const { runStep } = require('../command');
const { show } = require('../progress');
const { unpackSource } = require('./source');

const OFF = [
  ...['BUILD_CURL_EXE', 'BUILD_SHARED_LIBS', 'BUILD_TESTING', 'ENABLE_MANUAL'],
  ...['CURL_USE_LIBPSL', 'CURL_USE_LIBSSH2', 'USE_LIBIDN2', 'CURL_ZLIB'],
];

/** The authorities that are trusted are those of OpenSSL: authorities.c. */
const ON = [
  ...['HTTP_ONLY', 'CURL_USE_OPENSSL', 'ENABLE_THREADED_RESOLVER', 'CURL_CA_FALLBACK'],
  ...['ALTSVC', 'COOKIES', 'DOH', 'GETOPTIONS', 'HSTS', 'MIME', 'NTLM'].map(
    (name) => `CURL_DISABLE_${name}`,
  ),
];

/** @param {string} source */
function listFlags(source) {
  return [
    '-DCMAKE_BUILD_TYPE=Release',
    '-DCMAKE_INSTALL_LIBDIR=lib',
    `-DCMAKE_C_FLAGS=-ffunction-sections -fdata-sections -ffile-prefix-map=${source}=curl`,
    ...OFF.map((name) => `-D${name}=OFF`),
    ...ON.map((name) => `-D${name}=ON`),
    '-DCURL_CA_BUNDLE=none',
    '-DCURL_CA_PATH=none',
  ];
}

/** @param {string} command @param {string[]} args */
function runBuild(command, args) {
  return runStep(command, args, {
    what: 'The build of libcurl',
    onLine: show,
    boring: /^-- |^\[\d+\/\d+\] /,
    advice: 'Remove native/build-pack and start again.',
  });
}

/**
 * Builds it once a version and set of flags.
 * @param {string} folder For what comes and goes. @param {import('./source').Source} source
 * @returns {Promise<string>} The folder with lib/libcurl.a and include/curl.
 */
async function buildCurl(folder, source) {
  const [text, build, result] = ['source', 'build', 'result'].map((name) =>
    path.join(folder, name),
  );
  const stamp = JSON.stringify([source, folder, listFlags(text)]);
  const stampFile = path.join(folder, 'stamp.json');
  if (fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === stamp) return result;

  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  await unpackSource(source, text);
  const prefix = `-DCMAKE_INSTALL_PREFIX=${result}`;
  await runBuild('cmake', ['-G', 'Ninja', '-S', text, '-B', build, prefix, ...listFlags(text)]);
  await runBuild('ninja', ['-C', build, 'install']);
  fs.writeFileSync(stampFile, stamp);
  return result;
}

module.exports = { buildCurl };
