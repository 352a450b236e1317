/* SPDX-License-Identifier: Apache-2.0 */
/* Devices: who they are, their profile, which points are read how often. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/config_read.h"

#define ON_REQUEST UINT32_MAX
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
     "periods of the profile's scans, such as `fast: 1s`; `off`: not read; `on-request`: only read "
     "when a client asks"},
    {"enabled", BB_FIELD_BOOL, offsetof(device_part, enabled), false, 0, 0, NULL, "true",
     "false: checked, but not read"},
};
static const bb_schema schema = BB_SCHEMA("device", fields);

/* --- tags --- */

void bb_config_check_tags(bb_config_reader *reader, const bb_doc *map) {
  for (const bb_doc *tag = map != NULL ? map->first : NULL; tag != NULL; tag = tag->next) {
    if (!bb_text_is_name(tag->key)) {
      bb_report_add(reader->report, tag, "no name for a tag; allowed: letters, digits, - _ . / :");
    } else if (tag->kind != BB_DOC_SCALAR || strlen(tag->text) > BB_MAX_TEXT) {
      bb_report_add(reader->report, tag, "%s; allowed: a text of at most %d bytes",
                    tag->kind == BB_DOC_SCALAR ? "too long"
                    : tag->kind == BB_DOC_LIST ? "a list stands here"
                                               : "a map stands here",
                    BB_MAX_TEXT);
    }
  }
}

static void add_tags(bb_config_reader *reader, const bb_doc *map, bb_tag *tags, uint32_t *n) {
  for (const bb_doc *tag = map != NULL ? map->first : NULL; tag != NULL; tag = tag->next) {
    if (tag->kind != BB_DOC_SCALAR) continue; /* told */
    if (*n == BB_MAX_TAGS) {
      bb_report_add(reader->report, tag, "too many tags; allowed: %d, those of the site included",
                    BB_MAX_TAGS);
      return;
    }
    tags[(*n)++] = (bb_tag){tag->key, tag->text};
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

static void tell_wrong_period(bb_config_reader *reader, const bb_doc *doc) {
  static const char allowed[] =
      "allowed: off, on-request, or a duration such as 250ms, 5s, 1min, from 10 ms to 7 d";
  if (doc->kind == BB_DOC_SCALAR) {
    bb_report_add(reader->report, doc, "\"%.80s\" does not fit; %s", doc->text, allowed);
  } else {
    bb_report_add(reader->report, doc, "a %s stands here; %s",
                  doc->kind == BB_DOC_LIST ? "list" : "map", allowed);
  }
}

/* 0: off; ON_REQUEST. False: it is no period. */
static bool parse_period(const bb_doc *doc, uint32_t *period_ms) {
  uint64_t ms = 0;
  if (doc->kind != BB_DOC_SCALAR) return false;
  bool off = strcmp(doc->text, "off") == 0;
  if (strcmp(doc->text, "on-request") == 0) {
    *period_ms = ON_REQUEST;
    return true;
  }
  if (!off && bb_text_duration_ms(doc->text, &ms) < 0) return false;
  *period_ms = (uint32_t)ms;
  return off || ((double)ms >= MIN_PERIOD_MS && (double)ms <= MAX_PERIOD_MS);
}

/* The period that the device asks for; 0: not read; ON_REQUEST. */
static uint32_t period_of(const bb_doc *periods, const bb_profile_scan *scan) {
  const bb_doc *doc = bb_doc_get(periods, scan->name);
  uint32_t period_ms;
  if (doc == NULL || bb_doc_is_null(doc) || !parse_period(doc, &period_ms)) return scan->period_ms;
  return period_ms;
}

static bool has_scan(const bb_profile *profile, const char *name) {
  for (uint32_t i = 0; i < profile->n_scans; i++) {
    if (strcmp(profile->scans[i].name, name) == 0) return true;
  }
  return false;
}

/* The periods also where the profile is not known. */
static void check_scans(bb_config_reader *reader, const bb_profile *profile,
                        const bb_doc *periods) {
  const bb_doc *doc = periods != NULL ? periods->first : NULL;
  for (; doc != NULL; doc = doc->next) {
    uint32_t period_ms;
    if (profile != NULL && !has_scan(profile, doc->key)) unknown_scan(reader, profile, doc);
    if (!bb_doc_is_null(doc) && !parse_period(doc, &period_ms)) tell_wrong_period(reader, doc);
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
  if (profile == NULL) { /* an external device, whose source brings the points */
    scans[device->n_scans++] = (bb_scan){.name = "values"};
    return;
  }
  for (uint32_t i = 0; i < profile->n_scans; i++) {
    if (profile->scans[i].n_points == 0) continue;
    uint32_t period_ms = period_of(part->scan, &profile->scans[i]);
    if (period_ms == 0) continue;
    bb_scan *scan = &scans[device->n_scans];
    *scan = (bb_scan){.name = profile->scans[i].name,
                      .period_ms = period_ms == ON_REQUEST ? 0 : period_ms};
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

/* Each check looks for itself: what one has found hides nothing of the others. */
static void check_driver(bb_config_reader *reader, const bb_config_device *device) {
  const bb_driver *driver = device->connection->driver;
  const bb_schema *schemas[] = {&schema, driver->device_options};
  uint8_t room[1024];
  memset(room, 0, sizeof(room));
  size_t n = driver->device_options != NULL ? 2 : 1;
  bb_schema_check_keys(schemas, n, device->doc, reader->report);
  if (n == 2) {
    bb_schema_read_part(driver->device_options, device->doc, room, reader->report);
  }
  if (driver->check_device == NULL) return;
  if (device->profile == NULL && needs_profile(device)) return; /* told */
  driver->check_device(device->doc, device->profile, reader->report);
}

static void find_connection(bb_config_reader *reader, bb_config_device *device, const char *id) {
  device->connection = bb_map_get(&reader->config->connections_by_id, id);
  if (device->connection != NULL) return;
  bb_config_tell_missing(reader, bb_doc_get(device->doc, "connection"), BB_CONFIG_CONNECTIONS);
}

static bool brings_keys(const bb_schema *const *schemas, size_t n, const bb_schema *more) {
  for (size_t i = 0; more != NULL && i < more->n; i++) {
    bool known = false;
    for (size_t s = 0; s < n; s++) {
      for (size_t k = 0; k < schemas[s]->n; k++) {
        known |= strcmp(schemas[s]->fields[k].key, more->fields[i].key) == 0;
      }
    }
    if (!known) return true;
  }
  return false;
}

/* Of a device without a connection: what no driver knows is told all the same, for a misspelt key is
 * often why something is missing. */
static void check_keys(bb_config_reader *reader, const bb_doc *item) {
  const bb_schema *schemas[16] = {&schema};
  size_t n = 1;
  const bb_driver *const *driver = reader->kinds->drivers;
  for (; *driver != NULL && n < 16; driver++) {
    const bb_schema *options = (*driver)->device_options;
    if (brings_keys(schemas, n, options)) schemas[n++] = options;
  }
  bb_schema_check_keys(schemas, n, item, reader->report);
}

static void find_profile(bb_config_reader *reader, bb_config_device *device,
                         const device_part *part) {
  if (part->profile != NULL) {
    bb_profile *profile = bb_config_profile(reader, part->profile);
    device->profile = profile != NULL ? bb_profile_ref(profile) : NULL;
  } else if (needs_profile(device)) {
    bb_report_add(reader->report, device->doc, "\"profile\" is missing: what the device offers");
  }
}

/* A device without id, connection or profile is checked on, as far as that goes. */
static void read_device(bb_config_reader *reader, const bb_doc *item) {
  bb_config *config = reader->config;
  device_part part = {0};
  bb_schema_read_part(&schema, item, &part, reader->report);
  if (part.id == NULL) bb_config_note_broken(reader, BB_CONFIG_DEVICES, NULL);
  if (item->kind != BB_DOC_MAP) return;
  bb_config_device *device = &config->devices[config->n_devices++];
  *device = (bb_config_device){.id = "", .doc = item, .enabled = part.enabled};
  if (part.id != NULL) {
    device->id = part.id;
    bb_config_index(reader, &config->devices_by_id, part.id, device, item);
  }
  if (part.connection != NULL) find_connection(reader, device, part.connection);
  find_profile(reader, device, &part);
  if (device->connection != NULL) {
    check_driver(reader, device);
    if (part.enabled) ((bb_config_connection *)device->connection)->used = true;
  } else {
    check_keys(reader, item);
  }
  bb_config_check_tags(reader, part.tags);
  make_identity(reader, device, &part);
  check_scans(reader, device->profile, part.scan);
  if (device->profile != NULL || device->connection != NULL) make_scans(reader, device, &part);
}

void bb_config_read_devices(bb_config_reader *reader, const bb_doc *list) {
  reader->config->devices =
      bb_config_items(reader, list, sizeof(bb_config_device), BB_MAX_DEVICES, BB_CONFIG_DEVICES);
  if (reader->config->devices == NULL) return;
  for (const bb_doc *item = list->first; item != NULL; item = item->next) {
    read_device(reader, item);
  }
}

void bb_config_print_device(bb_buf *out) {
  bb_buf_text(out, "\n## `devices`\n\n");
  bb_schema_print(&schema, out);
}
