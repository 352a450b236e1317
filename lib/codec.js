/* SPDX-License-Identifier: Apache-2.0 */
'use strict';

/* The codecs of the runtime without a runtime: registers to values (codec_registers.js), values to
   line protocol (codec_line.js) and JSON; and the rails, which say whether a value may be written. All
   of it is the code that the runtime itself is made of. */

const { encodeLine, encodeLineBatch } = require('./codec_line');
const { Profile, openProfile, decodeProfile, decodeRegisters } = require('./codec_registers');
const { Batch } = require('./frames');

/**
 * A batch that was read as JSON, in the very bytes that an MQTT sink publishes.
 * @param {import('./frames').Batch} batch @param {{tags?: boolean, historical?: boolean}} [options]
 * @returns {string}
 */
function encodeJson(batch, { tags = false, historical = false } = {}) {
  if (!(batch instanceof Batch)) throw new TypeError('encodeJson: needs a batch of a FrameReader');
  return batch.toJsonText(!!tags, !!historical);
}

/**
 * What may be written to a point that stands for itself: its type and limits.
 * @typedef {object} RailPoint
 * @property {string} [name]
 * @property {string} [type] float64.
 * @property {string} [unit]
 * @property {number} [min]
 * @property {number} [max]
 * @property {number} [step]
 * @property {number} [size] Of a text: one more than its longest.
 * @property {boolean} [writable] true.
 * @property {string} [labelsKind]
 * @property {import('./frames').Label[]} [labels] Of an enum.
 */

/** A profile with that point alone. @param {RailPoint} point */
function describeRail(point) {
  const { name = 'value', type = 'float64', unit, min, max, step, size, writable, labels } = point;
  const hasLimits = min !== undefined || max !== undefined || Boolean(step);
  const names = point.labelsKind === 'enum' && labels ? labels : [];
  const document = {
    ...{ name, type: type === 'bool' ? 'bit' : type, unit: unit || undefined },
    ...(type === 'text' && { length: Math.max(1, (size ?? 251) - 1) }),
    ...(names.length > 0 && {
      enum: Object.fromEntries(names.map((label) => [label.value, label.name])),
    }),
    ...(writable !== false && {
      write: hasLimits ? { min, max, step: step || undefined } : true,
    }),
  };
  return { profile: 1, id: 'rails', external: true, points: [document] };
}

/**
 * Whether a value may be written, by the code that judges the write itself.
 * @param {RailPoint | {profile: string | object, name: string}} point A point of a shape or a profile
 *   as described; or a profile and the name of its point.
 * @param {unknown} value A number, a bigint, a boolean, a text (also the label of an enum's value).
 * @returns {import('./binding').Verdict} `ok` with the `value` that would be written, or the
 *   `reason` in a sentence and its `code`.
 */
function rails(point, value) {
  if (point === null || typeof point !== 'object') {
    throw new TypeError('rails: the point must be an object');
  }
  if (!('profile' in point))
    return openProfile(describeRail(point), 'rails').native.check(0, value);
  const profile = openProfile(point.profile);
  const place = profile.places.get(point.name);
  if (place !== undefined) return profile.native.check(place, value);
  throw new RangeError(`rails: ${profile.id} has no point ${JSON.stringify(point.name)}`);
}

module.exports = {
  ...{ Profile, openProfile, decodeProfile, decodeRegisters },
  ...{ encodeLine, encodeLineBatch, encodeJson, rails },
};
