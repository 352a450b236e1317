/* SPDX-License-Identifier: Apache-2.0 */
/* See revive.h. */
#include "runtime/revive.h"

#include "base/err.h"
#include "runtime/intake.h"

/* Old enough to be no live batch any more. */
static uint64_t past_of(const bb_runtime *runtime) {
  uint64_t now = bb_clock_mono_ns(&runtime->clock);
  uint64_t live = (BB_OUTLET_LIVE_MS + 1) * BB_NS_PER_MS;
  return now > live ? now - live : 0;
}

int bb_revive(bb_runtime *runtime, const bb_letters *letters, uint32_t i) {
  const bb_letter *letter = &letters->items[i];
  bb_outlet *outlet = bb_runtime_outlet(runtime, letter->sink);
  bb_batch batch;
  if (outlet == NULL || outlet->closing) return BB_ERR_NOTFOUND;
  if (bb_save_is_revived(&runtime->save, letter->id)) return BB_ERR_EXISTS;
  int err = bb_letters_batch(letters, i, &runtime->save.names, &batch);
  if (err < 0) return err;
  uint64_t sinks = 1ull << outlet->place;
  bb_stream *stream = bb_runtime_stream(runtime, sinks, bb_letters_class(letters, i));
  if (stream == NULL || bb_outlet_join(outlet, stream) < 0) return BB_ERR_NOMEM;
  batch.mono_ns = past_of(runtime);
  if (!bb_stream_has_room(stream, &batch)) return BB_ERR_AGAIN;
  err = bb_stream_append(stream, &batch);
  if (err < 0) return err;
  bb_save_revived(&runtime->save, letter->id);
  bb_save_appended(&runtime->save, (uint32_t)letter->len);
  bb_intake_resume(outlet);
  runtime->wake_set |= sinks;
  return 0;
}
