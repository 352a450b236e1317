/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the config's reader share; used by config*.c only. */
#ifndef BB_RUNTIME_CONFIG_READ_H
#define BB_RUNTIME_CONFIG_READ_H

#include "runtime/config.h"

typedef struct bb_config_reader {
  bb_config *config;
  const bb_kinds *kinds;
  bb_report *report;
  const bb_doc *site_tags;
  bool no_memory;
} bb_config_reader;

void bb_config_read_connections(bb_config_reader *reader, const bb_doc *list);
void bb_config_read_devices(bb_config_reader *reader, const bb_doc *list);
void bb_config_read_sinks(bb_config_reader *reader, const bb_doc *list);
void bb_config_read_routes(bb_config_reader *reader, const bb_doc *list);
void bb_config_print_parts(const bb_kinds *kinds, bb_buf *out);
void bb_config_print_device(bb_buf *out);
void bb_config_print_routes(bb_buf *out);

/* Zeroed room for a list's items, NULL when it is empty or memory is lacking (noted). */
void *bb_config_items(bb_config_reader *reader, const bb_doc *list, size_t size, uint32_t max,
                      const char *what);

/* Adds it under its id; an id that is taken is reported. */
void bb_config_index(bb_config_reader *reader, bb_map *map, const char *id, void *item,
                     const bb_doc *doc);

/* The profile that a device names or holds; a mistake is reported. NULL after one. Not referenced:
 * the config keeps it. */
bb_profile *bb_config_profile(bb_config_reader *reader, const bb_doc *doc);

#endif
