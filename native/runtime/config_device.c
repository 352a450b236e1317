/* SPDX-License-Identifier: Apache-2.0 */
/* Devices: who they are, their profile, which points are read how often. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "io/bundled.h"
#include "runtime/config_read.h"

#define MIN_PERIOD_MS 10.0
#define MAX_PERIOD_MS 604800000.0

typedef struct {
  const char *id, *connection;
  const bb_doc *profile, *tags, *scan;
  bool enabled;
} device_part;

static const bb_field fields[] = {
    {"id", BB_FIELD_ID, offsetof(device_part, id), true, 0, 0, NULL, NULL,
     "name of the device: `{device}` in topics, and tag `asset` unless it has one"},
    {"connection", BB_FIELD_ID, offsetof(device_part, connection), true, 0, 0, NULL, NULL,
     "id of the connection it is reached by"},
    {"profile", BB_FIELD_DOC, offsetof(device_part, profile), false, 0, 0, NULL, NULL,
     "a bundled profile's id, a path beside the config document, or a profile written out"},
    {"tags", BB_FIELD_MAP, offsetof(device_part, tags), false, 0, 0, NULL, NULL,
     "names and values that go with its data: `asset`, `line`"},
    {"scan", BB_FIELD_MAP, offsetof(device_part, scan), false, 0, 0, NULL, NULL,
     "periods of the profile's scans, such as `fast: 1s`; `off`: not read"},
    {"enabled", BB_FIELD_BOOL, offsetof(device_part, enabled), false, 0, 0, NULL, "true",
     "false: checked, but not read"},
};
static const bb_schema schema = BB_SCHEMA("device", fields);

static uint32_t mistakes(const bb_config_reader *reader) {
  return reader->report->n + reader->report->more;
}

/* --- profile --- */

/* Beside the config document first, then among the bundled ones. */
static bool find_profile(const bb_config_reader *reader, const char *name, char *path, size_t cap) {
  const char *document = reader->config->tree.name, *slash = strrchr(document, '/');
  size_t folder = slash != NULL && name[0] != '/' ? (size_t)(slash - document) + 1 : 0;
  static const char *const endings[] = {"", ".yaml", ".yml", ".json"};
  for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
    snprintf(path, cap, "%.*s%s%s", (int)folder, document, name, endings[i]);
    FILE *file = fopen(path, "rb");
    bool readable = file != NULL && fgetc(file) != EOF; /* a folder cannot be read */
    if (file != NULL) fclose(file);
    if (readable) return true;
  }
  return bb_bundled_profile(name, path, cap) == 0;
}

static bb_profile *keep_profile(bb_config_reader *reader, const char *name, bb_profile *profile) {
  if (bb_map_add(&reader->config->profiles_by_id, name, profile) == 0) return profile;
  reader->no_memory = true;
  bb_profile_unref(profile);
  return NULL;
}

static bb_profile *load_profile(bb_config_reader *reader, const bb_doc *doc) {
  bb_profile *profile = bb_map_get(&reader->config->profiles_by_id, doc->text);
  char path[BB_MAX_PATH];
  if (profile != NULL) return profile;
  if (!find_profile(reader, doc->text, path, sizeof(path))) {
    bb_report_add(reader->report, doc,
                  "there is no profile \"%s\"; `busbar profiles` lists the bundled ones, a path is "
                  "taken from this document's folder",
                  doc->text);
    return NULL;
  }
  int err = bb_profile_load(&profile, path, reader->report);
  if (err == BB_ERR_NOMEM) reader->no_memory = true;
  return err == 0 ? keep_profile(reader, doc->text, profile) : NULL;
}

bb_profile *bb_config_profile(bb_config_reader *reader, const bb_doc *doc) {
  if (doc->kind == BB_DOC_SCALAR) return load_profile(reader, doc);
  char key[32]; /* of its own, also where two devices have one id by mistake */
  snprintf(key, sizeof(key), "inline %p", (const void *)doc);
  char *name = bb_arena_string(&reader->config->arena, key);
  bb_profile *profile = NULL;
  int err = name != NULL ? bb_profile_read(&profile, doc, "inline", reader->report) : BB_ERR_NOMEM;
  if (err == BB_ERR_NOMEM) reader->no_memory = true;
  return err == 0 ? keep_profile(reader, name, profile) : NULL;
}

/* --- tags --- */

static void add_tags(bb_config_reader *reader, const bb_doc *map, bb_tag *tags, uint32_t *n) {
  if (map == NULL) return;
  for (const bb_doc *tag = map->first; tag != NULL; tag = tag->next) {
    if (!bb_text_is_name(tag->key)) {
      bb_report_add(reader->report, tag, "no name for a tag; allowed: letters, digits, - _ . / :");
    } else if (tag->kind != BB_DOC_SCALAR || strlen(tag->text) > BB_MAX_TEXT) {
      bb_report_add(reader->report, tag, "a text of at most %d bytes stands here", BB_MAX_TEXT);
    } else if (*n == BB_MAX_TAGS) {
      bb_report_add(reader->report, tag, "too many tags; allowed: %d, those of the site included",
                    BB_MAX_TAGS);
      return;
    } else {
      tags[(*n)++] = (bb_tag){tag->key, tag->text};
    }
  }
}

static void make_identity(bb_config_reader *reader, bb_config_device *device,
                          const device_part *part) {
  bb_tag tags[BB_MAX_TAGS];
  uint32_t n = 0;
  add_tags(reader, reader->site_tags, tags, &n);
  add_tags(reader, part->tags, tags, &n);
  const char *profile = device->profile != NULL ? device->profile->id : "";
  device->device = bb_device_new(device->id, reader->config->site, profile, tags, n);
  if (device->device == NULL) reader->no_memory = true;
}

/* --- scans --- */

static void unknown_scan(bb_config_reader *reader, const bb_profile *profile, const bb_doc *doc) {
  char allowed[512] = "";
  size_t len = 0;
  for (uint32_t i = 0; i < profile->n_scans && len < sizeof(allowed); i++) {
    int put = snprintf(allowed + len, sizeof(allowed) - len, "%s%s", i > 0 ? ", " : "",
                       profile->scans[i].name);
    len += put > 0 ? (size_t)put : 0;
  }
  bb_report_add(reader->report, doc, "the profile has no such scan; allowed: %s", allowed);
}

/* The period that the device asks for; 0: not read. */
static uint32_t period_of(bb_config_reader *reader, const bb_doc *periods,
                          const bb_profile_scan *scan) {
  const bb_doc *doc = bb_doc_get(periods, scan->name);
  uint64_t ms;
  if (doc == NULL || bb_doc_is_null(doc)) return scan->period_ms;
  if (doc->kind == BB_DOC_SCALAR && strcmp(doc->text, "off") == 0) return 0;
  bool fits = doc->kind == BB_DOC_SCALAR && bb_text_duration_ms(doc->text, &ms) == 0 &&
              (double)ms >= MIN_PERIOD_MS && (double)ms <= MAX_PERIOD_MS;
  if (fits) return (uint32_t)ms;
  bb_report_add(reader->report, doc, "allowed: off, or a duration from 10 ms to 7 d, such as 1s");
  return scan->period_ms;
}

static void check_scans(bb_config_reader *reader, const bb_profile *profile,
                        const bb_doc *periods) {
  if (periods == NULL) return;
  for (const bb_doc *doc = periods->first; doc != NULL; doc = doc->next) {
    bool known = false;
    for (uint32_t i = 0; i < profile->n_scans; i++) {
      known |= strcmp(profile->scans[i].name, doc->key) == 0;
    }
    if (!known) unknown_scan(reader, profile, doc);
  }
}

static bool fill_scan(bb_config_reader *reader, const bb_profile *profile, uint32_t place,
                      bb_scan *scan) {
  uint16_t *points =
      bb_arena_take(&reader->config->arena, profile->scans[place].n_points * sizeof(*points));
  if (points == NULL) return false;
  for (uint32_t i = 0; i < profile->n_points; i++) {
    if (profile->points[i].scan == place) points[scan->n_points++] = (uint16_t)i;
  }
  scan->points = points;
  return true;
}

static void make_scans(bb_config_reader *reader, bb_config_device *device,
                       const device_part *part) {
  const bb_profile *profile = device->profile;
  bb_scan *scans = bb_arena_take(&reader->config->arena, BB_MAX_SCANS * sizeof(*scans));
  if (scans == NULL) {
    reader->no_memory = true;
    return;
  }
  device->scans = scans;
  if (profile == NULL) { /* an external device whose source brings the points */
    scans[device->n_scans++] = (bb_scan){.name = "values"};
    return;
  }
  check_scans(reader, profile, part->scan);
  for (uint32_t i = 0; i < profile->n_scans; i++) {
    if (profile->scans[i].n_points == 0) continue;
    uint32_t period_ms = period_of(reader, part->scan, &profile->scans[i]);
    if (period_ms == 0) continue;
    bb_scan *scan = &scans[device->n_scans];
    *scan = (bb_scan){.name = profile->scans[i].name, .period_ms = period_ms};
    if (fill_scan(reader, profile, i, scan)) {
      device->n_scans++;
    } else {
      reader->no_memory = true;
    }
  }
}

/* --- device --- */

static bool needs_profile(const bb_config_device *device) {
  return device->connection != NULL && strcmp(device->connection->driver->kind, "external") != 0;
}

static void check_driver(bb_config_reader *reader, const bb_config_device *device) {
  const bb_driver *driver = device->connection->driver;
  const bb_schema *schemas[] = {&schema, driver->device_options};
  uint8_t room[1024];
  memset(room, 0, sizeof(room));
  size_t n = driver->device_options != NULL ? 2 : 1;
  int keys = bb_schema_check_keys(schemas, n, device->doc, reader->report);
  int values =
      n == 2 ? bb_schema_read_part(driver->device_options, device->doc, room, reader->report) : 0;
  if (keys < 0 || values < 0 || driver->check_device == NULL) return;
  if (device->profile == NULL && needs_profile(device)) return; /* told */
  driver->check_device(device->doc, device->profile, reader->report);
}

static void find_connection(bb_config_reader *reader, bb_config_device *device, const char *id) {
  device->connection = bb_map_get(&reader->config->connections_by_id, id);
  if (device->connection != NULL) return;
  bb_report_add(reader->report, bb_doc_get(device->doc, "connection"),
                "there is no connection \"%s\"; `connections` lists what there is", id);
}

/* Of a device without a connection: what no driver knows is told all the same, for a misspelt key is
 * often why something is missing. */
static void check_keys(bb_config_reader *reader, const bb_doc *item) {
  const bb_schema *schemas[16] = {&schema};
  size_t n = 1;
  for (const bb_driver *const *driver = reader->kinds->drivers; *driver != NULL && n < 16;
       driver++) {
    if ((*driver)->device_options != NULL) schemas[n++] = (*driver)->device_options;
  }
  bb_schema_check_keys(schemas, n, item, reader->report);
}

static void read_device(bb_config_reader *reader, const bb_doc *item) {
  bb_config *config = reader->config;
  device_part part = {0};
  uint32_t before = mistakes(reader);
  bb_schema_read_part(&schema, item, &part, reader->report);
  if (part.id == NULL || part.connection == NULL) {
    check_keys(reader, item);
    return;
  }
  bb_config_device *device = &config->devices[config->n_devices++];
  *device = (bb_config_device){.id = part.id, .doc = item, .enabled = part.enabled};
  bb_config_index(reader, &config->devices_by_id, part.id, device, item);
  find_connection(reader, device, part.connection);
  if (part.profile != NULL) {
    bb_profile *profile = bb_config_profile(reader, part.profile);
    device->profile = profile != NULL ? bb_profile_ref(profile) : NULL;
  } else if (needs_profile(device)) {
    bb_report_add(reader->report, item, "\"profile\" is missing: what the device offers");
  }
  if (device->connection != NULL) check_driver(reader, device);
  if (mistakes(reader) > before && (device->profile == NULL || device->connection == NULL)) return;
  make_identity(reader, device, &part);
  make_scans(reader, device, &part);
  if (part.enabled) ((bb_config_connection *)device->connection)->used = true;
}

void bb_config_read_devices(bb_config_reader *reader, const bb_doc *list) {
  reader->config->devices =
      bb_config_items(reader, list, sizeof(bb_config_device), BB_MAX_DEVICES, "devices");
  if (reader->config->devices == NULL) return;
  for (const bb_doc *item = list->first; item != NULL; item = item->next) {
    read_device(reader, item);
  }
}

void bb_config_print_device(bb_buf *out) {
  bb_buf_text(out, "\n## `devices`\n\n");
  bb_schema_print(&schema, out);
}
