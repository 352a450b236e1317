/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says of the device as a whole: its limits over Modbus, and the scans. */
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "model/profile_read.h"

typedef struct {
  int word_order, table;
  uint32_t max_registers, max_bits, max_gap, max_in_flight, min_interval_ms, max_write_registers;
  const bb_doc *unreadable;
} limits;

static const char *const orders[] = {"ABCD", "CDAB", "BADC", "DCBA", NULL};
static const char *const tables[] = {"input", "holding", NULL};

/* The maxima are those of the application protocol 1.1b3, sections 6.1, 6.3 and 6.12. */
#define AT(field) offsetof(limits, field)
static const bb_field fields[] = {
    {"word_order", BB_FIELD_CHOICE, AT(word_order), .choices = orders, .fallback = "ABCD",
     .help = "How values of more than one register stand: A is the most significant byte."},
    {"table", BB_FIELD_CHOICE, AT(table), .choices = tables, .fallback = "holding",
     .help = "Where points lie whose address key is `register`."},
    {"max_registers", BB_FIELD_U32, AT(max_registers), .min = 1, .max = 125, .fallback = "125",
     .help = "Registers in one read."},
    {"max_bits", BB_FIELD_U32, AT(max_bits), .min = 1, .max = 2000, .fallback = "2000",
     .help = "Coils or discrete inputs in one read."},
    {"max_gap", BB_FIELD_U32, AT(max_gap), .min = 0, .max = 124, .fallback = "8",
     .help = "Registers that no point needs, read along to join two points in one read."},
    {"max_in_flight", BB_FIELD_U32, AT(max_in_flight), .min = 1, .max = 16, .fallback = "1",
     .help = "Requests that may be under way at once."},
    {"min_interval", BB_FIELD_DURATION, AT(min_interval_ms), .min = 0, .max = 60000,
     .fallback = "0ms", .help = "Shortest time between two polls."},
    {"max_write_registers", BB_FIELD_U32, AT(max_write_registers), .min = 1, .max = 123,
     .fallback = "123", .help = "Registers in one write."},
    {"unreadable", BB_FIELD_LIST, AT(unreadable),
     .help = "Ranges never to be read, not even as a gap, such as `input 0x0100-0x04ff`."},
};
const bb_schema bb_profile_modbus_schema = BB_SCHEMA("modbus", fields);

static bool parse_space(const char *word, size_t len, bb_space *out) {
  for (int space = BB_SPACE_COIL; space <= BB_SPACE_HOLDING; space++) {
    const char *name = bb_space_name((bb_space)space);
    if (strlen(name) != len || memcmp(name, word, len) != 0) continue;
    *out = (bb_space)space;
    return true;
  }
  return false;
}

static bool parse_address(const char *word, size_t len, uint32_t *out) {
  char text[16];
  uint64_t value;
  if (len == 0 || len >= sizeof(text)) return false;
  memcpy(text, word, len);
  text[len] = 0;
  if (!bb_profile_whole(text, UINT16_MAX, &value)) return false;
  *out = (uint32_t)value;
  return true;
}

/* "input 0x0100-0x04ff", "holding 4096". */
static bool parse_range(const char *text, bb_range *out) {
  size_t word = strcspn(text, " ");
  if (!parse_space(text, word, &out->space)) return false;
  text += word + strspn(text + word, " ");
  size_t first = strcspn(text, "-");
  if (!parse_address(text, first, &out->first)) return false;
  out->last = out->first;
  if (text[first] == 0) return true;
  const char *last = text + first + 1;
  return parse_address(last, strlen(last), &out->last) && out->last >= out->first;
}

static int read_unreadable(bb_profile_reader *r, const bb_doc *doc) {
  if (doc == NULL || doc->n == 0) return 0;
  if (doc->n > BB_PROFILE_MAX_RANGES) {
    bb_report_add(r->report, doc, "%u ranges; allowed: %u", doc->n, BB_PROFILE_MAX_RANGES);
    return 0;
  }
  bb_range *ranges = bb_arena_take(&r->profile->arena, doc->n * sizeof(*ranges));
  if (ranges == NULL) return BB_ERR_NOMEM;
  uint32_t n = 0;
  for (const bb_doc *item = doc->first; item != NULL; item = item->next) {
    if (item->kind == BB_DOC_SCALAR && parse_range(item->text, &ranges[n])) {
      n++;
    } else {
      bb_report_add(r->report, item,
                    "not a range; allowed: coil, discrete, input or holding, then an address or "
                    "first-last, such as input 0x0100-0x04ff");
    }
  }
  r->profile->modbus.unreadable = ranges;
  r->profile->modbus.n_unreadable = n;
  return 0;
}

int bb_profile_read_modbus(bb_profile_reader *r, const bb_doc *doc) {
  limits l;
  bb_schema_read(&bb_profile_modbus_schema, doc, &l, r->report);
  r->table = l.table == 0 ? BB_SPACE_INPUT : BB_SPACE_HOLDING;
  r->profile->modbus = (bb_profile_modbus){
      .order = (bb_order)l.word_order,
      .max_registers = l.max_registers,
      .max_bits = l.max_bits,
      .max_gap = l.max_gap,
      .max_in_flight = l.max_in_flight,
      .min_interval_ms = l.min_interval_ms,
      .max_write_registers = l.max_write_registers,
  };
  return read_unreadable(r, l.unreadable);
}

static bool parse_period(const bb_doc *doc, uint32_t *out_ms) {
  uint64_t ms;
  if (doc->kind != BB_DOC_SCALAR || bb_text_duration_ms(doc->text, &ms) < 0) return false;
  if (ms < BB_PROFILE_MIN_PERIOD_MS || ms > BB_PROFILE_MAX_PERIOD_MS) return false;
  *out_ms = (uint32_t)ms;
  return true;
}

static bb_profile_scan *find_scan(bb_profile_reader *r, const char *name) {
  for (uint32_t i = 0; i < r->profile->n_scans; i++) {
    if (strcmp(r->scans[i].name, name) == 0) return &r->scans[i];
  }
  return NULL;
}

static int read_scan(bb_profile_reader *r, const bb_doc *doc) {
  uint32_t period_ms = 1000;
  bb_profile_scan *scan = find_scan(r, doc->key);
  if (!parse_period(doc, &period_ms)) {
    bb_report_add(r->report, doc,
                  "not a period; allowed: a duration such as 250ms, 5s, 1min, from 10 ms to 7 d");
  }
  if (scan != NULL) {
    scan->period_ms = period_ms;
    return 0;
  }
  if (!bb_text_is_name(doc->key)) {
    bb_report_add(r->report, doc,
                  "not the name of a scan; allowed: 1 to 128 of letters, digits, - _ . / : [ ]");
    return 0;
  }
  if (r->profile->n_scans == BB_MAX_SCANS) {
    bb_report_add(r->report, doc, "one scan too many; allowed: %d", BB_MAX_SCANS);
    return 0;
  }
  scan = &r->scans[r->profile->n_scans++];
  scan->period_ms = period_ms;
  return bb_profile_copy(r, doc, doc->key, &scan->name);
}

int bb_profile_read_scans(bb_profile_reader *r, const bb_doc *doc) {
  bb_profile_scan *scans = bb_arena_take(&r->profile->arena, BB_MAX_SCANS * sizeof(*scans));
  if (scans == NULL) return BB_ERR_NOMEM;
  scans[0] = (bb_profile_scan){.name = "fast", .period_ms = 1000};
  scans[1] = (bb_profile_scan){.name = "slow", .period_ms = 10000};
  scans[2] = (bb_profile_scan){.name = "energy", .period_ms = 60000};
  r->scans = scans;
  r->profile->scans = scans;
  r->profile->n_scans = 3;
  if (doc == NULL) return 0;
  for (const bb_doc *item = doc->first; item != NULL; item = item->next) {
    int err = read_scan(r, item);
    if (err < 0) return err;
  }
  return 0;
}
