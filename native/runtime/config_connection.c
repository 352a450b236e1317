/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and sinks: both are an id and one kind with its options. */
#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/config_read.h"

#define MAX_ENDPOINT 512

/* The id of an item; NULL after a report. Who refers to one that is not allowed is told nothing
 * more. */
static const char *read_id(bb_config_reader *reader, const bb_doc *item, bb_config_section section,
                           const char *what) {
  if (item->kind != BB_DOC_MAP) {
    bb_report_add(reader->report, item, "a %s is a map with an id", what);
    bb_config_note_broken(reader, section, NULL);
    return NULL;
  }
  const bb_doc *id = bb_doc_get(item, "id");
  if (id == NULL) {
    bb_report_add(reader->report, item, "\"id\" is missing: the name by which others refer to it");
    bb_config_note_broken(reader, section, NULL);
    return NULL;
  }
  if (id->kind != BB_DOC_SCALAR || !bb_text_is_id(id->text)) {
    bool scalar = id->kind == BB_DOC_SCALAR;
    bb_report_add(reader->report, id,
                  "%s%.80s%s is no id; allowed: 1 to 64 of letters, digits, - _ . and not starting "
                  "with . or -",
                  scalar ? "\"" : "", scalar ? id->text : "this", scalar ? "\"" : "");
    bb_config_note_broken(reader, section, id->text);
    return NULL;
  }
  return id->text;
}

/* Options that are left out altogether (`external:`) are an empty map. */
static bool check_options(bb_config_reader *reader, const bb_doc *options, const bb_schema *schema,
                          int (*check)(const bb_doc *, bb_report *)) {
  uint32_t before = reader->report->n + reader->report->more;
  bb_doc empty = {
      .kind = BB_DOC_MAP, .line = options->line, .key = options->key, .parent = options->parent};
  if (bb_doc_is_null(options)) options = &empty;
  if (options->kind != BB_DOC_MAP) {
    bb_report_add(reader->report, options, "options of %s stand below it, such as \"%s: ...\"",
                  options->key, schema != NULL && schema->n > 0 ? schema->fields[0].key : "key");
    return false;
  }
  static const bb_schema none = {"connection", NULL, 0};
  uint8_t room[4096];
  memset(room, 0, sizeof(room));
  bb_schema_read(schema != NULL ? schema : &none, options, room, reader->report);
  if (check != NULL) check(options, reader->report);
  return reader->report->n + reader->report->more == before;
}

/* "tcp:10.0.0.21:502" is for programs; a person knows it as 10.0.0.21:502. */
static const char *without_scheme(const char *endpoint) {
  const char *at = endpoint;
  while (islower((unsigned char)*at)) at++;
  return *at == ':' && at > endpoint ? at + 1 : endpoint;
}

static void check_endpoint(bb_config_reader *reader, bb_config_connection *connection,
                           const bb_doc *item) {
  char endpoint[MAX_ENDPOINT];
  if (connection->driver->endpoint == NULL) return;
  if (connection->driver->endpoint(connection->options, endpoint, sizeof(endpoint)) < 0) return;
  if (endpoint[0] == 0) return; /* has none that could be taken */
  connection->endpoint = bb_arena_string(&reader->config->arena, endpoint);
  if (connection->endpoint == NULL) {
    reader->no_memory = true;
    return;
  }
  const bb_config *config = reader->config;
  for (uint32_t i = 0; i < config->n_connections; i++) {
    const bb_config_connection *other = &config->connections[i];
    if (other == connection || other->endpoint == NULL) continue;
    if (strcmp(other->endpoint, connection->endpoint) != 0) continue;
    bb_report_add(reader->report, item,
                  "%s is already the end of connection %s; put its devices on that one, as a "
                  "socket has one owner",
                  without_scheme(endpoint), other->id);
    return;
  }
}

/* An entry without an id is checked all the same; it only has no place in the config. */
static void read_connection(bb_config_reader *reader, const bb_doc *item,
                            const bb_config_kinds *kinds) {
  bb_config *config = reader->config;
  const char *id = read_id(reader, item, BB_CONFIG_CONNECTIONS, kinds->what);
  const bb_doc *options;
  int kind = item->kind == BB_DOC_MAP ? bb_config_kind_find(reader, item, kinds, &options) : -1;
  if (kind < 0) {
    if (id != NULL) bb_config_note_broken(reader, BB_CONFIG_CONNECTIONS, id);
    return;
  }
  const bb_driver *driver = reader->kinds->drivers[kind];
  bool fine = check_options(reader, options, driver->options, driver->check);
  if (id == NULL) return;
  bb_config_connection *connection = &config->connections[config->n_connections++];
  *connection = (bb_config_connection){.id = id, .doc = item, .options = options, .driver = driver};
  bb_config_index(reader, &config->connections_by_id, id, connection, item);
  if (fine) check_endpoint(reader, connection, item);
}

void bb_config_read_connections(bb_config_reader *reader, const bb_doc *list) {
  static const char *const common[] = {"id", NULL};
  bb_config_kinds kinds = {.what = "connection", .common = common};
  for (const bb_driver *const *driver = reader->kinds->drivers;
       *driver != NULL && kinds.n < BB_CONFIG_MAX_KINDS; driver++) {
    kinds.names[kinds.n] = (*driver)->kind;
    kinds.options[kinds.n++] = (*driver)->options;
  }
  reader->config->connections = bb_config_items(reader, list, sizeof(bb_config_connection),
                                                BB_MAX_CONNECTIONS, BB_CONFIG_CONNECTIONS);
  if (reader->config->connections == NULL) return;
  for (const bb_doc *item = list->first; item != NULL; item = item->next) {
    read_connection(reader, item, &kinds);
  }
}

typedef struct {
  bool enabled, events;
  const bb_doc *store;
} sink_part;

static const bb_field sink_fields[] = {
    {"enabled", BB_FIELD_BOOL, offsetof(sink_part, enabled), false, 0, 0, NULL, "true",
     "false: checked, but not fed"},
    {"events", BB_FIELD_BOOL, offsetof(sink_part, events), false, 0, 0, NULL, "false",
     "of the short form of a route"},
    {"store", BB_FIELD_MAP, offsetof(sink_part, store), false, 0, 0, NULL, NULL,
     "how what waits for it is kept"},
};
static const bb_schema sink_schema = BB_SCHEMA("sink", sink_fields);

static void read_sink(bb_config_reader *reader, const bb_doc *item, const bb_config_kinds *kinds) {
  bb_config *config = reader->config;
  const char *id = read_id(reader, item, BB_CONFIG_SINKS, kinds->what);
  const bb_doc *options;
  sink_part part = {0};
  if (item->kind == BB_DOC_MAP) bb_schema_read_part(&sink_schema, item, &part, reader->report);
  int kind = item->kind == BB_DOC_MAP ? bb_config_kind_find(reader, item, kinds, &options) : -1;
  if (kind < 0) {
    if (id != NULL) bb_config_note_broken(reader, BB_CONFIG_SINKS, id);
    return;
  }
  const bb_sink_kind *own = reader->kinds->sinks[kind];
  check_options(reader, options, own->options, own->check);
  if (id == NULL) return;
  bb_config_sink *sink = &config->sinks[config->n_sinks++];
  *sink = (bb_config_sink){.id = id,
                           .doc = item,
                           .options = options,
                           .kind = own,
                           .events = part.events,
                           .enabled = part.enabled};
  bb_config_read_sink_store(reader, part.store, &sink->store);
  bb_config_index(reader, &config->sinks_by_id, id, sink, item);
}

void bb_config_read_sinks(bb_config_reader *reader, const bb_doc *list) {
  static const char *const common[] = {"id", "devices", "events", "enabled", "store", NULL};
  bb_config_kinds kinds = {.what = "sink", .common = common};
  for (const bb_sink_kind *const *sink = reader->kinds->sinks;
       *sink != NULL && kinds.n < BB_CONFIG_MAX_KINDS; sink++) {
    kinds.names[kinds.n] = (*sink)->kind;
    kinds.options[kinds.n++] = (*sink)->options;
  }
  reader->config->sinks =
      bb_config_items(reader, list, sizeof(bb_config_sink), BB_MAX_SINKS, BB_CONFIG_SINKS);
  if (reader->config->sinks == NULL) return;
  for (const bb_doc *item = list->first; item != NULL; item = item->next) {
    read_sink(reader, item, &kinds);
  }
}

static void print_options(const bb_schema *schema, bb_buf *out) {
  if (schema == NULL || schema->n == 0) {
    bb_buf_text(out, "It has no options.\n");
  } else {
    bb_schema_print(schema, out);
  }
}

void bb_config_print_parts(const bb_kinds *kinds, bb_buf *out) {
  bb_buf_text(out, "\n## `connections`\n\nEach has an `id` and one kind with its options.\n");
  for (const bb_driver *const *driver = kinds->drivers; *driver != NULL; driver++) {
    bb_buf_printf(out, "\n### `%s`\n\n", (*driver)->kind);
    print_options((*driver)->options, out);
    if ((*driver)->device_options == NULL || (*driver)->device_options->n == 0) continue;
    bb_buf_text(out, "\nIts devices have in addition:\n\n");
    bb_schema_print((*driver)->device_options, out);
  }
  bb_config_print_device(out);
  bb_buf_text(out, "\n## `sinks`\n\nEach has an `id`, one kind with its options, `enabled` "
                   "(true), `store`, and as a short form of a route `devices`, a list of "
                   "patterns, and `events` (false).\n");
  for (const bb_sink_kind *const *sink = kinds->sinks; *sink != NULL; sink++) {
    bb_buf_printf(out, "\n### `%s`\n\n", (*sink)->kind);
    print_options((*sink)->options, out);
  }
  bb_config_print_sink_store(out);
  bb_config_print_routes(out);
}
