/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: a Unix socket through which Node-RED and the command line see the runtime,
 * tell it what to do, and bring values of external devices. docs/socket.md is the reference of the
 * requests; the framing is in socket_frame.h.
 *
 * A slow client never holds the runtime. Answers and events have a queue of their own and go before
 * batches; batches wait in a bounded one whose oldest go first, and the client is told how many
 * (event "dropped"). Who does not take answers gets no more requests read; whose events have no room
 * any more is closed.
 *
 * A message wakes both processes, which takes longer than all else that is done for a batch. So a batch
 * (or the event "taken") that comes alone goes at once, those that follow it go together with the next
 * tick of the schedule, and all that wait go along with an answer or another event.
 */
#ifndef BB_RUNTIME_SOCKET_H
#define BB_RUNTIME_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "runtime/runtime.h"

#define BB_SOCKET_PROTOCOL_MIN 1
#define BB_SOCKET_PROTOCOL_MAX 2 /* puts with properties */

struct bb_client;
struct bb_lifeline;
struct bb_secrets;
typedef struct bb_socket bb_socket;

struct bb_socket {
  /* public: set before init, or zero */
  bb_runtime *runtime;
  const char *path; /* must live as long as the socket */
  unsigned mode;    /* of the file; 0: 0600 */
  bool file_owned; /* the document's owner is its file: apply is refused. May change at any time. */
  void *user;
  /* A client's document was applied: keep it. 0 or an error, which is told to the client. NULL: it
   * is not kept. */
  int (*on_applied_text)(bb_socket *socket, const char *text, size_t len);
  /* A client asks the runtime to end. NULL: it is refused. */
  void (*on_stop)(bb_socket *socket);
  /* A client has said hello or applied (true); or the one that held the runtime has left (false): who
   * applied last, or, where nobody has, the last one that had said hello. NULL: nobody minds. */
  void (*on_attended)(bb_socket *socket, bool attended);
  struct bb_secrets *secrets; /* which clients hand over; NULL: they cannot */
  /* For the answer to hello: */
  const char *data; /* the data directory; NULL: not told */
  const struct bb_lifeline *lifeline;
  bool lingers;       /* the runtime ends by itself ... */
  uint64_t linger_ms; /* ... so long after on_attended(false) */
  /* read-only */
  uint32_t n_clients;
  uint64_t clients_total; /* ever accepted */
  uint64_t dropped;       /* batches for want of room, all clients */
  /* private */
  uv_pipe_t listener;
  uv_prepare_t prepare;
  bb_watch watch;
  bb_list clients;         /* of bb_client.link */
  bb_list dirty;           /* have something to be sent */
  bb_list gathering;       /* have batches that go with the next beat */
  uv_timer_t beat;         /* runs while batches are gathered */
  bb_list reads;           /* that wait for polls to end */
  struct bb_client *owner; /* who applied; NULL: nobody who is still there */
  struct bb_client *big;   /* who is sending a request past BB_CLIENT_INPUT_BYTES */
  bb_buf scratch;          /* the JSON being written */
  uint32_t handles;
  bool closing;
  void (*on_closed)(bb_socket *socket);
};

/*
 * Listens; a socket file that was left behind is replaced, so the caller holds the data directory's
 * lock. The runtime must have been initialised. 0; UV_ENAMETOOLONG, UV_EACCES and others of libuv,
 * after which nothing is left and nothing is called back.
 */
int bb_socket_init(bb_socket *socket);

/* Closes all clients and removes the file, then on_closed, after which the memory is the caller's.
 * The runtime may have stopped, but its memory must still be there. Once. */
void bb_socket_close(bb_socket *socket, void (*on_closed)(bb_socket *socket));

#endif
