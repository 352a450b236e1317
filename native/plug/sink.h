/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sink is to the runtime. A sink knows one way of sending; the window, the retry clock,
 * back-off, bounds, order and history are delivery's, once for all.
 *
 * A sink announces each shape and device before their first batch. Delivery hands it runs of batches
 * while it is ready and has room; for each batch exactly one verdict comes back, in any order and any
 * split. What belongs to a session (topic, alias, sequence number) is encoded when it is delivered,
 * never stored.
 *
 * Everything runs on the loop thread; a sink with a thread of its own comes back to the loop before
 * it calls the host. No call of the host may happen inside a call of the sink, but for keep, kept and
 * latest.
 */
#ifndef BB_PLUG_SINK_H
#define BB_PLUG_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/schema.h"
#include "model/batch.h"
#include "model/message.h"
#include "plug/command.h"
#include "plug/reason.h"

struct uv_loop_s;

typedef struct bb_sink bb_sink;
typedef struct bb_sink_kind bb_sink_kind;
typedef struct bb_sink_host bb_sink_host;

typedef enum bb_verdict {
  BB_VERDICT_ACKED,   /* the peer confirmed it */
  BB_VERDICT_RETRY,   /* not confirmed: once more, later */
  BB_VERDICT_REFUSED, /* the peer will never take it: set aside with the reason */
} bb_verdict;

/* Consecutive batches of one stream. */
typedef struct bb_run {
  uint64_t ticket; /* of the first; the others follow by one */
  uint32_t n;
  bool history;            /* not live: backlog, or a rewind */
  const bb_batch *batches; /* the runtime's, valid until each one's verdict */
} bb_run;

/* How a sink wants to be fed. Zero: as stated. */
typedef struct bb_sink_needs {
  uint32_t window_records; /* batches without a verdict at most; 1000 */
  uint32_t window_bytes;   /* their bytes as frames; 4 MiB */
  uint32_t run_records;    /* batches in one run at most; 500 */
  uint32_t linger_ms;      /* how long a run may wait to become larger; none */
  uint32_t hold_ms;        /* how far back a rewind may reach; none */
} bb_sink_needs;

struct bb_sink {
  /* public: set by the runtime before open */
  const char *id;
  const bb_sink_kind *kind;
  const bb_sink_host *host;
  struct uv_loop_s *loop;
  bb_log *log;
  const bb_clock *clock;
  const char *site;  /* "" when none is set */
  const char *place; /* the data directory, which tells two runtimes of one machine apart; "" or
                        NULL: none */
  uint64_t seed;     /* differs between sinks: for jitter */
  void *owner;       /* the host's */
  /* read-only: kept by the sink */
  uint64_t bytes_sent; /* payload, after compression */
  uint64_t left_out;   /* fields that the encoding could not carry (NaN, infinity) */
};

struct bb_sink_host {
  /* Connected, announced, ready for runs. Only on change. */
  void (*on_ready)(bb_sink *sink);

  /* Not ready, and why; every batch without a verdict counts as RETRY. `retry_ms`: the peer asked to
   * wait that long, after which delivery calls retry; 0: the sink itself says when it is ready. */
  void (*on_wait)(bb_sink *sink, const bb_reason *reason, uint32_t retry_ms);

  /* For REFUSED, `reason` says why; else it may be NULL. */
  void (*on_verdict)(bb_sink *sink, uint64_t ticket, uint32_t n, bb_verdict verdict,
                     const bb_reason *reason);

  /* Delivers what was acknowledged in the last `last_ms` once more, as history; whenever it was taken, so
   * also backlog. At most hold_ms; up to an eighth of that more than was asked for may come. What is
   * neither in memory nor in the store any more is told and counted as dropped. */
  void (*rewind)(bb_sink *sink, uint32_t last_ms);

  /* The newest values of an announced shape; false: there are none yet. The view is valid until the
   * sink returns to the loop. */
  bool (*latest)(bb_sink *sink, const bb_device *device, const bb_shape *shape, bb_batch *out);

  /* Hands a command to the one door. 0: its on_done will be called. */
  int (*command)(bb_sink *sink, bb_command *command);

  /* Keeps a few bytes, at most 4096, under a key of the sink's own. `kept` (may be NULL) is called
   * from the loop once all that was given so far is safe; `durable` is false if that is in memory
   * only, for want of a disk, which the log has then said. */
  int (*keep)(bb_sink *sink, const char *key, const void *bytes, size_t len,
              void (*kept)(bb_sink *sink, bool durable));

  /* What was kept; bytes copied, at most cap. Negative: BB_ERR_NOTFOUND. */
  int (*kept)(bb_sink *sink, const char *key, void *out, size_t cap);

  void (*on_closed)(bb_sink *sink);
};

struct bb_sink_kind {
  const char *kind; /* "mqtt": the key in the config document */
  size_t bytes;     /* of the sink's own struct, which begins with bb_sink */
  bool events;      /* takes events and outcomes, too, which have no shape and are not announced */
  const bb_schema *options;

  /* What the schema cannot say. Pure. May be NULL. */
  int (*check)(const bb_doc *options, bb_report *report);

  /* Pure; `options` has been checked. */
  void (*needs)(const bb_doc *options, bb_sink_needs *needs);

  /* Starts to connect. The document's text lives as long as the sink. 0, or negative with nothing
   * left behind. */
  int (*open)(bb_sink *sink, const bb_doc *options);

  /* A shape of a device that this sink will be sent, told once, before any batch of it; `shape->scan`
   * names the scan, which has several where routes to this sink ask for different points. Both stay
   * valid until it is gone. NULL: the sink does not care. */
  int (*shape)(bb_sink *sink, const bb_device *device, const bb_shape *shape);

  /* No batch of that shape is made any more, for those which were waiting may still come. Told once
   * for each that was announced, unless the sink closes first. NULL: the sink does not care. */
  void (*shape_gone)(bb_sink *sink, const bb_device *device, const bb_shape *shape);

  /* The device answers, or is lost; may be told again unchanged. NULL: the sink does not care. */
  void (*device)(bb_sink *sink, const bb_device *device, bool up);

  /* Whether a message that a client made can be sent, were the peer there. Pure. 0, or negative with
   * `reason`: it is not taken. */
  int (*check_message)(const bb_message *message, bb_reason *reason);

  /* Sends; may also be called while close drains. 0: a verdict for each batch will follow.
   * BB_ERR_AGAIN: no room; nothing was taken, and delivery tries again after the next verdict. */
  int (*deliver)(bb_sink *sink, const bb_run *run);

  /* The time that the peer asked for is over, or there is reason to try at once; may come in any
   * state. NULL: the sink does not wait that way. */
  void (*retry)(bb_sink *sink);

  /* What the document's secrets and certificates are read from may have changed. A connection that was
   * made with others is made anew, once what is under way has its verdict; a wait for the right ones
   * ends. Else nothing. NULL: the sink has none. */
  void (*refresh)(bb_sink *sink);

  /* Sends what it can within drain_ms, gives its verdicts, disconnects; then on_closed. */
  void (*close)(bb_sink *sink, uint32_t drain_ms);
};

#endif
