/* SPDX-License-Identifier: Apache-2.0 */
/* See restore.h. */
#include "runtime/restore.h"

#include <string.h>

#include "base/err.h"
#include "runtime/intake.h"
#include "runtime/parking.h"
#include "runtime/runtime.h"
#include "runtime/save_job.h"
#include "runtime/wait.h"

#define MAX_PARTS 256
#define GAPS 16                                             /* asked for at a time */
#define MAX_AGE_NS (100ull * 366 * 24 * 3600 * BB_NS_PER_S) /* more is damage */

typedef struct named {
  bb_list link;
  bb_store_kind kind;
  uint64_t hash;
  size_t len;
  uint8_t frame[];
} named;

typedef struct streamed {
  bb_list link;
  bb_store_stream saved;
  bb_stream *stream; /* the loop's */
} streamed;

typedef struct cursor {
  bb_list link;
  bb_store_cursor saved;
  bb_span *parts; /* in place of the oldest range; NULL: it is one */
  uint32_t n_parts;
  bb_intake *intake; /* the loop's */
} cursor;

typedef struct valued {
  bb_list link;
  const char *key;
  size_t len;
  uint8_t bytes[];
} valued;

/* --- reading --- */

static int note_name(void *user, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                     size_t len) {
  bb_leftover *left = user;
  named *new = bb_arena_take(&left->arena, sizeof(*new) + len);
  if (new == NULL) return BB_ERR_NOMEM;
  *new = (named){.kind = kind, .hash = hash, .len = len};
  memcpy(new->frame, frame, len);
  bb_list_append(&left->names, &new->link);
  return 0;
}

static int note_stream(void *user, const bb_store_stream *saved) {
  bb_leftover *left = user;
  streamed *new = bb_arena_take(&left->arena, sizeof(*new));
  if (new == NULL) return BB_ERR_NOMEM;
  *new = (streamed){.saved = *saved};
  new->saved.name = bb_arena_string(&left->arena, saved->name);
  bb_list_append(&left->streams, &new->link);
  return new->saved.name != NULL ? 0 : BB_ERR_NOMEM;
}

static int note_cursor(void *user, const bb_store_cursor *saved) {
  bb_leftover *left = user;
  cursor *new = bb_arena_take(&left->arena, sizeof(*new));
  if (new == NULL) return BB_ERR_NOMEM;
  *new = (cursor){.saved = *saved};
  new->saved.sink = bb_arena_string(&left->arena, saved->sink);
  bb_list_append(&left->cursors, &new->link);
  return new->saved.sink != NULL ? 0 : BB_ERR_NOMEM;
}

static void note_age(bb_leftover *left, uint64_t age_ns) {
  if (age_ns > left->age_ns && age_ns < MAX_AGE_NS) left->age_ns = age_ns;
}

static int note_value(void *user, const char *key, const uint8_t *bytes, size_t len) {
  bb_leftover *left = user;
  if (strcmp(key, BB_SAVE_AGE_KEY) == 0) {
    uint64_t age = 0;
    if (len == sizeof(age)) memcpy(&age, bytes, len);
    note_age(left, age);
    return 0;
  }
  valued *new = bb_arena_take(&left->arena, sizeof(*new) + len);
  if (new == NULL) return BB_ERR_NOMEM;
  *new = (valued){.key = bb_arena_string(&left->arena, key), .len = len};
  if (len > 0) memcpy(new->bytes, bytes, len);
  bb_list_append(&left->values, &new->link);
  return new->key != NULL ? 0 : BB_ERR_NOMEM;
}

static void add_part(cursor *one, uint64_t from, uint64_t to) {
  one->n_parts = bb_span_add(one->parts, one->n_parts, MAX_PARTS, from, to);
}

/* Where all places of a cursor are taken, its oldest range may be several that became one. What the store
 * has no pack of was delivered: it neither waits nor can be lost. What lies in a pack with others that
 * wait cannot be told from them. Looks at keys, and only between the ends of that range. */
static int part_oldest(cursor *one, bb_store *store) {
  bb_span left = one->saved.ranges[0], gaps[GAPS];
  one->n_parts = 0;
  while (left.from < left.to && one->n_parts < MAX_PARTS - GAPS) {
    uint64_t at = left.from, to = left.to;
    int n = bb_store_gaps(store, one->saved.stream, at, &to, gaps, GAPS);
    if (n < 0) return n;
    for (int i = 0; i < n; i++) {
      add_part(one, at, gaps[i].from);
      at = gaps[i].to;
    }
    add_part(one, at, to);
    left.from = to;
  }
  add_part(one, left.from, left.to);
  return 0;
}

static int part_cursors(bb_leftover *left, bb_store *store) {
  int err = 0;
  for (bb_list *node = left->cursors.next; node != &left->cursors && err >= 0; node = node->next) {
    cursor *one = BB_LIST_ITEM(node, cursor, link);
    if (one->saved.n < BB_STORE_RANGES) continue;
    one->parts = bb_arena_take(&left->arena, MAX_PARTS * sizeof(*one->parts));
    err = one->parts != NULL ? part_oldest(one, store) : BB_ERR_NOMEM;
  }
  return err;
}

/* The clock of ages goes on from where the note of it was, and from no earlier than what is newest:
 * what comes now is younger than all that is there. */
static int find_age(bb_leftover *left, bb_store *store) {
  uint64_t latest;
  int err = bb_store_latest_age(store, &latest);
  if (err == 0) note_age(left, latest);
  return err;
}

int bb_leftover_read(bb_leftover *left, bb_store *store) {
  *left = (bb_leftover){0};
  bb_arena_init(&left->arena, SIZE_MAX);
  bb_list_init(&left->names);
  bb_list_init(&left->streams);
  bb_list_init(&left->cursors);
  bb_list_init(&left->values);
  int err = bb_store_names(store, note_name, left);
  if (err >= 0) err = bb_store_streams(store, note_stream, left);
  if (err >= 0) err = bb_store_cursors(store, note_cursor, left);
  if (err >= 0) err = part_cursors(left, store);
  if (err >= 0) err = bb_store_values(store, note_value, left);
  if (err >= 0) err = find_age(left, store);
  if (err >= 0) err = bb_store_read_stats(store, &left->stats);
  return err;
}

const char *bb_leftover_tell(const bb_leftover *left, char out[BB_TEXT_COUNT]) {
  return bb_text_count(out, left->stats.records, "batch that earlier runs left follows as history",
                       "batches that earlier runs left follow as history");
}

void bb_leftover_close(bb_leftover *left) {
  bb_arena_close(&left->arena);
}

/* --- finding and making what it goes into --- */

static int take_names(const bb_leftover *left, bb_names *names) {
  int err = 0;
  for (bb_list *node = left->names.next; node != &left->names && err >= 0; node = node->next) {
    const named *one = BB_LIST_ITEM(node, named, link);
    err = bb_names_restore(names, one->kind, one->hash, one->frame, one->len);
    /* Records that name it will be told as damaged, one by one. */
    if (err == BB_ERR_FORMAT) err = 0;
  }
  return err;
}

static int take_values(const bb_leftover *left, bb_keep *keep) {
  int err = 0;
  for (bb_list *node = left->values.next; node != &left->values && err >= 0; node = node->next) {
    const valued *one = BB_LIST_ITEM(node, valued, link);
    err = bb_keep_restore(keep, one->key, one->bytes, one->len);
    if (err != BB_ERR_NOMEM) err = 0;
  }
  return err;
}

static int find_streams(const bb_leftover *left, bb_runtime *runtime) {
  for (bb_list *node = left->streams.next; node != &left->streams; node = node->next) {
    streamed *one = BB_LIST_ITEM(node, streamed, link);
    one->stream = bb_runtime_stream_named(runtime, one->saved.name, one->saved.class);
    if (one->stream == NULL) return BB_ERR_NOMEM;
  }
  return 0;
}

static streamed *stream_of(const bb_leftover *left, uint32_t id) {
  for (bb_list *node = left->streams.next; node != &left->streams; node = node->next) {
    streamed *one = BB_LIST_ITEM(node, streamed, link);
    if (one->saved.id == id) return one;
  }
  return NULL;
}

/* What the sink reads the stream with already, or else a new one. */
static bb_intake *intake_of(bb_runtime *runtime, const char *sink, bb_stream *stream) {
  for (bb_list *node = stream->readers.next; node != &stream->readers; node = node->next) {
    bb_reader *reader = BB_LIST_ITEM(node, bb_reader, link);
    if (strcmp(reader->sink, sink) == 0) return (bb_intake *)reader;
  }
  bb_outlet *outlet = bb_runtime_outlet(runtime, sink);
  bool open = outlet != NULL && !outlet->closed;
  return open ? bb_outlet_add(outlet, stream) : bb_parking_add(runtime, sink, stream);
}

static int find_intakes(const bb_leftover *left, bb_runtime *runtime) {
  for (bb_list *node = left->cursors.next; node != &left->cursors; node = node->next) {
    cursor *one = BB_LIST_ITEM(node, cursor, link);
    const streamed *of = stream_of(left, one->saved.stream);
    bool waits = of != NULL && one->saved.n > 0 && one->saved.ranges[0].from < of->saved.next;
    if (!waits) continue;
    one->intake = intake_of(runtime, one->saved.sink, of->stream);
    if (one->intake == NULL) return BB_ERR_NOMEM;
  }
  return 0;
}

/* --- taking; nothing of it can fail --- */

static void take_stream(bb_runtime *runtime, const streamed *one) {
  bb_stream *stream = one->stream;
  uint64_t by = one->saved.next;
  bb_waits_shift(runtime, stream, by);
  bb_stream_shift(stream, by);
  for (bb_list *node = stream->readers.next; node != &stream->readers; node = node->next) {
    bb_intake_shift((bb_intake *)BB_LIST_ITEM(node, bb_reader, link), by);
  }
  stream->id = one->saved.id;
  stream->first = one->saved.first;
  stream->saved = one->saved.next;
  stream->saved_records = one->saved.records;
  stream->saved_bytes = one->saved.bytes;
}

static void take_cursor(const bb_leftover *left, const cursor *one) {
  if (one->intake == NULL) return;
  uint64_t next = stream_of(left, one->saved.stream)->saved.next;
  for (uint32_t i = 0; i < one->n_parts; i++) {
    bb_intake_add_saved(one->intake, one->parts[i].from, one->parts[i].to);
  }
  for (uint32_t i = one->parts != NULL; i < one->saved.n; i++) {
    const bb_span *range = &one->saved.ranges[i];
    bb_intake_add_saved(one->intake, range->from, range->to < next ? range->to : next);
  }
}

/* As if this run had begun at that age; unsigned, so that a machine that is long up is no matter. */
static void take_age(const bb_leftover *left, bb_save *save) {
  save->age_written_ns = left->age_ns;
  save->age_base_ns = left->age_ns - save->begun_ns;
  for (bb_save_dead *dead = save->dead; dead != NULL; dead = dead->next) {
    dead->age_ns = bb_save_age_ns(save, dead->age_ns); /* by a clock that was not set */
  }
}

int bb_leftover_take(bb_leftover *left, bb_save *save) {
  bb_runtime *runtime = save->runtime;
  int err = take_names(left, &save->names);
  if (err >= 0) err = take_values(left, &runtime->keep);
  if (err >= 0) err = find_streams(left, runtime);
  if (err >= 0) err = find_intakes(left, runtime);
  if (err < 0) return err;
  for (bb_list *node = left->streams.next; node != &left->streams; node = node->next) {
    take_stream(runtime, BB_LIST_ITEM(node, streamed, link));
  }
  for (bb_list *node = left->cursors.next; node != &left->cursors; node = node->next) {
    take_cursor(left, BB_LIST_ITEM(node, cursor, link));
  }
  take_age(left, save);
  bb_save_take_stats(save, &left->stats);
  return 0;
}
