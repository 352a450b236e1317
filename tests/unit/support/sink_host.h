/* SPDX-License-Identifier: Apache-2.0 */
/* A host for one sink, in place of the runtime's delivery: it keeps what the sink tells. */
#ifndef BB_TEST_SINK_HOST_H
#define BB_TEST_SINK_HOST_H

#include <uv.h>

#include "base/doc.h"
#include "plug/sink.h"

#define SINK_HOST_TICKETS 4096

typedef struct sink_host {
  /* public */
  void (*on_verdict)(struct sink_host *host, uint64_t ticket, uint32_t n, bb_verdict verdict);
  void *data;      /* for on_verdict */
  size_t fail_nth; /* that allocation of open fails; 0: none */
  /* read-only */
  bb_sink *sink;
  bool is_ready;
  unsigned ready, waits, closed; /* how often */
  unsigned verdicts;             /* batches judged */
  bb_reason wait;                /* the last one */
  uint32_t retry_ms;
  uint8_t judged[SINK_HOST_TICKETS]; /* verdicts that a ticket got */
  bb_verdict verdict[SINK_HOST_TICKETS];
  char refusal[SINK_HOST_TICKETS][BB_MAX_REASON]; /* "" */
  bb_reason refused;                              /* of the last verdict that had one */
  bb_log log;
  bb_clock clock;
  bb_doc_tree doc;
} sink_host;

/* Opens a sink with options written as YAML, which must have no mistakes. The result of open. */
int sink_host_open(sink_host *host, const bb_sink_kind *kind, uv_loop_t *loop, const char *options);

/* Closes it, runs the loop until on_closed, frees everything. */
void sink_host_close(sink_host *host, uint32_t drain_ms);
void sink_host_free(sink_host *host); /* the same after on_closed */

/* Hands n batches over, tickets from `ticket`. The result of deliver. */
int sink_host_deliver(sink_host *host, uint64_t ticket, const bb_batch *batches, uint32_t n);

#endif
