/* SPDX-License-Identifier: Apache-2.0 */
/* Write blocks of a profile: their points fill one run of registers or coils without a gap. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "model/profile_read.h"

static int by_block(const void *a, const void *b) {
  const bb_profile_entry *x = *(bb_profile_entry *const *)a, *y = *(bb_profile_entry *const *)b;
  int block = strcmp(x->point->write_block, y->point->write_block);
  if (block != 0) return block;
  if (x->point->space != y->point->space) return x->point->space < y->point->space ? -1 : 1;
  return x->point->address < y->point->address ? -1 : x->point->address > y->point->address;
}

static void check_next(bb_profile_reader *r, const bb_profile_entry *last,
                       const bb_profile_entry *next, uint32_t end) {
  const char *block = next->point->write_block;
  if (last->point->space != next->point->space) {
    bb_report_add(r->report, next->address, "block \"%s\" has points in %s too; allowed: one table",
                  block, bb_space_name(last->point->space));
  } else if (next->point->address > end) {
    bb_report_add(r->report, next->address,
                  "block \"%s\" has a gap before this point: %u is not of it; allowed: none", block,
                  end);
  }
}

static void check_size(bb_profile_reader *r, const bb_profile_entry *last, uint32_t size) {
  uint32_t most = r->profile->modbus.max_write_registers;
  if (last->point->space != BB_SPACE_HOLDING || size <= most) return;
  bb_report_add(r->report, last->address, "block \"%s\" takes %u registers; allowed: %u",
                last->point->write_block, size, most);
}

static bool is_same_block(const bb_profile_entry *a, const bb_profile_entry *b) {
  return strcmp(a->point->write_block, b->point->write_block) == 0;
}

static void check_sorted(bb_profile_reader *r, bb_profile_entry *const *entries, uint32_t n) {
  uint32_t first = 0, end = 0; /* of the run so far */
  for (uint32_t i = 0; i < n; i++) {
    const bb_profile_point *point = entries[i]->point;
    bool is_same = i > 0 && is_same_block(entries[i - 1], entries[i]);
    if (is_same) check_next(r, entries[i - 1], entries[i], end);
    if (!is_same || entries[i - 1]->point->space != point->space) first = end = point->address;
    if (point->address + point->length > end) end = point->address + point->length;
    if (i + 1 < n && is_same_block(entries[i], entries[i + 1])) continue;
    check_size(r, entries[i], end - first);
  }
}

int bb_profile_check_blocks(bb_profile_reader *r) {
  if (r->n_points == 0) return 0;
  bb_profile_entry **entries = calloc(r->n_points, sizeof(bb_profile_entry *));
  if (entries == NULL) return BB_ERR_NOMEM;
  uint32_t n = 0;
  for (uint32_t i = 0; i < r->n_points; i++) {
    bb_profile_entry *entry = &r->entries[i];
    if (entry->placed && entry->point->write_block != NULL) entries[n++] = entry;
  }
  qsort(entries, n, sizeof(*entries), by_block);
  check_sorted(r, entries, n);
  free(entries);
  return 0;
}
