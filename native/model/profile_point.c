/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The points of a profile, one by one. Rules that concern several of them stand in profile_check.c,
 * profile_overlap.c and profile_block.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "model/profile_read.h"

/* The type; false if there is none, or none that fits the place. */
static bool read_raw(bb_profile_reader *r, bb_profile_entry *entry, const bb_profile_keys *k) {
  bb_profile_point *point = entry->point;
  const bb_doc *type = bb_profile_child(entry->doc, "type");
  if (k->type != BB_PROFILE_UNSET) {
    point->codec.raw = k->type == BB_RAW_COUNT ? BB_RAW_BIT : (bb_raw)k->type;
  } else if (type != NULL) {
    return false;
  } else if (bb_space_is_bits(point->space)) {
    point->codec.raw = BB_RAW_BIT;
  } else {
    bb_report_add(r->report, entry->doc, "\"type\" is missing: what stands on the wire");
    return false;
  }
  if (!bb_space_is_bits(point->space) || point->codec.raw == BB_RAW_BIT) return true;
  bb_report_add(r->report, type, "does not fit a %s; allowed: bit",
                point->space == BB_SPACE_COIL ? "coil" : "discrete input");
  return false;
}

static void list_scans(const bb_profile *profile, char *out, size_t cap) {
  size_t len = 0;
  out[0] = 0;
  for (uint32_t i = 0; i < profile->n_scans; i++) {
    const char *comma = i > 0 ? ", " : "";
    int put = snprintf(out + len, cap - len, "%s%s", comma, profile->scans[i].name);
    if (put < 0 || (size_t)put >= cap - len) return;
    len += (size_t)put;
  }
}

static void read_scan(bb_profile_reader *r, bb_profile_entry *entry, const char *name) {
  const char *names[BB_MAX_SCANS];
  char all[512];
  uint32_t n = r->profile->n_scans;
  for (uint32_t i = 0; i < n; i++) {
    names[i] = r->scans[i].name;
    if (strcmp(names[i], name) != 0) continue;
    entry->point->scan = (uint8_t)i;
    r->scans[i].n_points++;
    return;
  }
  const bb_doc *doc = bb_doc_get(entry->doc, "scan");
  const char *nearest = bb_text_nearest(name, names, n);
  list_scans(r->profile, all, sizeof(all));
  if (nearest != NULL) {
    bb_report_add(r->report, doc, "there is no scan \"%s\"; did you mean \"%s\"? allowed: %s", name,
                  nearest, all);
  } else {
    bb_report_add(r->report, doc, "there is no scan \"%s\"; allowed: %s", name, all);
  }
}

static int read_texts(bb_profile_reader *r, bb_profile_entry *entry, const bb_profile_keys *k) {
  const bb_doc *doc = entry->doc;
  bb_point *point = &entry->point->point;
  int err = bb_profile_copy(r, doc, k->name, &point->name);
  if (err == 0) err = bb_profile_copy(r, bb_doc_get(doc, "unit"), k->unit, &point->unit);
  if (err < 0) return err;
  return bb_profile_copy(r, bb_doc_get(doc, "description"), k->description, &point->description);
}

static int read_point(bb_profile_reader *r, bb_profile_entry *entry) {
  bb_profile_keys k;
  bb_profile_point *point = entry->point;
  point->scale_from = -1;
  bb_profile_read_keys(r, entry->doc, &k);
  int err = read_texts(r, entry, &k);
  if (err < 0 || entry->doc->kind != BB_DOC_MAP) return err;
  entry->scale_from = k.scale_from;
  entry->alias = k.alias;
  point->inferred = k.inferred;
  bb_profile_read_address(r, entry, &k);
  read_scan(r, entry, k.scan);
  if (k.deadband < 0) {
    bb_report_add(r->report, bb_doc_get(entry->doc, "deadband"), "is negative; allowed: 0 or more");
  }
  point->point.deadband = k.deadband;
  if (!read_raw(r, entry, &k)) {
    entry->placed = false;
    return 0;
  }
  entry->typed = true;
  bb_profile_check_keys(r, entry->doc, point->codec.raw);
  bb_profile_read_length(r, entry, &k);
  bb_profile_read_codec(r, entry, &k);
  if (k.write != NULL) {
    err = bb_profile_read_write(r, k.write, point);
    if (err < 0) return err;
  }
  if (k.values == NULL && k.flags == NULL) return 0;
  return bb_profile_read_labels(r, entry->doc, point);
}

static int add_name(bb_profile_reader *r, bb_profile_entry *entry) {
  const char *name = entry->point->point.name;
  if (name[0] == 0) return 0;
  int err = bb_map_add(&r->profile->by_name, name, entry->point);
  if (err != BB_ERR_EXISTS) return err;
  const bb_profile_point *other = bb_map_get(&r->profile->by_name, name);
  bb_report_add(r->report, bb_doc_get(entry->doc, "name"), "\"%s\" is the point of line %u already",
                name, r->entries[other - r->points].doc->line);
  return 0;
}

int bb_profile_read_points(bb_profile_reader *r, const bb_doc *doc) {
  if (doc->n == 0 || doc->n > BB_MAX_POINTS) {
    bb_report_add(r->report, doc, "%u points; allowed: 1 to %d", doc->n, BB_MAX_POINTS);
    return 0;
  }
  r->points = bb_arena_take(&r->profile->arena, doc->n * sizeof(*r->points));
  r->entries = calloc(doc->n, sizeof(*r->entries));
  if (r->points == NULL || r->entries == NULL) return BB_ERR_NOMEM;
  for (const bb_doc *item = doc->first; item != NULL; item = item->next) {
    bb_profile_entry *entry = &r->entries[r->n_points];
    *entry = (bb_profile_entry){.doc = item, .point = &r->points[r->n_points]};
    r->n_points++;
    int err = read_point(r, entry);
    if (err == 0) err = add_name(r, entry);
    if (err < 0) return err;
  }
  r->profile->points = r->points;
  r->profile->n_points = r->n_points;
  return 0;
}
