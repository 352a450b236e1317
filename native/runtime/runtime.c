/* SPDX-License-Identifier: Apache-2.0 */
/* See runtime.h. */
#include "runtime/runtime.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/apply.h"
#include "runtime/fetch.h"
#include "runtime/limits.h"
#include "runtime/parking.h"
#include "runtime/store_state.h"
#include "runtime/wait.h"

#define TICK_MS 500
#define DEFAULT_QUEUE_BYTES (16u << 20)
#define DEFAULT_STORE_BYTES (1ull << 30)
/* 2026-01-01: a clock that says less was never set. */
#define CLOCK_SET_NS 1767225600000000000ll

/* Time stamps are wrong as long as it is not set, so both turns are told. */
static void look_at_clock(bb_runtime *runtime) {
  bool is_set = bb_clock_utc_ns(&runtime->clock) > CLOCK_SET_NS;
  if (is_set == runtime->clock_set) return;
  runtime->clock_set = is_set;
  if (is_set) {
    bb_log_info(runtime->log, NULL, "the clock is set: what is read from now on has its time");
  } else {
    bb_log_warn(runtime->log, NULL,
                "the clock is not set, it says a time before 2026: what is read has that time, and "
                "a mark; set it, by NTP or from a real-time clock");
  }
}

static void on_due(bb_schedule *schedule, bb_station_scan *scan, uint64_t due_ns, uint64_t now_ns) {
  (void)schedule;
  uint64_t late = now_ns - due_ns;
  scan->counters.late_ns_sum += late;
  if (late > scan->counters.late_ns_max) scan->counters.late_ns_max = late;
  bb_station_poll(scan, now_ns);
}

/* Once an episode: until its sink is ready again. */
static void note_dropped(bb_runtime *runtime, bb_outlet *outlet, bool aged, bool unsaved) {
  char age[32];
  if (outlet->drop_told) return;
  outlet->drop_told = true;
  if (aged) {
    bb_log_warn(runtime->log, outlet->id,
                "batches older than %s are dropped unsent; raise runtime.store.max_age, or see "
                "why the sink is away",
                bb_text_show_ms(age, sizeof(age), runtime->queue.max_age_ns / BB_NS_PER_MS));
  } else {
    bb_log_warn(runtime->log, outlet->id,
                "there is no more room: the oldest batches are dropped unsent; raise %s, or see "
                "why the sink is away",
                unsaved ? "runtime.queue_bytes" : "runtime.store.max_bytes");
  }
}

static void on_dropped(bb_queue *queue, bb_stream *stream, uint64_t from, uint64_t to,
                       bb_drop why) {
  bb_runtime *runtime = queue->user;
  /* Whether it was the memory that had no room. */
  bool unsaved = why == BB_DROP_MEMORY || why == BB_DROP_HOLE || to > stream->saved;
  bb_waits_lost(runtime, stream, from, to, why);
  for (size_t i = 0; i < runtime->outlets.cap; i++) {
    bb_outlet *outlet = runtime->outlets.entries[i].value;
    if (runtime->outlets.entries[i].key == NULL) continue;
    uint64_t dropped = outlet->counters.dropped;
    bb_outlet_dropped(outlet, stream, from, to, why);
    if (dropped < outlet->counters.dropped) {
      note_dropped(runtime, outlet, why == BB_DROP_AGED, unsaved);
    }
  }
  bb_parking_dropped(runtime, stream, from, to, why);
  runtime->safe_changed = true;
}

static void on_missing(bb_queue *queue, bb_stream *stream, uint64_t from, uint64_t to) {
  bb_runtime *runtime = queue->user;
  for (size_t i = 0; i < runtime->outlets.cap; i++) {
    bb_outlet *outlet = runtime->outlets.entries[i].value;
    if (runtime->outlets.entries[i].key != NULL) bb_outlet_missing(outlet, stream, from, to);
  }
  runtime->safe_changed = true;
}

void bb_runtime_kept(bb_runtime *runtime, uint64_t puts, bool durable) {
  for (size_t i = 0; i < runtime->outlets.cap; i++) {
    bb_outlet *outlet = runtime->outlets.entries[i].value;
    if (runtime->outlets.entries[i].key == NULL || outlet->closed) continue;
    void (*on_kept)(bb_sink *, bool) = outlet->kept_put <= puts ? outlet->on_kept : NULL;
    if (on_kept == NULL) continue;
    outlet->on_kept = NULL;
    on_kept(outlet->sink, durable);
  }
}

/* Once an iteration, before the loop sleeps: batches of many devices reach a sink together. */
static void on_prepare(uv_prepare_t *prepare) {
  bb_runtime *runtime = prepare->data;
  uint64_t wake = runtime->wake_set;
  runtime->wake_set = 0;
  for (uint32_t place = 0; wake != 0; place++, wake >>= 1) {
    if ((wake & 1) && runtime->places[place] != NULL) bb_outlet_wake(runtime->places[place]);
  }
  /* Without a store, at once; with one, once it is saved. */
  if (!runtime->save.restored) bb_runtime_kept(runtime, runtime->keep.puts, false);
  bool at_once = runtime->save.limits.sync_ms == 0 && runtime->save.appended > 0;
  if (at_once || runtime->save.at_once) bb_save_look(&runtime->save);
  if (runtime->safe_changed) bb_waits_look(runtime);
  if (runtime->untidy) bb_runtime_tidy(runtime);
}

/* What could not be fetched is tried again, and what may go for its rate goes. */
static void wake_history(bb_runtime *runtime) {
  for (uint32_t place = 0; place < BB_MAX_SINKS; place++) {
    bb_outlet *outlet = runtime->places[place];
    if (outlet != NULL && bb_outlet_has_history(outlet)) runtime->wake_set |= 1ull << place;
  }
}

static void on_tick(uv_timer_t *timer) {
  bb_runtime *runtime = timer->data;
  uint64_t now = bb_clock_mono_ns(&runtime->clock);
  uint64_t wanted = runtime->tick_ns + TICK_MS * BB_NS_PER_MS;
  bb_histogram_add(&runtime->loop_lag, now > wanted ? now - wanted : 0);
  runtime->tick_ns = now;
  look_at_clock(runtime);
  bb_queue_expire(&runtime->queue, now);
  bb_limits_look(runtime, now);
  wake_history(runtime);
  bb_save_tick(&runtime->save);
  bb_store_state_look(runtime);
}

int bb_runtime_init(bb_runtime *runtime, char why[BB_STORE_WHY]) {
  why[0] = 0;
  if (runtime->clock.mono_ns == NULL) runtime->clock = bb_clock_system();
  if (runtime->kinds == NULL) runtime->kinds = &bb_kinds_all;
  runtime->started_ns = bb_clock_utc_ns(&runtime->clock);
  runtime->clock_set = true;
  look_at_clock(runtime);
  runtime->tick_ns = bb_clock_mono_ns(&runtime->clock);
  bb_list_init(&runtime->watches);
  bb_list_init(&runtime->parked);
  bb_list_init(&runtime->probes);
  bb_queue_init(&runtime->queue, DEFAULT_QUEUE_BYTES);
  runtime->queue.user = runtime;
  runtime->queue.on_dropped = on_dropped;
  runtime->queue.on_missing = on_missing;
  runtime->queue.fetch = bb_fetch;
  runtime->queue.on_aged = bb_limits_aged;
  runtime->save.limits = (bb_save_limits){.sync_ms = 1000, .max_bytes = DEFAULT_STORE_BYTES};
  bb_list_init(&runtime->waits);
  bb_door_init(&runtime->door, runtime);
  int err = bb_save_open(&runtime->save, runtime, why);
  if (err < 0) return err;
  if (!runtime->save.open) runtime->queue.fetch = NULL;
  bb_store_state_note(runtime);
  err = bb_schedule_init(&runtime->schedule, runtime->loop, &runtime->clock);
  if (err < 0) return err;
  runtime->schedule.user = runtime;
  runtime->schedule.on_due = on_due;
  runtime->beat.user = runtime;
  err = bb_beat_init(&runtime->beat, runtime->loop, &runtime->clock);
  if (err < 0) return err;
  uv_prepare_init(runtime->loop, &runtime->prepare);
  uv_timer_init(runtime->loop, &runtime->tick);
  runtime->prepare.data = runtime->tick.data = runtime;
  runtime->handles = 4;
  uv_prepare_start(&runtime->prepare, on_prepare);
  return uv_timer_start(&runtime->tick, on_tick, TICK_MS, TICK_MS);
}

int bb_runtime_apply(bb_runtime *runtime, bb_config *config) {
  if (runtime->stopping) return BB_ERR_STATE;
  bb_apply_start(runtime, config);
  return 0;
}

void bb_runtime_refresh(bb_runtime *runtime) {
  for (size_t i = 0; i < runtime->outlets.cap; i++) {
    const bb_outlet *outlet = runtime->outlets.entries[i].value;
    if (runtime->outlets.entries[i].key == NULL || outlet->closing) continue;
    if (outlet->config->kind->refresh != NULL) outlet->config->kind->refresh(outlet->sink);
  }
}

static void free_runtime(bb_runtime *runtime) {
  bb_parking_close(runtime);
  bb_config_unref(runtime->config);
  bb_config_unref(runtime->next);
  bb_map_close(&runtime->links);
  bb_map_close(&runtime->stations);
  bb_map_close(&runtime->outlets);
  for (size_t i = 0; i < BB_STORE_CLASSES; i++) bb_map_close(&runtime->streams[i]);
  bb_queue_close(&runtime->queue);
  bb_save_close(&runtime->save);
  bb_keep_close(&runtime->keep);
  for (uint32_t i = 0; i < runtime->n_shapes; i++) bb_shape_unref(runtime->shapes[i]);
  free(runtime->shapes);
}

static void one_handle_closed(bb_runtime *runtime) {
  if (--runtime->handles > 0) return;
  free_runtime(runtime);
  runtime->on_stopped(runtime);
}

static void on_handle_closed(uv_handle_t *handle) {
  one_handle_closed(handle->data);
}

static void on_schedule_closed(uv_handle_t *handle) {
  bb_schedule *schedule = handle->data;
  one_handle_closed(schedule->user);
}

/* All that is left is in the store. */
static void on_saved(bb_runtime *runtime) {
  uv_close((uv_handle_t *)&runtime->prepare, on_handle_closed);
  uv_close((uv_handle_t *)&runtime->tick, on_handle_closed);
  bb_schedule_close(&runtime->schedule, on_schedule_closed);
  bb_beat_close(&runtime->beat, on_handle_closed);
}

/* First the devices, so that their last batches still reach the sinks; then the sinks; then what is left
 * goes to the store; then us. Sinks
 * that were on their way out before do not hold up the others. */
static void stop_on(bb_runtime *runtime) {
  bool inputs_closed = runtime->closing == runtime->retiring;
  switch (runtime->stop_step) {
  case 0:
    if (!inputs_closed) return;
    runtime->stop_step++;
    bb_apply_close_all(runtime, false, true);
    stop_on(runtime);
    return;
  case 1:
    if (runtime->closing > 0) return;
    runtime->stop_step++;
    bb_runtime_tidy(runtime);
    bb_save_end(&runtime->save, on_saved);
    return;
  default:
    return;
  }
}

void bb_runtime_stop(bb_runtime *runtime, uint32_t drain_ms,
                     void (*on_stopped)(bb_runtime *runtime)) {
  assert(!runtime->stopping);
  runtime->stopping = true;
  runtime->drain_ms = drain_ms;
  runtime->on_stopped = on_stopped;
  runtime->door.shut = true;
  bb_schedule_pause(&runtime->schedule, true);
  bb_save_now(&runtime->save); /* a slow disk has the time of the drain */
  bb_apply_close_all(runtime, true, false);
  stop_on(runtime);
}

void bb_runtime_watch(bb_runtime *runtime, bb_watch *watch) {
  bb_list_append(&runtime->watches, &watch->link);
}

void bb_runtime_unwatch(bb_watch *watch) {
  bb_list_remove(&watch->link);
}

void bb_runtime_pause(bb_runtime *runtime, bool paused) {
  runtime->door.shut = paused || runtime->stopping;
  bb_schedule_pause(&runtime->schedule, paused || runtime->stopping);
}

bool bb_runtime_is_ready(const bb_runtime *runtime) {
  if (runtime->config == NULL) return false;
  for (size_t i = 0; i < runtime->stations.cap; i++) {
    if (runtime->stations.entries[i].key == NULL) continue;
    if (!bb_station_was_asked(runtime->stations.entries[i].value)) return false;
  }
  for (size_t i = 0; i < runtime->outlets.cap; i++) {
    const bb_outlet *outlet = runtime->outlets.entries[i].value;
    if (runtime->outlets.entries[i].key != NULL && !outlet->ready) return false;
  }
  return true;
}

bb_station *bb_runtime_station(const bb_runtime *runtime, const char *id) {
  return bb_map_get(&runtime->stations, id);
}

bb_outlet *bb_runtime_outlet(const bb_runtime *runtime, const char *id) {
  return bb_map_get(&runtime->outlets, id);
}

void bb_runtime_shape_changed(bb_runtime *runtime, bb_station_scan *scan) {
  for (bb_list *node = runtime->watches.next; node != &runtime->watches;) {
    bb_watch *watch = BB_LIST_ITEM(node, bb_watch, link);
    node = node->next;
    if (watch->on_shape != NULL) watch->on_shape(watch, scan);
  }
}

static void tell_station(bb_runtime *runtime, bb_station *station, bool gone) {
  for (bb_list *node = runtime->watches.next; node != &runtime->watches;) {
    bb_watch *watch = BB_LIST_ITEM(node, bb_watch, link);
    node = node->next;
    if (watch->on_station != NULL) watch->on_station(watch, station, gone);
  }
}

static void tell_outlet(bb_runtime *runtime, bb_outlet *outlet, bool gone) {
  for (bb_list *node = runtime->watches.next; node != &runtime->watches;) {
    bb_watch *watch = BB_LIST_ITEM(node, bb_watch, link);
    node = node->next;
    if (watch->on_outlet != NULL) watch->on_outlet(watch, outlet, gone);
  }
}

/* Nobody waits an hour for what is read hourly, once the device is back. */
static void refresh(bb_runtime *runtime, bb_station *station) {
  for (uint32_t i = 0; i < station->n_scans; i++) {
    if (station->scans[i].stale) bb_schedule_soon(&runtime->schedule, &station->scans[i]);
  }
}

void bb_runtime_station_changed(bb_runtime *runtime, bb_station *station) {
  uint64_t sinks = 0;
  if (station->known && station->up) refresh(runtime, station);
  for (uint32_t i = 0; station->known && i < station->n_scans; i++) {
    for (bb_feed *feed = station->scans[i].feeds; feed != NULL; feed = feed->next) {
      sinks |= feed->sinks;
    }
  }
  for (uint32_t place = 0; sinks != 0; place++, sinks >>= 1) {
    bb_outlet *outlet = runtime->places[place];
    if (!(sinks & 1) || outlet == NULL || outlet->closing) continue;
    if (outlet->config->kind->device == NULL) continue;
    outlet->config->kind->device(outlet->sink, station->config->device, station->up);
  }
  tell_station(runtime, station, false);
}

static void one_closed(bb_runtime *runtime) {
  assert(runtime->closing > 0);
  runtime->closing--;
  if (runtime->stopping) {
    stop_on(runtime);
  } else {
    bb_apply_go_on(runtime);
  }
}

void bb_runtime_station_closed(bb_runtime *runtime, bb_station *station) {
  bb_map_remove(&runtime->stations, station->id);
  tell_station(runtime, station, true);
  one_closed(runtime);
}

void bb_runtime_link_closed(bb_runtime *runtime, bb_link *link) {
  bb_map_remove(&runtime->links, link->id);
  one_closed(runtime);
}

void bb_runtime_probe_closed(bb_runtime *runtime) {
  one_closed(runtime);
}

void bb_runtime_outlet_changed(bb_runtime *runtime, bb_outlet *outlet) {
  tell_outlet(runtime, outlet, false);
}

void bb_runtime_outlet_closed(bb_runtime *runtime, bb_outlet *outlet) {
  bb_map_remove(&runtime->outlets, outlet->id);
  bb_runtime_forget_place(runtime, outlet->place);
  runtime->outlet_closed = true;
  runtime->retiring--;
  tell_outlet(runtime, outlet, true);
  one_closed(runtime);
}
