/* SPDX-License-Identifier: Apache-2.0 */
/* When a job is made, and what becomes of its answer; see save.h. What it carries is gathered in
 * save_gather.c. */
#include "runtime/save.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/restore.h"
#include "runtime/runtime.h"
#include "runtime/save_gather.h"
#include "runtime/save_job.h"

#define TICKS 8 /* looks in a sync interval */
#define MIN_TICK_MS 20
#define RETRY_MS 1000
#define AGE_EVERY_NS (60 * BB_NS_PER_S)

static uint64_t now_of(const bb_save *save) {
  return bb_clock_mono_ns(&save->runtime->clock);
}

uint64_t bb_save_age_ns(const bb_save *save, uint64_t mono_ns) {
  return save->age_base_ns + mono_ns;
}

static void on_timer(uv_timer_t *timer) {
  bb_save_look(timer->data);
}

/* Only while something may have to be saved. */
static void arm(bb_save *save) {
  if (uv_is_active((uv_handle_t *)&save->timer) || save->ending) return;
  uint64_t ms = save->limits.sync_ms / TICKS;
  uv_timer_start(&save->timer, on_timer, ms > MIN_TICK_MS ? ms : MIN_TICK_MS, 0);
}

static void begin_anew(bb_spool *spool);

int bb_save_open(bb_save *save, bb_runtime *runtime, char why[BB_STORE_WHY]) {
  save->runtime = runtime;
  if (runtime->data_dir == NULL) return 0;
  size_t len = strlen(runtime->data_dir) + sizeof("/" BB_STORE_FILE);
  char *path = malloc(len);
  if (path == NULL) return BB_ERR_NOMEM;
  snprintf(path, len, "%s/" BB_STORE_FILE, runtime->data_dir);
  int err = bb_spool_open(&save->spool, runtime->loop, path, runtime->log, why);
  if (err < 0) {
    free(path);
    return err;
  }
  save->open = true;
  save->spool.on_fresh = begin_anew;
  bb_packer_init(&save->packer);
  uv_timer_init(runtime->loop, &save->timer);
  save->timer.data = save;
  bb_store *store = bb_spool_store(&save->spool);
  if (store != NULL && bb_restore(save, store) < 0) {
    bb_log_error(runtime->log, "store", "%s; what it holds is not sent", bb_store_why(store));
  }
  /* What is left will be delivered, though nothing new comes. */
  if (bb_save_is_waiting(save)) arm(save);
  return 0;
}

void bb_save_appended(bb_save *save, uint32_t bytes) {
  if (!save->open) return;
  save->appended += bytes;
  arm(save);
}

void bb_save_soon(bb_save *save) {
  if (!save->open) return;
  save->at_once = true;
  arm(save);
}

/* --- the answer --- */

static void apply_totals(bb_save *save, const bb_save_job *job) {
  for (bb_list *node = save->runtime->queue.streams.next; node != &save->runtime->queue.streams;
       node = node->next) {
    bb_stream *stream = BB_LIST_ITEM(node, bb_stream, link);
    if (stream->id == 0) continue;
    uint32_t i = 0;
    while (i < job->n_totals && job->totals[i].stream != stream->id) i++;
    bool kept = i < job->n_totals;
    if (!kept) stream->id = 0; /* it was empty, and went */
    if (!kept) stream->cursor_hash = 0;
    stream->saved_records = kept ? job->totals[i].records : 0;
    stream->saved_bytes = kept ? job->totals[i].bytes : 0;
  }
}

static bb_stream *stream_of(bb_save *save, uint32_t id) {
  for (bb_list *node = save->runtime->queue.streams.next; node != &save->runtime->queue.streams;
       node = node->next) {
    bb_stream *stream = BB_LIST_ITEM(node, bb_stream, link);
    if (stream->id == id) return stream;
  }
  return NULL;
}

static void apply_part(bb_save *save, const bb_save_job *job, bb_save_part *part) {
  bb_stream *stream = part->stream;
  stream->id = part->id;
  stream->saved = part->saved;
  if (part->cursors_changed) {
    stream->cursor_hash = part->cursor_hash;
    stream->trimmed =
        part->n_need > 0 && part->need[0].from < part->saved ? part->need[0].from : part->saved;
  }
  for (uint32_t i = 0; i < part->n_packs; i++) save->saved += job->packs[part->first_pack + i].n;
}

static void apply_success(bb_save *save, bb_save_job *job) {
  for (uint32_t i = 0; i < job->n_parts; i++) apply_part(save, job, &job->parts[i]);
  for (uint32_t i = 0; i < job->n_drops; i++) {
    bb_stream *stream = stream_of(save, job->drops[i].stream);
    if (stream != NULL) bb_stream_forget(stream, job->drops[i].to, job->drops[i].aged);
  }
  apply_totals(save, job);
  if (job->names_gone) bb_names_clear(&save->names);
  if (job->write_age) save->age_written_ns = job->age_ns;
  bb_keep_saved(&save->runtime->keep, job->puts);
  save->stats = job->stats;
  save->retry_ns = 0;
}

/* What could not be written is still there and goes with the next job. */
static void take_back(bb_save *save, bb_save_job *job) {
  save->failed++;
  save->retry_ns = now_of(save) + RETRY_MS * BB_NS_PER_MS;
  bb_save_return_dead(save, job);
  if (job->n_values > 0) save->at_once = true;
}

/* The store is a fresh one: what is in memory is to be saved anew, the rest is gone. */
static void begin_anew(bb_spool *spool) {
  bb_save *save = BB_LIST_ITEM(spool, bb_save, spool);
  bb_names_clear(&save->names);
  bb_keep_lost(&save->runtime->keep);
  free(save->gone);
  save->gone = NULL;
  save->n_gone = 0;
  for (bb_list *node = save->runtime->queue.streams.next; node != &save->runtime->queue.streams;
       node = node->next) {
    bb_stream *stream = BB_LIST_ITEM(node, bb_stream, link);
    const bb_chunk *chunk = bb_stream_find(stream, stream->first);
    uint64_t first = chunk != NULL ? chunk->first : stream->next;
    bool had = stream->id != 0;
    stream->id = 0;
    stream->cursor_hash = 0;
    stream->saved_records = stream->saved_bytes = 0;
    if (stream->saved > first || had) stream->saved = first;
    if (had) bb_stream_forget(stream, first, false);
  }
  save->at_once = true;
}

static void end_spool(bb_save *save);

static void on_done(bb_spool_job *spool_job) {
  bb_save_job *job = (bb_save_job *)spool_job;
  bb_save *save = job->save;
  bb_runtime *runtime = save->runtime;
  uint64_t puts = job->puts;
  bool ok = spool_job->result >= 0;
  save->job = NULL;
  for (uint32_t i = 0; i < job->n_parts; i++) job->parts[i].stream->saving = false;
  bb_names_settle(&save->names, ok);
  if (ok) {
    apply_success(save, job);
  } else {
    take_back(save, job);
  }
  bb_save_job_free(job);
  bb_runtime_kept(runtime, puts, ok);
  runtime->safe_changed = true;
  if (save->ending) {
    end_spool(save);
  } else {
    arm(save);
  }
}

/* --- when --- */

static bool make_job(bb_save *save, bool all) {
  uint64_t now = now_of(save);
  bb_save_job *job = bb_save_job_new(save);
  if (job == NULL) return false;
  job->age_ns = bb_save_age_ns(save, now);
  job->write_age = all || job->age_ns > save->age_written_ns + AGE_EVERY_NS;
  if (!bb_save_gather(save, job, now, all)) {
    bb_save_job_free(job);
    return false;
  }
  save->job = job;
  save->jobs++;
  save->last_ns = now;
  save->appended = 0;
  save->at_once = false;
  job->job.run = bb_save_job_run;
  job->job.done = on_done;
  bb_spool_push(&save->spool, &job->job);
  return true;
}

void bb_save_look(bb_save *save) {
  if (!save->open || save->ending || save->job != NULL) return;
  uint64_t now = now_of(save);
  if (now >= save->retry_ns) make_job(save, false);
  if (save->job == NULL && bb_save_is_waiting(save)) arm(save);
}

bool bb_save_forget_stream(bb_save *save, bb_stream *stream) {
  if (stream->saving || stream->fetching) return false;
  if (stream->id == 0) return true;
  uint32_t *gone = realloc(save->gone, (save->n_gone + 1) * sizeof(*gone));
  if (gone == NULL) return false;
  save->gone = gone;
  gone[save->n_gone++] = stream->id;
  stream->id = 0;
  arm(save);
  return true;
}

bool bb_save_is_safe(const bb_save *save, const bb_stream *stream, uint64_t record) {
  uint64_t floor = stream->next;
  bool durable = false;
  for (bb_list *node = stream->readers.next; node != &stream->readers; node = node->next) {
    const bb_reader *reader = BB_LIST_ITEM(node, bb_reader, link);
    if (!reader->durable) continue;
    durable = true;
    if (reader->floor < floor) floor = reader->floor;
  }
  return !save->open || !durable || record < floor || record < stream->saved;
}

/* --- the end --- */

static void on_spool_closed(bb_spool *spool) {
  bb_save *save = BB_LIST_ITEM(spool, bb_save, spool);
  save->on_ended(save->runtime);
}

static void on_timer_closed(uv_handle_t *handle) {
  bb_save *save = handle->data;
  bb_spool_close(&save->spool, on_spool_closed);
}

/* More than fits one job takes more of them; one that fails is the last. */
static void end_spool(bb_save *save) {
  if (save->retry_ns == 0 && make_job(save, true)) return;
  uv_close((uv_handle_t *)&save->timer, on_timer_closed);
}

void bb_save_end(bb_save *save, void (*on_ended)(bb_runtime *runtime)) {
  save->ending = true;
  save->on_ended = on_ended;
  if (!save->open) {
    on_ended(save->runtime);
    return;
  }
  uv_timer_stop(&save->timer);
  save->retry_ns = 0;
  if (save->job == NULL) end_spool(save);
}

void bb_save_close(bb_save *save) {
  bb_names_close(&save->names);
  bb_save_dead_free(save->dead);
  free(save->gone);
  free(save->revived);
  if (!save->open) return;
  bb_packer_close(&save->packer);
  free((char *)save->spool.path);
}
