/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime: devices in, sinks out, by the config document, on a borrowed loop.
 *
 *   drivers -> station (latest) -> feed (reporting) -> queue (streams) -> outlet -> sinks
 *
 * apply takes the whole desired state and changes only what differs: a connection, device or sink
 * whose part of the document is the same keeps its socket, its schedule and its session.
 */
#ifndef BB_RUNTIME_RUNTIME_H
#define BB_RUNTIME_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "io/beat.h"
#include "runtime/config.h"
#include "runtime/door.h"
#include "runtime/keep.h"
#include "runtime/outlet.h"
#include "runtime/queue.h"
#include "runtime/save.h"
#include "runtime/schedule.h"
#include "runtime/station.h"

typedef struct bb_runtime bb_runtime;

/* Someone who wants to know what happens: the control socket, a test. Calls must be short. */
typedef struct bb_watch {
  /* public; each may be NULL */
  void *user;
  void (*on_batch)(struct bb_watch *watch, const bb_station_scan *scan, const bb_batch *batch);
  void (*on_shape)(struct bb_watch *watch, const bb_station_scan *scan);
  void (*on_station)(struct bb_watch *watch, const bb_station *station, bool gone);
  void (*on_outlet)(struct bb_watch *watch, const bb_outlet *outlet, bool gone);
  void (*on_applied)(struct bb_watch *watch);
  void (*on_store)(struct bb_watch *watch); /* see store_state.h */
  /* private */
  bb_list link;
} bb_watch;

#define BB_RUNTIME_DRIVERS 16

struct bb_runtime {
  /* public: set before init, or zero */
  uv_loop_t *loop;
  bb_log *log;
  const bb_kinds *kinds;
  const char *data_dir; /* NULL: nothing is kept across a restart */
  void *user;
  bb_clock clock; /* zero: those of this machine */
  uint64_t seed;  /* differs between processes: for jitter */
  /* read-only */
  uint32_t boot;
  uint64_t seq;                    /* of the last batch */
  uint64_t taken;                  /* batches, from the devices */
  int64_t started_ns;              /* UTC */
  bb_config *config;               /* what is applied; NULL before the first apply */
  uint64_t applied;                /* how often */
  bool clock_set;                  /* UTC is later than this program's making */
  bb_map links, stations, outlets; /* by id */
  bb_schedule schedule;
  bb_beat beat;
  bb_queue queue;
  bb_door door;
  bb_keep keep;
  bb_save save;
  bb_histogram loop_lag;
  bb_histogram latency[BB_RUNTIME_DRIVERS]; /* by the driver's place in kinds */
  bool stopping;
  /* private */
  bb_list watches;
  bb_list parked;                   /* what changed sinks had not been sent; see parking.h */
  bb_list probes;                   /* bb_runtime_probe.node */
  bool outlet_closed;               /* since the last apply: feeds must be looked at anew */
  bb_map streams[BB_STORE_CLASSES]; /* by name */
  bb_shape **shapes;
  uint32_t n_shapes;
  bb_outlet *places[BB_MAX_SINKS];
  uint64_t wake_set;    /* places of the outlets with something new */
  uv_prepare_t prepare; /* wakes them once an iteration, before the loop sleeps */
  uv_timer_t tick;      /* twice a second: age, lag, clock */
  uint64_t tick_ns;
  uint32_t handles;
  uint32_t closing;    /* links, stations, outlets and probes that are on their way out */
  uint32_t retiring;   /* the outlets among them */
  uint64_t store_told; /* a hash of how the store was when the watches were told last */
  bool untidy;         /* a stream may have no reader any more */
  bool safe_changed;   /* more records are safe than before: waits are to be looked at */
  bb_list waits;       /* bb_wait.link */
  bb_config *next;     /* to be applied once what it replaces is gone */
  uint32_t drain_ms;
  uint8_t stop_step;
  void (*on_stopped)(bb_runtime *runtime);
};

/* Starts nothing yet but its timers, and opens the store. 0 or an error; with a sentence in `why` where
 * the store must not be used. */
int bb_runtime_init(bb_runtime *runtime, char why[BB_STORE_WHY]);

/*
 * Applies a checked config and takes over the reference. Sockets that the new config gives to
 * someone else are closed first, so the change may end later; watches are told (on_applied). 0, or
 * BB_ERR_STATE while stopping.
 */
int bb_runtime_apply(bb_runtime *runtime, bb_config *config);

/* Secrets or certificates may have changed: the sinks that use them take the new ones (refresh in
 * plug/sink.h). An apply does the same for those that it leaves as they are. */
void bb_runtime_refresh(bb_runtime *runtime);

/* Stops polling, drains the sinks for at most drain_ms, closes everything, then on_stopped, after
 * which the memory is the caller's. Once. */
void bb_runtime_stop(bb_runtime *runtime, uint32_t drain_ms, void (*on_stopped)(bb_runtime *));

void bb_runtime_watch(bb_runtime *runtime, bb_watch *watch);
void bb_runtime_unwatch(bb_watch *watch);

/* Polling goes on or rests; writes are refused meanwhile. */
void bb_runtime_pause(bb_runtime *runtime, bool paused);

/* All devices have been asked at least once, and all sinks are ready. */
bool bb_runtime_is_ready(const bb_runtime *runtime);

bb_station *bb_runtime_station(const bb_runtime *runtime, const char *id);
bb_outlet *bb_runtime_outlet(const bb_runtime *runtime, const char *id);

/* For the parts of the runtime: */

/* The one shape of that content; takes over the reference and returns one. */
bb_shape *bb_runtime_intern(bb_runtime *runtime, bb_shape *shape);

/* Brings the scan's feeds in line with the config: those that it asks for as before go on. Tells the
 * sinks which shapes are new and which are gone. */
int bb_runtime_route(bb_runtime *runtime, bb_station_scan *scan);
void bb_runtime_unroute(bb_runtime *runtime, bb_station_scan *scan);

/* The place may go to another sink, which has nothing to do with the feeds of the former. */
void bb_runtime_forget_place(bb_runtime *runtime, uint32_t place);

/* The stream of that class and set of sinks, by their places; made when there is none. NULL without
 * memory. */
bb_stream *bb_runtime_stream(bb_runtime *runtime, uint64_t sinks, bb_store_class class);

/* The stream of that class and name; made when there is none. NULL without memory. */
bb_stream *bb_runtime_stream_named(bb_runtime *runtime, const char *name, bb_store_class class);

/* The same, and all of these sinks read it. */
bb_stream *bb_runtime_join(bb_runtime *runtime, uint64_t sinks, bb_store_class class);

/* Puts a batch into a stream that these sinks read, and wakes them. 0, or as bb_stream_append; then it
 * is counted as dropped. */
int bb_runtime_append(bb_runtime *runtime, bb_stream *stream, uint64_t sinks,
                      const bb_batch *batch);

/* Puts a batch into the feed's stream. */
void bb_runtime_deliver(bb_runtime *runtime, bb_feed *feed, const bb_batch *batch);

/* Numbers a batch that is about to be delivered. */
void bb_runtime_stamp(bb_runtime *runtime, bb_batch *batch);

/* What sinks gave to be kept up to `puts` is saved, or is not. */
void bb_runtime_kept(bb_runtime *runtime, uint64_t puts, bool durable);

void bb_runtime_shape_changed(bb_runtime *runtime, bb_station_scan *scan);
void bb_runtime_station_changed(bb_runtime *runtime, bb_station *station);
void bb_runtime_station_closed(bb_runtime *runtime, bb_station *station);
void bb_runtime_link_closed(bb_runtime *runtime, bb_link *link);
void bb_runtime_probe_closed(bb_runtime *runtime); /* one that was in the way; see probe.h */
void bb_runtime_outlet_changed(bb_runtime *runtime, bb_outlet *outlet);
void bb_runtime_outlet_closed(bb_runtime *runtime, bb_outlet *outlet);

#endif
