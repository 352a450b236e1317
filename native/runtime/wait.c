/* SPDX-License-Identifier: Apache-2.0 */
/* See wait.h. */
#include "runtime/wait.h"

#include "runtime/runtime.h"

void bb_wait_start(bb_runtime *runtime, bb_wait *wait, const bb_stream *stream, uint64_t record) {
  wait->stream = stream;
  wait->record = record;
  bb_list_append(&runtime->waits, &wait->link);
  if (bb_save_is_safe(&runtime->save, stream, record)) runtime->safe_changed = true;
}

void bb_wait_stop(bb_wait *wait) {
  bb_list_remove(&wait->link);
}

/* True if it is over. A record that is no longer there and was not safe before is lost. */
static bool is_over(const bb_runtime *runtime, const bb_wait *wait, bool *lost) {
  *lost = false;
  if (bb_save_is_safe(&runtime->save, wait->stream, wait->record)) return true;
  *lost = wait->record < wait->stream->first;
  return *lost;
}

void bb_waits_look(bb_runtime *runtime) {
  runtime->safe_changed = false;
  for (bb_list *node = runtime->waits.next; node != &runtime->waits;) {
    bb_wait *wait = BB_LIST_ITEM(node, bb_wait, link);
    bool lost;
    node = node->next;
    if (!is_over(runtime, wait, &lost)) continue;
    bb_list_remove(&wait->link);
    wait->on_end(wait, lost);
  }
}
