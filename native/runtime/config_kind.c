/* SPDX-License-Identifier: Apache-2.0 */
/* Which kind a connection or sink is of, where its options stand, and where they should. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "runtime/config_read.h"

static bool is_common(const bb_config_kinds *kinds, const char *key) {
  for (const char *const *common = kinds->common; *common != NULL; common++) {
    if (strcmp(*common, key) == 0) return true;
  }
  return false;
}

static int place_of(const bb_config_kinds *kinds, const char *key) {
  for (size_t i = 0; i < kinds->n; i++) {
    if (strcmp(kinds->names[i], key) == 0) return (int)i;
  }
  return -1;
}

static bool has_option(const bb_config_kinds *kinds, int kind, const char *key) {
  const bb_schema *schema = kinds->options[kind];
  for (size_t i = 0; schema != NULL && i < schema->n; i++) {
    if (strcmp(schema->fields[i].key, key) == 0) return true;
  }
  return false;
}

/* A key that can only be an option of that kind, and stands beside the kind's key. */
static bool is_misplaced(const bb_config_kinds *kinds, int kind, const bb_doc *child) {
  return !is_common(kinds, child->key) && place_of(kinds, child->key) < 0 &&
         has_option(kinds, kind, child->key);
}

static size_t append(char *out, size_t cap, size_t len, const char *before, const char *name) {
  int put = snprintf(out + len, cap - len, "%s%s", before, name);
  return put > 0 && (size_t)put < cap - len ? len + (size_t)put : len;
}

static void join(const char *const *names, size_t n, char *out, size_t cap) {
  size_t len = 0;
  out[0] = 0;
  for (size_t i = 0; i < n; i++) len = append(out, cap, len, i > 0 ? ", " : "", names[i]);
}

static void tell_unknown(bb_config_reader *reader, const bb_doc *child,
                         const bb_config_kinds *kinds, const char *nearest) {
  const char *names[BB_CONFIG_MAX_KINDS + 8];
  size_t n = 0;
  char allowed[512];
  for (const char *const *common = kinds->common; *common != NULL; common++) names[n++] = *common;
  for (size_t i = 0; i < kinds->n; i++) names[n++] = kinds->names[i];
  join(names, n, allowed, sizeof(allowed));
  if (nearest == NULL) nearest = bb_text_nearest(child->key, names, n);
  bb_report_add(reader->report, child,
                "unknown key; %s%s%sallowed: %s; options stand below the kind",
                nearest != NULL ? "did you mean \"" : "", nearest != NULL ? nearest : "",
                nearest != NULL ? "\"? " : "", allowed);
}

/* "host", "host and port", "host, port and timeout" */
static unsigned join_misplaced(const bb_config_kinds *kinds, int kind, const bb_doc *item,
                               char *out, size_t cap) {
  unsigned n = 0, done = 0;
  size_t len = 0;
  out[0] = 0;
  for (const bb_doc *c = item->first; c != NULL; c = c->next) n += is_misplaced(kinds, kind, c);
  for (const bb_doc *c = item->first; c != NULL; c = c->next) {
    if (!is_misplaced(kinds, kind, c)) continue;
    const char *before = done == 0 ? "" : done + 1 == n ? " and " : ", ";
    len = append(out, cap, len, before, c->key);
    done++;
  }
  return n;
}

/* Once for all of them; in words for the style that the entry is written in. */
static void tell_misplaced(bb_config_reader *reader, const bb_doc *item,
                           const bb_config_kinds *kinds, int kind, const bb_doc *options) {
  const char *name = kinds->names[kind];
  char keys[256];
  unsigned n = join_misplaced(kinds, kind, item, keys, sizeof(keys));
  const bb_doc *first = item->first;
  while (!is_misplaced(kinds, kind, first)) first = first->next;
  bool one = n == 1;
  if (options == NULL) {
    bb_report_add(reader->report, first,
                  "%s %s; write the kind, such as \"%s:\", on a line above and indent %s by two "
                  "more spaces",
                  keys,
                  one ? "is an option of a kind that is missing"
                      : "are options of a kind that is missing",
                  name, one ? "it" : "them");
    return;
  }
  bool block = options->kind == BB_DOC_MAP && options->first != NULL
                   ? options->first->line > options->line
                   : bb_doc_is_null(options) && first->line != options->line;
  if (block) {
    bb_report_add(reader->report, first, "%s belong%s below %s; indent %s by two more spaces", keys,
                  one ? "s" : "", name, one ? "it" : "them");
  } else {
    bb_report_add(reader->report, first, "%s belong%s into the braces of %s: { %s: ... }", keys,
                  one ? "s" : "", name, first->key);
  }
}

static bb_doc *copy_into(bb_config_reader *reader, bb_doc *map, bb_doc **last,
                         const bb_doc *child) {
  bb_doc *copy = bb_arena_take(&reader->config->arena, sizeof(*copy));
  if (copy == NULL) return NULL;
  *copy = *child;
  copy->parent = map;
  copy->next = NULL;
  copy->index = map->n++;
  *(*last != NULL ? &(*last)->next : &map->first) = copy;
  *last = copy;
  return copy;
}

/* The options as they were meant, so that they are checked as well: those below and those beside. */
static const bb_doc *gather(bb_config_reader *reader, const bb_doc *item,
                            const bb_config_kinds *kinds, int kind, const bb_doc *options) {
  bb_doc *map = bb_arena_take(&reader->config->arena, sizeof(*map)), *last = NULL;
  if (map == NULL) {
    reader->no_memory = true;
    return options;
  }
  *map = (bb_doc){.kind = BB_DOC_MAP, .line = options != NULL ? options->line : item->line};
  map->key = kinds->names[kind];
  map->parent = (bb_doc *)item;
  bool whole = true;
  const bb_doc *child = options != NULL && options->kind == BB_DOC_MAP ? options->first : NULL;
  for (; child != NULL; child = child->next) {
    whole = whole && copy_into(reader, map, &last, child) != NULL;
  }
  for (child = item->first; child != NULL; child = child->next) {
    if (!is_misplaced(kinds, kind, child)) continue;
    whole = whole && copy_into(reader, map, &last, child) != NULL;
  }
  if (!whole) reader->no_memory = true;
  return map;
}

/* The kind that a misspelt key may mean: the nearest, or one that begins so. */
static int nearest_kind(const bb_config_kinds *kinds, const char *key) {
  const char *nearest = bb_text_nearest(key, kinds->names, kinds->n);
  if (nearest != NULL) return place_of(kinds, nearest);
  for (size_t i = 0; i < kinds->n && strlen(key) >= 3; i++) {
    if (strncmp(kinds->names[i], key, strlen(key)) == 0) return (int)i;
  }
  return -1;
}

/* The kind whose key is there, or what one that is misspelt may mean. */
static int find_key(bb_config_reader *reader, const bb_doc *item, const bb_config_kinds *kinds,
                    const bb_doc **options) {
  int kind = -1;
  for (const bb_doc *child = item->first; child != NULL; child = child->next) {
    int place = place_of(kinds, child->key);
    if (place < 0) continue;
    if (kind < 0) {
      kind = place;
      *options = child;
    } else {
      bb_report_add(reader->report, child, "a second kind; keep %s or %s", kinds->names[kind],
                    child->key);
    }
  }
  for (const bb_doc *child = item->first; child != NULL && kind < 0; child = child->next) {
    if (is_common(kinds, child->key)) continue;
    if (child->kind != BB_DOC_MAP && !bb_doc_is_null(child)) continue;
    kind = nearest_kind(kinds, child->key);
    if (kind < 0) continue;
    *options = child;
    tell_unknown(reader, child, kinds, kinds->names[kind]);
  }
  return kind;
}

/* Without any kind: the one of which most options stand there. */
static int guess_kind(const bb_doc *item, const bb_config_kinds *kinds) {
  int best = -1;
  unsigned most = 0;
  for (size_t i = 0; i < kinds->n; i++) {
    unsigned n = 0;
    for (const bb_doc *child = item->first; child != NULL; child = child->next) {
      n += is_misplaced(kinds, (int)i, child);
    }
    if (n <= most) continue;
    most = n;
    best = (int)i;
  }
  return best;
}

int bb_config_kind_find(bb_config_reader *reader, const bb_doc *item, const bb_config_kinds *kinds,
                        const bb_doc **options) {
  *options = NULL;
  int kind = find_key(reader, item, kinds, options);
  if (kind < 0) kind = guess_kind(item, kinds);
  bool misplaced = false, strange = false;
  for (const bb_doc *child = item->first; child != NULL; child = child->next) {
    if (is_common(kinds, child->key) || child == *options) continue;
    if (place_of(kinds, child->key) >= 0) continue;
    if (kind >= 0 && is_misplaced(kinds, kind, child)) {
      misplaced = true;
    } else {
      tell_unknown(reader, child, kinds, NULL);
      strange = true;
    }
  }
  if (misplaced) {
    tell_misplaced(reader, item, kinds, kind, *options);
    *options = gather(reader, item, kinds, kind, *options);
  }
  if (kind >= 0 || strange) return kind;
  char allowed[256];
  join(kinds->names, kinds->n, allowed, sizeof(allowed));
  bb_report_add(reader->report, item, "its kind is missing: one of %s", allowed);
  return -1;
}
