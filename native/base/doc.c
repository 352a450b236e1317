/* SPDX-License-Identifier: Apache-2.0 */
/* See doc.h. The readers are doc_json.c and doc_yaml.c. */
#include "base/doc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc_build.h"
#include "base/err.h"
#include "base/limits.h"

/* Nodes, keys and texts of the largest document with their rounding. */
#define ARENA_MAX ((size_t)BB_MAX_DOC_NODES * 128)
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

static int start(bb_doc_builder *builder, bb_doc_tree *tree, const char *name, bb_report *report) {
  bb_arena_close(&tree->arena);
  *tree = (bb_doc_tree){0};
  bb_arena_init(&tree->arena, ARENA_MAX);
  tree->name = bb_arena_string(&tree->arena, name);
  *builder = (bb_doc_builder){.tree = tree, .report = report};
  return tree->name != NULL ? 0 : BB_ERR_NOMEM;
}

static bool looks_like_json(const char *text, size_t len) {
  size_t at = 0;
  while (at < len && text[at] != 0 && strchr(" \t\r\n", text[at]) != NULL) at++;
  return at < len && (text[at] == '{' || text[at] == '[');
}

static int read_text(bb_doc_tree *tree, const char *name, const char *text, size_t len,
                     bb_report *report) {
  bb_doc_builder builder;
  if (len > BB_MAX_DOC_BYTES) {
    bb_report_add_line(report, 0, "the document is too large; at most %u MiB",
                       BB_MAX_DOC_BYTES >> 20);
    return BB_ERR_LIMIT;
  }
  if (len >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0) {
    text += 3;
    len -= 3;
  }
  int err = start(&builder, tree, name, report);
  if (err == 0 && looks_like_json(text, len)) {
    err = bb_doc_read_json(&builder, text, len);
    if (err <= 0) return err;
    err = start(&builder, tree, name, report);
  }
  if (err == 0) err = bb_doc_read_yaml(&builder, text, len);
  if (err == 0 && tree->root == NULL) {
    err = bb_doc_build_complain(&builder, 1, "the document is empty");
  }
  return err;
}

int bb_doc_parse(bb_doc_tree *tree, const char *name, const char *text, size_t len,
                 struct bb_report *report) {
  *tree = (bb_doc_tree){0};
  const char *file = bb_report_file(report, name);
  int err = read_text(tree, name, text, len, report);
  bb_report_file(report, file);
  if (err < 0) bb_doc_close(tree);
  return err;
}

/* The whole file, to be freed; NULL with errno, EFBIG when it passes the limit. */
static char *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  size_t cap = 4096, n = 0;
  char *bytes = malloc(cap);
  while (bytes != NULL) {
    n += fread(bytes + n, 1, cap - n, file);
    if (n < cap) break;
    char *wider = cap < BB_MAX_DOC_BYTES ? realloc(bytes, cap * 2) : NULL;
    if (wider == NULL) {
      free(bytes);
      bytes = NULL;
      errno = cap < BB_MAX_DOC_BYTES ? ENOMEM : EFBIG;
      break;
    }
    bytes = wider;
    cap *= 2;
  }
  if (bytes != NULL && ferror(file)) {
    int why = errno;
    free(bytes);
    bytes = NULL;
    errno = why;
  }
  int why = errno;
  fclose(file);
  errno = why;
  *len = n;
  return bytes;
}

int bb_doc_load(bb_doc_tree *tree, const char *path, struct bb_report *report) {
  return bb_doc_load_behind(tree, path, NULL, report);
}

int bb_doc_load_behind(bb_doc_tree *tree, const char *path,
                       size_t (*head)(const char *bytes, size_t len), struct bb_report *report) {
  size_t len = 0;
  char *text = read_file(path, &len);
  *tree = (bb_doc_tree){0};
  if (text == NULL) {
    int why = errno;
    const char *file = bb_report_file(report, path);
    bb_report_add_line(report, 0, "cannot be read: %s", strerror(why));
    bb_report_file(report, file);
    return why == ENOMEM ? BB_ERR_NOMEM : BB_ERR_IO;
  }
  size_t skipped = head != NULL ? head(text, len) : 0;
  int err = bb_doc_parse(tree, path, text + skipped, len - skipped, report);
  free(text);
  return err;
}

void bb_doc_close(bb_doc_tree *tree) {
  bb_arena_close(&tree->arena);
  *tree = (bb_doc_tree){0};
}

const bb_doc *bb_doc_get(const bb_doc *doc, const char *key) {
  if (doc == NULL || doc->kind != BB_DOC_MAP) return NULL;
  for (const bb_doc *child = doc->first; child != NULL; child = child->next) {
    if (strcmp(child->key, key) == 0) return child;
  }
  return NULL;
}

const char *bb_doc_get_text(const bb_doc *doc, const char *key) {
  const bb_doc *child = bb_doc_get(doc, key);
  return child != NULL ? child->text : NULL;
}

bool bb_doc_is_null(const bb_doc *doc) {
  if (doc->kind != BB_DOC_SCALAR || doc->quoted) return false;
  return doc->text[0] == 0 || strcmp(doc->text, "null") == 0 || strcmp(doc->text, "~") == 0;
}

bool bb_doc_equal(const bb_doc *a, const bb_doc *b) {
  if (a == NULL || b == NULL) return a == b;
  if (a->kind != b->kind || a->n != b->n) return false;
  if (a->kind == BB_DOC_SCALAR) {
    return strcmp(a->text, b->text) == 0 && bb_doc_is_null(a) == bb_doc_is_null(b);
  }
  const bb_doc *y = b->first;
  for (const bb_doc *x = a->first; x != NULL; x = x->next, y = y->next) {
    /* Mostly the keys stand in the same order, which spares the search. */
    bool facing = a->kind == BB_DOC_LIST || strcmp(x->key, y->key) == 0;
    if (!bb_doc_equal(x, facing ? y : bb_doc_get(b, x->key))) return false;
  }
  return true;
}

const char *bb_doc_path(const bb_doc *doc, char *out, size_t cap) {
  if (cap == 0) return out;
  out[0] = 0;
  if (doc->parent == NULL) return out;
  bb_doc_path(doc->parent, out, cap);
  size_t len = strlen(out);
  const char *id = bb_doc_get_text(doc, "id");
  if (doc->key != NULL) {
    snprintf(out + len, cap - len, "%s%s", len > 0 ? "." : "", doc->key);
  } else if (id != NULL) {
    snprintf(out + len, cap - len, "[%s]", id);
  } else {
    snprintf(out + len, cap - len, "[%u]", doc->index);
  }
  return out;
}
