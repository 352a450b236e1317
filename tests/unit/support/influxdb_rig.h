/* SPDX-License-Identifier: Apache-2.0 */
/* The influxdb sink between a host (sink_host.h) and a server (http_peer.h) that a test controls. */
#ifndef BB_TEST_INFLUXDB_RIG_H
#define BB_TEST_INFLUXDB_RIG_H

#include <uv.h>

#include "support/http_peer.h"
#include "support/sample.h"
#include "support/sink_host.h"

#define INFLUXDB_RIG_BATCHES 300
#define INFLUXDB_RIG_TIME 1763688000000000000 /* of batch 0; the others a second apart */
#define INFLUXDB_RIG_WRITTEN "HTTP/1.1 204 No Content\r\n\r\n"

/* Options for both APIs; the token is "s3cret". */
#define INFLUXDB_RIG_V1 "database: plant\n"
#define INFLUXDB_RIG_V2 "org: my org\nbucket: energy\ntoken_env: TEST_TOKEN\n"

typedef struct {
  uv_loop_t loop;
  http_peer peer;
  sink_host host;
  bb_device *device;
  sample samples[INFLUXDB_RIG_BATCHES];
  bb_batch batches[INFLUXDB_RIG_BATCHES];
  /* what the server does with a write */
  http_peer_answer answer; /* text NULL: takes it */
  void (*on_write)(http_peer *peer, const http_peer_request *request, http_peer_answer *answer);
  unsigned writes, pings;
  const http_peer_request *write[HTTP_PEER_REQUESTS];
  http_peer_answer ping; /* text NULL: 204 */
} influxdb_rig;

/* Starts the server. Batch i has the value i; all have one device and shape. */
void influxdb_rig_serve(influxdb_rig *f);

/* Opens the sink with these options, and the server's URL. */
void influxdb_rig_sink(influxdb_rig *f, const char *options);

/* Both, until the sink is ready. */
void influxdb_rig_open(influxdb_rig *f, const char *options);

/* Closes sink and server, or only the server; nothing may be left on the loop. */
void influxdb_rig_close(influxdb_rig *f);
void influxdb_rig_end(influxdb_rig *f);

/* Hands over n batches, their tickets being their places. */
void influxdb_rig_deliver(influxdb_rig *f, uint32_t first, uint32_t n);

/* Run the loop until there were so many in all; fail the test after 10 s. */
void influxdb_rig_wait_verdicts(influxdb_rig *f, unsigned n);
void influxdb_rig_wait_waits(influxdb_rig *f, unsigned n);

/* The time that a waiting sink asked for is over. */
void influxdb_rig_become_ready(influxdb_rig *f);

/* Each of n tickets has one verdict: refused where `refused` has it ("|3|17|"), else acknowledged. */
void influxdb_rig_expect(const char *row, const influxdb_rig *f, unsigned n, const char *refused);

#endif
