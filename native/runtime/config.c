/* SPDX-License-Identifier: Apache-2.0 */
/* The document as a whole; see config.h. Its parts are read by config_connection.c (config_kind.c),
 * config_device.c (config_profile.c) and config_route.c, what they share is in config_section.c; what
 * is no mistake and yet hardly meant is told by config_warn.c and config_topic.c. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/config_read.h"
#include "runtime/health.h"
#include "runtime/place.h"
#include "runtime/socket_access.h"

#define ARENA_MAX (256u << 20)

typedef struct {
  int version;
  const bb_doc *site, *connections, *devices, *sinks, *routes, *runtime;
} top_part;

static const char *const versions[] = {"1", NULL};

static const bb_field top_fields[] = {
    {"busbar", BB_FIELD_CHOICE, offsetof(top_part, version), true, 0, 0, versions, NULL,
     "version of this document's form: 1"},
    {"site", BB_FIELD_MAP, offsetof(top_part, site), false, 0, 0, NULL, NULL,
     "where this runtime stands: `id`, `tags`"},
    {"connections", BB_FIELD_LIST, offsetof(top_part, connections), false, 0, 0, NULL, NULL,
     "ways to devices, each with an `id` and one kind"},
    {"devices", BB_FIELD_LIST, offsetof(top_part, devices), false, 0, 0, NULL, NULL,
     "what is read"},
    {"sinks", BB_FIELD_LIST, offsetof(top_part, sinks), false, 0, 0, NULL, NULL,
     "where it goes, each with an `id` and one kind"},
    {"routes", BB_FIELD_LIST, offsetof(top_part, routes), false, 0, 0, NULL, NULL,
     "what of it goes where, and how often; `devices` of a sink is the short form"},
    {"runtime", BB_FIELD_MAP, offsetof(top_part, runtime), false, 0, 0, NULL, NULL,
     "the runtime itself: log, metrics, limits"},
};
static const bb_schema top_schema = BB_SCHEMA("config document", top_fields);

typedef struct {
  const char *id;
  const bb_doc *tags;
} site_part;

static const bb_field site_fields[] = {
    {"id", BB_FIELD_ID, offsetof(site_part, id), false, 0, 0, NULL, NULL,
     "name of the site: tag `site`, `{site}` in topics"},
    {"tags", BB_FIELD_MAP, offsetof(site_part, tags), false, 0, 0, NULL, NULL,
     "tags that every device has"},
};
static const bb_schema site_schema = BB_SCHEMA("site", site_fields);

static const char *const owners[] = {"file", "editor", NULL};
static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const formats[] = {"text", "json", NULL};

typedef struct {
  bb_config_runtime out;
  const bb_doc *log, *store, *socket;
} runtime_part;

static const bb_field runtime_fields[] = {
    {"metrics", BB_FIELD_TEXT, offsetof(runtime_part, out.metrics), false, 0, 0, NULL,
     "127.0.0.1:9464", "address for /metrics, /healthz and /readyz; `off`: none"},
    {"owner", BB_FIELD_CHOICE, offsetof(runtime_part, out.owner), false, 0, 0, owners, "file",
     "who may change the config: this file, or a client of the control socket"},
    {"log", BB_FIELD_MAP, offsetof(runtime_part, log), false, 0, 0, NULL, NULL,
     "`level` and `format` of the log"},
    {"queue_bytes", BB_FIELD_BYTES, offsetof(runtime_part, out.queue_bytes), false, 1 << 20,
     4294967296.0, NULL, "16MiB",
     "memory for what is not yet delivered; what is on the disk too makes room first"},
    {"store", BB_FIELD_MAP, offsetof(runtime_part, store), false, 0, 0, NULL, NULL,
     "what is kept on the disk of what is not yet delivered"},
    {"write_interval", BB_FIELD_DURATION, offsetof(runtime_part, out.write_interval_ms), false, 0,
     3600000.0, NULL, "100ms", "shortest time between two commands to one device"},
    {"socket", BB_FIELD_MAP, offsetof(runtime_part, socket), false, 0, 0, NULL, NULL,
     "`mode` and `group` of the control socket; without it, what `busbar run` was told"},
};
static const bb_schema runtime_schema = BB_SCHEMA("runtime", runtime_fields);

static const bb_field log_fields[] = {
    {"level", BB_FIELD_CHOICE, offsetof(bb_config_runtime, log_level), false, 0, 0, levels, "info",
     "the least important lines that are still written"},
    {"format", BB_FIELD_CHOICE, offsetof(bb_config_runtime, log_format), false, 0, 0, formats,
     "text", "for a person, or one JSON object a line"},
};
static const bb_schema log_schema = BB_SCHEMA("log", log_fields);

static const bb_field socket_fields[] = {
    {"mode", BB_FIELD_CHOICE, offsetof(bb_config_runtime, socket_mode), false, 0, 0,
     bb_socket_modes, "0600",
     "who may connect, and so write to devices: the user of the runtime, the group too, or "
     "every user of this machine"},
    {"group", BB_FIELD_TEXT, offsetof(bb_config_runtime, socket_group), false, 0, 0, NULL, NULL,
     "name of the group; without it, that of the runtime"},
};
static const bb_schema socket_schema = BB_SCHEMA("socket", socket_fields);

static void read_socket(bb_config_runtime *out, const bb_doc *doc, bb_report *report) {
  bb_schema_read(&socket_schema, doc, out, report);
  out->says_socket = doc != NULL;
  if (out->socket_group != NULL && out->socket_mode == 0) {
    bb_report_add(report, bb_doc_get(doc, "group"),
                  "with the mode 0600 no group may connect; add \"mode: 0660\"");
  }
}

static void read_runtime(bb_config_reader *reader, const bb_doc *doc) {
  bb_report *report = reader->report;
  runtime_part part = {0};
  bb_schema_read(&runtime_schema, doc, &part, report);
  if (part.out.metrics == NULL) part.out.metrics = "127.0.0.1:9464";
  bb_schema_read(&log_schema, part.log, &part.out, report);
  bb_config_read_store(reader, part.store, &part.out.store);
  read_socket(&part.out, part.socket, report);
  char host[64];
  uint16_t port;
  bool off = strcmp(part.out.metrics, "off") == 0;
  if (!off && !bb_health_address_parse(part.out.metrics, host, &port)) {
    bb_report_add(report, bb_doc_get(doc, "metrics"),
                  "\"%.80s\" is no address; allowed: off, or address and port in numbers, such as "
                  "127.0.0.1:9464",
                  part.out.metrics);
  }
  reader->config->runtime = part.out;
}

static void read_site(bb_config_reader *reader, const bb_doc *doc) {
  site_part part = {0};
  bb_schema_read(&site_schema, doc, &part, reader->report);
  reader->config->site = part.id != NULL ? part.id : "";
  reader->site_tags = part.tags;
  bb_config_check_tags(reader, part.tags);
}

/* A section whose key is misspelt, or that is no list, has entries that are not known. */
static void find_gaps(bb_config_reader *reader, const bb_doc *root) {
  static const char *const keys[] = {"connections", "devices", "sinks"};
  static const bb_config_section sections[] = {BB_CONFIG_CONNECTIONS, BB_CONFIG_DEVICES,
                                               BB_CONFIG_SINKS};
  for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
    const bb_doc *list = bb_doc_get(root, keys[i]);
    bool gap = list != NULL && list->kind != BB_DOC_LIST && !bb_doc_is_null(list);
    for (const bb_doc *child = root->first; child != NULL && list == NULL; child = child->next) {
      gap = gap || bb_text_nearest(child->key, &keys[i], 1) != NULL;
    }
    if (gap) bb_config_note_broken(reader, sections[i], NULL);
  }
}

/* One of the two kinds of files that people write, in place of the other. */
static bool is_profile(const bb_doc *root) {
  return root->kind == BB_DOC_MAP && bb_doc_get(root, "profile") != NULL &&
         bb_doc_get(root, "busbar") == NULL;
}

static void read_all(bb_config_reader *reader) {
  top_part top = {0};
  bb_config *config = reader->config;
  if (is_profile(config->tree.root)) {
    bb_report_add(reader->report, bb_doc_get(config->tree.root, "profile"),
                  "this is a profile, no config: `busbar profiles %s` tells what is in it",
                  config->tree.name);
    return;
  }
  bb_schema_read(&top_schema, config->tree.root, &top, reader->report);
  if (config->tree.root->kind != BB_DOC_MAP) return;
  find_gaps(reader, config->tree.root);
  read_site(reader, top.site);
  read_runtime(reader, top.runtime);
  bb_config_read_connections(reader, top.connections);
  bb_config_read_devices(reader, top.devices);
  bb_config_read_sinks(reader, top.sinks);
  bb_config_read_routes(reader, top.routes);
  if (!reader->no_memory && bb_report_ok(reader->report)) bb_config_warn(reader);
}

static void close_reader(bb_config_reader *reader) {
  for (size_t i = 0; i < BB_CONFIG_SECTIONS; i++) bb_map_close(&reader->gaps[i].broken);
  bb_map_close(&reader->bad_profiles);
}

/* Takes over the tree. */
static int read_tree(bb_config **out, bb_doc_tree *tree, const bb_kinds *kinds, bb_report *report) {
  *out = NULL;
  bb_config *config = calloc(1, sizeof(*config));
  if (config == NULL) {
    bb_doc_close(tree);
    return BB_ERR_NOMEM;
  }
  config->refs = 1;
  config->site = "";
  config->tree = *tree;
  bb_arena_init(&config->arena, ARENA_MAX);
  bb_config_reader reader = {.config = config, .kinds = kinds, .report = report};
  const char *file = bb_report_file(report, config->tree.name);
  read_all(&reader);
  close_reader(&reader);
  bb_report_file(report, file);
  int err = reader.no_memory ? BB_ERR_NOMEM : bb_report_ok(report) ? 0 : BB_ERR_CONFIG;
  bb_report_sort(report);
  if (err < 0) {
    bb_config_unref(config);
    return err;
  }
  *out = config;
  return 0;
}

int bb_config_load(bb_config **out, const char *path, const bb_kinds *kinds, bb_report *report) {
  bb_doc_tree tree;
  *out = NULL;
  int err = bb_doc_load_behind(&tree, path, bb_place_document_head, report);
  if (err < 0) return err == BB_ERR_NOMEM ? err : BB_ERR_CONFIG;
  return read_tree(out, &tree, kinds, report);
}

int bb_config_parse(bb_config **out, const char *name, const char *text, size_t len,
                    const bb_kinds *kinds, bb_report *report) {
  bb_doc_tree tree;
  *out = NULL;
  int err = bb_doc_parse(&tree, name, text, len, report);
  if (err < 0) return err == BB_ERR_NOMEM ? err : BB_ERR_CONFIG;
  return read_tree(out, &tree, kinds, report);
}

bb_config *bb_config_ref(bb_config *config) {
  config->refs++;
  return config;
}

void bb_config_unref(bb_config *config) {
  if (config == NULL || --config->refs > 0) return;
  for (uint32_t i = 0; i < config->n_devices; i++) {
    bb_profile_unref(config->devices[i].profile);
    bb_device_unref(config->devices[i].device);
  }
  for (size_t i = 0; i < config->profiles_by_id.cap; i++) {
    if (config->profiles_by_id.entries[i].key == NULL) continue;
    bb_profile_unref(config->profiles_by_id.entries[i].value);
  }
  bb_map_close(&config->connections_by_id);
  bb_map_close(&config->devices_by_id);
  bb_map_close(&config->sinks_by_id);
  bb_map_close(&config->profiles_by_id);
  bb_arena_close(&config->arena);
  bb_doc_close(&config->tree);
  free(config);
}

bool bb_config_matches(const bb_doc *patterns, const char *text) {
  if (patterns == NULL) return true;
  if (patterns->kind == BB_DOC_SCALAR) return bb_text_match(patterns->text, text);
  for (const bb_doc *item = patterns->first; item != NULL; item = item->next) {
    if (item->kind == BB_DOC_SCALAR && bb_text_match(item->text, text)) return true;
  }
  return false;
}

void bb_config_print_reference(const bb_kinds *kinds, bb_buf *out) {
  bb_buf_text(out, "## Top level\n\n");
  bb_schema_print(&top_schema, out);
  bb_buf_text(out, "\n## `site`\n\n");
  bb_schema_print(&site_schema, out);
  bb_config_print_parts(kinds, out);
  bb_buf_text(out, "\n## `runtime`\n\n");
  bb_schema_print(&runtime_schema, out);
  bb_buf_text(out, "\n## `runtime.log`\n\n");
  bb_schema_print(&log_schema, out);
  bb_config_print_store(out);
  bb_buf_text(out, "\n## `runtime.socket`\n\n");
  bb_schema_print(&socket_schema, out);
}
