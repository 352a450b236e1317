/* SPDX-License-Identifier: Apache-2.0 */
/* What may be written to a point of a profile, and how. */
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "model/profile_read.h"

typedef struct {
  double min, max, step;
  const char *block;
  bool read_back;
  int function;
} keys;

/* Functions of the application protocol 1.1b3, sections 6.5, 6.6, 6.11, 6.12 and 6.16. */
static const char *const functions[] = {"5", "6", "15", "16", "22", NULL};
static const uint8_t codes[] = {5, 6, 15, 16, 22};

#define AT(field) offsetof(keys, field)
static const bb_field fields[] = {
    {"min", BB_FIELD_NUMBER, AT(min), .help = "Smallest value, after scaling."},
    {"max", BB_FIELD_NUMBER, AT(max), .help = "Largest value, after scaling."},
    {"step", BB_FIELD_NUMBER, AT(step), .help = "Values lie on min + n × step. Default: any."},
    {"block", BB_FIELD_NAME, AT(block),
     .help = "Points of one block are written by one request; together they fill its registers."},
    {"read_back", BB_FIELD_BOOL, AT(read_back), .fallback = "true",
     .help = "A write is confirmed by reading it again."},
    {"function", BB_FIELD_CHOICE, AT(function), .choices = functions,
     .help = "Modbus function. Default: what fits, 5 and 15 for coils, 6 and 16 for registers."},
};
const bb_schema bb_profile_write_schema = BB_SCHEMA("write", fields);

static const char *functions_for(const bb_profile_point *point) {
  if (point->space == BB_SPACE_COIL) return "5, 15";
  return point->length == 1 ? "6, 16, 22" : "16";
}

static void read_function(bb_profile_reader *r, const bb_doc *doc, int choice,
                          bb_profile_point *point) {
  uint8_t code = codes[choice];
  bool is_coil = point->space == BB_SPACE_COIL;
  bool fits = is_coil ? code == 5 || code == 15 : code == 16 || code == 6 || code == 22;
  bool is_single = code == 5 || code == 6 || code == 22;
  if (!fits || (is_single && (point->length > 1 || point->write_block != NULL))) {
    const char *allowed = functions_for(point);
    if (point->write_block != NULL) allowed = is_coil ? "15, for a block" : "16, for a block";
    bb_report_add(r->report, doc, "%u cannot write this; allowed: %s", code, allowed);
  }
  point->write_function = code;
}

/* The raw type, the valid range and the sentinels have to let it pass. */
static void check_bound(bb_profile_reader *r, const bb_doc *doc, double bound,
                        const bb_profile_point *point) {
  uint8_t raw[BB_MAX_STRING_VALUE] = {0};
  bb_value value = {.type = BB_TYPE_F64, .v = {.d = bound}};
  if (doc == NULL || bb_codec_encode(&point->codec, value, BB_POWER_NONE, raw) == 0) return;
  bb_report_add(r->report, doc,
                "%g cannot be written; allowed: what %s can hold, within the valid range, no "
                "sentinel",
                bound, bb_raw_name(point->codec.raw));
}

static void read_bounds(bb_profile_reader *r, const bb_doc *doc, const keys *k,
                        bb_profile_point *point) {
  const bb_doc *min = bb_profile_child(doc, "min"), *max = bb_profile_child(doc, "max");
  const bb_doc *step = bb_profile_child(doc, "step");
  const bb_doc *any = min != NULL ? min : max != NULL ? max : step;
  bool is_number = point->codec.raw != BB_RAW_BIT && point->codec.raw != BB_RAW_TEXT;
  if (any != NULL && !is_number) {
    bb_report_add(r->report, any, "does not go with type %s; allowed with: numbers",
                  bb_raw_name(point->codec.raw));
    return;
  }
  if (step != NULL && k->step <= 0) {
    bb_report_add(r->report, step, "a step is above 0");
  }
  if (min != NULL && max != NULL && k->min > k->max) {
    bb_report_add(r->report, doc, "min is above max");
  } else if (bb_profile_child(doc->parent, "scale_from") == NULL) {
    check_bound(r, min, k->min, point);
    check_bound(r, max, k->max, point);
  }
  point->point.has_min = min != NULL;
  point->point.has_max = max != NULL;
  point->point.min = k->min;
  point->point.max = k->max;
  point->point.step = k->step;
}

static void check_place(bb_profile_reader *r, const bb_doc *doc, const bb_profile_point *point) {
  uint32_t most = r->profile->modbus.max_write_registers;
  if (point->space == BB_SPACE_HOLDING && point->length > most) {
    bb_report_add(r->report, doc, "%u registers cannot be written at once; allowed: %u",
                  point->length, most);
  }
  if (point->space != BB_SPACE_DISCRETE && !(point->space == BB_SPACE_INPUT) &&
      point->space != BB_SPACE_ASSEMBLY) {
    return;
  }
  bb_report_add(r->report, doc, "%s cannot be written; allowed: coil, holding",
                point->space == BB_SPACE_ASSEMBLY ? "an assembly"
                : point->space == BB_SPACE_INPUT  ? "an input register"
                                                  : "a discrete input");
}

int bb_profile_read_write(bb_profile_reader *r, const bb_doc *doc, bb_profile_point *point) {
  keys k;
  bool is_plain = doc->kind == BB_DOC_SCALAR;
  if (is_plain && strcmp(doc->text, "false") == 0) return 0;
  if (is_plain && strcmp(doc->text, "true") != 0) {
    bb_report_add(r->report, doc, "\"%.80s\" does not fit; allowed: true, false or a map",
                  doc->text);
    return 0;
  }
  bb_schema_read(&bb_profile_write_schema, is_plain ? NULL : doc, &k, r->report);
  bb_profile_unset(doc, "function", functions, &k.function);
  point->point.writable = true;
  point->read_back = k.read_back;
  check_place(r, doc, point);
  if (is_plain) return 0;
  read_bounds(r, doc, &k, point);
  if (k.block != NULL) {
    int err = bb_profile_copy(r, doc, k.block, &point->write_block);
    if (err < 0) return err;
  }
  if (k.function != BB_PROFILE_UNSET)
    read_function(r, bb_doc_get(doc, "function"), k.function, point);
  return 0;
}
