/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client of the health server: request in, answer out, and so on while it stays. It reads nothing
 * while it answers, and renders the next slice of the metrics when the last one has left, on another
 * turn of the loop.
 *
 * It takes a step within BB_HEALTH_IDLE_MS: sends a request, or takes a slice; else it is dropped.
 */
#ifndef BB_RUNTIME_HEALTH_CLIENT_H
#define BB_RUNTIME_HEALTH_CLIENT_H

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "runtime/health.h"
#include "runtime/health_request.h"
#include "runtime/metrics.h"

#define BB_HEALTH_PARTING_MS 1000 /* for a client to read the last answer and close */

typedef struct bb_health_client {
  /* private */
  bb_health *health;
  bb_list link;
  uv_tcp_t tcp;
  uv_timer_t idle;
  uv_timer_t next; /* slice */
  uv_write_t write;
  uv_shutdown_t shutdown;
  uint32_t handles;
  uint8_t in[BB_HEALTH_REQUEST_BYTES];
  size_t in_len;
  bb_buf out;
  bb_metrics metrics;
  bool streaming; /* metrics are under way */
  bool chunks;
  bool keep_alive;
  bool parting; /* has its last answer; what it still sends is thrown away */
  bool closing;
} bb_health_client;

/* Accepts a client from the listener; `turn_away`: only to be told that there are too many. */
int bb_health_client_open(bb_health *health, uv_stream_t *listener, bool turn_away);

void bb_health_client_close(bb_health_client *client);

/* The client has gone; of health.c. */
void bb_health_client_closed(bb_health *health);

#endif
