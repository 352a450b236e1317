/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No register of a profile is read as two things by mistake: a wrong address mostly shows as an
 * overlap. Points may share a register as parts (bits, bytes) that do not meet, and by `alias` where
 * one lies wholly within the other.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "model/profile_read.h"

/* What a point takes: registers, coils or bytes [first, end), and of these the bits [low, high). */
typedef struct {
  const bb_profile_entry *entry;
  uint64_t first, end;
  unsigned low, high;
} extent;

static extent extent_of(const bb_profile_entry *entry) {
  const bb_profile_point *point = entry->point;
  const bb_codec *codec = &point->codec;
  bool is_assembly = point->space == BB_SPACE_ASSEMBLY;
  /* One line of numbers for all tables and assemblies, so that sorting parts them. */
  uint64_t first = (uint64_t)point->space << 40;
  first += is_assembly ? (uint64_t)point->address << 20 | point->offset : point->address;
  extent e = {entry, first, first + point->length, 0, codec->raw_bytes * 8u};
  unsigned width = bb_raw_bits(codec->raw);
  if (width == 8 && codec->raw_bytes > 1) {
    e.low = codec->high_byte ? 8 : 0;
    e.high = e.low + 8;
  }
  if (width == 1 || codec->bits > 0) {
    e.low += codec->bit;
    e.high = e.low + (width == 1 ? 1u : codec->bits);
  }
  return e;
}

static int by_place(const void *a, const void *b) {
  const extent *x = a, *y = b;
  if (x->first != y->first) return x->first < y->first ? -1 : 1;
  return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* `a` does not begin behind `b`. */
static bool may_share(const extent *a, const extent *b) {
  bool is_same = a->first == b->first && a->end == b->end;
  if (is_same && (a->high <= b->low || b->high <= a->low)) return true;
  bool is_within = b->end <= a->end || (a->first == b->first && a->end <= b->end);
  return is_within && (a->entry->alias || b->entry->alias);
}

/* Told at the point that stands later in the document. */
static void complain(bb_profile_reader *r, const extent *a, const extent *b) {
  const bb_profile_entry *one = a->entry, *two = b->entry;
  if (one->doc->line > two->doc->line) {
    one = b->entry;
    two = a->entry;
  }
  bb_report_add(
      r->report, two->address,
      "overlaps %s %u of \"%s\" in line %u; allowed: bits or bytes apart from each other, "
      "or alias: true if one lies within the other",
      bb_space_name(one->point->space), one->point->address, one->point->point.name,
      one->address->line);
}

int bb_profile_check_overlaps(bb_profile_reader *r) {
  if (r->n_points == 0) return 0;
  extent *extents = calloc(r->n_points, sizeof(*extents));
  if (extents == NULL) return BB_ERR_NOMEM;
  uint32_t n = 0;
  for (uint32_t i = 0; i < r->n_points; i++) {
    if (r->entries[i].placed) extents[n++] = extent_of(&r->entries[i]);
  }
  qsort(extents, n, sizeof(*extents), by_place);
  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t k = i + 1; k < n && extents[k].first < extents[i].end; k++) {
      if (may_share(&extents[i], &extents[k])) continue;
      complain(r, &extents[i], &extents[k]);
      break; /* one mistake a point is enough */
    }
  }
  free(extents);
  return 0;
}
