/* SPDX-License-Identifier: Apache-2.0 */
/* The names that a profile gives to values (enum) and to bits (flags) of a point. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "model/profile_read.h"

#define MAX_LABELS 1024u

bool bb_profile_whole(const char *text, uint64_t max, uint64_t *out) {
  char *end;
  bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (text[0] < '0' || text[0] > '9') return false;
  errno = 0;
  unsigned long long value = strtoull(text, &end, is_hex ? 16 : 10);
  if (*end != 0 || end[-1] == 'x' || end[-1] == 'X' || errno != 0 || value > max) return false;
  *out = value;
  return true;
}

/* The largest value of an enum, or the last bit of flags. */
static uint64_t largest(const bb_profile_point *point, bb_labels kind) {
  const bb_codec *codec = &point->codec;
  unsigned width = codec->bits > 0 ? codec->bits : bb_raw_bits(codec->raw);
  bool is_signed = bb_type_is_signed(point->point.type);
  if (kind == BB_LABELS_BITS) return width - 1;
  uint64_t most = UINT64_MAX >> (64 - width) >> is_signed;
  return most < UINT32_MAX ? most : UINT32_MAX;
}

static bool is_taken(const bb_point *point, const bb_label *labels, uint32_t value) {
  for (uint32_t i = 0; i < point->n_labels; i++) {
    if (labels[i].value == value) return true;
  }
  return false;
}

static int read_label(bb_profile_reader *r, const bb_doc *doc, bb_profile_point *point,
                      bb_label *labels) {
  bb_point *shown = &point->point;
  uint64_t most = largest(point, shown->labels_kind), value;
  if (!bb_profile_whole(doc->key, most, &value)) {
    bb_report_add(r->report, doc, "\"%.80s\" is no %s of this point; allowed: 0 to %llu", doc->key,
                  shown->labels_kind == BB_LABELS_ENUM ? "value" : "bit", (unsigned long long)most);
  } else if (is_taken(shown, labels, (uint32_t)value)) {
    bb_report_add(r->report, doc, "%llu has a name already; allowed: one",
                  (unsigned long long)value);
  } else if (doc->kind != BB_DOC_SCALAR || doc->text[0] == 0) {
    bb_report_add(r->report, doc, "a name is a text");
  } else {
    labels[shown->n_labels].value = (uint32_t)value;
    return bb_profile_copy(r, doc, doc->text, &labels[shown->n_labels++].name);
  }
  return 0;
}

int bb_profile_read_labels(bb_profile_reader *r, const bb_doc *doc, bb_profile_point *point) {
  const bb_doc *values = bb_profile_child(doc, "enum"), *flags = bb_profile_child(doc, "flags");
  const bb_doc *map = values != NULL ? values : flags;
  if (values != NULL && flags != NULL) {
    bb_report_add(r->report, flags, "stands beside enum; allowed: one of them");
    return 0;
  }
  if (map->kind != BB_DOC_MAP || bb_raw_bits(point->codec.raw) == 0) return 0;
  if (map->n == 0 || map->n > MAX_LABELS) {
    bb_report_add(r->report, map, "%u names; allowed: 1 to %u", map->n, MAX_LABELS);
    return 0;
  }
  if (point->codec.scaled || point->codec.negate || bb_type_is_float(point->point.type)) {
    bb_report_add(r->report, map,
                  "names go with whole numbers; allowed: without scale, add and sign");
    return 0;
  }
  bb_label *labels = bb_arena_take(&r->profile->arena, map->n * sizeof(*labels));
  if (labels == NULL) return BB_ERR_NOMEM;
  point->point.labels_kind = values != NULL ? BB_LABELS_ENUM : BB_LABELS_BITS;
  point->point.labels = labels;
  for (const bb_doc *item = map->first; item != NULL; item = item->next) {
    int err = read_label(r, item, point, labels);
    if (err < 0) return err;
  }
  return 0;
}
