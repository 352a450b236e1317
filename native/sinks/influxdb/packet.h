/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batches that go into one request, as lines in its body. Batches are added until it is full;
 * when the server complains of some of them, the packet is sent again in pieces (sift.h).
 */
#ifndef BB_SINKS_INFLUXDB_PACKET_H
#define BB_SINKS_INFLUXDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "io/gzip.h"
#include "sinks/influxdb/plans.h"

#define BB_INFLUXDB_MAX_BODY (64u << 20)
#define BB_INFLUXDB_MAX_PIECES 32 /* waiting ones: each is at most half of the one before */

typedef struct bb_influxdb_record {
  uint64_t ticket;
  const bb_batch *batch;
  uint32_t lines;
  uint32_t reason_at;  /* why it was refused: this part of the message */
  uint32_t reason_len; /* 0: all of it */
} bb_influxdb_record;

/* Records [first, first + n) of a packet. */
typedef struct bb_influxdb_piece {
  uint32_t first;
  uint32_t n;
} bb_influxdb_piece;

typedef struct bb_influxdb_packet {
  /* read-only */
  bb_influxdb_record *records;
  uint32_t n;
  uint32_t cap;
  uint32_t lines; /* of what is in the body */
  size_t bytes;   /* the same before compression */
  bb_buf body;
  /* pieces without a verdict; the last one is that in the body */
  bb_influxdb_piece pieces[BB_INFLUXDB_MAX_PIECES];
  uint32_t n_pieces;
} bb_influxdb_packet;

/* What all packets of a sink are made with. */
typedef struct bb_influxdb_encoder {
  bb_influxdb_plans plans;
  bool gzip;
  bb_gzip stream;     /* of the packet being filled */
  bb_buf scratch;     /* the lines of one batch */
  uint64_t *left_out; /* counts the fields left out */
} bb_influxdb_encoder;

/* `cap` records at most. 0 or BB_ERR_NOMEM. */
int bb_influxdb_packet_open(bb_influxdb_packet *packet, uint32_t cap);
void bb_influxdb_packet_close(bb_influxdb_packet *packet);

/* Empties it; it is then the one being filled. */
void bb_influxdb_packet_start(bb_influxdb_packet *packet, bb_influxdb_encoder *encoder);

/*
 * Adds a batch unless that would pass max_lines or max_bytes; alone it may pass them. 0, BB_ERR_AGAIN
 * (it is full), BB_ERR_LIMIT (the batch is too large for any packet) or BB_ERR_NOMEM.
 */
int bb_influxdb_packet_add(bb_influxdb_packet *packet, bb_influxdb_encoder *encoder,
                           uint64_t ticket, const bb_batch *batch, uint32_t max_lines,
                           size_t max_bytes);

/* Ends the body: all of it is one piece. 0 or BB_ERR_NOMEM. */
int bb_influxdb_packet_end(bb_influxdb_packet *packet, bb_influxdb_encoder *encoder);

/* Fills the body with the last of the pieces. 0 or BB_ERR_NOMEM. */
int bb_influxdb_packet_encode(bb_influxdb_packet *packet, bb_influxdb_encoder *encoder);

#endif
