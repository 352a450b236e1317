/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch, or one point of it, as a JSON object for people and programs that know nothing of shapes.
 *
 *   {"timestamp":1763688000123,"boot":3,"seq":118,"device":"meter-1","scan":"fast",
 *    "values":{"voltage/l1-n":230.1,"current/l1":12.5},
 *    "quality":{"power/total":"bad, no answer"}}
 *
 * `timestamp` is in milliseconds since 1970 (UTC), at the source. `boot` and `seq` are those of the
 * batch: whoever gets the same two from the same runtime once more has got a batch twice.
 * `values` holds the points whose sample is good or uncertain; it is there even when none is.
 * `quality` holds those that are not good, by class and cause, and is left out when there are none; a
 * stale sample stands here only, because its value is an old one. A NaN or an infinity has no JSON: its
 * point is listed as "bad, not a number". A point without a sample in this batch stands nowhere.
 *
 * Events: {"timestamp":1763688000123,"boot":3,"seq":119,"device":"meter-1",
 * "event":"lost: no answer for 3 s"}; outcomes have "outcome" in place of "event".
 *
 * Where the clock was not set when it was taken, `"clock":"unset"` says that `timestamp` is no time of day.
 *
 * How numbers and texts are written: encode/json_writer.h.
 */
#ifndef BB_ENCODE_JSON_H
#define BB_ENCODE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "encode/json_writer.h"
#include "model/batch.h"

/* Zero: nothing more than shown above. */
typedef struct bb_json_options {
  bool tags;       /* also "site":"plant-7" (where one is set) and "tags":{"line":"l1"} */
  bool historical; /* also "historical":true: it was not delivered when it was new */
} bb_json_options;

/* Appends the object. How many values were left out because they are no numbers, BB_ERR_NOMEM or
 * BB_ERR_LIMIT; after an error nothing is appended. */
int bb_json_batch(bb_buf *out, const bb_batch *batch, const bb_json_options *options);

/*
 * One point of a batch of samples: {"timestamp":1763688000123,"boot":3,"seq":118,"value":230.1,
 * "unit":"V"}, with "quality":"uncertain, ..." where it is not good. Without a value "value" is left
 * out, without a unit "unit". Returns as above.
 */
int bb_json_point(bb_buf *out, const bb_batch *batch, uint16_t point,
                  const bb_json_options *options);

#endif
