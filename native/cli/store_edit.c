/* SPDX-License-Identifier: Apache-2.0 */
/* See store_edit.h. */
#include "cli/store_edit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "runtime/holdings.h"
#include "runtime/letters.h"
#include "runtime/save_job.h"

/* --- all cursors --- */

typedef struct cursor {
  uint32_t stream;
  char sink[BB_MAX_ID + 1];
  bb_span ranges[BB_STORE_RANGES];
  uint32_t n;
} cursor;

typedef struct cursors {
  cursor *items;
  uint32_t n;
} cursors;

static int take_cursor(void *user, const bb_store_cursor *from) {
  cursors *all = user;
  cursor *items = realloc(all->items, (all->n + 1) * sizeof(*items));
  if (items == NULL) return BB_ERR_NOMEM;
  all->items = items;
  cursor *one = &items[all->n++];
  *one = (cursor){.stream = from->stream, .n = from->n};
  snprintf(one->sink, sizeof(one->sink), "%s", from->sink);
  memcpy(one->ranges, from->ranges, from->n * sizeof(*from->ranges));
  return 0;
}

static cursor *find(const cursors *all, uint32_t stream, const char *sink) {
  for (uint32_t i = 0; i < all->n; i++) {
    cursor *one = &all->items[i];
    if (one->stream == stream && strcmp(one->sink, sink) == 0) return one;
  }
  return NULL;
}

static int put(bb_store *store, const cursor *one) {
  bb_store_cursor row = {.stream = one->stream, .sink = one->sink, .n = one->n};
  memcpy(row.ranges, one->ranges, one->n * sizeof(*one->ranges));
  return bb_store_cursor_put(store, &row);
}

int bb_store_edit_count(bb_store *store, const char *sink, uint64_t *records) {
  bb_holdings list = {0};
  int err = bb_holdings_read(&list, store);
  *records = 0;
  for (uint32_t i = 0; i < list.n; i++) {
    if (strcmp(list.items[i].sink, sink) == 0) *records += list.items[i].records;
  }
  bb_holdings_close(&list);
  return err == 0 && *records == 0 ? BB_ERR_NOTFOUND : err;
}

/* Ends the transaction. */
static int end(bb_store *store, int err) {
  if (err >= 0) err = bb_store_commit(store);
  if (err < 0) bb_store_rollback(store);
  return err;
}

/* --- drop --- */

/* Takes away what no cursor of the stream asks for. */
static int trim(bb_store *store, const cursors *all, uint32_t stream, const char *without) {
  bb_span need[BB_STREAM_SPANS];
  uint32_t n = 0;
  bool read = false;
  for (uint32_t i = 0; i < all->n; i++) {
    const cursor *one = &all->items[i];
    if (one->stream != stream || strcmp(one->sink, without) == 0) continue;
    read = true;
    for (uint32_t k = 0; k < one->n; k++) {
      n = bb_span_add(need, n, BB_STREAM_SPANS, one->ranges[k].from, one->ranges[k].to);
    }
  }
  if (!read || n == 0) return bb_store_stream_drop(store, stream);
  uint64_t from = 0;
  bb_store_gone gone = {0};
  int err = 0;
  for (uint32_t i = 0; i < n && err >= 0; i++) {
    if (from < need[i].from) err = bb_store_trim(store, stream, from, need[i].from, &gone);
    from = need[i].to;
  }
  return err >= 0 ? bb_store_trim(store, stream, from, BB_STORE_OPEN_END, &gone) : err;
}

/* No name is needed without a record. */
static int forget_names(bb_store *store) {
  bb_store_stats stats;
  int err = bb_store_read_stats(store, &stats);
  if (err < 0 || stats.records > 0 || stats.dead > 0) return err;
  return bb_store_names_drop(store);
}

static int drop_all(bb_store *store, const cursors *all, const char *sink) {
  int err = 0;
  for (uint32_t i = 0; i < all->n && err >= 0; i++) {
    const cursor *one = &all->items[i];
    if (strcmp(one->sink, sink) != 0) continue;
    err = bb_store_cursor_drop(store, one->stream, sink);
    if (err >= 0) err = trim(store, all, one->stream, sink);
  }
  return err < 0 ? err : forget_names(store);
}

int bb_store_edit_drop(bb_store *store, const char *sink, uint64_t *records) {
  cursors all = {0};
  int err = bb_store_edit_count(store, sink, records);
  if (err >= 0) err = bb_store_cursors(store, take_cursor, &all);
  if (err >= 0) err = bb_store_begin(store);
  if (err >= 0) err = end(store, drop_all(store, &all, sink));
  free(all.items);
  return err;
}

/* --- reassign --- */

static int give(bb_store *store, const cursors *all, const cursor *from, const char *to) {
  const cursor *known = find(all, from->stream, to);
  cursor new = known != NULL ? *known : (cursor){.stream = from->stream};
  snprintf(new.sink, sizeof(new.sink), "%s", to);
  for (uint32_t i = 0; i < from->n; i++) {
    new.n =
        bb_span_add(new.ranges, new.n, BB_STORE_RANGES, from->ranges[i].from, from->ranges[i].to);
  }
  int err = put(store, &new);
  return err < 0 ? err : bb_store_cursor_drop(store, from->stream, from->sink);
}

static int give_all(bb_store *store, const cursors *all, const char *sink, const char *to) {
  int err = 0;
  for (uint32_t i = 0; i < all->n && err >= 0; i++) {
    if (strcmp(all->items[i].sink, sink) == 0) err = give(store, all, &all->items[i], to);
  }
  return err;
}

int bb_store_edit_reassign(bb_store *store, const char *sink, const char *to, uint64_t *records) {
  cursors all = {0};
  int err = bb_store_edit_count(store, sink, records);
  if (err >= 0) err = bb_store_cursors(store, take_cursor, &all);
  if (err >= 0) err = bb_store_begin(store);
  if (err >= 0) err = end(store, give_all(store, &all, sink, to));
  free(all.items);
  return err;
}

/* --- requeue --- */

/* A sink's own stream of that class, and which of its records are new. */
typedef struct target {
  uint32_t id;
  bb_store_class class;
  char sink[BB_MAX_ID + 1];
  uint64_t from, next;
} target;

typedef struct requeue {
  bb_store *store;
  target *targets;
  uint32_t n;
  uint64_t age_ns; /* the newest that is known */
} requeue;

static int take_age(void *user, const char *key, const uint8_t *bytes, size_t len) {
  requeue *all = user;
  if (strcmp(key, BB_SAVE_AGE_KEY) == 0 && len == sizeof(all->age_ns)) {
    memcpy(&all->age_ns, bytes, len);
  }
  return 0;
}

static int take_next(void *user, const bb_store_stream *stream) {
  target *one = user;
  if (stream->id == one->id) one->from = one->next = stream->next;
  return 0;
}

static int find_target(requeue *all, const char *sink, bb_store_class class, target **out) {
  for (uint32_t i = 0; i < all->n; i++) {
    *out = &all->targets[i];
    if ((*out)->class == class && strcmp((*out)->sink, sink) == 0) return 0;
  }
  target *targets = realloc(all->targets, (all->n + 1) * sizeof(*targets));
  if (targets == NULL) return BB_ERR_NOMEM;
  all->targets = targets;
  int id = bb_store_stream_make(all->store, sink, class);
  if (id < 0) return id;
  *out = &targets[all->n++];
  **out = (target){.id = (uint32_t)id, .class = class};
  snprintf((*out)->sink, sizeof((*out)->sink), "%s", sink);
  return bb_store_streams(all->store, take_next, *out);
}

/* A letter is a pack of one record already. */
static int revive(requeue *all, const bb_letters *page, uint32_t i) {
  const bb_letter *letter = &page->items[i];
  target *to;
  int err = find_target(all, letter->sink, bb_letters_class(page, i), &to);
  if (err < 0) return err;
  bb_store_pack pack = {.stream = to->id,
                        .first = to->next,
                        .n = 1,
                        .age_ns = letter->age_ns > all->age_ns ? letter->age_ns : all->age_ns,
                        .body = page->bodies.bytes + letter->at,
                        .len = letter->len};
  err = bb_store_append(all->store, &pack);
  if (err >= 0) err = bb_store_dead_drop(all->store, letter->id);
  to->next++;
  return err;
}

static int revive_all(requeue *all, const char *sink, uint64_t *letters) {
  bb_letters page = {.limit = BB_LETTERS_MAX};
  int err;
  bool more;
  if (sink != NULL) snprintf(page.sink, sizeof(page.sink), "%s", sink);
  do {
    err = bb_letters_read(&page, all->store);
    for (uint32_t i = 0; i < page.n && err >= 0; i++) err = revive(all, &page, i);
    *letters += page.n;
    more = page.more;
    bb_letters_close(&page);
  } while (err >= 0 && more);
  return err;
}

/* Each sink waits for its new records, too. */
static int extend_cursors(const requeue *all) {
  cursors known = {0};
  int err = bb_store_cursors(all->store, take_cursor, &known);
  for (uint32_t i = 0; i < all->n && err >= 0; i++) {
    const target *to = &all->targets[i];
    const cursor *before = find(&known, to->id, to->sink);
    cursor after = before != NULL ? *before : (cursor){.stream = to->id};
    snprintf(after.sink, sizeof(after.sink), "%s", to->sink);
    after.n = bb_span_add(after.ranges, after.n, BB_STORE_RANGES, to->from, to->next);
    err = put(all->store, &after);
  }
  free(known.items);
  return err;
}

int bb_store_edit_requeue(bb_store *store, const char *sink, uint64_t *letters) {
  requeue all = {.store = store};
  *letters = 0;
  int err = bb_store_values(store, take_age, &all);
  if (err >= 0) err = bb_store_begin(store);
  if (err >= 0) {
    err = revive_all(&all, sink, letters);
    if (err >= 0) err = extend_cursors(&all);
    err = end(store, err);
  }
  free(all.targets);
  return err;
}

/* --- drop dead letters --- */

int bb_store_edit_drop_dead(bb_store *store, const char *sink, uint64_t *letters) {
  bb_letters page = {0};
  if (sink != NULL) snprintf(page.sink, sizeof(page.sink), "%s", sink);
  *letters = 0;
  int err = bb_letters_drop(&page, store, letters);
  bb_letters_close(&page);
  if (err >= 0) err = bb_store_begin(store);
  if (err >= 0) err = end(store, forget_names(store));
  return err;
}
