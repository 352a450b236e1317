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

#include <stddef.h>

#include "base/buf.h"
#include "base/doc.h"
#include "base/field.h"
#include "base/report.h"

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
