/* SPDX-License-Identifier: Apache-2.0 */
/* One key of a schema: what it takes, as text in the document and as a field of a struct. */
#ifndef BB_BASE_FIELD_H
#define BB_BASE_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/decimal.h"

typedef enum bb_field_kind {
  BB_FIELD_TEXT,     /* const char *, not empty */
  BB_FIELD_ID,       /* const char *, see bb_text_is_id */
  BB_FIELD_NAME,     /* const char *, see bb_text_is_name */
  BB_FIELD_BOOL,     /* bool */
  BB_FIELD_U32,      /* uint32_t, min..max; 0x hex is allowed */
  BB_FIELD_NUMBER,   /* double, min..max where max > min */
  BB_FIELD_DECIMAL,  /* bb_decimal */
  BB_FIELD_DURATION, /* uint32_t in ms, min..max in ms; "1s", "250ms" */
  BB_FIELD_BYTES,    /* uint64_t, min..max; "16MiB" */
  BB_FIELD_CHOICE,   /* int: the place in `choices` */
  BB_FIELD_DOC,      /* const bb_doc *: anything, read by someone else */
  BB_FIELD_LIST,     /* const bb_doc *: a list */
  BB_FIELD_MAP,      /* const bb_doc *: a map */
} bb_field_kind;

typedef struct bb_field {
  const char *key;
  bb_field_kind kind;
  size_t offset; /* in the struct */
  bool required;
  double min, max;            /* both 0: any */
  const char *const *choices; /* NULL-terminated */
  const char
      *fallback;    /* what stands when the key is missing, as it would be written; NULL: zero */
  const char *help; /* one sentence for the reference, with unit and effect */
} bb_field;

/* Bytes of the field in the struct. */
size_t bb_field_size(bb_field_kind kind);

/* Reads a scalar (all kinds but DOC, LIST and MAP) into the field at `place`. 0, BB_ERR_FORMAT or
 * BB_ERR_RANGE; `place` is as before then. Texts are not copied. */
int bb_field_parse(const bb_field *field, const char *text, void *place);

/* What the field takes, as a phrase. */
void bb_field_describe(const bb_field *field, char *out, size_t cap);

#endif
