/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is saved, and when. Sending never waits for it: a batch that waits for a sink for nearly the
 * sync interval is written, and so is how far each sink has come; what all its sinks acknowledged
 * before is never written. With an interval of 0 everything is written at once.
 *
 * One job at a time is on its way to the store (runtime/spool.h). It carries a snapshot: new packs,
 * the spans that each durable reader of their streams still needs, values to be kept, dead letters.
 * The same transaction takes away what no sink needs any more and what passes the bounds.
 */
#ifndef BB_RUNTIME_SAVE_H
#define BB_RUNTIME_SAVE_H

#include <stdbool.h>
#include <uv.h>

#include "io/backoff.h"
#include "runtime/names.h"
#include "runtime/queue.h"
#include "runtime/spool.h"
#include "store/pack.h"

struct bb_runtime;

#define BB_SAVE_JOB_BYTES (2u << 20) /* packs of one job; more make another */

typedef struct bb_save_limits {
  uint32_t sync_ms; /* 0: at once */
  uint64_t max_bytes, max_age_ns;
  uint64_t dead_bytes, dead_age_ns;
} bb_save_limits;

typedef struct bb_save {
  /* public */
  bb_save_limits limits;
  /* read-only */
  bool open;              /* there is a store, though it may be failing */
  bool restored;          /* what earlier runs left was taken; nothing is saved before */
  bb_store_stats stats;   /* as of the newest job */
  uint64_t saved;         /* records written since the start */
  uint64_t saved_samples; /* in them */
  uint64_t jobs, failed;
  /* private */
  struct bb_runtime *runtime;
  bb_spool spool;
  bb_names names;
  bb_packer packer;
  struct bb_save_job *job; /* on its way; NULL: none */
  uv_timer_t timer;
  uint64_t last_ns;     /* monotonic: when the newest job was made */
  uint64_t cursors_ns;  /* when all cursors were looked at last */
  uint64_t aging_ns;    /* when it was last looked what is too old for a sink */
  uint64_t retry_ns;    /* after a failure: not before */
  bool restoring;       /* a try is on its way */
  bb_backoff backoff;   /* of these */
  uint64_t begun_ns;    /* monotonic */
  uint64_t age_base_ns; /* of earlier runs; see bb_save_age_ns */
  uint64_t age_written_ns;
  uint64_t written_before; /* bytes, by the stores that were open before this one */
  int64_t *revived; /* dead letters that are records again, to be taken away with the next job */
  uint32_t n_revived;
  uint64_t appended; /* bytes since the newest job */
  uint32_t *gone;    /* ids of streams that were closed and are still in the store */
  uint32_t n_gone;
  bool shrinking;                          /* room of the file is being given back, a piece a job */
  bool at_once;                            /* a value waits, or a requeued dead letter */
  bool aging;                              /* a job is wanted for its bounds alone */
  struct bb_save_dead *dead, *newest_dead; /* refused records that are to be kept, oldest first */
  uint64_t dead_waiting;                   /* bytes */
  bb_list readings; /* of all of the store; the first is under way; see reading.h */
  bool ending, tried_again;
  void (*on_ended)(struct bb_runtime *runtime);
} bb_save;

/*
 * Opens the store in the data directory, and takes from it what was left (runtime/restore.h). Where the
 * disk does not let it, that is tried again, and nothing is saved until then. 0; without a data
 * directory nothing is saved, and that is 0 too. BB_ERR_VERSION or BB_ERR_BUSY with a sentence in `why`.
 */
int bb_save_open(bb_save *save, struct bb_runtime *runtime, char why[BB_STORE_WHY]);

/* Something was appended that a durable reader may need. Cheap. */
void bb_save_appended(bb_save *save, uint32_t bytes);

/* Once an iteration: makes a job if one is due. */
void bb_save_look(bb_save *save);

/* Twice a second: what is too old goes from the store, though nothing else happens. Cheap. */
void bb_save_tick(bb_save *save);

/* A value is to be kept; it is written at once. */
void bb_save_soon(bb_save *save);

/* A stream is about to be closed; its records are taken out of the store. False: not now, a job is on
 * its way that knows it. */
bool bb_save_forget_stream(bb_save *save, bb_stream *stream);

/* The record was refused for good. */
void bb_save_dead_letter(bb_save *save, const char *sink, const char *reason,
                         const bb_batch *batch);

/* A dead letter is a record again, which was just appended: the next job takes the letter away. */
void bb_save_revived(bb_save *save, int64_t letter);

/* Whether the letter is one that will be taken away so. */
bool bb_save_is_revived(const bb_save *save, int64_t letter);

/* What `mono_ns` is on the clock that ages are told by: the time that runs of this runtime took
 * together. A clock that is set forward makes nothing old. */
uint64_t bb_save_age_ns(const bb_save *save, uint64_t mono_ns);

/* The last reading of all of the store is over. */
void bb_save_read(bb_save *save);

/* Saves what waits, due or not: the end is near. */
void bb_save_now(bb_save *save);

/* How the store is, as a job of another kind has read it. */
void bb_save_take_stats(bb_save *save, const bb_store_stats *stats);

/* Bytes written to the disk since the start. */
uint64_t bb_save_written_bytes(const bb_save *save);

/* Saves all that is still needed, closes the store; then on_ended. */
void bb_save_end(bb_save *save, void (*on_ended)(struct bb_runtime *runtime));

/* After on_ended. */
void bb_save_close(bb_save *save);

#endif
