/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between two configs, by what applying the second one in place of the first does: a
 * device that is disabled counts as not there, one whose connection or profile changed counts as
 * changed, and so does every sink when the site gets another id. Pure.
 */
#ifndef BB_RUNTIME_DIFFERENCE_H
#define BB_RUNTIME_DIFFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "encode/json_writer.h"
#include "runtime/config.h"

#define BB_DIFFERENCE_TEXT 256 /* bytes of the sentence, terminator included */

typedef struct bb_difference_part {
  uint32_t added, changed, gone;
} bb_difference_part;

typedef struct bb_difference {
  bb_difference_part connections, devices, sinks;
  bool routes;  /* the list of routes; the short form at a sink shows there */
  bool site;    /* its id or tags */
  bool runtime; /* log, metrics, limits */
} bb_difference;

/* Whether applying `to` leaves what runs as it is: it is wanted there, and the same. `site`: the id of
 * the site that the sink was opened with. */
bool bb_difference_keeps_connection(const bb_config *to, const bb_config_connection *was);
bool bb_difference_keeps_device(const bb_config *to, const bb_config_device *was);
bool bb_difference_keeps_sink(const bb_config *to, const bb_config_sink *was, const char *site);

/* Whether that part of the document is another one; also true without `from`. */
bool bb_difference_in(const bb_config *from, const bb_config *to, const char *key);

/* `from` may be NULL: then all is new. */
bb_difference bb_difference_of(const bb_config *from, const bb_config *to);

/* "unchanged", or "devices: 2 new, 1 changed, 1 gone; sinks: 1 changed; routes changed"; returns
 * `out`. */
const char *bb_difference_text(const bb_difference *difference, char *out, size_t cap);

/* {"connections":{"new":0,"changed":0,"gone":0},"devices":{..},"sinks":{..},"routes":false,
 * "site":false,"runtime":false} */
void bb_difference_put(const bb_difference *difference, bb_json_writer *json, const char *key);

#endif
