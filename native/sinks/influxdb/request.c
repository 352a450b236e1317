/* SPDX-License-Identifier: Apache-2.0 */
/* A packet's requests, from the first to the verdicts on all its batches. See sink.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/secret.h"
#include "sinks/influxdb/sift.h"
#include "sinks/influxdb/sink.h"

#define WRONG_MS 60000 /* until a server that does not let us in is tried again */
#define MAX_TRIES 200  /* requests to find the bad batches of one packet */
#define SMALLEST_BYTES 1024

static void on_written(bb_http_request *request, const bb_http_answer *answer);

void bb_influxdb_request_give(bb_influxdb *sink, const bb_influxdb_record *records, uint32_t n,
                              bb_verdict verdict, uint32_t status) {
  for (uint32_t i = 0, count; i < n; i += count) {
    const bb_influxdb_record *first = &records[i];
    for (count = 1; i + count < n; count++) {
      const bb_influxdb_record *next = &records[i + count];
      if (next->ticket != first->ticket + count || next->reason_at != first->reason_at ||
          next->reason_len != first->reason_len) {
        break;
      }
    }
    const char *text = sink->complaint.message;
    size_t len = sink->complaint.len;
    if (first->reason_len > 0) {
      text += first->reason_at;
      len = first->reason_len;
    }
    bb_reason reason;
    bool refused = verdict == BB_VERDICT_REFUSED;
    if (refused) bb_influxdb_answer_refusal(&reason, sink->http.url.name, status, text, len);
    sink->base.host->on_verdict(&sink->base, first->ticket, count, verdict,
                                refused ? &reason : NULL);
  }
}

void bb_influxdb_request_refuse(bb_influxdb *sink, uint64_t ticket, uint32_t status,
                                const char *text) {
  bb_reason reason;
  bb_reason_set(&reason, BB_ERR_LIMIT, status, "%s", text);
  sink->base.host->on_verdict(&sink->base, ticket, 1, BB_VERDICT_REFUSED, &reason);
}

/* A secret that goes into a header must not end it. */
static bool fits_header(const char *text) {
  for (; *text != 0; text++) {
    if ((unsigned char)*text < 0x20 || *text == 0x7F) return false;
  }
  return true;
}

void bb_influxdb_request_send(bb_influxdb *sink, bb_influxdb_slot *slot) {
  static const char scheme[] = "Authorization: Token ";
  char header[sizeof(scheme) + BB_SECRET_MAX], *secret = header + sizeof(scheme) - 1;
  const char *headers[2];
  const bb_influxdb_options *options = &sink->options;
  bb_reason reason = {.code = BB_ERR_INVALID};
  bb_http_request *request = &slot->request;
  memcpy(header, scheme, sizeof(scheme));
  int len = bb_influxdb_options_secret(options, secret, reason.text, sizeof(reason.text));
  if (len > 0 && !fits_header(secret)) {
    len = BB_ERR_INVALID;
    snprintf(reason.text, sizeof(reason.text), "the secret holds a line end inside");
  }
  if (len < 0) {
    bb_secret_wipe(header, sizeof(header));
    bb_influxdb_wait(sink, &reason, WRONG_MS);
    return;
  }
  *request = (bb_http_request){.method = "POST",
                               .path = sink->path,
                               .headers = headers,
                               .body = slot->packet.body.bytes,
                               .body_len = slot->packet.body.len,
                               .on_done = on_written,
                               .data = slot};
  if (sink->encoder.gzip) headers[request->n_headers++] = "Content-Encoding: gzip";
  if (len > 0 && options->bucket != NULL) headers[request->n_headers++] = header;
  if (options->user != NULL) {
    request->user = options->user;
    request->password = secret;
  }
  int err = bb_http_send(&sink->http, request);
  bb_secret_wipe(header, sizeof(header));
  if (err < 0) {
    bb_influxdb_fail(sink, err);
    return;
  }
  slot->stage = BB_INFLUXDB_SENT;
  sink->under_way++;
}

/* What is left of the packet is sent, or it is done. */
static void advance(bb_influxdb *sink, bb_influxdb_slot *slot) {
  bb_influxdb_packet *packet = &slot->packet;
  while (packet->n_pieces > 0) {
    bb_influxdb_piece piece = packet->pieces[packet->n_pieces - 1];
    const bb_influxdb_record *records = packet->records + piece.first;
    int err = 0;
    if (slot->tries++ < MAX_TRIES) {
      err = bb_influxdb_packet_encode(packet, &sink->encoder);
      if (err == 0 && packet->lines > 0) {
        bb_influxdb_request_send(sink, slot);
        return;
      }
      if (err == 0) bb_influxdb_request_give(sink, records, piece.n, BB_VERDICT_ACKED, 0);
    } else {
      for (uint32_t i = 0; i < piece.n; i++) {
        bb_influxdb_request_refuse(
            sink, records[i].ticket, 400,
            "the server refused some of its request; it was not found out which");
      }
    }
    if (err < 0) {
      bb_influxdb_fail(sink, err);
      return;
    }
    packet->n_pieces--;
  }
  slot->stage = BB_INFLUXDB_FREE;
  bb_influxdb_work_soon(sink);
}

/* Two more pieces; the smaller one is sent first, so that few wait at a time. */
static void push(bb_influxdb_packet *packet, uint32_t first, uint32_t n, uint32_t second) {
  bb_influxdb_piece a = {first, n}, b = {first + n, second};
  bool a_is_larger = a.n > b.n;
  assert(packet->n_pieces + 2 <= BB_INFLUXDB_MAX_PIECES);
  if (a_is_larger && a.n > 0) packet->pieces[packet->n_pieces++] = a;
  if (b.n > 0) packet->pieces[packet->n_pieces++] = b;
  if (!a_is_larger && a.n > 0) packet->pieces[packet->n_pieces++] = a;
}

static void sift(bb_influxdb *sink, bb_influxdb_slot *slot, uint32_t status) {
  bb_influxdb_packet *packet = &slot->packet;
  bb_influxdb_piece piece = packet->pieces[--packet->n_pieces];
  bb_influxdb_record *records = packet->records + piece.first;
  bb_influxdb_sifted sifted = bb_influxdb_sift(records, piece.n, &sink->complaint, &sink->encoder);
  uint32_t decided = sifted.refused + sifted.written;
  push(packet, piece.first + decided, sifted.first, sifted.second);
  bb_influxdb_request_give(sink, records, sifted.refused, BB_VERDICT_REFUSED, status);
  bb_influxdb_request_give(sink, records + sifted.refused, sifted.written, BB_VERDICT_ACKED,
                           status);
}

static void halve(bb_influxdb *sink, bb_influxdb_slot *slot, uint32_t status) {
  bb_influxdb_packet *packet = &slot->packet;
  bb_influxdb_piece piece = packet->pieces[--packet->n_pieces];
  size_t half = packet->bytes / 2;
  if (piece.n == 1) {
    bb_influxdb_request_refuse(sink, packet->records[piece.first].ticket, status,
                               "its lines alone are more than the server takes in a request (413)");
    return;
  }
  if (half < sink->max_bytes) sink->max_bytes = half > SMALLEST_BYTES ? half : SMALLEST_BYTES;
  push(packet, piece.first, piece.n / 2, piece.n - piece.n / 2);
}

/* The server is there and judges lines: what made us wait is over. */
static void be_content(bb_influxdb *sink) {
  bb_backoff_reset(&sink->backoff);
  if (sink->state == BB_INFLUXDB_READY) sink->eager = false;
}

static void on_written(bb_http_request *request, const bb_http_answer *answer) {
  bb_influxdb_slot *slot = request->data;
  bb_influxdb *sink = slot->sink;
  bb_influxdb_packet *packet = &slot->packet;
  bb_influxdb_complaint *complaint = &sink->complaint;
  bb_reason reason;
  sink->under_way--;
  if (slot->stage == BB_INFLUXDB_VOID) {
    slot->stage = BB_INFLUXDB_FREE;
    bb_influxdb_work_soon(sink);
    return;
  }
  if (answer->err != 0) {
    bb_influxdb_miss(sink, answer);
    return;
  }
  sink->base.bytes_sent += packet->body.len;
  bb_influxdb_answer_read(complaint, answer->body, answer->body_len);
  bb_influxdb_meaning meaning = bb_influxdb_answer_judge(answer->status, complaint);
  if (meaning == BB_INFLUXDB_BUSY || meaning == BB_INFLUXDB_WRONG) {
    bb_influxdb_answer_explain(&reason, &sink->options, sink->http.url.name, answer->status,
                               complaint);
    bb_influxdb_wait(sink, &reason,
                     meaning == BB_INFLUXDB_WRONG ? WRONG_MS : answer->retry_after_ms);
    return;
  }
  be_content(sink);
  if (meaning == BB_INFLUXDB_WRITTEN) {
    bb_influxdb_piece piece = packet->pieces[--packet->n_pieces];
    bb_influxdb_request_give(sink, packet->records + piece.first, piece.n, BB_VERDICT_ACKED, 0);
  } else if (meaning == BB_INFLUXDB_BAD_LINES) {
    sift(sink, slot, answer->status);
  } else {
    halve(sink, slot, answer->status);
  }
  advance(sink, slot);
}
