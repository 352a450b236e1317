/* SPDX-License-Identifier: Apache-2.0 */
/* See profile.h. The document's top, and the life of a profile. */
#include "model/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "model/profile_read.h"

#define ARENA_MAX (64u << 20)

typedef struct {
  int version;
  const char *id, *name, *vendor, *source, *measurement;
  bool verified, external;
  const bb_doc *modbus, *scans, *points;
} top;

static const char *const versions[] = {"1", NULL};

#define AT(field) offsetof(top, field)
static const bb_field fields[] = {
    {"profile", BB_FIELD_CHOICE, AT(version), .required = true, .choices = versions,
     .help = "Version of this format."},
    {"id", BB_FIELD_NAME, AT(id),
     .help = "What a device names it by, such as `vendor/model`. Default: the name of the file."},
    {"name", BB_FIELD_TEXT, AT(name), .help = "What people call the device. Default: the id."},
    {"vendor", BB_FIELD_TEXT, AT(vendor), .help = "Who makes it."},
    {"source", BB_FIELD_TEXT, AT(source),
     .help = "Where the addresses come from: document, revision, page."},
    {"verified", BB_FIELD_BOOL, AT(verified), .fallback = "false",
     .help = "True only if all was read from a real device."},
    {"measurement", BB_FIELD_NAME, AT(measurement),
     .help = "Measurement of the line protocol. Default: the last part of the id, with _ for what "
             "is neither letter nor digit."},
    {"external", BB_FIELD_BOOL, AT(external), .fallback = "false",
     .help = "The values are sent by a client of the runtime: points have no address."},
    {"modbus", BB_FIELD_MAP, AT(modbus), .help = "What the device allows over Modbus."},
    {"scans", BB_FIELD_MAP, AT(scans),
     .help = "Scans and their periods, besides or instead of fast: 1s, slow: 10s, energy: 60s."},
    {"points", BB_FIELD_LIST, AT(points), .required = true, .help = "The list of points."},
};
const bb_schema bb_profile_top_schema = BB_SCHEMA("profile", fields);

const bb_schema *const bb_profile_schemas[] = {
    &bb_profile_top_schema,   &bb_profile_modbus_schema, &bb_profile_point_schema,
    &bb_profile_valid_schema, &bb_profile_write_schema,  NULL,
};

const bb_doc *bb_profile_child(const bb_doc *doc, const char *key) {
  const bb_doc *child = bb_doc_get(doc, key);
  return child != NULL && !bb_doc_is_null(child) ? child : NULL;
}

int bb_profile_copy(bb_profile_reader *r, const bb_doc *doc, const char *text, const char **out) {
  *out = "";
  if (text == NULL) return 0;
  if (strlen(text) > BB_MAX_TEXT) {
    bb_report_add(r->report, doc, "the text is too long; allowed: %d bytes", BB_MAX_TEXT);
    return 0;
  }
  const char *copy = bb_arena_string(&r->profile->arena, text);
  if (copy == NULL) return BB_ERR_NOMEM;
  *out = copy;
  return 0;
}

/* "rockwell/powermonitor-500" gives "powermonitor_500". */
static int copy_measurement(bb_profile_reader *r, const char *given) {
  const char *id = r->profile->id, *slash = strrchr(id, '/');
  const char *text = given != NULL ? given : slash != NULL && slash[1] != 0 ? slash + 1 : id;
  char *copy = bb_arena_string(&r->profile->arena, text);
  if (copy == NULL) return BB_ERR_NOMEM;
  for (char *p = copy; given == NULL && *p != 0; p++) {
    if (strchr("-./:[]", *p) != NULL) *p = '_';
  }
  r->profile->measurement = copy;
  return 0;
}

static int copy_top(bb_profile_reader *r, const top *t, const char *fallback_id) {
  bb_profile *profile = r->profile;
  const char *id = t->id != NULL ? t->id : fallback_id;
  if (id == NULL && bb_profile_child(r->doc, "id") == NULL) {
    bb_report_add(r->report, r->doc, "\"id\" is missing: what a device names this profile by");
  }
  int err = bb_profile_copy(r, r->doc, id, &profile->id);
  if (err == 0) err = bb_profile_copy(r, bb_doc_get(r->doc, "name"), t->name, &profile->name);
  if (err == 0) err = bb_profile_copy(r, bb_doc_get(r->doc, "vendor"), t->vendor, &profile->vendor);
  if (err == 0) err = bb_profile_copy(r, bb_doc_get(r->doc, "source"), t->source, &profile->source);
  if (err == 0) err = copy_measurement(r, t->measurement);
  if (err < 0) return err;
  if (profile->name[0] == 0) profile->name = profile->id;
  profile->verified = t->verified;
  r->external = t->external;
  return 0;
}

/* Keys of a map are summed up, so that their order does not count. */
static uint64_t hash_doc(const bb_doc *doc) {
  uint64_t hash = bb_hash_add(BB_HASH_START, &doc->kind, sizeof(doc->kind)), sum = 0;
  if (doc->kind == BB_DOC_SCALAR) return bb_hash_string(hash, doc->text);
  for (const bb_doc *child = doc->first; child != NULL; child = child->next) {
    uint64_t inner = hash_doc(child);
    inner = bb_hash_add(bb_hash_string(BB_HASH_START, child->key), &inner, sizeof(inner));
    sum += inner;
    if (doc->kind == BB_DOC_LIST) hash = bb_hash_add(hash, &inner, sizeof(inner));
  }
  return doc->kind == BB_DOC_LIST ? hash : bb_hash_add(hash, &sum, sizeof(sum));
}

static int read_all(bb_profile_reader *r, const char *fallback_id) {
  top t;
  bb_schema_read(&bb_profile_top_schema, r->doc, &t, r->report);
  if (r->doc->kind != BB_DOC_MAP) return 0;
  int err = copy_top(r, &t, fallback_id);
  if (err == 0) err = bb_profile_read_modbus(r, t.modbus);
  if (err == 0) err = bb_profile_read_scans(r, t.scans);
  if (err == 0 && t.points != NULL) err = bb_profile_read_points(r, t.points);
  if (err < 0) return err;
  bb_profile_check_scales(r);
  bb_profile_check_unreadable(r);
  err = bb_profile_check_overlaps(r);
  if (err == 0) err = bb_profile_check_blocks(r);
  r->profile->hash = bb_hash_string(hash_doc(r->doc), r->profile->id);
  return err;
}

int bb_profile_read(bb_profile **out, const bb_doc *doc, const char *fallback_id,
                    bb_report *report) {
  *out = NULL;
  bb_profile *profile = calloc(1, sizeof(*profile));
  if (profile == NULL) return BB_ERR_NOMEM;
  profile->refs = 1;
  bb_arena_init(&profile->arena, ARENA_MAX);
  bb_profile_reader r = {.profile = profile, .report = report, .doc = doc};
  uint32_t before = report->n + report->more;
  int err = read_all(&r, fallback_id);
  free(r.entries);
  if (err == 0 && report->n + report->more != before) err = BB_ERR_CONFIG;
  if (err == 0) {
    *out = profile;
  } else {
    bb_profile_unref(profile);
  }
  return err;
}

/* "profiles/eastron/sdm630.yaml" gives "sdm630"; NULL if that is no name. */
static const char *id_of_path(const char *path, char *out, size_t cap) {
  const char *slash = strrchr(path, '/');
  const char *base = slash != NULL ? slash + 1 : path;
  const char *dot = strrchr(base, '.');
  size_t len = dot != NULL ? (size_t)(dot - base) : strlen(base);
  if (len >= cap) return NULL;
  memcpy(out, base, len);
  out[len] = 0;
  return bb_text_is_name(out) ? out : NULL;
}

int bb_profile_load(bb_profile **out, const char *path, bb_report *report) {
  bb_doc_tree tree;
  char id[BB_MAX_NAME + 1];
  *out = NULL;
  int err = bb_doc_load(&tree, path, report);
  if (err < 0) return err == BB_ERR_NOMEM ? err : BB_ERR_CONFIG;
  const char *file = bb_report_file(report, path);
  err = bb_profile_read(out, tree.root, id_of_path(path, id, sizeof(id)), report);
  bb_report_file(report, file);
  bb_doc_close(&tree);
  return err;
}

bb_profile *bb_profile_ref(const bb_profile *profile) {
  bb_profile *counted = (bb_profile *)profile;
  counted->refs++;
  return counted;
}

void bb_profile_unref(const bb_profile *profile) {
  bb_profile *counted = (bb_profile *)profile;
  if (counted == NULL || --counted->refs > 0) return;
  bb_map_close(&counted->by_name);
  bb_arena_close(&counted->arena);
  free(counted);
}

int bb_profile_find(const bb_profile *profile, const char *name) {
  const bb_profile_point *point = bb_map_get(&profile->by_name, name);
  return point != NULL ? (int)(point - profile->points) : -1;
}

const char *bb_space_name(bb_space space) {
  static const char *const names[] = {"coil", "discrete", "input", "holding", "assembly", "none"};
  return names[space];
}

void bb_profile_print_reference(bb_buf *out) {
  for (const bb_schema *const *schema = bb_profile_schemas; *schema != NULL; schema++) {
    bb_buf_printf(out, "%s### %s\n\n", schema == bb_profile_schemas ? "" : "\n", (*schema)->name);
    bb_schema_print(*schema, out);
  }
}
