/* SPDX-License-Identifier: Apache-2.0 */
/* When a job is made, and what becomes of its answer; see save.h. What it carries is gathered in
 * save_gather.c. */
#include "runtime/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/apply.h"
#include "runtime/reading.h"
#include "runtime/restore.h"
#include "runtime/restore_job.h"
#include "runtime/runtime.h"
#include "runtime/save_gather.h"
#include "runtime/save_job.h"

#define TICKS 8 /* looks in a sync interval */
#define MIN_TICK_MS 20
#define RETRY_MS 1000
#define RESTORE_FIRST_MS (BB_SPOOL_REOPEN_MS * 5 / 4) /* no less than that, spread as it is */
#define RESTORE_LONGEST_MS 30000
#define AGE_EVERY_NS (60 * BB_NS_PER_S)
#define AGE_SELDOM_NS (10 * AGE_EVERY_NS) /* where nothing else is written, to spare flash memory */
#define BOUNDS_EVERY_NS (10 * BB_NS_PER_S)

static uint64_t now_of(const bb_save *save) {
  return bb_clock_mono_ns(&save->runtime->clock);
}

uint64_t bb_save_age_ns(const bb_save *save, uint64_t mono_ns) {
  uint64_t age = save->age_base_ns + mono_ns;
  return age <= INT64_MAX ? age : 0; /* from before the first run */
}

static void on_timer(uv_timer_t *timer) {
  bb_save_look(timer->data);
}

/* Only while something may have to be saved. */
static void arm(bb_save *save) {
  if (uv_is_active((uv_handle_t *)&save->timer) || save->ending || save->restoring) return;
  uint64_t ms = save->limits.sync_ms / TICKS, now = now_of(save);
  if (ms < MIN_TICK_MS) ms = MIN_TICK_MS;
  if (!save->restored) ms = now < save->retry_ns ? (save->retry_ns - now) / BB_NS_PER_MS + 1 : 1;
  uv_timer_start(&save->timer, on_timer, ms, 0);
}

static void begin_anew(bb_spool *spool);

static void note_restored(bb_save *save) {
  save->restored = true;
  bb_spool_restored(&save->spool);
}

/* A damaged store makes way for a fresh one. Of one that could not be read nothing is touched. */
static void restore(bb_save *save) {
  bb_store *store = bb_spool_store(&save->spool);
  if (store == NULL) return;
  bb_leftover left;
  char why[BB_STORE_WHY], count[BB_TEXT_COUNT];
  int err = bb_leftover_read(&left, store);
  snprintf(why, sizeof(why), "%s", err < 0 ? bb_store_why(store) : "out of memory");
  if (err >= 0) err = bb_leftover_take(&left, save);
  if (err >= 0 && left.stats.records > 0) {
    bb_log_info(save->runtime->log, "store", "%s", bb_leftover_tell(&left, count));
  }
  bb_leftover_close(&left);
  if (err == BB_ERR_FORMAT) bb_spool_discard(&save->spool, why);
  if (err >= 0 || err == BB_ERR_FORMAT) {
    note_restored(save);
  } else {
    bb_spool_fail(&save->spool, why);
  }
}

static void delay_restore(bb_save *save) {
  save->retry_ns = now_of(save) + bb_backoff_next_ms(&save->backoff) * BB_NS_PER_MS;
}

int bb_save_open(bb_save *save, bb_runtime *runtime, char why[BB_STORE_WHY]) {
  save->runtime = runtime;
  bb_list_init(&save->readings);
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
  save->begun_ns = now_of(save);
  bb_backoff_init(&save->backoff, RESTORE_FIRST_MS, RESTORE_LONGEST_MS, save->begun_ns);
  restore(save);
  if (!save->restored) delay_restore(save);
  arm(save); /* cursors move without anything new, too */
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

/* The store counts from its opening, and is opened again after a failure. */
void bb_save_take_stats(bb_save *save, const bb_store_stats *stats) {
  if (stats->written_bytes < save->stats.written_bytes) {
    save->written_before += save->stats.written_bytes;
  }
  save->stats = *stats;
}

uint64_t bb_save_written_bytes(const bb_save *save) {
  return save->written_before + save->stats.written_bytes;
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

static void cut_aged(bb_save *save, const bb_save_part *part) {
  bb_queue *queue = &save->runtime->queue;
  for (uint32_t i = 0; i < part->n_cursors; i++) {
    const bb_save_cursor *cursor = &part->cursors[i];
    if (cursor->aged == 0) continue;
    for (bb_list *node = part->stream->readers.next; node != &part->stream->readers;
         node = node->next) {
      bb_reader *reader = BB_LIST_ITEM(node, bb_reader, link);
      if (strcmp(reader->sink, cursor->sink) == 0) queue->on_aged(queue, reader, cursor->aged);
    }
  }
}

/* Where a late reader came meanwhile, nothing of it holds for that one. */
static void apply_holes(bb_stream *stream, const bb_save_part *part) {
  if (stream->holes_grew) return;
  if (!part->sounds) {
    bb_stream_fill(stream, part->filled);
    return;
  }
  if (stream->n_holes == 0) return; /* the memory has let go of it meanwhile */
  bb_span rest = stream->holes[0];
  memcpy(stream->holes, part->holes, sizeof(stream->holes));
  stream->n_holes = part->n_holes;
  stream->sounded = part->sounded;
  if (part->sounded < rest.to) stream->holes[stream->n_holes++] = (bb_span){part->sounded, rest.to};
  bb_stream_fill(stream, rest.from);
}

static void apply_part(bb_save *save, const bb_save_job *job, bb_save_part *part) {
  bb_stream *stream = part->stream;
  stream->id = part->id;
  stream->saved = part->saved;
  apply_holes(stream, part);
  if (part->cursors_changed) stream->cursor_hash = part->cursor_hash;
  cut_aged(save, part);
  for (uint32_t i = 0; i < part->n_packs; i++) save->saved += job->packs[part->first_pack + i].n;
  save->saved_samples += part->samples;
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
  save->shrinking = job->shrinking;
  bb_keep_saved(&save->runtime->keep, job->puts);
  bb_save_take_stats(save, &job->stats);
  save->retry_ns = 0;
}

/* What could not be written is still there and goes with the next job. */
static void take_back(bb_save *save, bb_save_job *job) {
  save->failed++;
  save->retry_ns = now_of(save) + RETRY_MS * BB_NS_PER_MS;
  bb_save_return(save, job);
  if (job->n_values > 0) save->at_once = true;
}

/* The store is a fresh one: what is in memory is to be saved anew, the rest is gone. */
static void begin_anew(bb_spool *spool) {
  bb_save *save = BB_LIST_ITEM(spool, bb_save, spool);
  bb_names_clear(&save->names);
  bb_keep_lost(&save->runtime->keep);
  free(save->gone);
  save->gone = NULL;
  save->n_gone = save->n_revived = 0;
  save->shrinking = false;
  if (save->job != NULL) save->job->n_gone = save->job->n_revived = 0; /* it will fail, too */
  for (bb_list *node = save->runtime->queue.streams.next; node != &save->runtime->queue.streams;
       node = node->next) {
    bb_stream *stream = BB_LIST_ITEM(node, bb_stream, link);
    const bb_chunk *chunk = bb_stream_find(stream, stream->first);
    uint64_t first = chunk != NULL ? chunk->first : stream->next;
    bool had = stream->id != 0;
    stream->id = 0;
    stream->cursor_hash = 0;
    bb_stream_fill(stream, UINT64_MAX);
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
  bool ok = spool_job->result >= 0, is_stale = spool_job->result == BB_ERR_STATE;
  bool short_of_all = job->bodies.len >= BB_SAVE_JOB_BYTES;
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
  if (runtime->untidy) bb_runtime_tidy(runtime);
  if (save->ending) {
    /* A store that was set aside just now: the fresh one takes what is in memory. */
    if (is_stale && !save->tried_again) save->retry_ns = 0;
    save->tried_again = save->tried_again || is_stale;
    end_spool(save);
    return;
  }
  arm(save);
  if (ok && short_of_all) bb_save_look(save);
}

/* --- when --- */

static bool make_job(bb_save *save, bool all) {
  uint64_t now = now_of(save);
  bb_save_job *job = bb_save_job_new(save);
  if (job == NULL) return false;
  job->age_ns = bb_save_age_ns(save, now);
  uint64_t every = save->aging ? AGE_SELDOM_NS : AGE_EVERY_NS;
  job->write_age = all || job->age_ns > save->age_written_ns + every;
  if (!bb_save_gather(save, job, now, all)) {
    bb_save_job_free(job);
    return false;
  }
  save->job = job;
  save->jobs++;
  save->last_ns = now;
  save->appended = 0;
  save->at_once = save->aging = false;
  job->job.must_work = true;
  job->job.run = bb_save_job_run;
  job->job.done = on_done;
  bb_spool_push(&save->spool, &job->job);
  return true;
}

static void on_restored(bb_save *save, int err) {
  save->restoring = false;
  if (err >= 0) {
    note_restored(save);
    save->retry_ns = 0;
  } else {
    delay_restore(save);
  }
  if (save->ending) {
    end_spool(save);
  } else {
    arm(save);
  }
}

static bool start_restore(bb_save *save) {
  save->restoring = bb_restore_job_start(save, on_restored) == 0;
  return save->restoring;
}

void bb_save_look(bb_save *save) {
  if (!save->open || save->ending || save->job != NULL || save->restoring) return;
  bool due = now_of(save) >= save->retry_ns;
  if (save->restored) {
    if (due) make_job(save, false);
    if (save->job == NULL && bb_save_is_waiting(save)) arm(save);
  } else if (!due || !start_restore(save)) {
    arm(save);
  }
}

void bb_save_tick(bb_save *save) {
  bool holds = save->restored && (save->stats.records > 0 || save->stats.dead > 0);
  if (!holds || now_of(save) < save->last_ns + BOUNDS_EVERY_NS) return;
  save->aging = true;
  bb_save_look(save);
}

bool bb_save_forget_stream(bb_save *save, bb_stream *stream) {
  bool busy = stream->saving || stream->fetching;
  if (busy) save->runtime->untidy = true;
  if (busy || stream->id == 0) return !busy;
  uint32_t *gone = realloc(save->gone, (save->n_gone + 1) * sizeof(*gone));
  if (gone == NULL) return false;
  save->gone = gone;
  gone[save->n_gone++] = stream->id;
  stream->id = 0;
  arm(save);
  return true;
}

void bb_save_now(bb_save *save) {
  if (!save->open || save->ending || save->job != NULL || save->restoring) return;
  if (save->restored) {
    make_job(save, true);
  } else {
    start_restore(save);
  }
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
  if (save->job != NULL || save->restoring || !bb_list_empty(&save->readings)) return;
  if (save->retry_ns == 0 && (save->restored ? make_job(save, true) : start_restore(save))) return;
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
  bb_readings_end(save);
  end_spool(save);
}

void bb_save_read(bb_save *save) {
  if (save->ending) end_spool(save);
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
