/* SPDX-License-Identifier: Apache-2.0 */
/* The sink's own struct, for influxdb.c (its life), writer.c and request.c (the way of the
 * batches). */
#ifndef BB_SINKS_INFLUXDB_SINK_H
#define BB_SINKS_INFLUXDB_SINK_H

#include <uv.h>

#include "base/secret_file.h"
#include "io/backoff.h"
#include "io/http.h"
#include "plug/sink.h"
#include "sinks/influxdb/answer.h"
#include "sinks/influxdb/options.h"
#include "sinks/influxdb/packet.h"

/* One more than can be under way is filled meanwhile. */
#define BB_INFLUXDB_PACKETS (BB_INFLUXDB_MAX_CONCURRENCY + 1)

typedef enum bb_influxdb_state {
  BB_INFLUXDB_ASKING,  /* whether the server is there */
  BB_INFLUXDB_READY,   /* fed */
  BB_INFLUXDB_WAITING, /* for delivery to call retry */
  BB_INFLUXDB_CLOSING, /* sends what it still can */
  BB_INFLUXDB_CLOSED,  /* only handles are left */
} bb_influxdb_state;

typedef enum bb_influxdb_stage {
  BB_INFLUXDB_FREE,
  BB_INFLUXDB_FILLING, /* at most one packet */
  BB_INFLUXDB_DUE,     /* to be sent when a request is free */
  BB_INFLUXDB_SENT,
  BB_INFLUXDB_VOID, /* its request is being canceled, its batches are no longer ours */
} bb_influxdb_stage;

typedef struct bb_influxdb_slot {
  struct bb_influxdb *sink;
  bb_influxdb_packet packet;
  bb_influxdb_stage stage;
  uint64_t order; /* of becoming due */
  uint32_t tries; /* requests with its pieces */
  bb_http_request request;
} bb_influxdb_slot;

/* A batch that waits for a packet. */
typedef struct bb_influxdb_queued {
  uint64_t ticket;
  const bb_batch *batch;
  bool history;
} bb_influxdb_queued;

typedef struct bb_influxdb {
  bb_sink base;
  bb_influxdb_options options;
  bb_influxdb_encoder encoder;
  bb_influxdb_complaint complaint; /* the last one */
  bb_influxdb_state state;
  bool eager;   /* until a request succeeds, nothing waits for company */
  bool history; /* in the packet being filled: more of it comes only after what was sent */
  char path[BB_INFLUXDB_MAX_PATH];
  bb_secret_file ca, cert, key; /* of TLS */
  bb_http http;
  bb_http_request ping;
  bb_backoff backoff;
  uint64_t mark;             /* of secret and certificates, when it was last looked */
  size_t max_bytes;          /* less than the option's after a 413 */
  bb_influxdb_queued *queue; /* a ring */
  uint32_t queue_cap, queue_head, queue_n;
  bb_influxdb_slot slots[BB_INFLUXDB_PACKETS];
  uint32_t n_slots;
  uint32_t under_way;
  uint64_t next_order;
  uv_timer_t soon;  /* the work that is not done inside a call of the host's */
  uv_timer_t age;   /* of the packet being filled */
  uv_timer_t drain; /* the end of closing's patience */
  unsigned handles;
} bb_influxdb;

/* influxdb.c */

/* Not ready any more, or the end of closing: all batches are forgotten. The sentence in `reason` is
 * completed with when the next try is; delay 0 takes the next back-off. */
void bb_influxdb_wait(bb_influxdb *sink, bb_reason *reason, uint32_t delay_ms);

/* The same for an error of our own, and for a request that got no answer. */
void bb_influxdb_fail(bb_influxdb *sink, int err);
void bb_influxdb_miss(bb_influxdb *sink, const bb_http_answer *answer);

/* Ends closing: what has no verdict gets RETRY, then everything is closed. */
void bb_influxdb_finish(bb_influxdb *sink);

/* Has bb_influxdb_writer_work called from the loop. */
void bb_influxdb_work_soon(bb_influxdb *sink);

/* writer.c */

/* 0 or BB_ERR_NOMEM, with nothing left behind. */
int bb_influxdb_writer_open(bb_influxdb *sink, uint32_t window);
void bb_influxdb_writer_close(bb_influxdb *sink);

/* 0 or BB_ERR_AGAIN. */
int bb_influxdb_writer_queue(bb_influxdb *sink, const bb_run *run);

/* Fills packets from the queue and sends what is due. */
void bb_influxdb_writer_work(bb_influxdb *sink);

/* Forgets all batches, canceling requests; with `verdict`, each gets RETRY first. */
void bb_influxdb_writer_forget(bb_influxdb *sink, bool verdict);

/* True when nothing is queued, filled or under way. */
bool bb_influxdb_writer_idle(const bb_influxdb *sink);

/* request.c */

/* Sends the packet's body, with the secret as it is now. The stage is then SENT, or the sink waits. */
void bb_influxdb_request_send(bb_influxdb *sink, bb_influxdb_slot *slot);

/* A verdict for records, in as few calls as tickets and reasons allow. `status` is that of a
 * refusal. */
void bb_influxdb_request_give(bb_influxdb *sink, const bb_influxdb_record *records, uint32_t n,
                              bb_verdict verdict, uint32_t status);

/* A refusal in words of our own. */
void bb_influxdb_request_refuse(bb_influxdb *sink, uint64_t ticket, uint32_t status,
                                const char *text);

#endif
