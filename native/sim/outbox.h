/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that wait for their time. One timer serves all connections, so that what is due together
 * leaves in one wake-up. Answers of a session leave in order, unless one may be overtaken.
 */
#ifndef BB_SIM_OUTBOX_H
#define BB_SIM_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/list.h"

#define BB_SIM_PIECE_NS 1000000 /* between the pieces of a split answer */

typedef struct bb_sim_answer {
  /* public */
  uint32_t len;
  uint32_t piece_bytes; /* it leaves in pieces of that size; 0: whole */
  bool close;           /* the connection is closed behind it */
  /* private */
  bb_heap_node due; /* monotonic nanoseconds */
  bb_list node;     /* of its session */
  struct bb_sim_session *session;
  struct bb_sim_answer *more; /* leaves together with this one */
  uint32_t sent;
  uint8_t bytes[];
} bb_sim_answer;

typedef struct bb_sim_outbox {
  /* private */
  uv_timer_t timer;
  bb_heap heap;
  bb_clock clock;
  uint64_t armed_ns; /* UINT64_MAX: the timer rests */
} bb_sim_outbox;

/* Initialises the timer; `clock` as in the server's config. */
int bb_sim_outbox_init(bb_sim_outbox *outbox, uv_loop_t *loop, bb_clock clock);

/* Frees the memory, once all answers are gone. The timer is closed by the server. */
void bb_sim_outbox_close(bb_sim_outbox *outbox);

/* An answer with those bytes, or NULL. */
bb_sim_answer *bb_sim_answer_new(const uint8_t *bytes, uint32_t len);

/* Takes ownership of `answer` and sends it in `delay_ms`. 0 or BB_ERR_NOMEM (the answer is gone). */
int bb_sim_outbox_put(bb_sim_outbox *outbox, struct bb_sim_session *session, bb_sim_answer *answer,
                      uint32_t delay_ms, bool may_be_overtaken);

/* Forgets all that waits for this session. */
void bb_sim_outbox_drop(bb_sim_outbox *outbox, struct bb_sim_session *session);

#endif
