/* SPDX-License-Identifier: Apache-2.0 */
/* See schema.h. */
#include "base/schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

#define MAX_KEYS 128

static int wrong(const bb_field *field, const bb_doc *doc, bb_report *report) {
  char allowed[512];
  bb_field_describe(field, allowed, sizeof(allowed));
  if (doc->kind == BB_DOC_SCALAR) {
    bb_report_add(report, doc, "\"%.80s\" does not fit; allowed: %s", doc->text, allowed);
  } else {
    bb_report_add(report, doc, "a %s stands here; allowed: %s",
                  doc->kind == BB_DOC_LIST ? "list" : "map", allowed);
  }
  return BB_ERR_CONFIG;
}

static int read_field(const bb_field *field, const bb_doc *doc, void *place, bb_report *report) {
  switch (field->kind) {
  case BB_FIELD_DOC:
    *(const bb_doc **)place = doc;
    return 0;
  case BB_FIELD_LIST:
  case BB_FIELD_MAP:
    if (doc->kind != (field->kind == BB_FIELD_LIST ? BB_DOC_LIST : BB_DOC_MAP)) {
      return wrong(field, doc, report);
    }
    *(const bb_doc **)place = doc;
    return 0;
  default:
    if (doc->kind != BB_DOC_SCALAR || bb_field_parse(field, doc->text, place) < 0) {
      return wrong(field, doc, report);
    }
    return 0;
  }
}

static const bb_field *find(const bb_schema *schema, const char *key) {
  for (size_t i = 0; i < schema->n; i++) {
    if (strcmp(schema->fields[i].key, key) == 0) return &schema->fields[i];
  }
  return NULL;
}

/* Reports doc's key as unknown, with the nearest of the known keys and all that are allowed. */
static void unknown(const bb_schema *const *schemas, size_t n, const bb_doc *doc,
                    bb_report *report) {
  const char *keys[MAX_KEYS];
  char all[1024] = "";
  size_t n_keys = 0, len = 0;
  for (size_t s = 0; s < n; s++) {
    for (size_t i = 0; i < schemas[s]->n && n_keys < MAX_KEYS; i++) {
      const char *key = keys[n_keys++] = schemas[s]->fields[i].key;
      int put = snprintf(all + len, sizeof(all) - len, "%s%s", len > 0 ? ", " : "", key);
      if (put > 0 && (size_t)put < sizeof(all) - len) len += (size_t)put;
      all[len] = 0; /* a key that does not fit is left out whole */
    }
  }
  const char *nearest = bb_text_nearest(doc->key, keys, n_keys);
  if (nearest != NULL) {
    bb_report_add(report, doc, "unknown key; did you mean \"%s\"? allowed: %s", nearest, all);
  } else {
    bb_report_add(report, doc, "unknown key; allowed: %s", all);
  }
}

int bb_schema_check_keys(const bb_schema *const *schemas, size_t n, const bb_doc *doc,
                         bb_report *report) {
  int result = 0;
  if (doc->kind != BB_DOC_MAP) return 0;
  for (const bb_doc *child = doc->first; child != NULL; child = child->next) {
    bool known = false;
    for (size_t s = 0; s < n && !known; s++) known = find(schemas[s], child->key) != NULL;
    if (known) continue;
    unknown(schemas, n, child, report);
    result = BB_ERR_CONFIG;
  }
  return result;
}

static void set_defaults(const bb_schema *schema, void *out) {
  for (size_t i = 0; i < schema->n; i++) {
    const bb_field *field = &schema->fields[i];
    void *place = (char *)out + field->offset;
    memset(place, 0, bb_field_size(field->kind));
    int err = field->fallback != NULL ? bb_field_parse(field, field->fallback, place) : 0;
    assert(err == 0);
    (void)err;
  }
}

static int check_required(const bb_schema *schema, const bb_doc *doc, bb_report *report) {
  int result = 0;
  for (size_t i = 0; i < schema->n; i++) {
    const bb_field *field = &schema->fields[i];
    const bb_doc *child = bb_doc_get(doc, field->key);
    if (!field->required || (child != NULL && !bb_doc_is_null(child))) continue;
    bb_report_add(report, doc, "\"%s\" is missing: %s", field->key, field->help);
    result = BB_ERR_CONFIG;
  }
  return result;
}

int bb_schema_read_part(const bb_schema *schema, const bb_doc *doc, void *out, bb_report *report) {
  set_defaults(schema, out);
  if (doc == NULL) return 0;
  if (doc->kind != BB_DOC_MAP) {
    bb_report_add(report, doc, "a %s is a map of keys and values", schema->name);
    return BB_ERR_CONFIG;
  }
  int result = check_required(schema, doc, report);
  for (const bb_doc *child = doc->first; child != NULL; child = child->next) {
    const bb_field *field = find(schema, child->key);
    if (field == NULL || bb_doc_is_null(child)) continue;
    int err = read_field(field, child, (char *)out + field->offset, report);
    if (err < 0) result = err;
  }
  return result;
}

int bb_schema_read(const bb_schema *schema, const bb_doc *doc, void *out, bb_report *report) {
  int keys = doc != NULL ? bb_schema_check_keys(&schema, 1, doc, report) : 0;
  int values = bb_schema_read_part(schema, doc, out, report);
  return keys < 0 ? keys : values;
}

void bb_schema_print(const bb_schema *schema, bb_buf *out) {
  bb_buf_text(out, "| key | takes | default | meaning |\n|---|---|---|---|\n");
  for (size_t i = 0; i < schema->n; i++) {
    const bb_field *field = &schema->fields[i];
    char allowed[512];
    bb_field_describe(field, allowed, sizeof(allowed));
    const char *fallback = field->required           ? "required"
                           : field->fallback != NULL ? field->fallback
                                                     : "";
    bb_buf_printf(out, "| `%s` | %s | %s | %s |\n", field->key, allowed, fallback, field->help);
  }
}
