/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A raw peer for Modbus, over TCP or at the far end of a serial line, that does what a script says,
 * on the loop of the test. It knows MBAP frames only as far as to find where one ends, and builds its
 * answers by hand. Left to itself it answers reads of registers with 1000 + address, reads of bits
 * with every third bit set, and repeats writes.
 */
#ifndef BB_TEST_MODBUS_PEER_H
#define BB_TEST_MODBUS_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define MODBUS_PEER_CLIENTS 64

typedef struct modbus_peer modbus_peer;

typedef struct modbus_peer_client {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe; /* a serial line */
  } as;
  modbus_peer *peer;
  uint8_t bytes[1024];
  size_t len;
  bool open;
} modbus_peer_client;

/* A request, as it came. */
typedef struct modbus_peer_request {
  modbus_peer_client *client;
  uint8_t frame[300]; /* of RTU: unit, PDU, CRC */
  size_t len;
  uint16_t id;
  uint8_t unit, function;
  uint16_t address, count;
} modbus_peer_request;

struct modbus_peer {
  /* public */
  void (*on_request)(modbus_peer *peer, const modbus_peer_request *request); /* NULL: answer */
  bool rtu;           /* frames of a serial line */
  bool close_at_once; /* each connection that is made */
  bool mute;          /* no answers at all */
  const char *host;   /* its address, IPv4 or IPv6; NULL: 127.0.0.1 */
  uint16_t port;      /* 0: a free one, which stands here then */
  void *user;
  /* read-only */
  uv_loop_t *loop;
  unsigned n_accepted, n_requests, n_open;
  modbus_peer_request last;
  /* private */
  uv_tcp_t listener;
  modbus_peer_client *clients[MODBUS_PEER_CLIENTS];
};

/* Listens. */
void modbus_peer_open(modbus_peer *peer, uv_loop_t *loop);

/* Serves the far end of a serial line, which becomes the peer's. */
void modbus_peer_open_serial(modbus_peer *peer, uv_loop_t *loop, int fd);

/* Ends listening and all connections; the loop has to run until peer->n_open is 0. */
void modbus_peer_close(modbus_peer *peer);

/* The proper answer; and one of an exception. */
void modbus_peer_answer(modbus_peer *peer, const modbus_peer_request *request);
void modbus_peer_refuse(modbus_peer *peer, const modbus_peer_request *request, uint8_t exception);

/* Builds the proper answer into `out`; returns its length. */
size_t modbus_peer_build(const modbus_peer *peer, const modbus_peer_request *request, uint8_t *out);

/* Bytes as they are; in `pieces` of that many bytes each, some milliseconds apart, if not 0; all of
 * it after `delay_ms`. */
void modbus_peer_send(modbus_peer_client *client, const uint8_t *bytes, size_t len);
void modbus_peer_send_later(modbus_peer_client *client, const uint8_t *bytes, size_t len,
                            uint32_t delay_ms, size_t piece);

/* Ends one connection; with a reset instead of an end if `hard`. */
void modbus_peer_drop(modbus_peer_client *client, bool hard);
void modbus_peer_drop_all(modbus_peer *peer, bool hard);

#endif
