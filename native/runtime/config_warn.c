/* SPDX-License-Identifier: Apache-2.0 */
/* What a config without a mistake says and hardly means: two devices of one unit, nothing that goes
 * anywhere, a secret that is not there. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/secret.h"
#include "runtime/config_read.h"

#define HANDED_OVER "secret:" /* no file: what a client hands over while the runtime runs */

/* --- routes --- */

/* Who applies through the control socket may read devices and bring messages for sinks by itself, so
 * that no route has to; a route that takes nothing is a slip there, too. */
static bool is_clients(const bb_config *config) {
  return config->runtime.owner == BB_OWNER_EDITOR;
}

static bool takes_point(const bb_config_route *route, const bb_config_device *device,
                        const bb_scan *scan) {
  if (route->points == NULL || device->profile == NULL) return true;
  for (uint16_t i = 0; i < scan->n_points; i++) {
    const bb_profile_point *point = &device->profile->points[scan->points[i]];
    if (bb_config_matches(route->points, point->point.name)) return true;
  }
  return false;
}

bool bb_config_feeds(const bb_config_route *route, const bb_config_device *device,
                     const bb_scan *scan) {
  return bb_config_route_takes(route, device->id, scan->name) && takes_point(route, device, scan);
}

static void warn_device(bb_config_reader *reader, const bb_config_device *device, bool *used) {
  const bb_config *config = reader->config;
  bool carried = device->n_scans == 0;
  for (uint32_t i = 0; i < config->n_routes; i++) {
    const bb_config_route *route = &config->routes[i];
    if (route->events && bb_config_matches(route->devices, device->id)) {
      used[route->sink - config->sinks] = true;
      carried = carried || route->sink->enabled;
    }
    for (uint32_t k = 0; k < device->n_scans; k++) {
      if (!bb_config_feeds(route, device, &device->scans[k])) continue;
      used[route->sink - config->sinks] = true;
      carried = carried || route->sink->enabled;
    }
  }
  if (carried || is_clients(config)) return;
  bb_report_warn(reader->report, device->doc,
                 "no route takes it to a sink; name it in `devices` of a sink or route, or set "
                 "\"enabled: false\"");
}

static void warn_routes(bb_config_reader *reader) {
  const bb_config *config = reader->config;
  bool used[BB_MAX_SINKS] = {false}, any_sink = false, any_device = false;
  for (uint32_t i = 0; i < config->n_sinks; i++) any_sink |= config->sinks[i].enabled;
  for (uint32_t i = 0; i < config->n_devices; i++) any_device |= config->devices[i].enabled;
  if (!any_device) return;
  if (!any_sink) {
    if (is_clients(config)) return;
    bb_report_warn(reader->report, NULL,
                   config->n_sinks == 0
                       ? "nothing is delivered, as there is no sink; add one below `sinks`, such "
                         "as mqtt or influxdb"
                       : "nothing is delivered, as every sink has \"enabled: false\"; switch one "
                         "on");
    return;
  }
  for (uint32_t i = 0; i < config->n_devices; i++) {
    if (config->devices[i].enabled) warn_device(reader, &config->devices[i], used);
  }
  for (uint32_t i = 0; i < config->n_sinks; i++) {
    if (used[i] || !config->sinks[i].enabled) continue;
    if (is_clients(config) && !bb_config_is_routed(config, &config->sinks[i])) continue;
    bb_report_warn(reader->report, config->sinks[i].doc,
                   "nothing is delivered to it, as its routes take no device that is read; look at "
                   "their `devices`, `scans` and `points`");
  }
}

/* --- two devices of one unit --- */

/* What tells a device from others on its connection: "unit 1", by its driver's options. */
static bool describe_options(const bb_config_device *device, bb_buf *out) {
  const bb_schema *schema = device->connection->driver->device_options;
  for (size_t i = 0; schema != NULL && i < schema->n; i++) {
    const bb_field *field = &schema->fields[i];
    const char *text = bb_doc_get_text(device->doc, field->key);
    if (text == NULL || *text == 0) text = field->fallback != NULL ? field->fallback : "not given";
    bb_buf_printf(out, "%s%s ", i > 0 ? ", " : "", field->key);
    if (field->kind == BB_FIELD_U32 && strncmp(text, "0x", 2) == 0) {
      bb_buf_printf(out, "%lu", strtoul(text, NULL, 16));
    } else {
      bb_buf_text(out, text);
    }
  }
  return out->len > 0;
}

static void compare_unit(bb_config_reader *reader, bb_map *seen, bb_config_device *device) {
  bb_buf text;
  bb_buf_init(&text, 4096);
  if (describe_options(device, &text)) {
    bb_buf_printf(&text, " on connection %s", device->connection->id);
    char *key = bb_arena_string(&reader->config->arena, bb_buf_string(&text));
    const bb_config_device *first = key != NULL ? bb_map_get(seen, key) : NULL;
    if (first != NULL) {
      bb_report_warn(reader->report, device->doc,
                     "%s is device %s in line %u as well, so both read the same; give each its own",
                     key, first->id, first->doc->line);
    } else if (key == NULL || bb_map_add(seen, key, device) == BB_ERR_NOMEM) {
      reader->no_memory = true;
    }
  }
  bb_buf_close(&text);
}

static void warn_units(bb_config_reader *reader) {
  const bb_config *config = reader->config;
  bb_map seen = {0};
  for (uint32_t i = 0; i < config->n_devices; i++) {
    if (config->devices[i].enabled) compare_unit(reader, &seen, &config->devices[i]);
  }
  bb_map_close(&seen);
}

/* --- secrets and other files --- */

static bool ends_with(const char *text, const char *end) {
  size_t len = strlen(text), n = strlen(end);
  return len >= n && strcmp(text + len - n, end) == 0;
}

static void check_env(bb_config_reader *reader, const bb_doc *doc) {
  const char *value = getenv(doc->text);
  if (value != NULL && *value != 0) return;
  bb_report_warn(reader->report, doc, "the environment variable %s is not set here; `run` needs it",
                 doc->text);
}

static void check_file(bb_config_reader *reader, const bb_doc *doc) {
  if (strncmp(doc->text, HANDED_OVER, strlen(HANDED_OVER)) == 0) return;
  FILE *file = fopen(doc->text, "rb");
  int why = errno;
  bool empty = file != NULL && fgetc(file) == EOF;
  if (empty && ferror(file)) why = errno;
  bool unreadable = file == NULL || (empty && ferror(file));
  if (file != NULL) fclose(file);
  if (unreadable) {
    bb_report_warn(reader->report, doc, "the file %s cannot be read here (%s); `run` needs it",
                   doc->text, strerror(why));
  } else if (empty) {
    bb_report_warn(reader->report, doc, "the file %s is empty; `run` needs what it is to hold",
                   doc->text);
  }
}

/* Every option that ends so names a variable or a file that is read. */
static void warn_references(bb_config_reader *reader, const bb_doc *options,
                            const bb_schema *schema) {
  for (size_t i = 0; schema != NULL && i < schema->n; i++) {
    const bb_doc *doc = bb_doc_get(options, schema->fields[i].key);
    if (doc == NULL || doc->kind != BB_DOC_SCALAR || bb_doc_is_null(doc)) continue;
    if (ends_with(schema->fields[i].key, "_env")) check_env(reader, doc);
    if (ends_with(schema->fields[i].key, "_file") && bb_secret_name(doc->text) == NULL) {
      check_file(reader, doc);
    }
  }
}

static void warn_group(bb_config_reader *reader) {
  const char *group = reader->config->runtime.socket_group;
  if (group == NULL || getgrnam(group) != NULL) return;
  const bb_doc *runtime = bb_doc_get(reader->config->tree.root, "runtime");
  bb_report_warn(reader->report, bb_doc_get(bb_doc_get(runtime, "socket"), "group"),
                 "there is no group %.64s here; `run` needs it", group);
}

void bb_config_warn(bb_config_reader *reader) {
  const bb_config *config = reader->config;
  if (!reader->report->wants_warnings) return;
  warn_group(reader);
  warn_routes(reader);
  warn_units(reader);
  for (uint32_t i = 0; i < config->n_connections; i++) {
    const bb_config_connection *connection = &config->connections[i];
    if (connection->used) {
      warn_references(reader, connection->options, connection->driver->options);
    }
  }
  for (uint32_t i = 0; i < config->n_sinks; i++) {
    const bb_config_sink *sink = &config->sinks[i];
    if (sink->enabled) warn_references(reader, sink->options, sink->kind->options);
  }
  bb_config_warn_covered(reader);
  bb_config_warn_topics(reader);
}
