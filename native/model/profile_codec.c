/* SPDX-License-Identifier: Apache-2.0 */
/* How the bytes of a point become its value, from the keys of its profile. */
#include "model/codec_wire.h"
#include "model/profile_read.h"

static void read_bits(bb_profile_reader *r, bb_profile_entry *entry, const bb_profile_keys *k) {
  bb_profile_point *point = entry->point;
  bb_codec *codec = &point->codec;
  bool is_unsigned = codec->raw == BB_RAW_U8 || codec->raw == BB_RAW_U16 ||
                     codec->raw == BB_RAW_U32 || codec->raw == BB_RAW_U64;
  bool is_bit = codec->raw == BB_RAW_BIT, is_wide = bb_space_is_registers(point->space);
  const bb_doc *bit = bb_profile_child(entry->doc, "bit");
  const bb_doc *bits = bb_profile_child(entry->doc, "bits");
  if (!is_bit && !is_unsigned) return;
  if (bit != NULL && is_bit && (bb_space_is_bits(point->space) || point->space == BB_SPACE_NONE)) {
    bb_report_add(r->report, bit, "is a place in a register, and this point lies in none");
    return;
  }
  if (is_bit && bit == NULL && (is_wide || point->space == BB_SPACE_ASSEMBLY)) {
    bb_report_add(r->report, entry->doc, "\"bit\" is missing: which bit it is, 0 to %d",
                  is_wide ? 15 : 7);
    entry->placed = false;
  }
  if (!is_bit && bit != NULL && bits == NULL) {
    bb_report_add(r->report, bit, "needs \"bits\", the width of the bit field, or type bit");
  }
  unsigned width = is_bit ? (is_wide ? 16 : 8) : bb_raw_bits(codec->raw);
  unsigned end = k->bit + (is_bit || bits == NULL ? 1 : k->bits);
  if ((bit != NULL || bits != NULL) && end > width) {
    bb_report_add(r->report, bits != NULL ? bits : bit, "ends past the last bit; allowed: 0 to %u",
                  width - 1);
    entry->placed = false;
    return;
  }
  codec->bit = (uint8_t)k->bit;
  codec->bits = (uint8_t)(is_bit ? 0 : k->bits);
}

static void read_order(bb_profile_reader *r, bb_profile_point *point, const bb_profile_keys *k) {
  bool is_text = point->codec.raw == BB_RAW_TEXT;
  if (k->order != BB_PROFILE_UNSET) {
    point->codec.order = (bb_order)k->order;
  } else if (bb_space_is_registers(point->space)) {
    point->codec.order = r->profile->modbus.order;
  } else {
    point->codec.order = is_text ? BB_ORDER_ABCD : BB_ORDER_DCBA;
  }
}

static void read_scale(bb_profile_reader *r, bb_profile_entry *entry, const bb_profile_keys *k) {
  bb_codec *codec = &entry->point->codec;
  codec->scale = k->scale;
  codec->offset = k->add;
  codec->negate = k->sign == 1;
  codec->scaled = bb_profile_child(entry->doc, "scale") != NULL ||
                  bb_profile_child(entry->doc, "add") != NULL ||
                  bb_profile_child(entry->doc, "scale_from") != NULL;
  if (k->scale.digits == 0) {
    bb_report_add(r->report, bb_profile_child(entry->doc, "scale"),
                  "0 would make every value the same; allowed: any other number");
    codec->scale.digits = 1;
  }
}

/* A number of the type, or the raw bits as 0x hex. */
static bool parse_sentinel(const char *text, const bb_codec *codec, uint64_t *bits) {
  unsigned width = codec->bits > 0 ? codec->bits : bb_raw_bits(codec->raw);
  bb_codec plain = {.raw = codec->raw, .bits = codec->bits};
  bb_value value = {.type = BB_TYPE_U64};
  uint8_t raw[8] = {0};
  bb_decimal number;
  if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    return bb_profile_whole(text, UINT64_MAX >> (64 - width), bits);
  }
  if (text[0] == '-' && bb_profile_whole(text + 1, (uint64_t)1 << 63, &value.v.u)) {
    value.type = BB_TYPE_I64;
    value.v.u = 0 - value.v.u;
  } else if (!bb_profile_whole(text, UINT64_MAX, &value.v.u)) {
    if (bb_decimal_parse(&number, text) < 0) return false;
    value.type = BB_TYPE_F64;
    value.v.d = bb_decimal_double(number);
  }
  plain.raw_bytes = (uint16_t)(bb_raw_bits(codec->raw) / 8);
  if (bb_codec_encode(&plain, value, BB_POWER_NONE, raw) < 0) return false;
  *bits = plain.raw_bytes == 1 ? raw[0] : bb_wire_get(raw, plain.raw_bytes, BB_ORDER_ABCD);
  return true;
}

static void read_sentinels(bb_profile_reader *r, const bb_doc *doc, bb_codec *codec) {
  if (doc == NULL || codec->raw == BB_RAW_TEXT || codec->raw == BB_RAW_BIT) return;
  for (const bb_doc *item = doc->first; item != NULL; item = item->next) {
    uint64_t bits;
    if (codec->n_sentinels == BB_CODEC_SENTINELS) {
      bb_report_add(r->report, item, "one sentinel too many; allowed: %d", BB_CODEC_SENTINELS);
      return;
    }
    if (item->kind == BB_DOC_SCALAR && parse_sentinel(item->text, codec, &bits)) {
      codec->sentinels[codec->n_sentinels++] = bits;
      continue;
    }
    unsigned width = codec->bits > 0 ? codec->bits : bb_raw_bits(codec->raw);
    bb_report_add(r->report, item,
                  "\"%.80s\" does not fit; allowed: a number that %s can hold, or its %u raw bits "
                  "as 0x hex",
                  item->kind == BB_DOC_SCALAR ? item->text : "", bb_raw_name(codec->raw), width);
  }
}

typedef struct {
  double min, max;
} valid;

static const bb_field fields[] = {
    {"min", BB_FIELD_NUMBER, offsetof(valid, min), .help = "Smallest value, after scaling."},
    {"max", BB_FIELD_NUMBER, offsetof(valid, max), .help = "Largest value, after scaling."},
};
const bb_schema bb_profile_valid_schema = BB_SCHEMA("valid", fields);

static void read_valid(bb_profile_reader *r, const bb_doc *doc, bb_codec *codec) {
  valid range;
  if (doc == NULL || bb_schema_read(&bb_profile_valid_schema, doc, &range, r->report) < 0) return;
  bool has_min = bb_profile_child(doc, "min") != NULL,
       has_max = bb_profile_child(doc, "max") != NULL;
  if (!has_min && !has_max) {
    bb_report_add(r->report, doc, "says nothing; allowed: min, max or both");
  } else if (has_min && has_max && range.min > range.max) {
    bb_report_add(r->report, doc, "min is above max");
  }
  codec->has_valid = (uint8_t)(has_min | has_max << 1);
  codec->valid_min = range.min;
  codec->valid_max = range.max;
}

void bb_profile_read_codec(bb_profile_reader *r, bb_profile_entry *entry,
                           const bb_profile_keys *k) {
  bb_profile_point *point = entry->point;
  read_order(r, point, k);
  read_bits(r, entry, k);
  read_scale(r, entry, k);
  point->codec.high_byte = k->byte == 1;
  bool is_byte = bb_raw_bits(point->codec.raw) == 8;
  if (k->byte != BB_PROFILE_UNSET && is_byte && !bb_space_is_registers(point->space)) {
    bb_report_add(r->report, bb_profile_child(entry->doc, "byte"),
                  "is half of a register, and this point lies in none");
  }
  read_sentinels(r, k->sentinels, &point->codec);
  read_valid(r, k->valid, &point->codec);
  point->point.type = bb_codec_type(&point->codec);
  point->point.size = bb_codec_slot(&point->codec);
}
