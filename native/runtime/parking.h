/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sink has not yet been sent outlives the sink: when an outlet closes, or at the start from the
 * store, its intakes are parked under the sink's id, and the outlet that a config opens under the same
 * id takes them over.
 *
 * What nobody takes over is an orphan: its sink is in no config any more, or disabled. One that the
 * store holds stays until its age limit, or until someone drops it or gives it to another sink; else
 * it goes. The log says so of each of these.
 */
#ifndef BB_RUNTIME_PARKING_H
#define BB_RUNTIME_PARKING_H

#include "runtime/outlet.h"

struct bb_runtime;

typedef struct bb_orphan {
  const char *sink;
  uint64_t batches, bytes; /* bytes: about */
  uint64_t dropped;        /* of what waited, since the start */
  bool disabled;           /* the config has the sink, with "enabled: false" */
} bb_orphan;

/* Room for what a new outlet may leave, so that its end needs no memory: 0 or BB_ERR_NOMEM; and its end. */
int bb_parking_reserve(bb_outlet *outlet);
void bb_parking_give_up(bb_outlet *outlet);

/* Takes the outlet's intakes; those on their way are to be sent again. Once. */
void bb_parking_take(bb_outlet *outlet);

/* A durable intake of that stream, parked, for what the store says that the sink has not delivered. NULL
 * without memory. */
bb_intake *bb_parking_add(struct bb_runtime *runtime, const char *sink, bb_stream *stream);

/* Gives a new outlet what was parked under its id. */
void bb_parking_give(bb_outlet *outlet);

/* After an apply: what is left and is not durable, or empty, goes; the log tells of both. */
void bb_parking_settle(struct bb_runtime *runtime);

/* Records went that were parked, too; and what one intake has below `to` is too old for it. */
void bb_parking_dropped(struct bb_runtime *runtime, bb_stream *stream, uint64_t from, uint64_t to,
                        bb_drop why);
void bb_parking_aged(struct bb_runtime *runtime, bb_intake *intake, uint64_t to);

/* A walk over the orphans: start with *at = NULL; false at the end. */
bool bb_parking_next(const struct bb_runtime *runtime, const void **at, bb_orphan *out);

/* Drops an orphan; how many batches. BB_ERR_NOTFOUND. */
int64_t bb_parking_drop(struct bb_runtime *runtime, const char *sink);

/* Gives an orphan to another sink; how many batches. BB_ERR_NOTFOUND, BB_ERR_NOMEM. */
int64_t bb_parking_reassign(struct bb_runtime *runtime, const char *sink, bb_outlet *to);

/* At the end: the log tells what of it is kept in the store and what is lost. Drops all. */
void bb_parking_close(struct bb_runtime *runtime);

#endif
