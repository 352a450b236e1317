/* SPDX-License-Identifier: Apache-2.0 */
/* See save_job.h. */
#include "runtime/save_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define SHRINK_BYTES (1u << 20)
#define MAX_BODIES (64u << 20)

bb_save_job *bb_save_job_new(bb_save *save) {
  bb_save_job *job = calloc(1, sizeof(*job));
  if (job == NULL) return NULL;
  job->save = save;
  job->limits = save->limits;
  bb_buf_init(&job->bodies, MAX_BODIES);
  return job;
}

void bb_save_dead_free(bb_save_dead *dead) {
  while (dead != NULL) {
    bb_save_dead *next = dead->next;
    bb_buf_close(&dead->body);
    bb_device_unref(dead->device);
    bb_shape_unref(dead->shape);
    free(dead);
    dead = next;
  }
}

void bb_save_job_free(bb_save_job *job) {
  if (job == NULL) return;
  for (uint32_t i = 0; i < job->n_parts; i++) {
    free(job->parts[i].name);
    free(job->parts[i].cursors);
  }
  for (uint32_t i = 0; i < job->n_names; i++) free(job->names[i].frame);
  for (uint32_t i = 0; i < job->n_values; i++) {
    free(job->values[i].name);
    free(job->values[i].bytes);
  }
  bb_save_dead_free(job->dead);
  bb_buf_close(&job->bodies);
  free(job->parts);
  free(job->packs);
  free(job->names);
  free(job->values);
  free(job->gone);
  free(job->revived);
  free(job->drops);
  free(job->totals);
  free(job);
}

/* --- on the store's thread --- */

static int write_names(bb_save_job *job, bb_store *store) {
  int err = 0;
  for (uint32_t i = 0; i < job->n_names && err >= 0; i++) {
    const bb_name *name = &job->names[i];
    err = bb_store_name_put(store, name->kind, name->hash, name->frame, name->len);
  }
  return err;
}

static int write_packs(const bb_save_job *job, const bb_save_part *part, bb_store *store) {
  bb_store_gone gone = {0};
  if (part->n_packs == 0) return 0;
  int err = bb_store_trim(store, part->id, part->begun, BB_STORE_OPEN_END, &gone);
  for (uint32_t i = 0; i < part->n_holes && err >= 0; i++) {
    err = bb_store_trim(store, part->id, part->holes[i].from, part->holes[i].to, &gone);
  }
  for (uint32_t i = 0; i < part->n_packs && err >= 0; i++) {
    const bb_save_pack *pack = &job->packs[part->first_pack + i];
    bb_store_pack row = {.stream = part->id,
                         .first = pack->first,
                         .n = pack->n,
                         .age_ns = pack->age_ns,
                         .body = job->bodies.bytes + pack->at,
                         .len = pack->len};
    err = bb_store_append(store, &row);
  }
  return err;
}

static int write_cursors(const bb_save_part *part, bb_store *store) {
  int err = bb_store_cursor_drop(store, part->id, NULL);
  if (err == BB_ERR_NOTFOUND) err = 0;
  for (uint32_t i = 0; i < part->n_cursors && err >= 0; i++) {
    const bb_save_cursor *from = &part->cursors[i];
    bb_store_cursor cursor = {.stream = part->id, .sink = from->sink, .n = from->n};
    memcpy(cursor.ranges, from->spans, from->n * sizeof(*from->spans));
    err = bb_store_cursor_put(store, &cursor);
  }
  return err;
}

/* Takes away what lies between the spans that are needed. */
static int trim(const bb_save_part *part, bb_store *store) {
  uint64_t from = 0; /* what lies before is gone already, or a pack that was needed in part */
  bb_store_gone gone = {0};
  int err = 0;
  for (uint32_t i = 0; i < part->n_need && err >= 0; i++) {
    uint64_t to = part->need[i].from < part->saved ? part->need[i].from : part->saved;
    if (from < to) err = bb_store_trim(store, part->id, from, to, &gone);
    if (part->need[i].to > from) from = part->need[i].to;
  }
  if (err >= 0 && from < part->saved) {
    err = bb_store_trim(store, part->id, from, part->saved, &gone);
  }
  return err;
}

static uint64_t age_limit(uint64_t now, uint64_t max_age) {
  return max_age != 0 && now > max_age ? now - max_age : 0;
}

/* Where what a sink may have begins. It is cut off with the next job, by the loop. What may lie in memory
 * alone is looked at there. */
static int look_for_aged(const bb_save_job *job, bb_save_part *part, bb_store *store) {
  int err = 0;
  for (uint32_t i = 0; i < part->n_cursors && err >= 0; i++) {
    bb_save_cursor *cursor = &part->cursors[i];
    uint64_t limit = age_limit(job->age_ns, cursor->max_age_ns);
    if (limit == 0 || cursor->n == 0 || cursor->spans[0].from >= part->saved) continue;
    err = bb_store_since(store, part->id, cursor->spans[0].from, limit, &cursor->aged);
    if (err == 0) cursor->aged = part->saved;
    if (cursor->aged > part->lacks) cursor->aged = part->lacks;
  }
  return err;
}

/* One place is left for what is not looked at now. */
static int sound(bb_save_part *part, bb_store *store) {
  part->sounded = part->deep.to;
  part->holes[0] = part->deep;
  part->n_holes = 1;
  if (part->id == 0) return 0; /* the store has nothing of it */
  int n = bb_store_gaps(store, part->id, part->deep.from, &part->sounded, part->holes,
                        BB_STREAM_HOLES - 1);
  if (n >= 0) part->n_holes = (uint32_t)n;
  return n;
}

static int write_part(const bb_save_job *job, bb_save_part *part, bb_store *store) {
  if (part->id == 0 && part->n_packs == 0) return 0;
  if (part->id == 0) {
    int id = bb_store_stream_make(store, part->name, part->class);
    if (id < 0) return id;
    part->id = (uint32_t)id;
  }
  int err = write_packs(job, part, store);
  if (err >= 0 && part->cursors_changed) err = write_cursors(part, store);
  if (err >= 0 && part->cursors_changed) err = trim(part, store);
  if (err >= 0) err = look_for_aged(job, part, store);
  return err;
}

static int write_values(const bb_save_job *job, bb_store *store) {
  int err = 0;
  if (job->write_age) {
    err = bb_store_value_put(store, BB_SAVE_AGE_KEY, &job->age_ns, sizeof(job->age_ns));
  }
  for (uint32_t i = 0; i < job->n_values && err >= 0; i++) {
    const bb_save_value *value = &job->values[i];
    err = bb_store_value_put(store, value->name, value->bytes, value->len);
  }
  return err;
}

static int write_dead(const bb_save_job *job, bb_store *store) {
  int err = 0;
  for (const bb_save_dead *dead = job->dead; dead != NULL && err >= 0; dead = dead->next) {
    bb_store_dead row = {.sink = dead->sink,
                         .reason = dead->reason,
                         .time_ns = dead->time_ns,
                         .age_ns = dead->age_ns,
                         .body = dead->body.bytes,
                         .len = dead->body.len};
    err = bb_store_dead_put(store, &row);
  }
  for (uint32_t i = 0; i < job->n_revived && err >= 0; i++) {
    err = bb_store_dead_drop(store, job->revived[i]);
    if (err == BB_ERR_NOTFOUND) err = 0;
  }
  if (err < 0) return err;
  return bb_store_dead_bound(store, job->limits.dead_bytes,
                             age_limit(job->age_ns, job->limits.dead_age_ns));
}

static int note_drop(bb_save_job *job, const bb_store_pack *pack, bool aged) {
  for (uint32_t i = 0; i < job->n_drops; i++) {
    bb_save_drop *drop = &job->drops[i];
    if (drop->stream != pack->stream || drop->aged != aged) continue;
    drop->to = pack->first + pack->n;
    return 0;
  }
  bb_save_drop *drops = realloc(job->drops, (job->n_drops + 1) * sizeof(*drops));
  if (drops == NULL) return BB_ERR_NOMEM;
  job->drops = drops;
  drops[job->n_drops++] =
      (bb_save_drop){.stream = pack->stream, .to = pack->first + pack->n, .aged = aged};
  return 0;
}

/* Whole oldest packs go: those too old, then, until the rest fits, telemetry before events. */
static int keep_bounds(bb_save_job *job, bb_store *store) {
  uint64_t oldest_age = age_limit(job->age_ns, job->limits.max_age_ns);
  int err = bb_store_read_stats(store, &job->stats);
  uint64_t bytes = job->stats.bytes;
  for (bb_store_class class = BB_STORE_TELEMETRY; class <= BB_STORE_EVENTS && err >= 0;) {
    bb_store_pack pack;
    bb_store_gone gone = {0};
    err = bb_store_oldest(store, class, &pack);
    if (err < 0) break;
    bool aged = err == 1 && pack.age_ns < oldest_age;
    if (err == 0 || (!aged && bytes <= job->limits.max_bytes)) {
      class ++;
      continue;
    }
    err = bb_store_trim(store, pack.stream, pack.first, pack.first + pack.n, &gone);
    if (err >= 0) err = gone.packs == 1 ? note_drop(job, &pack, aged) : BB_ERR_FORMAT;
    bytes -= gone.bytes < bytes ? gone.bytes : bytes;
  }
  return err;
}

static int note_total(void *user, const bb_store_stream *stream) {
  bb_save_job *job = user;
  if (job->n_totals % BB_MAX_STREAMS == 0) {
    size_t more = job->n_totals + BB_MAX_STREAMS;
    bb_save_total *totals = realloc(job->totals, more * sizeof(*totals));
    if (totals == NULL) return BB_ERR_NOMEM;
    job->totals = totals;
  }
  job->totals[job->n_totals++] =
      (bb_save_total){.stream = stream->id, .records = stream->records, .bytes = stream->bytes};
  return 0;
}

/* Streams without a record leave no trace, and no name is needed without a record. */
static int tidy(bb_save_job *job, bb_store *store) {
  job->n_totals = 0;
  int err = bb_store_streams(store, note_total, job);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < job->n_totals && err >= 0; i++) {
    if (job->totals[i].records > 0) {
      job->totals[kept++] = job->totals[i];
      continue;
    }
    err = bb_store_stream_drop(store, job->totals[i].stream);
  }
  job->n_totals = kept;
  if (err >= 0) err = bb_store_read_stats(store, &job->stats);
  if (err < 0 || kept > 0 || job->stats.dead > 0) return err;
  err = bb_store_names_drop(store);
  job->names_gone = err >= 0;
  return err;
}

static int write_all(bb_save_job *job, bb_store *store) {
  int err = write_names(job, store);
  for (uint32_t i = 0; i < job->n_gone && err >= 0; i++) {
    err = bb_store_stream_drop(store, job->gone[i]);
    if (err == BB_ERR_NOTFOUND) err = 0;
  }
  for (uint32_t i = 0; i < job->n_parts && err >= 0; i++) {
    err = write_part(job, &job->parts[i], store);
    if (err >= 0 && job->parts[i].sounds) err = sound(&job->parts[i], store);
  }
  if (err >= 0) err = write_values(job, store);
  if (err >= 0) err = write_dead(job, store);
  if (err >= 0) err = keep_bounds(job, store);
  if (err >= 0) err = tidy(job, store);
  return err;
}

int bb_save_job_run(bb_spool_job *spool_job, bb_store *store) {
  bb_save_job *job = (bb_save_job *)spool_job;
  int err = bb_store_begin(store);
  if (err >= 0) err = write_all(job, store);
  if (err >= 0) err = bb_store_commit(store);
  if (err < 0) {
    bb_store_rollback(store);
    return err;
  }
  /* What follows is no part of the promise: a failure will come up again. */
  if (job->stats.free_bytes > SHRINK_BYTES && job->stats.free_bytes > job->stats.file_bytes / 4) {
    job->shrinking = true;
  }
  if (job->shrinking) job->shrinking = bb_store_shrink(store, SHRINK_BYTES) == 1;
  bb_store_read_stats(store, &job->stats);
  return 0;
}
