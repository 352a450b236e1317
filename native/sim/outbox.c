/* SPDX-License-Identifier: Apache-2.0 */
/* See outbox.h. */
#include "sim/outbox.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/session.h"

#define MAX_TOGETHER 64 /* answers that leave in one write; more of them leave in the next */

#define FROM_DUE(node) BB_LIST_ITEM(node, bb_sim_answer, due)

static void arm(bb_sim_outbox *outbox);

bb_sim_answer *bb_sim_answer_new(const uint8_t *bytes, uint32_t len) {
  bb_sim_answer *answer = calloc(1, sizeof(*answer) + len);
  if (answer == NULL) return NULL;
  answer->len = len;
  if (len > 0) memcpy(answer->bytes, bytes, len);
  bb_list_init(&answer->node);
  return answer;
}

static void answer_free(bb_sim_answer *answer) {
  while (answer != NULL) {
    bb_sim_answer *more = answer->more;
    free(answer);
    answer = more;
  }
}

/* Out of the heap and the session's list. */
static void detach(bb_sim_outbox *outbox, bb_sim_answer *answer) {
  bb_sim_session *session = answer->session;
  bb_heap_remove(&outbox->heap, &answer->due);
  bb_list_remove(&answer->node);
  session->n_waiting--;
  if (session->merging == answer) session->merging = NULL;
}

static void send_whole(bb_sim_session *session, const bb_sim_answer *answer) {
  uv_buf_t bufs[MAX_TOGETHER];
  while (answer != NULL) {
    unsigned n = 0;
    for (; answer != NULL && n < MAX_TOGETHER; answer = answer->more) {
      bufs[n++] = uv_buf_init((char *)answer->bytes, answer->len);
    }
    bb_sim_session_send(session, bufs, n);
  }
}

/* True if there is more to come of this answer. */
static bool send_piece(bb_sim_outbox *outbox, bb_sim_answer *answer) {
  uint32_t left = answer->len - answer->sent;
  uint32_t n = answer->piece_bytes < left ? answer->piece_bytes : left;
  uv_buf_t buf = uv_buf_init((char *)answer->bytes + answer->sent, n);
  answer->sent += n;
  bb_sim_session_send(answer->session, &buf, 1);
  if (answer->sent == answer->len || answer->session->closing) return false;
  bb_heap_remove(&outbox->heap, &answer->due);
  answer->due.key += BB_SIM_PIECE_NS;
  bb_heap_insert(&outbox->heap, &answer->due);
  return true;
}

/* A session that is lost while its answer is sent closes later, from the loop; until then its other
 * answers come by here and are thrown away. */
static void send_due(bb_sim_outbox *outbox, bb_sim_answer *answer) {
  bb_sim_session *session = answer->session;
  if (answer->piece_bytes > 0 && answer->len > 0 && send_piece(outbox, answer)) return;
  detach(outbox, answer);
  if (answer->piece_bytes == 0) send_whole(session, answer);
  bool close = answer->close;
  answer_free(answer);
  if (close) {
    bb_sim_session_close(session);
  } else {
    bb_sim_session_resume(session);
  }
}

static void on_timer(uv_timer_t *timer) {
  bb_sim_outbox *outbox = timer->data;
  uint64_t now = bb_clock_mono_ns(&outbox->clock);
  outbox->armed_ns = UINT64_MAX;
  for (;;) {
    bb_heap_node *first = bb_heap_first(&outbox->heap);
    if (first == NULL || first->key > now) break;
    send_due(outbox, FROM_DUE(first));
  }
  arm(outbox);
}

/* Sets the timer to the first answer, unless it is set to that or to an earlier one. */
static void arm(bb_sim_outbox *outbox) {
  const bb_heap_node *first = bb_heap_first(&outbox->heap);
  if (first == NULL || first->key >= outbox->armed_ns) return;
  uint64_t now = bb_clock_mono_ns(&outbox->clock);
  uint64_t wait = first->key > now ? first->key - now : 0;
  outbox->armed_ns = first->key;
  uv_update_time(outbox->timer.loop);
  uv_timer_start(&outbox->timer, on_timer, (wait + BB_NS_PER_MS - 1) / BB_NS_PER_MS, 0);
}

int bb_sim_outbox_init(bb_sim_outbox *outbox, uv_loop_t *loop, bb_clock clock) {
  *outbox = (bb_sim_outbox){.clock = clock, .armed_ns = UINT64_MAX};
  int err = uv_timer_init(loop, &outbox->timer);
  outbox->timer.data = outbox;
  return err;
}

void bb_sim_outbox_close(bb_sim_outbox *outbox) {
  bb_heap_close(&outbox->heap);
}

int bb_sim_outbox_put(bb_sim_outbox *outbox, bb_sim_session *session, bb_sim_answer *answer,
                      uint32_t delay_ms, bool may_be_overtaken) {
  bb_heap *heap = &outbox->heap;
  if (heap->n == heap->cap) {
    int err = bb_heap_reserve(heap, heap->cap > 0 ? heap->cap * 2 : 64);
    if (err < 0) {
      answer_free(answer);
      return err;
    }
  }
  uint64_t due = bb_clock_mono_ns(&outbox->clock) + delay_ms * BB_NS_PER_MS;
  if (!may_be_overtaken) {
    /* The heap keeps no order between equal keys. */
    if (due <= session->last_due_ns) due = session->last_due_ns + 1;
    session->last_due_ns = due;
    if (answer->piece_bytes > 0 && answer->len > 0) {
      session->last_due_ns += (answer->len - 1) / answer->piece_bytes * BB_SIM_PIECE_NS;
    }
  }
  answer->session = session;
  answer->due.key = due;
  bb_list_append(&session->answers, &answer->node);
  session->n_waiting++;
  bb_heap_insert(heap, &answer->due);
  arm(outbox);
  return 0;
}

void bb_sim_outbox_drop(bb_sim_outbox *outbox, bb_sim_session *session) {
  while (!bb_list_empty(&session->answers)) {
    bb_sim_answer *answer = BB_LIST_ITEM(bb_list_first(&session->answers), bb_sim_answer, node);
    detach(outbox, answer);
    answer_free(answer);
  }
}
