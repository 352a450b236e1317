/* SPDX-License-Identifier: Apache-2.0 */
/* See beat.h. */
#include "io/beat.h"

#define BEAT_NS (BB_BEAT_MS * BB_NS_PER_MS)

static void on_timer(uv_timer_t *timer);

/* At the next multiple, counted from the clock and rounded up as the schedule does it, so that the
 * timers of both are due in the same iteration. */
static void arm(bb_beat *beat) {
  uint64_t at = bb_clock_mono_ns(beat->clock);
  uint64_t next = (at / BEAT_NS + 1) * BEAT_NS;
  uv_update_time(beat->timer.loop);
  uv_timer_start(&beat->timer, on_timer, (next - at + BB_NS_PER_MS - 1) / BB_NS_PER_MS, 0);
}

/* Who joins meanwhile waits for the next one: they go into a list of their own. */
static void on_timer(uv_timer_t *timer) {
  bb_beat *beat = BB_LIST_ITEM(timer, bb_beat, timer);
  bb_list *node;
  while ((node = bb_list_first(&beat->waits)) != NULL) {
    bb_list_remove(node);
    bb_list_append(&beat->due, node);
  }
  beat->n_beats++;
  beat->beating = true;
  while ((node = bb_list_first(&beat->due)) != NULL) {
    bb_beat_wait *wait = BB_LIST_ITEM(node, bb_beat_wait, link);
    bb_list_remove(node);
    wait->on_beat(wait);
  }
  beat->beating = false;
  if (!bb_list_empty(&beat->waits)) arm(beat);
}

int bb_beat_init(bb_beat *beat, uv_loop_t *loop, const bb_clock *clock) {
  beat->n_beats = 0;
  beat->clock = clock;
  beat->beating = false;
  beat->closed = beat->half_closed = false;
  bb_list_init(&beat->waits);
  bb_list_init(&beat->due);
  int err = bb_hangup_init(&beat->hangup, loop);
  return err < 0 ? err : uv_timer_init(loop, &beat->timer);
}

static void on_part_closed(uv_handle_t *handle) {
  bb_beat *beat = handle->data;
  if (!beat->half_closed) {
    beat->half_closed = true;
    return;
  }
  handle->data = beat->user;
  if (beat->on_closed != NULL) beat->on_closed(handle);
}

void bb_beat_close(bb_beat *beat, uv_close_cb on_closed) {
  bb_list *node;
  beat->closed = true;
  while ((node = bb_list_first(&beat->waits)) != NULL) bb_list_remove(node);
  while ((node = bb_list_first(&beat->due)) != NULL) bb_list_remove(node);
  beat->on_closed = on_closed;
  beat->timer.data = beat;
  uv_close((uv_handle_t *)&beat->timer, on_part_closed);
  bb_hangup_close(&beat->hangup, beat, on_part_closed);
}

void bb_beat_join(bb_beat *beat, bb_beat_wait *wait) {
  bool is_first = bb_list_empty(&beat->waits);
  if (wait->link.next == NULL) bb_list_init(&wait->link);
  if (beat->closed || !bb_list_empty(&wait->link)) return;
  bb_list_append(&beat->waits, &wait->link);
  if (is_first && !beat->beating) arm(beat);
}

void bb_beat_leave(bb_beat_wait *wait) {
  if (wait->link.next != NULL) bb_list_remove(&wait->link);
}
