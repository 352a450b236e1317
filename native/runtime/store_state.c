/* SPDX-License-Identifier: Apache-2.0 */
/* See store_state.h. */
#include "runtime/store_state.h"

#include <string.h>

#include "base/hash.h"
#include "runtime/parking.h"

static void put_orphans(const bb_runtime *runtime, bb_json_writer *json) {
  const void *at = NULL;
  bb_orphan orphan;
  bb_json_writer_list(json, "orphans");
  while (bb_parking_next(runtime, &at, &orphan)) {
    bb_json_writer_map(json, NULL);
    bb_json_writer_text(json, "sink", orphan.sink);
    bb_json_writer_uint(json, "batches", orphan.batches);
    bb_json_writer_uint(json, "bytes", orphan.bytes);
    bb_json_writer_uint(json, "dropped", orphan.dropped);
    if (orphan.disabled) bb_json_writer_bool(json, "disabled", true);
    bb_json_writer_end(json);
  }
  bb_json_writer_end(json);
}

static void put_content(const bb_save *save, bb_json_writer *json) {
  const bb_store_stats *stats = &save->stats;
  bb_json_writer_text(json, "path", save->spool.path);
  bb_json_writer_uint(json, "file_bytes", stats->file_bytes);
  bb_json_writer_uint(json, "log_bytes", stats->log_bytes);
  bb_json_writer_uint(json, "free_bytes", stats->free_bytes);
  bb_json_writer_uint(json, "written_bytes", bb_save_written_bytes(save));
  bb_json_writer_uint(json, "records", stats->records);
  bb_json_writer_uint(json, "bytes", stats->bytes);
  bb_json_writer_uint(json, "saved", save->saved);
  bb_json_writer_uint(json, "saved_samples", save->saved_samples);
  bb_json_writer_uint(json, "dead", stats->dead);
  bb_json_writer_uint(json, "dead_bytes", stats->dead_bytes);
  bb_json_writer_uint(json, "sync_ms", save->limits.sync_ms);
  bb_json_writer_uint(json, "max_bytes", save->limits.max_bytes);
  bb_json_writer_uint(json, "max_age_ms", save->limits.max_age_ns / BB_NS_PER_MS);
}

void bb_store_state_put(const bb_runtime *runtime, bb_json_writer *json) {
  const bb_save *save = &runtime->save;
  bb_json_writer_map(json, "store");
  bb_json_writer_bool(json, "open", save->open);
  bb_json_writer_bool(json, "failing", save->open && save->spool.failing);
  if (save->open && save->spool.failing) bb_json_writer_text(json, "reason", save->spool.why);
  if (save->open) put_content(save, json);
  put_orphans(runtime, json);
  bb_json_writer_end(json);
}

static uint64_t hash_of(const bb_runtime *runtime) {
  const bb_spool *spool = &runtime->save.spool;
  const void *at = NULL;
  bb_orphan orphan;
  uint64_t hash = BB_HASH_START;
  if (runtime->save.open && spool->failing) hash = bb_hash_string(hash, spool->why);
  while (bb_parking_next(runtime, &at, &orphan)) {
    hash = bb_hash_string(hash, orphan.sink);
    hash = bb_hash_add(hash, &orphan.batches, sizeof(orphan.batches));
    hash = bb_hash_add(hash, &orphan.disabled, sizeof(orphan.disabled));
  }
  return hash;
}

void bb_store_state_note(bb_runtime *runtime) {
  runtime->store_told = hash_of(runtime);
}

void bb_store_state_look(bb_runtime *runtime) {
  uint64_t hash = hash_of(runtime);
  if (hash == runtime->store_told) return;
  runtime->store_told = hash;
  for (bb_list *node = runtime->watches.next; node != &runtime->watches;) {
    bb_watch *watch = BB_LIST_ITEM(node, bb_watch, link);
    node = node->next;
    if (watch->on_store != NULL) watch->on_store(watch);
  }
}
