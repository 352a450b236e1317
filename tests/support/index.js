/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Everything a runtime test needs: const { startBusbar, waitFor } = require('../support'); */

module.exports = {
  ...require('./busbar'),
  ...require('./certificates'),
  ...require('./end'),
  ...require('./influx1'),
  ...require('./mosquitto'),
  ...require('./place'),
  ...require('./program'),
  ...require('./victoria'),
  ...require('./wait'),
};
