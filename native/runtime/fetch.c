/* SPDX-License-Identifier: Apache-2.0 */
/* See fetch.h. */
#include "runtime/fetch.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/chunk.h"
#include "runtime/intake.h"
#include "runtime/runtime.h"

/* A pack that was read: its bytes lie in fetch.bodies. */
typedef struct pack {
  uint64_t first;
  uint32_t n;
  size_t at, len;
} pack;

typedef struct fetch {
  bb_spool_job job; /* first */
  bb_runtime *runtime;
  bb_stream *stream; /* the loop's */
  uint32_t id;
  uint64_t record;
  bb_buf bodies;
  pack *packs;
  uint32_t n_packs;
} fetch;

static void free_fetch(fetch *one) {
  bb_buf_close(&one->bodies);
  free(one->packs);
  free(one);
}

/* --- on the store's thread --- */

static int take_pack(void *user, const bb_store_pack *row) {
  fetch *one = user;
  pack *packs = realloc(one->packs, (one->n_packs + 1) * sizeof(*packs));
  if (packs == NULL) return BB_ERR_NOMEM;
  one->packs = packs;
  packs[one->n_packs++] =
      (pack){.first = row->first, .n = row->n, .at = one->bodies.len, .len = row->len};
  return bb_buf_append(&one->bodies, row->body, row->len);
}

static int run(bb_spool_job *job, bb_store *store) {
  fetch *one = (fetch *)job;
  return bb_store_read(store, one->id, one->record, BB_FETCH_BYTES, take_pack, one);
}

/* --- on the loop --- */

/* The sources of a pack, found. */
typedef struct source {
  const bb_device *device;
  const bb_shape *shape;
  uint32_t boot;
} source;

static int find_sources(const bb_names *names, const bb_unpacker *unpacker, source *out) {
  for (uint32_t i = 0; i < unpacker->n_sources; i++) {
    bb_pack_source from = bb_unpacker_source(unpacker, i);
    out[i] = (source){.device = bb_names_device(names, from.device), .boot = from.boot};
    if (out[i].device == NULL) return BB_ERR_FORMAT;
    if (from.shape == 0) continue;
    out[i].shape = bb_names_shape(names, from.shape);
    if (out[i].shape == NULL) return BB_ERR_FORMAT;
  }
  return 0;
}

/* The records of a pack that are to be taken, by their numbers. */
typedef struct part {
  uint64_t from, to;
} part;

/* Walks over the records: adds up what those of the part take (chunk NULL), or adds them. */
static int walk(bb_unpacker unpacker, uint64_t record, part wanted, const source *sources,
                bb_chunk *chunk, uint64_t *bytes) {
  bb_packed packed;
  bb_batch batch;
  int more;
  for (; (more = bb_unpacker_next(&unpacker, &packed)) == 1; record++) {
    const source *from = &sources[packed.source];
    int err = bb_packed_batch(&packed, from->device, from->shape, from->boot, &batch);
    bool taken = record >= wanted.from && record < wanted.to;
    if (err == 0 && taken && chunk != NULL) err = bb_chunk_add(chunk, &batch);
    if (err < 0) return err;
    if (taken) *bytes += bb_chunk_record_bytes(&batch);
  }
  return more;
}

/* The part of a pack that is missing, from the record that was asked for on. */
static part missing(const fetch *one, const pack *from) {
  part all = {from->first, from->first + from->n};
  if (one->record > all.from && one->record < all.to) all.from = one->record;
  return all;
}

static int make_chunk(bb_stream *stream, const pack *from, part wanted, const bb_unpacker *unpacker,
                      const source *sources) {
  uint64_t bytes = 0;
  if (unpacker->n_records != from->n) return BB_ERR_FORMAT;
  if (!bb_stream_gap(stream, &wanted.from, &wanted.to)) return 0;
  int err = walk(*unpacker, from->first, wanted, sources, NULL, &bytes);
  if (err < 0) return err;
  if (bytes > BB_CHUNK_MAX_BYTES) return BB_ERR_FORMAT;
  bb_chunk *chunk = bb_chunk_begin(stream, wanted.from, (uint32_t)bytes);
  if (chunk == NULL) return BB_ERR_NOMEM;
  err = walk(*unpacker, from->first, wanted, sources, chunk, &bytes);
  bb_chunk_end(chunk);
  return err;
}

static int take_into(fetch *one, const pack *from) {
  bb_unpacker unpacker;
  int err = bb_unpacker_open(&unpacker, one->bodies.bytes + from->at, from->len);
  if (err < 0) return err;
  source *sources = calloc(unpacker.n_sources, sizeof(*sources));
  if (sources == NULL) return BB_ERR_NOMEM;
  err = find_sources(&one->runtime->save.names, &unpacker, sources);
  if (err == 0) err = make_chunk(one->stream, from, missing(one, from), &unpacker, sources);
  free(sources);
  return err;
}

/* At once: history has lingered enough. A reader may leave by it, and the stream stays until tidied. */
static void wake_readers(bb_stream *stream) {
  bb_outlet *outlets[BB_MAX_SINKS];
  uint32_t n = 0;
  for (bb_list *node = stream->readers.next; node != &stream->readers; node = node->next) {
    const bb_intake *intake = BB_LIST_ITEM(node, bb_intake, reader.link);
    bb_outlet *outlet = intake->outlet;
    if (outlet != NULL && outlet->ready && n < BB_MAX_SINKS) outlets[n++] = outlet;
  }
  for (uint32_t i = 0; i < n; i++) bb_intake_pump(outlets[i]);
}

/* Up to where records are missing that should have come: the next that is in memory or was read. */
static uint64_t end_of_gap(const fetch *one) {
  const bb_chunk *chunk = bb_stream_find(one->stream, one->record);
  uint64_t end = chunk != NULL ? chunk->first : one->stream->saved;
  if (one->n_packs > 0 && one->packs[0].first < end) end = one->packs[0].first;
  return end > one->record ? end : one->record;
}

static void on_done(bb_spool_job *job) {
  fetch *one = (fetch *)job;
  bb_runtime *runtime = one->runtime;
  bb_stream *stream = one->stream;
  uint64_t record = one->record, gap = record;
  stream->unreadable = job->result < 0;
  if (job->result >= 0) gap = end_of_gap(one);
  bb_stream_fetched(stream, record, gap);
  for (uint32_t i = 0; i < one->n_packs && job->result >= 0; i++) {
    const pack *from = &one->packs[i];
    int err = take_into(one, from);
    if (err != BB_ERR_FORMAT && err != BB_ERR_VERSION) continue;
    char count[BB_TEXT_COUNT];
    bb_log_error(runtime->log, "store",
                 "%s of %s %s damaged and lost (%s); `busbar store verify` looks at the rest",
                 bb_text_count(count, from->n, "record", "records"), stream->name,
                 from->n == 1 ? "is" : "are", bb_err_text(err));
    part lost = missing(one, from);
    if (bb_stream_gap(stream, &lost.from, &lost.to)) bb_stream_lose(stream, lost.from, lost.to);
  }
  /* A store that cannot be read now is asked again when the sinks are looked at next. */
  if (job->result >= 0) wake_readers(stream);
  free_fetch(one);
}

void bb_fetch(bb_queue *queue, bb_stream *stream, uint64_t record) {
  bb_runtime *runtime = queue->user;
  fetch *one = calloc(1, sizeof(*one));
  if (one == NULL) return;
  bb_buf_init(&one->bodies, 16u * BB_FETCH_BYTES);
  one->runtime = runtime;
  one->stream = stream;
  one->id = stream->id;
  one->record = record;
  one->job.run = run;
  one->job.done = on_done;
  stream->fetching = true;
  bb_stream_sweep(stream);
  bb_spool_push(&runtime->save.spool, &one->job);
}
