/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An outlet delivers to one sink: window, retry clock, back-off, verdicts, order, history, rewind,
 * once for every kind of sink.
 *
 * What was appended while the sink was not ready, or came back for a retry, is history; live
 * batches go first, history in the room that they leave, which its streams share evenly. A batch that
 * waited less than BB_OUTLET_LIVE_MS counts as live, so that a short interruption is none. Order holds
 * within live and within history of a device, so what is left in streams that no route feeds any more
 * goes before the others. After a RETRY nothing is sent until every batch on its way has its verdict;
 * else a later batch could overtake.
 */
#ifndef BB_RUNTIME_OUTLET_H
#define BB_RUNTIME_OUTLET_H

#include <stdbool.h>
#include <uv.h>

#include "base/list.h"
#include "base/span.h"
#include "io/backoff.h"
#include "plug/sink.h"
#include "runtime/config.h"
#include "runtime/ledger.h"
#include "runtime/pace.h"
#include "runtime/queue.h"

struct bb_runtime;

#define BB_OUTLET_LIVE_MS 5000
#define BB_OUTLET_RANGES 512     /* more than the store keeps: what is merged is sent again */
#define BB_OUTLET_SPANS 8        /* of hold_ms: how finely a rewind is told from when */
#define BB_OUTLET_ACKED_RANGES 8 /* live and history, and gaps that close soon */
#define BB_OUTLET_REASONS 8      /* newest refusals kept for the status */

/* What was acknowledged in one span of time, for a rewind. */
typedef struct bb_acked {
  uint64_t begun_ns, last_ns; /* monotonic: of the first and the newest verdict */
  bb_span ranges[BB_OUTLET_ACKED_RANGES];
  uint32_t n;
} bb_acked;

/* One stream as this outlet reads it. */
typedef struct bb_intake {
  bb_reader reader; /* first */
  struct bb_outlet *outlet;
  bb_list link;
  uint64_t live;                     /* the next record to be sent live */
  bb_span history[BB_OUTLET_RANGES]; /* to be sent as history; ascending, apart */
  uint32_t n_history;
  bool leaving;                        /* no route feeds it any more: goes once it is empty */
  bb_acked acked[BB_OUTLET_SPANS + 1]; /* a ring; empty where the sink holds nothing */
  uint32_t acked_newest;
  bb_span rewound[BB_OUTLET_ACKED_RANGES]; /* what a rewind asked for, until history is empty */
  uint32_t n_rewound;
} bb_intake;

typedef enum bb_flight_state { BB_FLIGHT_SENT, BB_FLIGHT_DONE, BB_FLIGHT_RETRY } bb_flight_state;

/* A batch on its way. */
typedef struct bb_flight {
  bb_intake *intake;
  bb_chunk *chunk;
  uint64_t record;
  uint32_t bytes;
  uint8_t state; /* bb_flight_state */
  bool history;
  bool dropped; /* meanwhile: it cannot be sent again */
} bb_flight;

typedef struct bb_outlet_counters {
  uint64_t delivered; /* batches */
  uint64_t retried;
  uint64_t refused;
  uint64_t dropped; /* for want of room, before they could be sent */
} bb_outlet_counters;

typedef struct bb_outlet {
  /* read-only */
  const char *id;
  const bb_config_sink *config;
  bb_config *owner; /* referenced: the config that `config` lies in */
  bb_sink *sink;
  bb_sink_needs needs;
  bool ready;
  bool closing; /* to be closed */
  bool close_begun;
  bool closed;       /* the sink has let go */
  bb_reason reason;  /* why it is not ready */
  bb_reason refused; /* the newest refusal */
  int64_t since_ns;  /* UTC: ready or not ready since */
  bb_outlet_counters counters;
  uint32_t place; /* bit in a route set */
  bool drop_told; /* the log has said that batches are dropped, since it was last ready */
  /* private */
  struct bb_runtime *runtime;
  bb_list intakes;          /* whose turn it is to send history stands first */
  struct bb_parked *parked; /* room for what it leaves; see parking.h */
  bb_list link;
  bb_flight *flights;      /* ring of needs.window_records */
  bb_batch *views;         /* the batches of the flights, in the same ring */
  uint64_t oldest, newest; /* tickets: oldest without verdict, next to be given */
  uint32_t flight_bytes;
  uint32_t undone; /* flights in state SENT */
  uint32_t undone_history;
  bb_pace pace; /* of history */
  bool regroup; /* wait until the window is empty, then send again */
  bool blocked; /* the sink had no room */
  bool waiting; /* a back-off or the peer's Retry-After runs */
  bb_backoff backoff;
  uv_timer_t timer; /* back-off */
  uv_timer_t linger;
  bool linger_armed;
  uint32_t handles; /* to be closed */
  uint64_t aged_ns; /* monotonic: when it was last looked what is no longer live */
  void (*on_kept)(bb_sink *sink, bool durable); /* to be called once it is saved; NULL: none */
  uint64_t kept_put;                            /* bb_keep.puts of the newest value */
  double history_room;                          /* batches of history that may go now */
  uint64_t history_ns;                          /* monotonic: when that was told last */
  bb_ledger past;                               /* see past.h */
  const bb_device *past_device;                 /* of the batch that was looked at last */
  const bb_shape *past_shape;
  bb_device *sender; /* of messages that were put; NULL: none yet */
} bb_outlet;

/* Opens the sink; `place` is its bit. NULL with `reason` when that fails. */
bb_outlet *bb_outlet_open(struct bb_runtime *runtime, bb_config *owner,
                          const bb_config_sink *config, uint32_t place, bb_reason *reason);

/* Feeds from that stream from its next record on; joined twice is joined once. */
int bb_outlet_join(bb_outlet *outlet, bb_stream *stream);

/* A further intake, of a stream that no route feeds it from, for what the store has of it. NULL without
 * memory. */
bb_intake *bb_outlet_add(bb_outlet *outlet, bb_stream *stream);

/* No route feeds it from that stream any more; what is in it will still be sent. */
void bb_outlet_leave(bb_outlet *outlet, bb_stream *stream);

/* Something was appended to one of its streams, or kept for it. */
void bb_outlet_wake(bb_outlet *outlet);

/* Whether something waits to be sent as history, and how many records. */
bool bb_outlet_has_history(const bb_outlet *outlet);
uint64_t bb_outlet_history(const bb_outlet *outlet);

/* Records that wait or are on their way. */
uint64_t bb_outlet_depth(const bb_outlet *outlet);

/* How many of them are on the disk. */
uint64_t bb_outlet_saved(const bb_outlet *outlet);

/* Records were dropped from that stream: those that this outlet had not sent are counted. */
void bb_outlet_dropped(bb_outlet *outlet, bb_stream *stream, uint64_t from, uint64_t to,
                       bb_drop why);

/* Records of that stream are nowhere, though they were delivered. A rewind that wanted them is told, and
 * counted as dropped. */
void bb_outlet_missing(bb_outlet *outlet, bb_stream *stream, uint64_t from, uint64_t to);

/* Drops all that waits, but for what is on its way; how many batches. They are counted as dropped. */
uint64_t bb_outlet_drop_all(bb_outlet *outlet);

/* Drains for at most `drain_ms`, closes the sink; the runtime is told by bb_runtime_outlet_closed and
 * the outlet is freed. */
void bb_outlet_close(bb_outlet *outlet, uint32_t drain_ms);

extern const bb_sink_host bb_outlet_host;

#endif
