/* SPDX-License-Identifier: Apache-2.0 */
/* See save_gather.h. */
#include "runtime/save_gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "runtime/runtime.h"

#define SOON_NS (100 * BB_NS_PER_MS) /* what a healthy sink acknowledges within */
#define AGING_NS BB_NS_PER_S
#define MAX_DEAD_WAITING (4u << 20) /* bytes of refused records that are not yet in the store */

/* --- what is needed of a stream, and how old it is --- */

/* The first record that a durable reader needs and that is not saved; next if there is none. */
static uint64_t first_unsaved(const bb_stream *stream, const bb_span *need, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    uint64_t record = need[i].from > stream->saved ? need[i].from : stream->saved;
    if (record < need[i].to) return record < stream->next ? record : stream->next;
  }
  return stream->next;
}

/* How long that record has waited; 0 if it is not in memory. */
static uint64_t age_of(const bb_stream *stream, uint64_t record, uint64_t now_ns) {
  bb_chunk *chunk = bb_stream_find(stream, record);
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  if (chunk == NULL) return 0;
  if (record < chunk->first) record = chunk->first;
  uint64_t then = bb_chunk_batch(chunk, &walk, record, &bytes)->mono_ns;
  return now_ns > then ? now_ns - then : 1;
}

/* Nearly the sync interval, so that it is on the disk when the interval is over; much earlier when a
 * lot has come. */
static bool is_due(const bb_save *save, uint64_t age_ns) {
  uint64_t sync_ns = save->limits.sync_ms * BB_NS_PER_MS;
  if (age_ns == 0) return false;
  if (age_ns >= sync_ns - sync_ns / 8) return true;
  uint64_t soon_ns = sync_ns / 8 < SOON_NS ? sync_ns / 8 : SOON_NS;
  return save->appended >= BB_SAVE_JOB_BYTES && age_ns >= soon_ns;
}

static uint32_t count_durable(const bb_stream *stream) {
  uint32_t n = 0;
  for (bb_list *node = stream->readers.next; node != &stream->readers; node = node->next) {
    n += BB_LIST_ITEM(node, bb_reader, link)->durable;
  }
  return n;
}

/* Two readers of one sink are one: what was left by the former and what its successor has. */
static bb_save_cursor *cursor_of(bb_save_part *part, const char *sink) {
  for (uint32_t i = 0; i < part->n_cursors; i++) {
    if (strcmp(part->cursors[i].sink, sink) == 0) return &part->cursors[i];
  }
  bb_save_cursor *cursor = &part->cursors[part->n_cursors++];
  snprintf(cursor->sink, sizeof(cursor->sink), "%s", sink);
  return cursor;
}

static bool take_cursors(bb_save_part *part, const bb_stream *stream) {
  part->cursors = calloc(count_durable(stream), sizeof(*part->cursors));
  if (part->cursors == NULL) return false;
  for (bb_list *node = stream->readers.next; node != &stream->readers; node = node->next) {
    const bb_reader *reader = BB_LIST_ITEM(node, bb_reader, link);
    bb_span spans[BB_READER_SPANS];
    if (!reader->durable) continue;
    bb_save_cursor *cursor = cursor_of(part, reader->sink);
    cursor->max_age_ns = reader->max_age_ns;
    uint32_t n = reader->need(reader, spans);
    for (uint32_t i = 0; i < n; i++) {
      cursor->n =
          bb_span_add(cursor->spans, cursor->n, BB_READER_SPANS, spans[i].from, spans[i].to);
    }
  }
  part->cursor_hash = BB_HASH_START;
  for (uint32_t i = 0; i < part->n_cursors; i++) {
    const bb_save_cursor *cursor = &part->cursors[i];
    part->cursor_hash = bb_hash_string(part->cursor_hash, cursor->sink);
    part->cursor_hash =
        bb_hash_add(part->cursor_hash, cursor->spans, cursor->n * sizeof(*cursor->spans));
  }
  return true;
}

/* --- packs --- */

static bool add_names(bb_save *save, bb_save_job *job, const bb_device *device,
                      const bb_shape *shape) {
  if (job->n_names + 2 > job->cap_names) {
    uint32_t cap = job->cap_names * 2 + 16;
    bb_name *names = realloc(job->names, cap * sizeof(*names));
    if (names == NULL) return false;
    job->names = names;
    job->cap_names = cap;
  }
  int n = bb_names_note(&save->names, device, shape, job->names + job->n_names);
  if (n > 0) job->n_names += (uint32_t)n;
  return n >= 0;
}

/* Forgets what it began. */
static void reset_packer(bb_save *save) {
  bb_packer_close(&save->packer);
  bb_packer_init(&save->packer);
}

/* Ends the pack that was begun at `first`. */
static bool end_pack(bb_save *save, bb_save_job *job, bb_save_part *part, bb_save_pack *pack) {
  if (save->packer.n_records == 0) return true;
  if (job->n_packs == job->cap_packs) {
    uint32_t cap = job->cap_packs * 2 + 16;
    bb_save_pack *packs = realloc(job->packs, cap * sizeof(*packs));
    if (packs == NULL) return false;
    job->packs = packs;
    job->cap_packs = cap;
  }
  pack->n = save->packer.n_records;
  pack->at = job->bodies.len;
  int len = bb_packer_end(&save->packer, &job->bodies);
  if (len < 0) return false;
  pack->len = (size_t)len;
  job->packs[job->n_packs++] = *pack;
  part->n_packs++;
  return true;
}

static bool add_record(bb_save *save, bb_save_job *job, bb_save_part *part, bb_save_pack *pack,
                       uint64_t record, const bb_batch *batch) {
  bool follows = save->packer.n_records > 0 && record == pack->first + save->packer.n_records;
  if (!follows && !end_pack(save, job, part, pack)) return false;
  uint32_t sources = save->packer.n_sources;
  int err = bb_packer_add(&save->packer, batch);
  if (err == BB_ERR_AGAIN) {
    if (!end_pack(save, job, part, pack)) return false;
    sources = 0;
    err = bb_packer_add(&save->packer, batch);
  }
  if (err < 0) return false;
  if (save->packer.n_records == 1) pack->first = record;
  pack->age_ns = bb_save_age_ns(save, batch->mono_ns);
  part->samples += bb_batch_samples(batch);
  return save->packer.n_sources == sources || add_names(save, job, batch->device, batch->shape);
}

/* Packs what is needed of from..to and lies in memory. `*end` is how far it came: short of `to` when the
 * job is full. */
static bool pack_span(bb_save *save, bb_save_job *job, bb_save_part *part, uint64_t from,
                      uint64_t to, uint64_t *end) {
  const bb_stream *stream = part->stream;
  bb_save_pack pack = {0};
  bool ok = true;
  *end = to;
  for (uint32_t i = 0; i < part->n_need && ok; i++) {
    uint64_t record = part->need[i].from > from ? part->need[i].from : from;
    uint64_t last = part->need[i].to < to ? part->need[i].to : to;
    bb_chunk_walk walk = {0};
    bb_chunk *chunk = NULL;
    while (record < last && ok) {
      if (chunk == NULL || record >= chunk->first + chunk->n) {
        chunk = bb_stream_find(stream, record);
        if (chunk == NULL || chunk->first >= last) break;
        if (record < chunk->first) record = chunk->first;
      }
      if (job->bodies.len >= BB_SAVE_JOB_BYTES) {
        *end = record;
        return end_pack(save, job, part, &pack);
      }
      uint32_t bytes;
      const bb_batch *batch = bb_chunk_batch(chunk, &walk, record, &bytes);
      ok = add_record(save, job, part, &pack, record, batch);
      record++;
    }
  }
  return ok && end_pack(save, job, part, &pack);
}

/* Fills the holes whose depth is known, or else has it looked for. */
static bool pack_holes(bb_save *save, bb_save_job *job, bb_save_part *part) {
  bb_stream *stream = part->stream;
  bool ok = true;
  stream->holes_grew = false;
  part->lacks = UINT64_MAX;
  if (stream->n_holes == 0) return true;
  part->lacks = stream->holes[0].from;
  part->deep = stream->holes[0];
  part->sounds = part->deep.from >= stream->sounded;
  for (uint32_t i = 0; i < stream->n_holes && ok; i++) {
    const bb_span *hole = &stream->holes[i];
    if (hole->from >= stream->sounded) break;
    part->holes[part->n_holes++] = *hole;
    ok = pack_span(save, job, part, hole->from, hole->to, &part->filled);
    if (part->filled < hole->to) break;
  }
  return ok;
}

/* --- the job --- */

static bool has_aging(const bb_save *save, const bb_save_part *part, uint64_t now_ns) {
  if (now_ns < save->aging_ns + AGING_NS) return false;
  for (uint32_t i = 0; i < part->n_cursors; i++) {
    if (part->cursors[i].max_age_ns > 0) return true;
  }
  return false;
}

static bool add_part(bb_save *save, bb_save_job *job, bb_stream *stream, uint64_t now_ns,
                     bool all) {
  bb_save_part *part = &job->parts[job->n_parts];
  uint64_t sync_ns = save->limits.sync_ms * BB_NS_PER_MS;
  *part = (bb_save_part){.stream = stream,
                         .class = stream->class,
                         .id = stream->id,
                         .begun = stream->saved,
                         .saved = stream->saved};
  part->n_need = bb_stream_need(stream, part->need, BB_STREAM_SPANS);
  uint64_t unsaved = first_unsaved(stream, part->need, part->n_need);
  bool due = unsaved < stream->next && (all || is_due(save, age_of(stream, unsaved, now_ns)));
  bool later = stream->id != 0 && (all || now_ns >= save->cursors_ns + sync_ns);
  bool holey = stream->n_holes > 0;
  if (!due && !later && !holey) return true;
  if (!take_cursors(part, stream)) return false;
  bool moved = later && (part->cursor_hash != stream->cursor_hash ||
                         (!all && has_aging(save, part, now_ns)));
  if (due || moved || holey) {
    part->name = strdup(stream->name);
    part->first_pack = job->n_packs;
    job->n_parts++;
    bool ok = part->name != NULL;
    if (ok && due) ok = pack_span(save, job, part, stream->saved, stream->next, &part->saved);
    if (ok) ok = pack_holes(save, job, part);
    part->cursors_changed = part->cursor_hash != stream->cursor_hash || part->id == 0;
    return ok;
  }
  free(part->cursors);
  return true;
}

static bool add_streams(bb_save *save, bb_save_job *job, uint64_t now_ns, bool all) {
  bb_queue *queue = &save->runtime->queue;
  uint32_t n = 0;
  for (bb_list *node = queue->streams.next; node != &queue->streams; node = node->next) {
    n += count_durable(BB_LIST_ITEM(node, bb_stream, link)) > 0;
  }
  job->parts = calloc(n + 1, sizeof(*job->parts));
  if (job->parts == NULL) return false;
  bool ok = true;
  for (bb_list *node = queue->streams.next; node != &queue->streams && ok; node = node->next) {
    bb_stream *stream = BB_LIST_ITEM(node, bb_stream, link);
    if (count_durable(stream) > 0) ok = add_part(save, job, stream, now_ns, all);
  }
  uint64_t sync_ns = save->limits.sync_ms * BB_NS_PER_MS;
  if (ok && now_ns >= save->cursors_ns + sync_ns) save->cursors_ns = now_ns;
  if (ok && now_ns >= save->aging_ns + AGING_NS) save->aging_ns = now_ns;
  return ok;
}

static bool copy_value(bb_save_job *job, const bb_kept *kept) {
  bb_save_value *values = realloc(job->values, (job->n_values + 1) * sizeof(*values));
  if (values == NULL) return false;
  job->values = values;
  bb_save_value *value = &values[job->n_values++];
  *value = (bb_save_value){.name = strdup(kept->name), .bytes = malloc(kept->len + 1)};
  if (value->name == NULL || value->bytes == NULL) return false;
  memcpy(value->bytes, kept->bytes, kept->len);
  value->len = kept->len;
  return true;
}

static bool add_values(bb_save *save, bb_save_job *job) {
  const bb_keep *keep = &save->runtime->keep;
  bb_kept kept;
  size_t at = 0;
  job->puts = keep->puts;
  while (bb_keep_unsaved(keep, &at, &kept)) {
    if (!copy_value(job, &kept)) return false;
  }
  return true;
}

static bool add_dead(bb_save *save, bb_save_job *job) {
  for (const bb_save_dead *dead = save->dead; dead != NULL; dead = dead->next) {
    if (!add_names(save, job, dead->device, dead->shape)) return false;
  }
  job->dead = save->dead;
  save->dead = save->newest_dead = NULL;
  save->dead_waiting = 0;
  /* A job that is full may not have the records that they are now. */
  if (job->bodies.len >= BB_SAVE_JOB_BYTES) return true;
  job->revived = save->revived;
  job->n_revived = save->n_revived;
  save->revived = NULL;
  save->n_revived = 0;
  return true;
}

static void take_gone(bb_save *save, bb_save_job *job) {
  job->gone = save->gone;
  job->n_gone = save->n_gone;
  save->gone = NULL;
  save->n_gone = 0;
}

bool bb_save_gather(bb_save *save, bb_save_job *job, uint64_t now_ns, bool all) {
  bool later =
      all || save->at_once || now_ns >= save->last_ns + save->limits.sync_ms * BB_NS_PER_MS;
  bool ok = add_streams(save, job, now_ns, all || save->n_revived > 0) && add_values(save, job);
  if (ok && later && (save->dead != NULL || save->n_revived > 0)) ok = add_dead(save, job);
  if (!ok) {
    reset_packer(save);
    bb_names_settle(&save->names, false);
    return false;
  }
  /* A new stream may have the name of one that is gone. */
  if (later || job->n_parts > 0) take_gone(save, job);
  job->shrinking = save->shrinking && !all;
  for (uint32_t i = 0; i < job->n_parts; i++) job->parts[i].stream->saving = true;
  bool any = job->n_parts > 0 || job->n_values > 0 || job->dead != NULL || job->n_revived > 0 ||
             job->n_gone > 0 || (job->shrinking && later) || save->aging;
  if (!any) save->at_once = false; /* what was wanted is there already */
  return any;
}

bool bb_save_is_waiting(const bb_save *save) {
  const bb_queue *queue = &save->runtime->queue;
  if (save->dead != NULL || save->n_gone > 0 || save->at_once || save->n_revived > 0) return true;
  if (save->shrinking) return true;
  for (bb_list *node = queue->streams.next; node != &queue->streams; node = node->next) {
    const bb_stream *stream = BB_LIST_ITEM(node, bb_stream, link);
    bb_span need[BB_STREAM_SPANS];
    uint32_t n = bb_stream_need(stream, need, BB_STREAM_SPANS);
    bool waits = (n > 0 && stream->n_holes > 0) || first_unsaved(stream, need, n) < stream->next;
    if (stream->id != 0 || waits) return true;
  }
  return false;
}

/* --- dead letters --- */

void bb_save_dead_letter(bb_save *save, const char *sink, const char *reason,
                         const bb_batch *batch) {
  bb_clock *clock = &save->runtime->clock;
  if (!save->open || save->dead_waiting >= MAX_DEAD_WAITING) return;
  bb_save_dead *dead = calloc(1, sizeof(*dead));
  if (dead == NULL) return;
  bb_buf_init(&dead->body, BB_MAX_FRAME_BYTES);
  if (bb_packer_add(&save->packer, batch) < 0 || bb_packer_end(&save->packer, &dead->body) < 0) {
    reset_packer(save);
    bb_buf_close(&dead->body);
    free(dead);
    return;
  }
  snprintf(dead->sink, sizeof(dead->sink), "%s", sink);
  snprintf(dead->reason, sizeof(dead->reason), "%s", reason);
  dead->time_ns = bb_clock_utc_ns(clock);
  dead->age_ns = bb_save_age_ns(save, bb_clock_mono_ns(clock));
  dead->device = bb_device_ref(batch->device);
  dead->shape = batch->shape != NULL ? bb_shape_ref(batch->shape) : NULL;
  bb_save_dead **end = &save->dead;
  if (save->newest_dead != NULL) end = &save->newest_dead->next;
  *end = save->newest_dead = dead;
  save->dead_waiting += dead->body.len;
  bb_save_appended(save, 0);
}

void bb_save_revived(bb_save *save, int64_t letter) {
  int64_t *revived = realloc(save->revived, (save->n_revived + 1) * sizeof(*revived));
  if (revived == NULL) return; /* it stays, and may be sent twice */
  save->revived = revived;
  revived[save->n_revived++] = letter;
  bb_save_soon(save);
}

static bool has_letter(const int64_t *revived, uint32_t n, int64_t letter) {
  for (uint32_t i = 0; i < n; i++) {
    if (revived[i] == letter) return true;
  }
  return false;
}

bool bb_save_is_revived(const bb_save *save, int64_t letter) {
  const bb_save_job *job = save->job;
  return has_letter(save->revived, save->n_revived, letter) ||
         (job != NULL && has_letter(job->revived, job->n_revived, letter));
}

static void return_dead(bb_save *save, bb_save_job *job) {
  bb_save_dead *last = job->dead;
  if (last == NULL) return;
  for (;; last = last->next) {
    save->dead_waiting += last->body.len;
    if (last->next == NULL) break;
  }
  last->next = save->dead;
  if (save->newest_dead == NULL) save->newest_dead = last;
  save->dead = job->dead;
  job->dead = NULL;
}

/* Puts what the job had before what came since. Without memory it stays in the store, to be taken away
 * by hand: rather once more than never. */
static void return_ids(void **waiting, uint32_t *n_waiting, const void *ids, uint32_t n,
                       size_t size) {
  if (n == 0) return;
  uint8_t *all = realloc(*waiting, (*n_waiting + n) * size);
  if (all == NULL) return;
  memcpy(all + *n_waiting * size, ids, n * size);
  *waiting = all;
  *n_waiting += n;
}

void bb_save_return(bb_save *save, bb_save_job *job) {
  void *gone = save->gone, *revived = save->revived;
  return_dead(save, job);
  return_ids(&gone, &save->n_gone, job->gone, job->n_gone, sizeof(*job->gone));
  return_ids(&revived, &save->n_revived, job->revived, job->n_revived, sizeof(*job->revived));
  save->gone = gone;
  save->revived = revived;
}
