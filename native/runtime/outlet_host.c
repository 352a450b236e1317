/* SPDX-License-Identifier: Apache-2.0 */
/* What the sinks call; see plug/sink.h and outlet.h. */
#include <string.h>

#include "base/err.h"
#include "runtime/intake.h"
#include "runtime/rewind.h"
#include "runtime/runtime.h"

static void on_ready(bb_sink *sink) {
  bb_outlet *outlet = sink->owner;
  if (outlet->ready || outlet->closed) return;
  bb_log_info(outlet->runtime->log, outlet->id, "ready");
  outlet->ready = true;
  outlet->waiting = outlet->drop_told = false;
  uv_timer_stop(&outlet->timer);
  outlet->reason = (bb_reason){0};
  outlet->since_ns = bb_clock_utc_ns(&outlet->runtime->clock);
  bb_runtime_outlet_changed(outlet->runtime, outlet);
  if (outlet->undone == 0) outlet->regroup = false;
  bb_intake_resume(outlet);
  bb_intake_pump(outlet);
}

static void on_wait(bb_sink *sink, const bb_reason *reason, uint32_t retry_ms) {
  bb_outlet *outlet = sink->owner;
  if (outlet->closed) return;
  bool news = outlet->ready || strcmp(outlet->reason.text, "connecting") == 0;
  if (outlet->ready) outlet->since_ns = bb_clock_utc_ns(&outlet->runtime->clock);
  outlet->ready = false;
  if (reason != NULL) outlet->reason = *reason;
  if (news) bb_log_warn(outlet->runtime->log, outlet->id, "%s", outlet->reason.text);
  bb_intake_retry_all(outlet);
  bb_intake_settle(outlet);
  if (retry_ms > 0) bb_outlet_wait(outlet, retry_ms);
  bb_runtime_outlet_changed(outlet->runtime, outlet);
}

/* Whether what is refused becomes a dead letter. */
static bool keeps_letters(const bb_outlet *outlet) {
  const bb_save *save = &outlet->runtime->save;
  return outlet->config->store.mode == BB_CONFIG_DISK && save->open && save->limits.dead_bytes > 0;
}

/* The newest refusal is kept for the status; the log tells the first and each thousandth. */
static void note_refusal(bb_outlet *outlet, const bb_reason *reason, uint32_t n) {
  if (reason != NULL) outlet->refused = *reason;
  uint64_t before = outlet->counters.refused;
  if (before != 0 && (before + n) / 1000 == before / 1000) return;
  bb_log_warn(outlet->runtime->log, outlet->id,
              "a batch was refused for good and %s: %s (%llu so far%s)",
              keeps_letters(outlet) ? "set aside" : "is lost",
              reason != NULL ? reason->text : "no reason given", (unsigned long long)(before + n),
              keeps_letters(outlet) ? "; `busbar store dead` shows them" : "");
}

/* A dead letter, so that someone can look at it and have it sent again. */
static void keep_letter(bb_outlet *outlet, uint64_t ticket, const bb_reason *reason) {
  const bb_batch *batch = bb_intake_batch(outlet, ticket);
  if (batch == NULL || !keeps_letters(outlet)) return;
  bb_save_dead_letter(&outlet->runtime->save, outlet->id,
                      reason != NULL ? reason->text : "no reason given", batch);
}

static void on_verdict(bb_sink *sink, uint64_t ticket, uint32_t n, bb_verdict verdict,
                       const bb_reason *reason) {
  bb_outlet *outlet = sink->owner;
  if (outlet->closed) return;
  if (verdict == BB_VERDICT_REFUSED) note_refusal(outlet, reason, n);
  if (verdict == BB_VERDICT_ACKED) bb_backoff_reset(&outlet->backoff);
  for (uint32_t i = 0; i < n; i++) {
    if (verdict == BB_VERDICT_REFUSED) keep_letter(outlet, ticket + i, reason);
    bb_intake_verdict(outlet, ticket + i, verdict);
  }
  bb_intake_settle(outlet);
}

static void rewind_last(bb_sink *sink, uint32_t last_ms) {
  bb_outlet *outlet = sink->owner;
  uint64_t now = bb_clock_mono_ns(&outlet->runtime->clock);
  if (last_ms > outlet->needs.hold_ms) last_ms = outlet->needs.hold_ms;
  uint64_t back = last_ms * BB_NS_PER_MS;
  bb_rewind(outlet, now > back ? now - back : 0);
}

/* The feed that brings this sink that shape. */
static bb_feed *feed_of(const bb_outlet *outlet, const bb_station_scan *scan, uint64_t hash) {
  for (bb_feed *feed = scan->feeds; feed != NULL; feed = feed->next) {
    if ((feed->sinks >> outlet->place & 1) && feed->shape->hash == hash) return feed;
  }
  return NULL;
}

static bool latest(bb_sink *sink, const bb_device *device, const bb_shape *shape, bb_batch *out) {
  bb_outlet *outlet = sink->owner;
  bb_station *station = bb_runtime_station(outlet->runtime, device->id);
  for (uint32_t i = 0; station != NULL && i < station->n_scans; i++) {
    bb_station_scan *scan = &station->scans[i];
    bb_feed *feed = scan->has_latest ? feed_of(outlet, scan, shape->hash) : NULL;
    if (feed == NULL) continue;
    bb_feed_view(feed, &scan->latest, out);
    return true;
  }
  return false;
}

static int command(bb_sink *sink, bb_command *command) {
  bb_outlet *outlet = sink->owner;
  bb_door_submit(&outlet->runtime->door, command);
  return 0;
}

static int keep(bb_sink *sink, const char *key, const void *bytes, size_t len,
                void (*on_kept)(bb_sink *sink, bool durable)) {
  bb_outlet *outlet = sink->owner;
  bb_keep *all = &outlet->runtime->keep;
  int result = bb_keep_put(all, outlet->id, key, bytes, len);
  if (result < 0) return result;
  outlet->kept_put = all->puts;
  outlet->on_kept = on_kept;
  bb_save_soon(&outlet->runtime->save);
  return 0;
}

static int kept(bb_sink *sink, const char *key, void *out, size_t cap) {
  bb_outlet *outlet = sink->owner;
  return bb_keep_get(&outlet->runtime->keep, outlet->id, key, out, cap);
}

static void on_closed(bb_sink *sink) {
  bb_outlet *outlet = sink->owner;
  if (!outlet->closed) bb_outlet_finish(outlet);
}

const bb_sink_host bb_outlet_host = {
    .on_ready = on_ready,
    .on_wait = on_wait,
    .on_verdict = on_verdict,
    .rewind = rewind_last,
    .latest = latest,
    .command = command,
    .keep = keep,
    .kept = kept,
    .on_closed = on_closed,
};
