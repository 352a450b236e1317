/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client's connection to a simulated port: takes its requests apart, has them answered, and
 * spoils the answers as the faults say.
 */
#ifndef BB_SIM_SESSION_H
#define BB_SIM_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "sim/server.h"

#define BB_SIM_INPUT_BYTES 1024     /* requests that came and are not yet taken apart */
#define BB_SIM_MAX_WAITING 256      /* answers of one connection; then it is read no further */
#define BB_SIM_MAX_UNSENT (1 << 18) /* bytes; a client that reads none of them is cut off */

typedef struct bb_sim_session {
  /* read-only */
  bb_sim_port *port;
  bb_list node; /* of the port's sessions */
  bool heard;   /* false: one client too many, whose bytes are thrown away */
  bool closing;
  uint32_t n_waiting; /* answers in the outbox */
  /* of the outbox */
  bb_list answers;
  uint64_t last_due_ns;
  bb_sim_answer *merging; /* the waiting answer that others may leave with */
  /* private */
  uv_tcp_t tcp;
  bool paused;
  uint32_t len;
  uint8_t input[BB_SIM_INPUT_BYTES];
} bb_sim_session;

/* Accepts the connection that the port's listener announced. 0 or an error, which concerns that
 * connection alone. */
int bb_sim_session_accept(bb_sim_port *port);

/* Sends, or queues what the socket does not take. Closes the session when it is lost. */
void bb_sim_session_send(bb_sim_session *session, const uv_buf_t *bufs, unsigned n);

/* Goes on with requests that were left because too many answers waited. */
void bb_sim_session_resume(bb_sim_session *session);

/* Harmless when it is closing already. The memory is freed from the loop. */
void bb_sim_session_close(bb_sim_session *session);

#endif
