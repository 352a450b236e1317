/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a profile: it is refused with a mistake told, or becomes a profile that keeps what its
 * header promises, each of whose points can be decoded and encoded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "model/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void require(bool condition, const char *what, const char *name) {
  if (condition) return;
  fprintf(stderr, "%s: %s\n", name, what);
  abort();
}

static void check_place(const bb_profile *profile, const bb_profile_point *point) {
  const char *name = point->point.name;
  bool is_wide = point->space == BB_SPACE_INPUT || point->space == BB_SPACE_HOLDING;
  if (point->space == BB_SPACE_NONE) return;
  uint32_t first = point->space == BB_SPACE_ASSEMBLY ? point->offset : point->address;
  require(point->length > 0 && first + point->length <= 65536, "lies in its table", name);
  require(!is_wide || point->codec.raw_bytes == 2 * point->length, "two bytes a register", name);
  require(!is_wide || point->length <= profile->modbus.max_registers, "one read is enough", name);
  for (uint32_t i = 0; i < profile->modbus.n_unreadable; i++) {
    const bb_range *range = &profile->modbus.unreadable[i];
    bool meets = range->space == point->space && range->first < first + point->length &&
                 range->last >= first;
    require(!meets, "is readable", name);
  }
}

static void check_codec(const bb_profile_point *point) {
  const bb_codec *codec = &point->codec;
  const char *name = point->point.name;
  require(point->point.type == bb_codec_type(codec), "has the codec's type", name);
  require(point->point.size == bb_codec_slot(codec), "has the codec's slot", name);
  require(codec->scale.digits != 0, "has a scale", name);
  uint8_t *raw = calloc(1, codec->raw_bytes), *slot = malloc(point->point.size);
  if (raw == NULL || slot == NULL) abort();
  bb_codec_decode(codec, raw, 0, slot, point->point.size);
  memset(raw, 0x81, codec->raw_bytes);
  if (bb_codec_decode(codec, raw, 1, slot, point->point.size) == 0) {
    bb_codec_encode(codec, bb_value_load(point->point.type, slot), 1, raw);
  }
  free(raw);
  free(slot);
}

static void check_scale(const bb_profile *profile, const bb_profile_point *point) {
  if (point->scale_from < 0) return;
  const bb_profile_point *from = &profile->points[point->scale_from];
  require(point->codec.scaled && from->scan == point->scan && from != point,
          "has a scale of its scan", point->point.name);
  require(bb_type_is_integer(from->point.type), "gives a whole number", from->point.name);
}

static void check(const bb_profile *profile) {
  require(bb_text_is_name(profile->id), "has an id", profile->id);
  require(profile->n_points > 0 && profile->n_points <= BB_MAX_POINTS, "has points", profile->id);
  require(profile->n_scans >= 3 && profile->n_scans <= BB_MAX_SCANS, "has scans", profile->id);
  uint32_t scanned = 0;
  for (uint32_t i = 0; i < profile->n_scans; i++) scanned += profile->scans[i].n_points;
  require(scanned == profile->n_points, "has each point in one scan", profile->id);
  for (uint32_t i = 0; i < profile->n_points; i++) {
    const bb_profile_point *point = &profile->points[i];
    require(bb_profile_find(profile, point->point.name) == (int)i, "is found", point->point.name);
    require(point->scan < profile->n_scans, "has a scan", point->point.name);
    check_place(profile, point);
    check_codec(point);
    check_scale(profile, point);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  bb_report report;
  bb_doc_tree tree;
  bb_profile *profile = NULL;
  bb_report_init(&report);
  int err = bb_doc_parse(&tree, "fuzz", (const char *)bytes, len, &report);
  if (err == 0) {
    err = bb_profile_read(&profile, tree.root, "fuzz", &report);
    bb_doc_close(&tree);
  }
  require((err == 0) == bb_report_ok(&report), "a refusal tells why", "profile");
  if (profile != NULL) check(profile);
  bb_profile_unref(profile);
  bb_report_close(&report);
  return 0;
}
