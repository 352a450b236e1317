/* SPDX-License-Identifier: Apache-2.0 */
/* See difference.h. */
#include "runtime/difference.h"

#include <stdio.h>
#include <string.h>

/* Those that the config wants to run; NULL: none of that id. */

static const bb_config_connection *connection_in(const bb_config *config, const char *id) {
  const bb_config_connection *found = bb_map_get(&config->connections_by_id, id);
  return found != NULL && found->used ? found : NULL;
}

static const bb_config_device *device_in(const bb_config *config, const char *id) {
  const bb_config_device *found = bb_map_get(&config->devices_by_id, id);
  return found != NULL && found->enabled ? found : NULL;
}

static const bb_config_sink *sink_in(const bb_config *config, const char *id) {
  const bb_config_sink *found = bb_map_get(&config->sinks_by_id, id);
  return found != NULL && found->enabled ? found : NULL;
}

bool bb_difference_keeps_connection(const bb_config *to, const bb_config_connection *was) {
  const bb_config_connection *now = connection_in(to, was->id);
  return now != NULL && bb_doc_equal(was->doc, now->doc);
}

static bool is_same_profile(const bb_profile *a, const bb_profile *b) {
  return a == NULL || b == NULL ? a == b : a->hash == b->hash;
}

bool bb_difference_keeps_device(const bb_config *to, const bb_config_device *was) {
  const bb_config_device *now = device_in(to, was->id);
  return now != NULL && bb_doc_equal(was->doc, now->doc) &&
         was->device->hash == now->device->hash && is_same_profile(was->profile, now->profile) &&
         bb_doc_equal(was->connection->doc, now->connection->doc);
}

bool bb_difference_keeps_sink(const bb_config *to, const bb_config_sink *was, const char *site) {
  const bb_config_sink *now = sink_in(to, was->id);
  return now != NULL && strcmp(site, to->site) == 0 && bb_doc_equal(was->doc, now->doc);
}

bool bb_difference_in(const bb_config *from, const bb_config *to, const char *key) {
  return from == NULL ||
         !bb_doc_equal(bb_doc_get(from->tree.root, key), bb_doc_get(to->tree.root, key));
}

static void count(bb_difference_part *part, bool was, bool same) {
  if (!was) part->added++;
  if (was && !same) part->changed++;
}

static void compare_connections(bb_difference *out, const bb_config *from, const bb_config *to) {
  for (uint32_t i = 0; i < to->n_connections; i++) {
    const bb_config_connection *now = &to->connections[i];
    const bb_config_connection *was = connection_in(from, now->id);
    if (!now->used) continue;
    count(&out->connections, was != NULL, was != NULL && bb_difference_keeps_connection(to, was));
  }
  for (uint32_t i = 0; i < from->n_connections; i++) {
    const bb_config_connection *was = &from->connections[i];
    if (was->used && connection_in(to, was->id) == NULL) out->connections.gone++;
  }
}

static void compare_devices(bb_difference *out, const bb_config *from, const bb_config *to) {
  for (uint32_t i = 0; i < to->n_devices; i++) {
    const bb_config_device *now = &to->devices[i];
    const bb_config_device *was = device_in(from, now->id);
    if (!now->enabled) continue;
    count(&out->devices, was != NULL, was != NULL && bb_difference_keeps_device(to, was));
  }
  for (uint32_t i = 0; i < from->n_devices; i++) {
    const bb_config_device *was = &from->devices[i];
    if (was->enabled && device_in(to, was->id) == NULL) out->devices.gone++;
  }
}

static void compare_sinks(bb_difference *out, const bb_config *from, const bb_config *to) {
  for (uint32_t i = 0; i < to->n_sinks; i++) {
    const bb_config_sink *now = &to->sinks[i];
    const bb_config_sink *was = sink_in(from, now->id);
    if (!now->enabled) continue;
    count(&out->sinks, was != NULL, was != NULL && bb_difference_keeps_sink(to, was, from->site));
  }
  for (uint32_t i = 0; i < from->n_sinks; i++) {
    const bb_config_sink *was = &from->sinks[i];
    if (was->enabled && sink_in(to, was->id) == NULL) out->sinks.gone++;
  }
}

bb_difference bb_difference_of(const bb_config *from, const bb_config *to) {
  static const bb_config nothing = {.site = ""};
  bb_difference out = {.routes = false};
  if (from == NULL) from = &nothing;
  compare_connections(&out, from, to);
  compare_devices(&out, from, to);
  compare_sinks(&out, from, to);
  out.routes = bb_difference_in(from, to, "routes");
  out.site = bb_difference_in(from, to, "site");
  out.runtime = bb_difference_in(from, to, "runtime");
  return out;
}

typedef struct {
  char *at;
  size_t left;
  bool any;
} sentence;

static void add(sentence *out, const char *between, const char *text) {
  int n = snprintf(out->at, out->left, "%s%s", between, text);
  size_t len = n < 0 ? 0 : (size_t)n < out->left ? (size_t)n : out->left - 1;
  out->at += len;
  out->left -= len;
}

static void add_part(sentence *out, const char *name, const bb_difference_part *part) {
  const uint32_t numbers[] = {part->added, part->changed, part->gone};
  static const char *const words[] = {"new", "changed", "gone"};
  bool first = true;
  for (size_t i = 0; i < 3; i++) {
    char text[32];
    if (numbers[i] == 0) continue;
    if (first) {
      add(out, out->any ? "; " : "", name);
      add(out, ":", "");
    }
    snprintf(text, sizeof(text), "%u %s", numbers[i], words[i]);
    add(out, first ? " " : ", ", text);
    first = false;
    out->any = true;
  }
}

static void add_change(sentence *out, bool changed, const char *text) {
  if (!changed) return;
  add(out, out->any ? "; " : "", text);
  out->any = true;
}

const char *bb_difference_text(const bb_difference *difference, char *out, size_t cap) {
  sentence text = {.at = out, .left = cap};
  out[0] = 0;
  add_part(&text, "connections", &difference->connections);
  add_part(&text, "devices", &difference->devices);
  add_part(&text, "sinks", &difference->sinks);
  add_change(&text, difference->routes, "routes changed");
  add_change(&text, difference->site, "site changed");
  add_change(&text, difference->runtime, "runtime settings changed");
  if (!text.any) add(&text, "", "unchanged");
  return out;
}

static void put_part(bb_json_writer *json, const char *key, const bb_difference_part *part) {
  bb_json_writer_map(json, key);
  bb_json_writer_uint(json, "new", part->added);
  bb_json_writer_uint(json, "changed", part->changed);
  bb_json_writer_uint(json, "gone", part->gone);
  bb_json_writer_end(json);
}

void bb_difference_put(const bb_difference *difference, bb_json_writer *json, const char *key) {
  bb_json_writer_map(json, key);
  put_part(json, "connections", &difference->connections);
  put_part(json, "devices", &difference->devices);
  put_part(json, "sinks", &difference->sinks);
  bb_json_writer_bool(json, "routes", difference->routes);
  bb_json_writer_bool(json, "site", difference->site);
  bb_json_writer_bool(json, "runtime", difference->runtime);
  bb_json_writer_end(json);
}
