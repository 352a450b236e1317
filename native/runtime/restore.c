/* SPDX-License-Identifier: Apache-2.0 */
/* See restore.h. */
#include "runtime/restore.h"

#include <string.h>

#include "base/err.h"
#include "runtime/parking.h"
#include "runtime/runtime.h"
#include "runtime/save_job.h"

#define MAX_AGE_NS (100ull * 366 * 24 * 3600 * BB_NS_PER_S) /* more is damage */

static int take_name(void *user, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                     size_t len) {
  bb_save *save = user;
  int err = bb_names_restore(&save->names, kind, hash, frame, len);
  /* Records that name it will be told as damaged, one by one. */
  return err == BB_ERR_FORMAT ? 0 : err;
}

static int take_stream(void *user, const bb_store_stream *saved) {
  bb_save *save = user;
  bb_runtime *runtime = save->runtime;
  bb_stream *stream = bb_stream_open(&runtime->queue, saved->name, saved->class);
  if (stream == NULL) return BB_ERR_NOMEM;
  if (bb_map_add(&runtime->streams[saved->class], stream->name, stream) < 0) {
    bb_stream_close(stream);
    return BB_ERR_NOMEM;
  }
  stream->id = saved->id;
  stream->first = saved->first;
  stream->next = stream->saved = saved->next;
  stream->saved_records = saved->records;
  stream->saved_bytes = saved->bytes;
  return 0;
}

static int take_cursor(void *user, const bb_store_cursor *cursor) {
  bb_save *save = user;
  bb_queue *queue = &save->runtime->queue;
  for (bb_list *node = queue->streams.next; node != &queue->streams; node = node->next) {
    bb_stream *stream = BB_LIST_ITEM(node, bb_stream, link);
    if (stream->id == cursor->stream) {
      return bb_parking_restore(save->runtime, cursor->sink, stream, cursor->ranges, cursor->n);
    }
  }
  return 0;
}

static int take_value(void *user, const char *key, const uint8_t *bytes, size_t len) {
  bb_save *save = user;
  if (strcmp(key, BB_SAVE_AGE_KEY) == 0) {
    uint64_t age = 0;
    if (len == sizeof(age)) memcpy(&age, bytes, len);
    if (age < MAX_AGE_NS) save->age_base_ns = age;
    return 0;
  }
  int err = bb_keep_restore(&save->runtime->keep, key, bytes, len);
  return err == BB_ERR_NOMEM ? err : 0;
}

/* The clock of ages goes on from where the note of it was, and from no earlier than the oldest packs. */
static int set_age(bb_save *save, bb_store *store) {
  uint64_t now = bb_clock_mono_ns(&save->runtime->clock);
  for (bb_store_class class = BB_STORE_TELEMETRY; class <= BB_STORE_EVENTS; class ++) {
    bb_store_pack oldest;
    int found = bb_store_oldest(store, class, &oldest);
    if (found < 0) return found;
    bool later = found == 1 && oldest.age_ns > save->age_base_ns;
    if (later && oldest.age_ns < MAX_AGE_NS) save->age_base_ns = oldest.age_ns;
  }
  save->age_written_ns = save->age_base_ns;
  /* As if this run began at that age; unsigned, so that a machine that is long up is no matter. */
  save->age_base_ns -= now;
  return 0;
}

void bb_restore_undo(bb_save *save) {
  bb_runtime *runtime = save->runtime;
  bb_parking_forget(runtime);
  for (bb_list *node; (node = bb_list_first(&runtime->queue.streams)) != NULL;) {
    bb_stream_close(BB_LIST_ITEM(node, bb_stream, link));
  }
  for (size_t i = 0; i < BB_STORE_CLASSES; i++) bb_map_close(&runtime->streams[i]);
  bb_names_clear(&save->names);
  bb_keep_close(&runtime->keep);
  save->age_base_ns = save->age_written_ns = 0;
}

int bb_restore(bb_save *save, bb_store *store) {
  int err = bb_store_names(store, take_name, save);
  if (err >= 0) err = bb_store_streams(store, take_stream, save);
  if (err >= 0) err = bb_store_cursors(store, take_cursor, save);
  if (err >= 0) err = bb_store_values(store, take_value, save);
  if (err >= 0) err = set_age(save, store);
  if (err >= 0) err = bb_store_read_stats(store, &save->stats);
  return err;
}
