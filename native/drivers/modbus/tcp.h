/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Modbus connection over TCP, with its own framing (MBAP) or that of a serial line. Our own client
 * on libuv: nothing waits, nothing is allocated once it is open, and a request costs one write, one
 * read and no timer: the one timer is armed for the earliest deadline and looked at when it fires.
 *
 * Life of the socket:
 *
 *   resting   none; wanted when a job waits, or after retry_ns
 *   looking   the host's name is looked up
 *   trying    connecting
 *   open      requests and answers
 *
 * A connection that gave an answer and is then lost (closed, reset, step lost, silent) is made anew
 * at once, and nobody is told unless that fails. One that gave none is no success: the next try
 * waits, each time longer, up to reconnect_max.
 *
 * A host name may have several addresses (io/resolver.h). One that says no within a second (refused,
 * unreachable) is followed by the next at once; after a time-out, or a connection that gave no answer,
 * the next one's turn comes with the next try. The address that answered last comes first. The name
 * is looked up again when all have failed, and for a new connection once a minute at most; what is
 * known already serves as long as that brings nothing.
 *
 * An answer that nobody waits for (a poll of one request, by its period, on a line that has nothing else
 * to do) is not waited for by epoll but looked for at the loop's beat, together with those of other
 * connections: a connection is patient then. Its time-outs are seen at the beat too, and its end by
 * what watches over all patient ones (io/hangup.h). Whatever else comes up makes it prompt at once.
 *
 * A request that the socket does not take at once ends the connection: requests are so small, and so
 * few under way, that a full send buffer means a peer which reads no more.
 */
#ifndef BB_DRIVERS_MODBUS_TCP_H
#define BB_DRIVERS_MODBUS_TCP_H

#include <uv.h>

#include "drivers/modbus/line.h"
#include "drivers/modbus/options.h"
#include "io/backoff.h"
#include "io/beat.h"
#include "io/resolver.h"

#define BB_MODBUS_TCP_BUFFER (2 * BB_MODBUS_TCP_MAX) /* bytes: a frame and the start of another */

typedef enum bb_modbus_tcp_state {
  BB_MODBUS_TCP_RESTING,
  BB_MODBUS_TCP_LOOKING,
  BB_MODBUS_TCP_TRYING,
  BB_MODBUS_TCP_OPEN,
  BB_MODBUS_TCP_CLOSED, /* by bb_driver.close */
} bb_modbus_tcp_state;

typedef struct bb_modbus_tcp {
  /* private: shared by the files of this transport */
  bb_modbus_line line; /* first */
  bb_modbus_tcp_options options;
  uv_tcp_t socket;
  uv_timer_t timer;
  uv_connect_t connecting;
  bb_resolve resolve;
  bb_backoff backoff;
  uint64_t timer_ns; /* when the timer fires; 0: it is not armed */
  uint64_t sent_ns;  /* when the last request was sent */
  bb_beat_wait beat;
  bb_hangup_watch hangup;
  uint64_t looked_ns; /* when the host's name was looked up last */
  uint64_t
      until_ns;    /* of looking and trying: the end; of resting: the next try, or 0: not by time */
  uint8_t state;   /* bb_modbus_tcp_state */
  bool has_socket; /* until its close callback */
  bool has_timer;
  bool again;      /* try at once when the socket is closed */
  bool patient;    /* looks at the socket at beats; the loop does not */
  uint8_t calm;    /* rises with each request whose answer can wait */
  uint16_t filled; /* bytes of the buffer */
  uint8_t buffer[BB_MODBUS_TCP_BUFFER];
} bb_modbus_tcp;

/* In tcp_connect.c: */

/* Makes the socket, unless that is under way. */
void bb_modbus_tcp_start(bb_modbus_tcp *tcp);

/* The connection is lost: BB_ERR_FORMAT, BB_ERR_TIMEOUT (silence) or a code of libuv. */
void bb_modbus_tcp_lost(bb_modbus_tcp *tcp, int status);

/* Closes the socket because nobody needs it now. */
void bb_modbus_tcp_rest(bb_modbus_tcp *tcp);

/* A deadline may have passed. */
void bb_modbus_tcp_check(bb_modbus_tcp *tcp);

/* Ends everything; on_closed follows. */
void bb_modbus_tcp_close(bb_modbus_tcp *tcp);

/* In tcp.c: */

/* The timer fires at that time at the latest. */
void bb_modbus_tcp_wake(bb_modbus_tcp *tcp, uint64_t at_ns, bool exact);

/* Starts to hear what the peer sends. 0 or a code of libuv. */
int bb_modbus_tcp_hear(bb_modbus_tcp *tcp);

/* Goes on hearing it. 0 or a code of libuv. */
int bb_modbus_tcp_listen(bb_modbus_tcp *tcp);

/* Time has passed. */
void bb_modbus_tcp_tick(bb_modbus_tcp *tcp);

/* So many bytes have come into the buffer; negative: the connection is lost. Inside enter and leave. */
void bb_modbus_tcp_got(bb_modbus_tcp *tcp, ssize_t n);

/* In tcp_beat.c: */

/* Before a request is sent: how its answer will be heard. 0 or a code of libuv. */
int bb_modbus_tcp_attend(bb_modbus_tcp *tcp, const bb_modbus_slot *slot);

/* Jobs wait: a patient connection becomes prompt if they have to wait for an answer. Without ids, what
 * lies in its socket by now is taken first: it could pass for the answer to the next request. */
void bb_modbus_tcp_look(bb_modbus_tcp *tcp);

/* Takes an answer that lies there before it is called late. */
void bb_modbus_tcp_catch_up(bb_modbus_tcp *tcp);

/* The socket goes. */
void bb_modbus_tcp_forget(bb_modbus_tcp *tcp);

#endif
