/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The sidebar tab *Busbar* and the action that migrates flows. All of it runs in the editor; what it
   asks for is served by lib/admin.js. */

module.exports = function (/** @type {any} */ RED) {
  RED.plugins.registerPlugin('busbar-sidebar', { type: 'busbar' });
};
