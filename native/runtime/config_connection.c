/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and sinks: both are an id and one kind with its options. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/config_read.h"

#define MAX_KINDS 32
#define MAX_ENDPOINT 512

void *bb_config_items(bb_config_reader *reader, const bb_doc *list, size_t size, uint32_t max,
                      const char *what) {
  if (list == NULL || list->n == 0) return NULL;
  if (list->n > max) {
    bb_report_add(reader->report, list, "%u %s are too many; allowed: %u", list->n, what, max);
    return NULL;
  }
  void *items = bb_arena_take(&reader->config->arena, list->n * size);
  if (items == NULL) reader->no_memory = true;
  return items;
}

void bb_config_index(bb_config_reader *reader, bb_map *map, const char *id, void *item,
                     const bb_doc *doc) {
  int err = bb_map_add(map, id, item);
  if (err == BB_ERR_NOMEM) reader->no_memory = true;
  if (err == BB_ERR_EXISTS) {
    bb_report_add(reader->report, bb_doc_get(doc, "id"), "the id \"%s\" is taken; ids differ", id);
  }
}

typedef struct {
  const char *const *names;
  size_t n;
} kind_names;

static void join_names(const kind_names *kinds, char *out, size_t cap) {
  size_t len = 0;
  out[0] = 0;
  for (size_t i = 0; i < kinds->n && len < cap; i++) {
    int put = snprintf(out + len, cap - len, "%s%s", i > 0 ? ", " : "", kinds->names[i]);
    len += put > 0 ? (size_t)put : 0;
  }
}

static bool is_common(const char *key, const char *const *common) {
  for (; *common != NULL; common++) {
    if (strcmp(*common, key) == 0) return true;
  }
  return false;
}

static void unknown_key(bb_config_reader *reader, const bb_doc *child, const kind_names *kinds,
                        const char *const *common) {
  const char *names[MAX_KINDS + 8];
  kind_names all = {names, 0};
  char allowed[256];
  for (; *common != NULL; common++) names[all.n++] = *common;
  for (size_t i = 0; i < kinds->n; i++) names[all.n++] = kinds->names[i];
  join_names(&all, allowed, sizeof(allowed));
  const char *nearest = bb_text_nearest(child->key, names, all.n);
  bb_report_add(reader->report, child,
                "unknown key%s%s%s; allowed: %s; options stand below the kind",
                nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                nearest != NULL ? "\"?" : "", allowed);
}

/* The one child that is no common key names the kind. NULL after a report. */
static const bb_doc *find_kind(bb_config_reader *reader, const bb_doc *item,
                               const kind_names *kinds, const char *const *common) {
  const bb_doc *found = NULL;
  bool strange = false;
  for (const bb_doc *child = item->first; child != NULL; child = child->next) {
    if (is_common(child->key, common)) continue;
    bool known = false;
    for (size_t i = 0; i < kinds->n; i++) known |= strcmp(kinds->names[i], child->key) == 0;
    if (!known) {
      unknown_key(reader, child, kinds, common);
      strange = true;
      continue;
    }
    if (found != NULL) {
      bb_report_add(reader->report, child, "a second kind; keep %s or %s", found->key, child->key);
      return NULL;
    }
    found = child;
  }
  if (found == NULL && !strange) {
    char allowed[256];
    join_names(kinds, allowed, sizeof(allowed));
    bb_report_add(reader->report, item, "its kind is missing: one of %s", allowed);
  }
  return found;
}

/* The id of an item; NULL after a report. */
static const char *read_id(bb_config_reader *reader, const bb_doc *item, const char *what) {
  if (item->kind != BB_DOC_MAP) {
    bb_report_add(reader->report, item, "a %s is a map with an id", what);
    return NULL;
  }
  const bb_doc *id = bb_doc_get(item, "id");
  if (id == NULL) {
    bb_report_add(reader->report, item, "\"id\" is missing: the name by which others refer to it");
    return NULL;
  }
  if (id->kind != BB_DOC_SCALAR || !bb_text_is_id(id->text)) {
    bb_report_add(reader->report, id,
                  "this is no id; allowed: 1 to 64 of letters, digits, - _ . and not starting "
                  "with . or -");
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
    bb_report_add(reader->report, options, "a map of options stands here");
    return false;
  }
  static const bb_schema none = {"connection", NULL, 0};
  uint8_t room[4096];
  memset(room, 0, sizeof(room));
  bb_schema_read(schema != NULL ? schema : &none, options, room, reader->report);
  if (reader->report->n + reader->report->more > before) return false;
  return check == NULL || check(options, reader->report) == 0;
}

static void print_options(const bb_schema *schema, bb_buf *out) {
  if (schema == NULL || schema->n == 0) {
    bb_buf_text(out, "It has no options.\n");
  } else {
    bb_schema_print(schema, out);
  }
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
                  endpoint, other->id);
    return;
  }
}

static void read_connection(bb_config_reader *reader, const bb_doc *item, const kind_names *kinds) {
  static const char *const common[] = {"id", NULL};
  bb_config *config = reader->config;
  const char *id = read_id(reader, item, "connection");
  if (id == NULL) return;
  const bb_doc *options = find_kind(reader, item, kinds, common);
  if (options == NULL) return;
  bb_config_connection *connection = &config->connections[config->n_connections++];
  *connection = (bb_config_connection){.id = id, .doc = item, .options = options};
  connection->driver = bb_kinds_driver(reader->kinds, options->key);
  bb_config_index(reader, &config->connections_by_id, id, connection, item);
  const bb_driver *driver = connection->driver;
  if (check_options(reader, options, driver->options, driver->check)) {
    check_endpoint(reader, connection, item);
  }
}

void bb_config_read_connections(bb_config_reader *reader, const bb_doc *list) {
  const char *names[MAX_KINDS];
  kind_names kinds = {names, 0};
  for (const bb_driver *const *d = reader->kinds->drivers; *d != NULL && kinds.n < MAX_KINDS; d++) {
    names[kinds.n++] = (*d)->kind;
  }
  reader->config->connections = bb_config_items(reader, list, sizeof(bb_config_connection),
                                                BB_MAX_CONNECTIONS, "connections");
  if (reader->config->connections == NULL) return;
  for (const bb_doc *item = list->first; item != NULL; item = item->next) {
    read_connection(reader, item, &kinds);
  }
}

static void read_sink(bb_config_reader *reader, const bb_doc *item, const kind_names *kinds) {
  static const char *const common[] = {"id", "devices", "enabled", NULL};
  bb_config *config = reader->config;
  const char *id = read_id(reader, item, "sink");
  if (id == NULL) return;
  const bb_doc *options = find_kind(reader, item, kinds, common);
  if (options == NULL) return;
  const char *enabled = bb_doc_get_text(item, "enabled");
  if (enabled != NULL && strcmp(enabled, "true") != 0 && strcmp(enabled, "false") != 0) {
    bb_report_add(reader->report, bb_doc_get(item, "enabled"), "allowed: true or false");
  }
  bb_config_sink *sink = &config->sinks[config->n_sinks++];
  *sink = (bb_config_sink){.id = id, .doc = item, .options = options};
  sink->enabled = enabled == NULL || strcmp(enabled, "true") == 0;
  sink->kind = bb_kinds_sink(reader->kinds, options->key);
  bb_config_index(reader, &config->sinks_by_id, id, sink, item);
  check_options(reader, options, sink->kind->options, sink->kind->check);
}

void bb_config_read_sinks(bb_config_reader *reader, const bb_doc *list) {
  const char *names[MAX_KINDS];
  kind_names kinds = {names, 0};
  const bb_sink_kind *const *sinks = reader->kinds->sinks;
  for (; *sinks != NULL && kinds.n < MAX_KINDS; sinks++) names[kinds.n++] = (*sinks)->kind;
  reader->config->sinks =
      bb_config_items(reader, list, sizeof(bb_config_sink), BB_MAX_SINKS, "sinks");
  if (reader->config->sinks == NULL) return;
  for (const bb_doc *item = list->first; item != NULL; item = item->next) {
    read_sink(reader, item, &kinds);
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
                   "(true), and as a short form of a route `devices`: a list of patterns.\n");
  for (const bb_sink_kind *const *sink = kinds->sinks; *sink != NULL; sink++) {
    bb_buf_printf(out, "\n### `%s`\n\n", (*sink)->kind);
    print_options((*sink)->options, out);
  }
  bb_config_print_routes(out);
}
