/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that read a profile share. Private to them.
 *
 * A mistake is reported and reading goes on, so that all are told at once; functions return 0 or
 * BB_ERR_NOMEM only.
 */
#ifndef BB_MODEL_PROFILE_READ_H
#define BB_MODEL_PROFILE_READ_H

#include "base/schema.h"
#include "model/profile.h"

/* What the document says about a point beyond what the point keeps. */
typedef struct bb_profile_entry {
  const bb_doc *doc;
  const bb_doc *address; /* its address key; NULL: none that is right */
  const char *scale_from;
  bool alias;  /* may lie on registers that another point reads too */
  bool typed;  /* its raw type can be relied on */
  bool placed; /* and so can space, address, length and bits */
  bb_profile_point *point;
} bb_profile_entry;

typedef struct bb_profile_reader {
  bb_profile *profile;
  bb_report *report;
  const bb_doc *doc;
  bb_space table;         /* of points whose address key is `register` */
  bool external;          /* points have no address */
  bb_profile_scan *scans; /* those of the profile, while they are filled */
  bb_profile_point *points;
  bb_profile_entry *entries; /* one a point */
  uint32_t n_points;
} bb_profile_reader;

/* The keys of a point as the document gives them. */
typedef struct bb_profile_keys {
  const char *name, *unit, *description, *scan, *scale_from;
  int type, order, byte; /* BB_PROFILE_UNSET: not given */
  int sign;
  uint32_t address; /* of any address key */
  uint32_t offset, bit, bits, length;
  bb_decimal scale, add;
  double deadband;
  const bb_doc *sentinels, *valid, *values, *flags, *write;
  bool inferred, alias;
} bb_profile_keys;

#define BB_PROFILE_UNSET (-1)

/* The schemas, in the order in which they are printed; ended by NULL. */
extern const bb_schema *const bb_profile_schemas[];
extern const bb_schema bb_profile_top_schema, bb_profile_modbus_schema, bb_profile_point_schema,
    bb_profile_valid_schema, bb_profile_write_schema;

/* The child of that key, unless it is missing or null. */
const bb_doc *bb_profile_child(const bb_doc *doc, const char *key);

/* Copies a text into the profile; NULL becomes "". Longer than BB_MAX_TEXT it is a mistake. */
int bb_profile_copy(bb_profile_reader *r, const bb_doc *doc, const char *text, const char **out);

/* A whole number from 0, decimal or 0x hex, up to `max`. False if `text` is none. */
bool bb_profile_whole(const char *text, uint64_t max, uint64_t *out);

int bb_profile_read_modbus(bb_profile_reader *r, const bb_doc *doc); /* profile_limits.c */
int bb_profile_read_scans(bb_profile_reader *r, const bb_doc *doc);
int bb_profile_read_points(bb_profile_reader *r, const bb_doc *doc); /* profile_point.c */
int bb_profile_read_labels(bb_profile_reader *r, const bb_doc *doc, bb_profile_point *point);
int bb_profile_read_write(bb_profile_reader *r, const bb_doc *doc, bb_profile_point *point);

/* profile_place.c: where a point lies, and how long it is once its raw type is known. */
void bb_profile_read_address(bb_profile_reader *r, bb_profile_entry *entry,
                             const bb_profile_keys *k);
void bb_profile_read_length(bb_profile_reader *r, bb_profile_entry *entry,
                            const bb_profile_keys *k);

static inline bool bb_space_is_bits(bb_space space) {
  return space == BB_SPACE_COIL || space == BB_SPACE_DISCRETE;
}

static inline bool bb_space_is_registers(bb_space space) {
  return space == BB_SPACE_INPUT || space == BB_SPACE_HOLDING;
}

/* profile_codec.c: the codec but for its raw type and length, and the value's type and slot. */
void bb_profile_read_codec(bb_profile_reader *r, bb_profile_entry *entry, const bb_profile_keys *k);

/* Makes a choice BB_PROFILE_UNSET unless the document gives it, and rightly. */
void bb_profile_unset(const bb_doc *doc, const char *key, const char *const *choices, int *value);

/* profile_keys.c: the keys of one point; and what makes no sense with its type is reported. */
void bb_profile_read_keys(bb_profile_reader *r, const bb_doc *doc, bb_profile_keys *k);
void bb_profile_check_keys(bb_profile_reader *r, const bb_doc *doc, bb_raw raw);

/* Rules between points, once all are read. */
void bb_profile_check_scales(bb_profile_reader *r);
void bb_profile_check_unreadable(bb_profile_reader *r);
int bb_profile_check_overlaps(bb_profile_reader *r);
int bb_profile_check_blocks(bb_profile_reader *r);

#endif
