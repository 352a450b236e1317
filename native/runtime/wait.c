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

/* Who loses records. */
typedef struct loss {
  const bb_stream *stream;
  uint64_t from, to;
  const bb_reader *reader; /* NULL: who loses by `why` */
  bb_drop why;
} loss;

static bool keeps(const bb_reader *reader, const loss *of) {
  if (!reader->durable) return false;
  return of->reader != NULL ? reader != of->reader : !bb_reader_loses(reader, of->why);
}

/* Whether all that is lost of from..to still waits for somebody. */
static bool is_kept(const loss *of, uint64_t from, uint64_t to) {
  bb_span lost[BB_STREAM_SPANS], spans[BB_READER_SPANS];
  uint64_t kept = 0;
  if (from < of->from) from = of->from;
  if (to > of->to) to = of->to;
  uint32_t n_lost = bb_span_add(lost, 0, BB_STREAM_SPANS, from, to);
  const bb_list *readers = &of->stream->readers;
  for (const bb_list *node = readers->next; node != readers && n_lost > 0; node = node->next) {
    const bb_reader *reader = BB_LIST_ITEM(node, bb_reader, link);
    uint32_t n = keeps(reader, of) ? reader->need(reader, spans) : 0;
    for (uint32_t i = 0; i < n; i++) {
      n_lost = bb_span_cut(lost, n_lost, BB_STREAM_SPANS, spans[i].from, spans[i].to, &kept);
    }
  }
  return n_lost == 0;
}

static void end_lost(bb_runtime *runtime, const loss *of) {
  if (bb_list_empty(&runtime->waits)) return;
  bb_waits_look(runtime);
  for (bb_list *node = runtime->waits.next; node != &runtime->waits;) {
    bb_wait *wait = BB_LIST_ITEM(node, bb_wait, link);
    node = node->next;
    bool concerned = wait->stream == of->stream && wait->from < of->to && wait->to > of->from;
    if (concerned && !is_kept(of, wait->from, wait->to)) end(wait, true);
  }
}

void bb_waits_lost(bb_runtime *runtime, const bb_stream *stream, uint64_t from, uint64_t to,
                   bb_drop why) {
  loss of = {.stream = stream, .from = from, .to = to, .why = why};
  end_lost(runtime, &of);
}

void bb_waits_lost_by(bb_runtime *runtime, const bb_reader *reader, uint64_t from, uint64_t to) {
  loss of = {.stream = reader->stream, .from = from, .to = to, .reader = reader};
  end_lost(runtime, &of);
}
