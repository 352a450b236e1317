/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema of a map in the config document, as a table of its keys. One table reads the document
 * into a struct, finds every mistake (unknown keys with the nearest right one, wrong types, values
 * out of range) and is what the reference and the JSON schema are printed from.
 *
 * Strings of the struct point into the document, which must outlive it.
 */
#ifndef BB_BASE_SCHEMA_H
#define BB_BASE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/doc.h"
#include "base/report.h"

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

typedef struct bb_schema {
  const char *name; /* of what the map describes: "device" */
  const bb_field *fields;
  size_t n;
} bb_schema;

#define BB_SCHEMA(name, fields)                                                                    \
  { name, fields, sizeof(fields) / sizeof((fields)[0]) }

/*
 * Fills `out` (all fields of the schema, defaults first). 0, or BB_ERR_CONFIG when something was
 * reported; then fields with a mistake hold their defaults. A `doc` of NULL gives the defaults and
 * reports nothing.
 */
int bb_schema_read(const bb_schema *schema, const bb_doc *doc, void *out, bb_report *report);

/* The same, but keys that the schema does not have are left to another schema of the same map. */
int bb_schema_read_part(const bb_schema *schema, const bb_doc *doc, void *out, bb_report *report);

/* Reports the keys of `doc` that none of the schemas has. 0 or BB_ERR_CONFIG. */
int bb_schema_check_keys(const bb_schema *const *schemas, size_t n, const bb_doc *doc,
                         bb_report *report);

/* The reference of this map as a Markdown table. */
void bb_schema_print(const bb_schema *schema, bb_buf *out);

#endif
