/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, feeding and closing of an outlet; see outlet.h. What the sink says is in outlet_host.c,
 * which records are sent next in pump.c. */
#include "runtime/outlet.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "io/error.h"
#include "runtime/intake.h"
#include "runtime/parking.h"
#include "runtime/past.h"
#include "runtime/pump.h"
#include "runtime/rewind.h"
#include "runtime/runtime.h"
#include "runtime/wait.h"
#include "runtime/window.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LONGEST_MS 60000

static void set_needs(bb_outlet *outlet) {
  bb_sink_needs *needs = &outlet->needs;
  outlet->config->kind->needs(outlet->config->options, needs);
  if (needs->window_records == 0) needs->window_records = 1000;
  if (needs->window_bytes == 0) needs->window_bytes = 4u << 20;
  if (needs->run_records == 0) needs->run_records = 500;
  if (needs->run_records > needs->window_records) needs->run_records = needs->window_records;
}

static bool allocate(bb_outlet *outlet) {
  set_needs(outlet);
  size_t window = outlet->needs.window_records;
  outlet->flights = calloc(window, sizeof(*outlet->flights));
  outlet->views = calloc(window, sizeof(*outlet->views));
  outlet->sink = calloc(1, outlet->config->kind->bytes);
  return outlet->flights != NULL && outlet->views != NULL && outlet->sink != NULL;
}

static void free_outlet(bb_outlet *outlet) {
  bb_parking_give_up(outlet);
  free(outlet->flights);
  free(outlet->views);
  free(outlet->sink);
  bb_past_close(outlet);
  bb_device_unref(outlet->sender);
  bb_config_unref(outlet->owner);
  free(outlet);
}

static void set_sink(bb_outlet *outlet) {
  bb_runtime *runtime = outlet->runtime;
  *outlet->sink = (bb_sink){.id = outlet->id,
                            .kind = outlet->config->kind,
                            .host = &bb_outlet_host,
                            .loop = runtime->loop,
                            .log = runtime->log,
                            .clock = &runtime->clock,
                            .site = outlet->owner->site,
                            .place = runtime->data_dir,
                            .seed = bb_hash_string(runtime->seed + BB_HASH_START, outlet->id),
                            .owner = outlet};
}

static void on_handle_closed(uv_handle_t *handle) {
  bb_outlet *outlet = handle->data;
  if (--outlet->handles > 0) return;
  bb_runtime_outlet_closed(outlet->runtime, outlet);
  free_outlet(outlet);
}

static void on_backoff(uv_timer_t *timer) {
  bb_outlet *outlet = timer->data;
  outlet->waiting = false;
  if (!outlet->ready && outlet->config->kind->retry != NULL) {
    outlet->config->kind->retry(outlet->sink);
  }
  bb_pump_run(outlet);
}

static void on_linger(uv_timer_t *timer) {
  bb_outlet *outlet = timer->data;
  outlet->linger_armed = false;
  bb_pump_run(outlet);
}

bb_outlet *bb_outlet_open(bb_runtime *runtime, bb_config *owner, const bb_config_sink *config,
                          uint32_t place, bb_reason *reason) {
  bb_outlet *outlet = calloc(1, sizeof(*outlet));
  if (outlet == NULL) {
    bb_reason_set(reason, BB_ERR_NOMEM, 0, "out of memory");
    return NULL;
  }
  outlet->id = config->id;
  outlet->config = config;
  outlet->owner = bb_config_ref(owner);
  outlet->runtime = runtime;
  outlet->place = place;
  outlet->since_ns = bb_clock_utc_ns(&runtime->clock);
  bb_list_init(&outlet->intakes);
  bb_list_init(&outlet->link);
  bb_reason_set(&outlet->reason, 0, 0, "connecting");
  int err = allocate(outlet) ? bb_parking_reserve(outlet) : BB_ERR_NOMEM;
  if (err == 0) {
    set_sink(outlet);
    bb_backoff_init(&outlet->backoff, BACKOFF_FIRST_MS, BACKOFF_LONGEST_MS, outlet->sink->seed);
    err = config->kind->open(outlet->sink, config->options);
  }
  if (err < 0) {
    bb_reason_set(reason, err, 0, "the sink cannot be opened: %s", bb_error_text(err));
    free_outlet(outlet);
    return NULL;
  }
  uv_timer_init(runtime->loop, &outlet->timer);
  uv_timer_init(runtime->loop, &outlet->linger);
  outlet->timer.data = outlet->linger.data = outlet;
  outlet->handles = 2;
  bb_parking_give(outlet);
  return outlet;
}

static bb_intake *find(const bb_outlet *outlet, const bb_stream *stream) {
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    if (intake->reader.stream == stream) return intake;
  }
  return NULL;
}

bb_intake *bb_outlet_add(bb_outlet *outlet, bb_stream *stream) {
  bool durable = outlet->config->store.mode == BB_CONFIG_DISK;
  bb_intake *intake = bb_intake_new(stream, outlet->id, durable);
  if (intake == NULL) return NULL;
  intake->outlet = outlet;
  intake->leaving = true;
  bb_intake_set_store(intake, &outlet->config->store);
  bb_intake_enter(intake, &outlet->intakes);
  return intake;
}

int bb_outlet_join(bb_outlet *outlet, bb_stream *stream) {
  bb_intake *intake = find(outlet, stream);
  if (intake == NULL) intake = bb_outlet_add(outlet, stream);
  if (intake == NULL) return BB_ERR_NOMEM;
  intake->leaving = false;
  return 0;
}

void bb_outlet_leave(bb_outlet *outlet, bb_stream *stream) {
  bb_intake *intake = find(outlet, stream);
  if (intake == NULL || intake->leaving) return;
  intake->leaving = true;
  bb_outlet_stand_last(intake); /* behind those that left before */
}

void bb_outlet_stand_last(bb_intake *intake) {
  bb_list_remove(&intake->link);
  bb_list_append(&intake->outlet->intakes, &intake->link);
}

void bb_outlet_wake(bb_outlet *outlet) {
  if (!outlet->ready || outlet->linger_armed) return;
  if (outlet->needs.linger_ms == 0) {
    bb_pump_run(outlet);
    return;
  }
  outlet->linger_armed = true;
  uv_timer_start(&outlet->linger, on_linger, outlet->needs.linger_ms, 0);
}

void bb_outlet_wait(bb_outlet *outlet, uint32_t ms) {
  outlet->waiting = true;
  uv_timer_start(&outlet->timer, on_backoff, ms, 0);
}

uint64_t bb_outlet_depth(const bb_outlet *outlet) {
  uint64_t depth = outlet->undone;
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    const bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    depth += bb_intake_waiting(intake);
  }
  return depth;
}

uint64_t bb_outlet_saved(const bb_outlet *outlet) {
  uint64_t saved = 0;
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    saved += bb_reader_saved(&BB_LIST_ITEM(node, bb_intake, link)->reader);
  }
  return saved;
}

bool bb_outlet_has_history(const bb_outlet *outlet) {
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    if (BB_LIST_ITEM(node, bb_intake, link)->n_history > 0) return true;
  }
  return false;
}

uint64_t bb_outlet_history(const bb_outlet *outlet) {
  uint64_t records = 0;
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    const bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    records += bb_span_count(intake->history, intake->n_history);
  }
  return records;
}

void bb_outlet_dropped(bb_outlet *outlet, bb_stream *stream, uint64_t from, uint64_t to,
                       bb_drop why) {
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    if (intake->reader.stream != stream || !bb_reader_loses(&intake->reader, why)) continue;
    outlet->counters.dropped += bb_intake_drop(intake, from, to);
  }
  bb_window_drop_returning(outlet, stream, from, to, why);
}

void bb_outlet_missing(bb_outlet *outlet, bb_stream *stream, uint64_t from, uint64_t to) {
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    if (intake->reader.stream != stream) continue;
    bb_intake_drop(intake, from, to);
    bb_rewind_missing(intake, from, to);
  }
}

uint64_t bb_outlet_drop_all(bb_outlet *outlet) {
  uint64_t dropped = 0;
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    bb_waits_lost_by(outlet->runtime, &intake->reader, 0, intake->reader.stream->next);
    dropped += bb_intake_drop(intake, 0, intake->reader.stream->next);
  }
  outlet->counters.dropped += dropped;
  bb_window_settle(outlet); /* lets go of them; those that were left may go */
  bb_save_appended(&outlet->runtime->save, 0);
  return dropped;
}

void bb_outlet_close(bb_outlet *outlet, uint32_t drain_ms) {
  outlet->closing = true;
  outlet->waiting = outlet->blocked = false;
  uv_timer_stop(&outlet->timer);
  if (outlet->ready) bb_pump_run(outlet);
  outlet->config->kind->close(outlet->sink, drain_ms);
}

/* The sink has let go of everything; what it had not been sent stays, parked. */
void bb_outlet_finish(bb_outlet *outlet) {
  outlet->closed = true;
  bb_parking_take(outlet);
  bb_window_drop_flights(outlet);
  uv_close((uv_handle_t *)&outlet->timer, on_handle_closed);
  uv_close((uv_handle_t *)&outlet->linger, on_handle_closed);
}
