/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the config's reader share; used by config*.c only.
 *
 * Each mistake is told where it is made, and no other because of it: an entry that cannot be read is
 * remembered by its id, so that nobody who refers to it is told that there is no such thing.
 */
#ifndef BB_RUNTIME_CONFIG_READ_H
#define BB_RUNTIME_CONFIG_READ_H

#include "runtime/config.h"

#define BB_CONFIG_MAX_KINDS 32

typedef enum bb_config_section {
  BB_CONFIG_CONNECTIONS,
  BB_CONFIG_DEVICES,
  BB_CONFIG_SINKS,
  BB_CONFIG_SECTIONS,
} bb_config_section;

typedef struct bb_config_gaps {
  bb_map broken; /* ids of entries that are not known any further */
  bool unsure;   /* there are entries whose id is not known */
} bb_config_gaps;

typedef struct bb_config_reader {
  bb_config *config;
  const bb_kinds *kinds;
  bb_report *report;
  const bb_doc *site_tags;
  bb_config_gaps gaps[BB_CONFIG_SECTIONS];
  bb_map bad_profiles; /* names and files of those whose mistakes were told */
  bool no_memory;
} bb_config_reader;

/* The kinds that an entry of a section can be of. */
typedef struct bb_config_kinds {
  const char *what;          /* "connection" */
  const char *const *common; /* keys that every kind has beside its own, ended by NULL */
  const char *names[BB_CONFIG_MAX_KINDS];
  const bb_schema *options[BB_CONFIG_MAX_KINDS]; /* NULL: none */
  size_t n;
} bb_config_kinds;

void bb_config_read_connections(bb_config_reader *reader, const bb_doc *list);
void bb_config_read_devices(bb_config_reader *reader, const bb_doc *list);
void bb_config_read_sinks(bb_config_reader *reader, const bb_doc *list);
void bb_config_read_routes(bb_config_reader *reader, const bb_doc *list);
void bb_config_read_store(bb_config_reader *reader, const bb_doc *doc, bb_config_store *out);
void bb_config_read_sink_store(bb_config_reader *reader, const bb_doc *doc,
                               bb_config_sink_store *out);
void bb_config_print_store(bb_buf *out);
void bb_config_print_sink_store(bb_buf *out);
void bb_config_print_parts(const bb_kinds *kinds, bb_buf *out);
void bb_config_print_device(bb_buf *out);
void bb_config_print_routes(bb_buf *out);

/* Zeroed room for a list's items, NULL when it is empty or memory is lacking (noted). */
void *bb_config_items(bb_config_reader *reader, const bb_doc *list, size_t size, uint32_t max,
                      bb_config_section section);

/* Adds it under its id; an id that is taken is reported. */
void bb_config_index(bb_config_reader *reader, bb_map *map, const char *id, void *item,
                     const bb_doc *doc);

/*
 * Finds which kind an entry is of: its place in `kinds`, and in *options what stands under its key,
 * options that stand beside it by mistake included (reported). A misspelt kind (reported) is taken
 * for the nearest. -1 after a report.
 */
int bb_config_kind_find(bb_config_reader *reader, const bb_doc *item, const bb_config_kinds *kinds,
                        const bb_doc **options);

/* An entry of which only the id is known; NULL: not even that. */
void bb_config_note_broken(bb_config_reader *reader, bb_config_section section, const char *id);

/* `doc` names an entry that is not there: a mistake, unless it is one that could not be read. */
void bb_config_tell_missing(bb_config_reader *reader, const bb_doc *doc, bb_config_section section);

/* The names and values of a map of tags; NULL: none. */
void bb_config_check_tags(bb_config_reader *reader, const bb_doc *map);

/* The profile that a device names or holds; a mistake is reported. NULL after one. Not referenced:
 * the config keeps it. */
bb_profile *bb_config_profile(bb_config_reader *reader, const bb_doc *doc);

/* Whether a route names it, in the short form too. */
bool bb_config_is_routed(const bb_config *config, const bb_config_sink *sink);

/* The route has something of that scan for its sink. */
bool bb_config_feeds(const bb_config_route *route, const bb_config_device *device,
                     const bb_scan *scan);

/* What a config without a mistake may not mean; see config_warn.c. Nothing where no warnings are
 * wanted. */
void bb_config_warn(bb_config_reader *reader);

/* The same of routes that another one covers; see config_cover.c. */
void bb_config_warn_covered(bb_config_reader *reader);

/* The same of topics on which two devices are published; see config_topic.c. */
void bb_config_warn_topics(bb_config_reader *reader);

#endif
