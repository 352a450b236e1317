/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* Which wires lead straight from a busbar source into a busbar sink: these routes run inside the
   runtime, without a message. All other wires carry messages. */

/** @typedef {object} Source A live busbar-in.
 * @property {string} id
 * @property {string[][]} wires As drawn, per output.
 * @property {string} [runtime] Which runtime its devices belong to.
 * @property {boolean} plain What it reports can be a route: false where the message has a form of
 *   its own, such as one message a point. */

/** @typedef {object} Sink A live busbar-mqtt-out or busbar-influx-out.
 * @property {string} id
 * @property {string} sink Id of the sink in the document.
 * @property {string} [runtime] */

/** @param {Source[]} sources @param {Map<string, Sink>} sinks by the node's id
 * @returns {{source: Source, sink: Sink}[]} */
function findDirect(sources, sinks) {
  return sources
    .filter(({ plain }) => plain)
    .flatMap((source) =>
      source.wires.flat().flatMap((target) => {
        const sink = sinks.get(target);
        return sink && sink.runtime === source.runtime ? [{ source, sink }] : [];
      }),
    );
}

module.exports = { findDirect };
