/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a profile between one point and another, or the limits. */
#include "model/profile_read.h"

/* Why that point cannot give the power of ten of this one; NULL: it can. */
static const char *refuse_scale(const bb_profile_point *point, const bb_profile_point *from) {
  if (from == point) return "is the point itself; allowed: another one";
  if (!bb_type_is_integer(from->point.type)) {
    return "is no whole number; allowed: a point of an integer type, without scale and add";
  }
  if (from->scan != point->scan) {
    return "is read in another scan; allowed: a point of the same scan";
  }
  return NULL;
}

void bb_profile_check_scales(bb_profile_reader *r) {
  for (uint32_t i = 0; i < r->n_points; i++) {
    bb_profile_entry *entry = &r->entries[i];
    if (entry->scale_from == NULL) continue;
    const bb_doc *doc = bb_doc_get(entry->doc, "scale_from");
    const bb_profile_point *from = bb_map_get(&r->profile->by_name, entry->scale_from);
    if (from == NULL) {
      bb_report_add(r->report, doc, "there is no point \"%s\"", entry->scale_from);
      continue;
    }
    if (!r->entries[from - r->points].typed) continue;
    const char *why = refuse_scale(entry->point, from);
    if (why != NULL) bb_report_add(r->report, doc, "\"%s\" %s", entry->scale_from, why);
    entry->point->scale_from = (int16_t)(from - r->points);
  }
}

void bb_profile_check_unreadable(bb_profile_reader *r) {
  const bb_profile_modbus *modbus = &r->profile->modbus;
  for (uint32_t i = 0; i < r->n_points; i++) {
    const bb_profile_entry *entry = &r->entries[i];
    uint32_t first = entry->point->address, last = first + entry->point->length - 1;
    if (!entry->placed || entry->point->space == BB_SPACE_ASSEMBLY) continue;
    for (uint32_t k = 0; k < modbus->n_unreadable; k++) {
      const bb_range *range = &modbus->unreadable[k];
      if (range->space != entry->point->space || range->first > last || range->last < first) {
        continue;
      }
      bb_report_add(r->report, entry->address, "lies in the unreadable range %s 0x%04x-0x%04x",
                    bb_space_name(range->space), range->first, range->last);
      break;
    }
  }
}
