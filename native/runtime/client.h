/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client of the control socket, for the files that serve it:
 *
 *   client          its life, what it sends     client_out     what is sent to it
 *   client_watch    what it has subscribed to   client_source  values that it brings
 *   client_put      messages for a sink         request*       what it asks
 *
 * A client is freed some time after bb_client_close; what may call back later (commands, reads) is
 * listed in `calls` and let go there.
 */
#ifndef BB_RUNTIME_CLIENT_H
#define BB_RUNTIME_CLIENT_H

#include "base/doc.h"
#include "encode/json_writer.h"
#include "runtime/ledger.h"
#include "runtime/socket.h"
#include "runtime/socket_frame.h"

#define BB_CLIENT_INPUT_BYTES (1u << 20)       /* of a request that brings no document */
#define BB_CLIENT_ANSWER_BYTES (32u << 20)     /* answers and events that wait */
#define BB_CLIENT_HOLD_BYTES (1u << 20)        /* of them, past which nothing more is read */
#define BB_CLIENT_BATCH_BYTES (4u << 20)       /* batches that wait */
#define BB_CLIENT_CHUNK_BYTES (64u << 10)      /* with batches, handed to the kernel at once */
#define BB_CLIENT_KEEP_BYTES (256u << 10)      /* of a buffer, past which it is freed when empty */
#define BB_CLIENT_MAX_SHAPES 65536             /* sent; then they are sent again */
#define BB_CLIENT_MAX_SOURCE_SHAPES 4096       /* brought */
#define BB_CLIENT_MAX_SOURCE_BYTES (16u << 20) /* of shapes brought */
#define BB_CLIENT_MAX_PUTS 16384               /* groups of messages that are not yet safe */
#define BB_CLIENT_MAX_CALLS 64                 /* reads and writes under way */

typedef struct bb_client {
  /* read-only */
  bb_socket *socket;
  char name[BB_MAX_ID + 1]; /* what it calls itself; "" at first */
  bool greeted;             /* hello went well */
  bool closing;
  const char *doomed; /* why it is closed before the loop waits; NULL: it is not */
  /* private: its life */
  bb_list link;
  uv_pipe_t pipe;
  bb_buf in;
  bool held;         /* nothing more is read until answers were taken */
  bool busy_reading; /* a message of it is being served */
  /* private: client_out */
  bb_list dirty; /* in the socket's `dirty` or `gathering` */
  bb_buf answers;
  bb_buf batches;
  size_t batches_at; /* those before have gone */
  bb_buf writing;
  uv_write_t write;
  bool writing_now;
  uint64_t dropped, dropped_told;
  /* private: client_watch */
  bool subscribed, events;
  bool all_events; /* of devices whose batches it does not want, too */
  bb_doc_tree wish;
  const bb_doc *devices; /* patterns, in `wish`; NULL: all */
  bb_map seen;           /* id: bb_client_device */
  bb_ledger shapes;      /* that were sent */
  uint32_t numbers;      /* of devices, given so far */
  /* private: client_source */
  bb_ledger sources;       /* number: bb_device */
  bb_ledger source_shapes; /* hash: bb_shape */
  size_t source_bytes;
  uint64_t refused; /* frames; told once a kind of reason */
  char refusal[BB_MAX_REASON + BB_MAX_ID];
  /* private: client_put */
  bb_list puts;
  uint32_t n_puts;
  /* private: requests */
  bb_list calls; /* of bb_call.link */
  uint32_t n_calls;
} bb_client;

/* A request that ends later. It lies first in what it needs. */
typedef struct bb_call {
  bb_client *client; /* NULL: it has gone */
  bb_list link;
  uint32_t id;                           /* of the request */
  void (*on_gone)(struct bb_call *call); /* the client has gone; may free the call */
} bb_call;

/* socket.c: a handle of it, or of a client, is closed. */
void bb_socket_let_go(bb_socket *socket);

/* The client has said hello or applied; it has left the list of clients. */
void bb_socket_client_came(bb_client *client);
void bb_socket_client_left(bb_client *client);

/* client.c */
bb_client *bb_client_new(bb_socket *socket);              /* accepts; NULL when that fails */
void bb_client_close(bb_client *client, const char *why); /* `why` for the log; NULL: it left */

/* client_out.c: one JSON message at a time is being written. */
bb_json_writer bb_client_begin(bb_socket *socket);
void bb_client_end(bb_client *client, bb_socket_type type, bb_json_writer *json);
void bb_client_end_soon(bb_client *client, bb_socket_type type,
                        bb_json_writer *json); /* like a batch, with the next beat */

/* Ends an event for all that want events, and of them those that want that device (NULL: any). */
void bb_client_end_event(bb_socket *socket, bb_json_writer *json, const char *device);

/* What several messages hold: a time in ms, left out when unknown; "reason", "code" and "raw", each
 * left out when there is none. */
void bb_client_put_time(bb_json_writer *json, const char *key, int64_t ns);
void bb_client_put_reason(bb_json_writer *json, const bb_reason *reason);

/* Devices and shapes: like answers. Batches wait behind them. */
void bb_client_send_frame(bb_client *client, const bb_buf *frame);
void bb_client_send_batch(bb_client *client, uint32_t number, const bb_batch *batch);

/* Hands to the kernel what there is and what it takes. */
void bb_client_flush(bb_client *client);
void bb_client_resume(bb_client *client); /* client.c: reads on, once answers were taken */

/* client_watch.c */
void bb_client_watch_init(bb_socket *socket);
bool bb_client_wants(const bb_client *client, const char *device);
bool bb_client_wants_events(const bb_client *client, const char *device);

/* In place of what it had subscribed to; takes over `wish`, in which `devices` lies. */
void bb_client_subscribe(bb_client *client, bb_doc_tree *wish, const bb_doc *devices, bool events,
                         bool all_events);

/* How all that it has subscribed to is now: events, then devices, shapes and latest batches. */
void bb_client_snapshot(bb_client *client);
void bb_client_unsubscribe(bb_client *client);

/* client_source.c */
void bb_client_take_frames(bb_client *client, const uint8_t *bytes, size_t len);
void bb_client_leave_devices(bb_client *client);

/* client_put.c */
void bb_client_take_put(bb_client *client, const uint8_t *bytes, size_t len);

/* What it put stays where it is; it is told nothing more of it. */
void bb_client_drop_puts(bb_client *client);

/* request.c */
void bb_client_take_request(bb_client *client, const uint8_t *bytes, size_t len);

/* request_read.c: ends the reads whose polls have ended. */
void bb_request_check_reads(bb_socket *socket);

#endif
