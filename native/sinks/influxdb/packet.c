/* SPDX-License-Identifier: Apache-2.0 */
/* See packet.h. */
#include "sinks/influxdb/packet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int bb_influxdb_packet_open(bb_influxdb_packet *packet, uint32_t cap) {
  memset(packet, 0, sizeof(*packet));
  bb_buf_init(&packet->body, BB_INFLUXDB_MAX_BODY);
  packet->records = calloc(cap, sizeof(*packet->records));
  packet->cap = cap;
  return packet->records != NULL ? 0 : BB_ERR_NOMEM;
}

void bb_influxdb_packet_close(bb_influxdb_packet *packet) {
  free(packet->records);
  bb_buf_close(&packet->body);
}

void bb_influxdb_packet_start(bb_influxdb_packet *packet, bb_influxdb_encoder *encoder) {
  packet->n = packet->lines = packet->n_pieces = 0;
  packet->bytes = 0;
  bb_buf_clear(&packet->body);
  if (encoder->gzip) bb_gzip_start(&encoder->stream);
}

static int put_lines(bb_influxdb_packet *packet, bool gzip, bb_gzip *stream, const bb_buf *lines) {
  packet->bytes += lines->len;
  return gzip ? bb_gzip_add(stream, &packet->body, lines->bytes, lines->len)
              : bb_buf_append(&packet->body, lines->bytes, lines->len);
}

int bb_influxdb_packet_add(bb_influxdb_packet *packet, bb_influxdb_encoder *encoder,
                           uint64_t ticket, const bb_batch *batch, uint32_t max_lines,
                           size_t max_bytes) {
  uint32_t left_out = 0;
  if (packet->n == packet->cap) return BB_ERR_AGAIN;
  bb_buf_clear(&encoder->scratch);
  int lines = bb_influxdb_plans_encode(&encoder->plans, &encoder->scratch, batch, &left_out);
  if (lines < 0) return lines;
  size_t bytes = packet->bytes + encoder->scratch.len;
  if (packet->lines > 0 && lines > 0 &&
      (packet->lines + (uint32_t)lines > max_lines || bytes > max_bytes)) {
    return BB_ERR_AGAIN;
  }
  int err = put_lines(packet, encoder->gzip, &encoder->stream, &encoder->scratch);
  if (err < 0) return err;
  packet->records[packet->n++] = (bb_influxdb_record){ticket, batch, (uint32_t)lines, 0, 0};
  packet->lines += (uint32_t)lines;
  *encoder->left_out += left_out;
  return 0;
}

int bb_influxdb_packet_end(bb_influxdb_packet *packet, bb_influxdb_encoder *encoder) {
  packet->pieces[0] = (bb_influxdb_piece){0, packet->n};
  packet->n_pieces = 1;
  return encoder->gzip ? bb_gzip_end(&encoder->stream, &packet->body) : 0;
}

/* A stream of its own: that of the encoder may be in the middle of another packet. */
int bb_influxdb_packet_encode(bb_influxdb_packet *packet, bb_influxdb_encoder *encoder) {
  assert(packet->n_pieces > 0);
  bb_influxdb_piece piece = packet->pieces[packet->n_pieces - 1];
  bb_gzip stream = {NULL};
  if (encoder->gzip && bb_gzip_open(&stream) < 0) return BB_ERR_NOMEM;
  int err = 0;
  bb_buf_clear(&packet->body);
  packet->lines = 0;
  packet->bytes = 0;
  for (uint32_t i = 0; i < piece.n && err == 0; i++) {
    bb_influxdb_record *record = &packet->records[piece.first + i];
    uint32_t left_out = 0; /* counted the first time */
    bb_buf_clear(&encoder->scratch);
    err = bb_influxdb_plans_encode(&encoder->plans, &encoder->scratch, record->batch, &left_out);
    if (err < 0) break;
    packet->lines += record->lines;
    err = put_lines(packet, encoder->gzip, &stream, &encoder->scratch);
  }
  if (err == 0 && encoder->gzip) err = bb_gzip_end(&stream, &packet->body);
  bb_gzip_close(&stream);
  return err < 0 ? BB_ERR_NOMEM : 0;
}
