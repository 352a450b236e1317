/* SPDX-License-Identifier: Apache-2.0 */
/* Where a point of a profile lies: table and address, and how much of it. */
#include "model/profile_read.h"

static const struct {
  const char *key;
  bb_space space;
} addresses[] = {
    {"coil", BB_SPACE_COIL},       {"discrete", BB_SPACE_DISCRETE}, {"input", BB_SPACE_INPUT},
    {"holding", BB_SPACE_HOLDING}, {"register", BB_SPACE_NONE},     {"assembly", BB_SPACE_ASSEMBLY},
};

/* Exactly one address key, or none at all in a profile of external devices. */
void bb_profile_read_address(bb_profile_reader *r, bb_profile_entry *entry,
                             const bb_profile_keys *k) {
  bb_profile_point *point = entry->point;
  uint64_t address = 0;
  point->space = BB_SPACE_NONE;
  for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
    const bb_doc *child = bb_profile_child(entry->doc, addresses[i].key);
    if (child == NULL) continue;
    if (r->external || entry->address != NULL) {
      bb_report_add(r->report, child,
                    r->external ? "a point of an external profile has no address"
                                : "a second address; allowed: one");
      entry->placed = false;
      continue;
    }
    entry->address = child;
    entry->placed =
        child->kind == BB_DOC_SCALAR && bb_profile_whole(child->text, UINT16_MAX, &address);
    point->address = (uint32_t)address;
    point->space = addresses[i].space == BB_SPACE_NONE ? r->table : addresses[i].space;
  }
  if (entry->address == NULL && !r->external) {
    bb_report_add(r->report, entry->doc,
                  "an address is missing; allowed: one of coil, discrete, input, holding, "
                  "register, assembly");
  }
  const bb_doc *offset = bb_profile_child(entry->doc, "offset");
  point->offset = point->space == BB_SPACE_ASSEMBLY ? k->offset : 0;
  if (offset == NULL || point->space == BB_SPACE_ASSEMBLY) return;
  bb_report_add(r->report, offset,
                "is a place in an assembly, and this point lies in none; to add to the value: add");
}

/* How many registers, coils or bytes, and whether all of them exist and can be read at once. */
void bb_profile_read_length(bb_profile_reader *r, bb_profile_entry *entry,
                            const bb_profile_keys *k) {
  bb_profile_point *point = entry->point;
  bool is_text = point->codec.raw == BB_RAW_TEXT, is_wide = bb_space_is_registers(point->space);
  unsigned bytes = is_text ? k->length * (is_wide ? 2 : 1) : bb_raw_bits(point->codec.raw) / 8;
  uint32_t most = r->profile->modbus.max_registers, first = point->address;
  if (is_text && bb_profile_child(entry->doc, "length") == NULL) {
    bb_report_add(r->report, entry->doc, "\"length\" is missing: how long the text is");
    bytes = 2;
    entry->placed = false;
  }
  if (bytes == 0) bytes = 1;
  if (is_wide) bytes = (bytes + 1) / 2 * 2;
  point->codec.raw_bytes = (uint16_t)bytes;
  point->length = (uint16_t)(is_wide ? bytes / 2 : bytes);
  if (!entry->placed) return;
  if (point->space == BB_SPACE_ASSEMBLY) first = point->offset;
  if (first + point->length > 65536) {
    bb_report_add(r->report, entry->address, "ends at %u; allowed: up to 65535",
                  first + point->length - 1);
    entry->placed = false;
  } else if (is_wide && point->length > most) {
    bb_report_add(r->report, entry->doc,
                  "%u registers cannot be read at once; allowed: %u, as modbus.max_registers says",
                  point->length, most);
  }
}
