/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a point: what each takes and means, and with which types it goes. */
#include <string.h>

#include "base/limits.h"
#include "model/profile_read.h"

/* In the order of bb_raw; the last is another word for the first. */
static const char *const types[] = {"bit",    "int8",  "uint8",  "int16",   "uint16",  "int32",
                                    "uint32", "int64", "uint64", "float32", "float64", "bcd16",
                                    "bcd32",  "bcd64", "text",   "bool",    NULL};
static const char *const orders[] = {"ABCD", "CDAB", "BADC", "DCBA", NULL};
static const char *const halves[] = {"low", "high", NULL};
static const char *const signs[] = {"1", "-1", NULL};

#define AT(field) offsetof(bb_profile_keys, field)
static const bb_field fields[] = {
    {"name", BB_FIELD_NAME, AT(name), .required = true,
     .help = "What everything else knows the point by, such as `power/active/total`."},
    {"type", BB_FIELD_CHOICE, AT(type), .choices = types,
     .help = "What stands on the wire; `bool` is `bit`. Default for a coil or discrete: bit."},
    {"unit", BB_FIELD_TEXT, AT(unit), .help = "Unit of the value after scaling."},
    {"description", BB_FIELD_TEXT, AT(description), .help = "For people."},
    {"coil", BB_FIELD_U32, AT(address), .min = 0, .max = 65535,
     .help = "Address of a coil, from 0. Exactly one address key is given."},
    {"discrete", BB_FIELD_U32, AT(address), .min = 0, .max = 65535,
     .help = "Address of a discrete input, from 0."},
    {"input", BB_FIELD_U32, AT(address), .min = 0, .max = 65535,
     .help = "Address of the first input register, from 0 (300001 is 0)."},
    {"holding", BB_FIELD_U32, AT(address), .min = 0, .max = 65535,
     .help = "Address of the first holding register, from 0 (400001 is 0)."},
    {"register", BB_FIELD_U32, AT(address), .min = 0, .max = 65535,
     .help = "Address of the first register in the table that `modbus.table` names."},
    {"assembly", BB_FIELD_U32, AT(address), .min = 1, .max = 65535,
     .help = "Instance of an EtherNet/IP assembly."},
    {"offset", BB_FIELD_U32, AT(offset), .min = 0, .max = 65535, .fallback = "0",
     .help = "Where in the assembly, in bytes. (To add to the value: `add`.)"},
    {"scan", BB_FIELD_NAME, AT(scan), .fallback = "fast", .help = "The scan that reads it."},
    {"order", BB_FIELD_CHOICE, AT(order), .choices = orders,
     .help = "Word order. Default: `modbus.word_order`; in an assembly DCBA, texts ABCD."},
    {"byte", BB_FIELD_CHOICE, AT(byte), .choices = halves,
     .help = "Which byte of the register an int8 or uint8 is. Default: low."},
    {"bit", BB_FIELD_U32, AT(bit), .min = 0, .max = 63,
     .help = "Which bit of the register a bit is (0 is the least); the first bit of a bit field."},
    {"bits", BB_FIELD_U32, AT(bits), .min = 1, .max = 64,
     .help = "Width of a bit field in an unsigned integer, which begins at `bit`."},
    {"length", BB_FIELD_U32, AT(length), .min = 1, .max = BB_MAX_STRING_VALUE,
     .help = "Length of a text in registers, two characters each; elsewhere in bytes."},
    {"scale", BB_FIELD_DECIMAL, AT(scale), .fallback = "1",
     .help = "Factor from raw to value, exact in decimal. With it an integer becomes a float64."},
    {"add", BB_FIELD_DECIMAL, AT(add), .fallback = "0", .help = "Added after scaling."},
    {"scale_from", BB_FIELD_NAME, AT(scale_from),
     .help = "Point of the same scan whose value is the power of ten of the scale."},
    {"sign", BB_FIELD_CHOICE, AT(sign), .choices = signs, .fallback = "1",
     .help = "-1: the device counts the other way."},
    {"sentinels", BB_FIELD_LIST, AT(sentinels),
     .help = "Up to 4 raw values that mean \"not available\": numbers of the type, or 0x bits."},
    {"valid", BB_FIELD_MAP, AT(valid), .help = "What the value can be; else its quality is bad."},
    {"deadband", BB_FIELD_NUMBER, AT(deadband), .fallback = "0",
     .help = "A change up to this much is none to a route that reports changes."},
    {"enum", BB_FIELD_MAP, AT(values), .help = "Names of values, such as `{0: open, 1: closed}`."},
    {"flags", BB_FIELD_MAP, AT(flags), .help = "Names of bits, such as `{0: alarm-1}`."},
    {"inferred", BB_FIELD_BOOL, AT(inferred), .fallback = "false",
     .help = "The address is a guess with a reason, not confirmed by a document."},
    {"alias", BB_FIELD_BOOL, AT(alias), .fallback = "false",
     .help = "May lie on registers that another point reads too."},
    {"write", BB_FIELD_DOC, AT(write), .help = "The point can be written: true, or a map."},
};
const bb_schema bb_profile_point_schema = BB_SCHEMA("point", fields);

#define IS(raw) (1u << BB_RAW_##raw)
#define TEXTS IS(TEXT)
#define BYTES (IS(I8) | IS(U8))
#define UNSIGNED (IS(U8) | IS(U16) | IS(U32) | IS(U64))
#define SIGNED (IS(I8) | IS(I16) | IS(I32) | IS(I64))
#define BCD (IS(BCD16) | IS(BCD32) | IS(BCD64))
#define WHOLE (UNSIGNED | SIGNED | BCD)
#define NUMBERS (WHOLE | IS(F32) | IS(F64))

void bb_profile_unset(const bb_doc *doc, const char *key, const char *const *choices, int *value) {
  const bb_doc *child = bb_profile_child(doc, key);
  bool is_given = child != NULL && child->kind == BB_DOC_SCALAR;
  if (!is_given || strcmp(child->text, choices[*value]) != 0) *value = BB_PROFILE_UNSET;
}

void bb_profile_read_keys(bb_profile_reader *r, const bb_doc *doc, bb_profile_keys *k) {
  bb_schema_read(&bb_profile_point_schema, doc, k, r->report);
  bb_profile_unset(doc, "type", types, &k->type);
  bb_profile_unset(doc, "order", orders, &k->order);
  bb_profile_unset(doc, "byte", halves, &k->byte);
}

/* Keys that make sense with some types only. */
static const struct {
  const char *key;
  uint32_t raws;
  const char *what;
} fitting[] = {
    {"byte", BYTES, "int8 and uint8"},
    {"bit", UNSIGNED | IS(BIT), "bit and unsigned integers"},
    {"bits", UNSIGNED, "unsigned integers"},
    {"length", TEXTS, "text"},
    {"scale", NUMBERS, "numbers"},
    {"add", NUMBERS, "numbers"},
    {"scale_from", NUMBERS, "numbers"},
    {"sign", NUMBERS, "numbers"},
    {"sentinels", NUMBERS, "numbers"},
    {"valid", NUMBERS, "numbers"},
    {"deadband", NUMBERS, "numbers"},
    {"enum", WHOLE | IS(BIT), "bit and whole numbers"},
    {"flags", UNSIGNED, "unsigned integers"},
};

void bb_profile_check_keys(bb_profile_reader *r, const bb_doc *doc, bb_raw raw) {
  for (size_t i = 0; i < sizeof(fitting) / sizeof(fitting[0]); i++) {
    const bb_doc *child = bb_profile_child(doc, fitting[i].key);
    if (child == NULL || (fitting[i].raws >> raw & 1) != 0) continue;
    bb_report_add(r->report, child, "does not go with type %s; allowed with: %s", bb_raw_name(raw),
                  fitting[i].what);
  }
}
