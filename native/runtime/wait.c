/* SPDX-License-Identifier: Apache-2.0 */
/* See wait.h. */
#include "runtime/wait.h"

#include "runtime/runtime.h"

/* What is not safe of a stream. */
typedef struct view {
  const bb_stream *stream;
  bb_span need[BB_STREAM_SPANS]; /* of its durable readers */
  uint32_t n;
} view;

static void look_at(view *out, const bb_stream *stream) {
  if (out->stream == stream) return;
  out->stream = stream;
  out->n = bb_stream_need(stream, out->need, BB_STREAM_SPANS);
}

static bool is_safe(const bb_runtime *runtime, const view *seen, uint64_t from, uint64_t to) {
  if (!runtime->save.open) return true;
  for (uint32_t i = 0; i < seen->n; i++) {
    uint64_t first = seen->need[i].from > from ? seen->need[i].from : from;
    uint64_t end = seen->need[i].to < to ? seen->need[i].to : to;
    if (first < end && !bb_stream_has_saved(seen->stream, first, end)) return false;
  }
  return true;
}

bool bb_wait_is_over(const bb_runtime *runtime, const bb_stream *stream, uint64_t from,
                     uint64_t to) {
  view seen = {0};
  look_at(&seen, stream);
  return is_safe(runtime, &seen, from, to);
}

void bb_wait_start(bb_runtime *runtime, bb_wait *wait, const bb_stream *stream, uint64_t from,
                   uint64_t to) {
  wait->stream = stream;
  wait->from = from;
  wait->to = to;
  bb_list_append(&runtime->waits, &wait->link);
}

void bb_wait_stop(bb_wait *wait) {
  bb_list_remove(&wait->link);
}

static void end(bb_wait *wait, bool lost) {
  bb_list_remove(&wait->link);
  wait->on_end(wait, lost);
}

void bb_waits_look(bb_runtime *runtime) {
  view seen = {0};
  runtime->safe_changed = false;
  for (bb_list *node = runtime->waits.next; node != &runtime->waits;) {
    bb_wait *wait = BB_LIST_ITEM(node, bb_wait, link);
    node = node->next;
    look_at(&seen, wait->stream);
    if (is_safe(runtime, &seen, wait->from, wait->to)) end(wait, false);
  }
}

void bb_waits_shift(bb_runtime *runtime, const bb_stream *stream, uint64_t by) {
  for (bb_list *node = runtime->waits.next; node != &runtime->waits; node = node->next) {
    bb_wait *wait = BB_LIST_ITEM(node, bb_wait, link);
    if (wait->stream != stream) continue;
    wait->from += by;
    wait->to += by;
  }
}

void bb_waits_lost(bb_runtime *runtime, const bb_stream *stream, uint64_t from, uint64_t to) {
  if (bb_list_empty(&runtime->waits)) return;
  bb_waits_look(runtime);
  for (bb_list *node = runtime->waits.next; node != &runtime->waits;) {
    bb_wait *wait = BB_LIST_ITEM(node, bb_wait, link);
    node = node->next;
    if (wait->stream == stream && wait->from < to && wait->to > from) end(wait, true);
  }
}
