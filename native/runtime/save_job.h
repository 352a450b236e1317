/* SPDX-License-Identifier: Apache-2.0 */
/* One job of runtime/save.h: made on the loop, done on the store's thread. It owns all that it
 * carries, but for the streams, which only the loop looks at. */
#ifndef BB_RUNTIME_SAVE_JOB_H
#define BB_RUNTIME_SAVE_JOB_H

#include "base/span.h"
#include "runtime/names.h"
#include "runtime/save.h"

#define BB_SAVE_AGE_KEY "age" /* beside the sinks' values, whose keys have a + */

/* A new pack: its body lies in bb_save_job.bodies. */
typedef struct bb_save_pack {
  uint64_t first, age_ns;
  uint32_t n;
  size_t at, len;
} bb_save_pack;

typedef struct bb_save_cursor {
  char sink[BB_MAX_ID + 1];
  uint64_t max_age_ns; /* 0: any */
  uint64_t aged;       /* the thread's answer: records below are too old for it */
  bb_span spans[BB_READER_SPANS];
  uint32_t n;
} bb_save_cursor;

/* What is to be done for one stream. */
typedef struct bb_save_part {
  bb_stream *stream; /* the loop's */
  char *name;
  bb_store_class class;
  uint32_t id; /* in the store; 0: none yet. The thread gives it one, or takes it away */
  uint64_t
      begun; /* the store has nothing from here on, but what a commit left that seemed to fail */
  uint64_t saved;                 /* what is needed below is in the packs, or was saved before */
  bb_span holes[BB_STREAM_HOLES]; /* the store has nothing in these either */
  uint32_t n_holes;
  uint64_t lacks;  /* from here on it may not have all that is needed */
  uint64_t filled; /* what is needed below in holes is in the packs */
  bool sounds;     /* none is known: the thread is to find them in `deep`, up to where it comes */
  bb_span deep;
  uint64_t sounded; /* there */
  uint32_t first_pack, n_packs;
  uint64_t samples;     /* in these packs */
  bool cursors_changed; /* else the three that follow are not used */
  uint64_t cursor_hash;
  bb_span need[BB_STREAM_SPANS];
  uint32_t n_need;
  bb_save_cursor *cursors;
  uint32_t n_cursors;
} bb_save_part;

typedef struct bb_save_value {
  char *name;
  uint8_t *bytes;
  size_t len;
} bb_save_value;

/* A refused record. */
typedef struct bb_save_dead {
  struct bb_save_dead *next;
  char sink[BB_MAX_ID + 1];
  char reason[BB_MAX_REASON];
  int64_t time_ns;
  uint64_t age_ns;
  const bb_device *device; /* referenced, until the loop has it back */
  const bb_shape *shape;   /* referenced; NULL: none */
  bb_buf body;
} bb_save_dead;

/* What the bounds took away: all of that stream below `to`. */
typedef struct bb_save_drop {
  uint32_t stream;
  uint64_t to;
  bool aged;
} bb_save_drop;

typedef struct bb_save_total {
  uint32_t stream;
  uint64_t records, bytes;
} bb_save_total;

typedef struct bb_save_job {
  bb_spool_job job; /* first */
  bb_save *save;
  /* the loop's order */
  bb_save_part *parts;
  uint32_t n_parts;
  bb_save_pack *packs;
  uint32_t n_packs, cap_packs;
  bb_buf bodies;
  bb_name *names;
  uint32_t n_names, cap_names;
  bb_save_value *values;
  uint32_t n_values;
  uint64_t puts; /* of bb_keep, when the values were taken */
  bb_save_dead *dead;
  uint32_t *gone;
  uint32_t n_gone;
  int64_t *revived; /* dead letters that are records again */
  uint32_t n_revived;
  bb_save_limits limits;
  uint64_t age_ns; /* now */
  bool write_age;
  /* the thread's answer */
  bb_save_drop *drops;
  uint32_t n_drops;
  bb_save_total *totals;
  uint32_t n_totals;
  bool names_gone; /* the store was empty, so they went too */
  bool shrinking;  /* before: go on giving room back; after: there is more to give */
  bb_store_stats stats;
} bb_save_job;

/* NULL without memory. */
bb_save_job *bb_save_job_new(bb_save *save);
void bb_save_job_free(bb_save_job *job); /* harmless on NULL */

/* bb_spool_job.run. */
int bb_save_job_run(bb_spool_job *job, bb_store *store);

void bb_save_dead_free(bb_save_dead *dead); /* the whole list; on the loop */

#endif
