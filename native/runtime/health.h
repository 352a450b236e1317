/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP/1.1 server for those who watch the runtime, on a loopback address by default:
 *
 *   GET /metrics   for Prometheus (metrics.h), in chunks, a turn of the loop for each
 *   GET /healthz   200 "ok" while the loop runs
 *   GET /readyz    200 "ready", or 503; then a sentence for each device and sink that is missing
 *
 * Both have a sentence for a store that fails, and one for dead letters. Neither changes an answer: live
 * data flows.
 *
 * A client has 8 KiB for a request and BB_HEALTH_IDLE_MS for its next step; there are at most
 * BB_HEALTH_CLIENTS, one more is turned away with 503. Bodies of requests are refused.
 */
#ifndef BB_RUNTIME_HEALTH_H
#define BB_RUNTIME_HEALTH_H

#include <stdbool.h>
#include <uv.h>

#include "base/list.h"
#include "runtime/runtime.h"

#define BB_HEALTH_CLIENTS 16
#define BB_HEALTH_IDLE_MS 10000

typedef struct bb_health bb_health;

struct bb_health {
  /* read-only */
  char address[80]; /* where it listens: "127.0.0.1:9464", the port as it really is; "": nowhere */
  uint32_t n_clients;
  /* private */
  bb_runtime *runtime;
  char wanted[80];
  struct bb_health_listener *listener;
  bb_list clients;
  uint32_t handles;
  void (*on_closed)(bb_health *health);
};

/* Allocates nothing. The runtime's loop and log are used; it must outlive this. */
void bb_health_init(bb_health *health, bb_runtime *runtime);

/*
 * Listens at "127.0.0.1:9464", "[::1]:0" or "localhost:9464" (127.0.0.1), port 0: a free one; "off"
 * and NULL: nowhere. May be called again: another address takes the place of the first. A port that
 * is taken is no reason to end: a warning is logged, a negative code comes back, and nothing
 * listens. A non-loopback address is served with a warning.
 */
int bb_health_listen(bb_health *health, const char *address);

/* Drops the clients too; then on_closed, possibly before this returns. */
void bb_health_close(bb_health *health, void (*on_closed)(bb_health *health));

/* The parts of an address as above; false: it is none. `host` holds 64 bytes. Pure. */
bool bb_health_address_parse(const char *text, char *host, uint16_t *port);

#endif
