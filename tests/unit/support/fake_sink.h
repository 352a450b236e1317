/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink with a session, as Sparkplug has: it wants shapes, the state of devices, the latest values
 * for its births, a durable number that each session raises, and the last sent data once more after an
 * unclean loss. It proves that the sink interface fits more than plain sending.
 *
 * Like a real one it answers later, from the loop, and never inside the call. By itself it connects
 * and acknowledges, the newer half of what it has first; with `manual` the test does both. The journal
 * has a line for each thing that it is told.
 */
#ifndef BB_TEST_FAKE_SINK_H
#define BB_TEST_FAKE_SINK_H

#include <uv.h>

#include "plug/sink.h"

#define FAKE_SINK_ANNOUNCED 64
#define FAKE_SINK_PENDING 4096

/* Kind "session". Options, all to be left out: `window`, `run` (batches), `bytes`, `linger`, `keep`
 * (how far back it rewinds), `room` (batches without a verdict, past which it is full), `refuse` (a
 * batch whose first value is this is refused for good), `manual`, `fails` (open fails). */
extern const bb_sink_kind bb_sink_fake;

typedef struct fake_announced {
  const bb_device *device; /* referenced, like the shape */
  const bb_shape *shape;   /* NULL: gone, a free place */
} fake_announced;

typedef struct fake_pending {
  uint64_t ticket;
  const bb_batch *batch; /* the runtime's, until its verdict */
} fake_pending;

typedef struct fake_sink {
  bb_sink base;
  /* read-only */
  bool ready;
  uint64_t session;   /* the durable number */
  unsigned strangers; /* batches of a shape that was not announced, or no longer */
  unsigned runs;
  uint32_t largest_run;
  fake_pending pending[FAKE_SINK_PENDING]; /* without a verdict, in their order */
  uint32_t n_pending;
  /* private */
  fake_announced announced[FAKE_SINK_ANNOUNCED];
  uint32_t room, keep_ms;
  bool manual, has_refuse, unclean, closing, retry_due;
  double refuse;
  uv_timer_t later, drain;
  int handles;
} fake_sink;

/* A new session: its number, the last data after an unclean loss, births, ready. */
void fake_sink_connect(fake_sink *sink);

/* The session breaks without a word. */
void fake_sink_lose(fake_sink *sink, const char *why);

/* The peer asks to wait. */
void fake_sink_wait(fake_sink *sink, uint32_t retry_ms);

/* Judges `n` of those that have no verdict, from the one at `at` on; they must follow each other. */
void fake_sink_judge(fake_sink *sink, uint32_t at, uint32_t n, bb_verdict verdict);

/* The number in the first point of a batch; NaN of an event. */
double fake_sink_value(const bb_batch *batch);

#endif
