/* SPDX-License-Identifier: Apache-2.0 */
/* See store.h. */
#include "support/store.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "model/frame.h"
#include "support/expect.h"
#include "support/pack.h"
#include "support/random.h"

static void open_it(store_rig *rig) {
  char why[BB_STORE_WHY] = "";
  bb_store_options options = {.path = rig->path};
  int err = bb_store_open(&options, &rig->store, why);
  if (err != 0) fail_msg("open: got %d (%s), expected 0", err, why);
}

void store_rig_open(store_rig *rig) {
  folder_open(&rig->folder);
  snprintf(rig->path, sizeof(rig->path), "%s/%s", rig->folder.path, BB_STORE_FILE);
  bb_buf_init(&rig->shown, 1u << 20);
  open_it(rig);
}

void store_rig_close(store_rig *rig) {
  bb_store_close(rig->store);
  bb_buf_close(&rig->shown);
  folder_close(&rig->folder);
}

int store_rig_setup(void **state) {
  *state = calloc(1, sizeof(store_rig));
  assert_non_null(*state);
  store_rig_open(*state);
  return 0;
}

int store_rig_teardown(void **state) {
  store_rig_close(*state);
  free(*state);
  return 0;
}

void store_reopen(store_rig *rig) {
  bb_store_close(rig->store);
  open_it(rig);
}

static void must(store_rig *rig, const char *what, int result) {
  if (result < 0) fail_msg("%s: got %d (%s)", what, result, bb_store_why(rig->store));
}

void store_begin(store_rig *rig) {
  must(rig, "begin", bb_store_begin(rig->store));
}

void store_commit(store_rig *rig) {
  must(rig, "commit", bb_store_commit(rig->store));
}

void store_make_stream(store_rig *rig, const char *name, bb_store_class class) {
  must(rig, "stream", bb_store_stream_make(rig->store, name, class));
}

uint8_t *store_body(uint32_t stream, uint64_t first, size_t len) {
  uint64_t seed = (uint64_t)stream << 47 ^ first ^ (uint64_t)len << 20;
  uint8_t *body = malloc(len);
  assert_non_null(body);
  for (size_t i = 0; i < len; i++) body[i] = (uint8_t)random_next(&seed);
  return body;
}

void store_append(store_rig *rig, uint32_t stream, uint64_t first, uint32_t n, uint64_t age_ns,
                  size_t len) {
  bb_store_pack pack = {.stream = stream,
                        .first = first,
                        .n = n,
                        .age_ns = age_ns,
                        .body = store_body(stream, first, len),
                        .len = len};
  must(rig, "append", bb_store_append(rig->store, &pack));
  free((void *)(uintptr_t)pack.body);
}

static int show_stream(void *user, const bb_store_stream *stream) {
  return bb_buf_printf(user, "%u %s %s %llu..%llu %llu records %llu bytes\n", stream->id,
                       stream->name, stream->class == BB_STORE_TELEMETRY ? "telemetry" : "events",
                       (unsigned long long)stream->first, (unsigned long long)stream->next,
                       (unsigned long long)stream->records, (unsigned long long)stream->bytes);
}

const char *store_show_streams(store_rig *rig) {
  bb_buf_clear(&rig->shown);
  must(rig, "streams", bb_store_streams(rig->store, show_stream, &rig->shown));
  return bb_buf_string(&rig->shown);
}

static int show_pack(void *user, const bb_store_pack *pack) {
  bb_buf *out = user;
  uint8_t *body = store_body(pack->stream, pack->first, pack->len);
  expect_bytes("body", pack->body, pack->len, body, pack->len);
  free(body);
  return bb_buf_printf(out, "%s%llu+%u", out->len > 0 ? " " : "", (unsigned long long)pack->first,
                       pack->n);
}

const char *store_show_packs(store_rig *rig, uint32_t stream, uint64_t record, size_t max_bytes) {
  bb_buf_clear(&rig->shown);
  int n = bb_store_read(rig->store, stream, record, max_bytes, show_pack, &rig->shown);
  must(rig, "read", n);
  const char *text = bb_buf_string(&rig->shown);
  int shown = 0;
  for (const char *p = text; *p != 0; p++) shown += *p == '+';
  expect_int("packs", n, shown);
  return text;
}

static int show_cursor(void *user, const bb_store_cursor *cursor) {
  bb_buf_printf(user, "%u %s", cursor->stream, cursor->sink);
  for (uint32_t i = 0; i < cursor->n; i++) {
    bb_buf_printf(user, " %llu..", (unsigned long long)cursor->ranges[i].from);
    if (cursor->ranges[i].to == BB_STORE_OPEN_END) continue;
    bb_buf_printf(user, "%llu", (unsigned long long)cursor->ranges[i].to);
  }
  return bb_buf_text(user, "\n");
}

const char *store_show_cursors(store_rig *rig) {
  bb_buf_clear(&rig->shown);
  must(rig, "cursors", bb_store_cursors(rig->store, show_cursor, &rig->shown));
  return bb_buf_string(&rig->shown);
}

static int show_name(void *user, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                     size_t len) {
  return bb_buf_printf(user, "%d %llx %.*s\n", (int)kind, (unsigned long long)hash, (int)len,
                       (const char *)frame);
}

const char *store_show_names(store_rig *rig) {
  bb_buf_clear(&rig->shown);
  must(rig, "names", bb_store_names(rig->store, show_name, &rig->shown));
  return bb_buf_string(&rig->shown);
}

static int show_value(void *user, const char *key, const uint8_t *bytes, size_t len) {
  return bb_buf_printf(user, "%s=%.*s ", key, (int)len, (const char *)bytes);
}

const char *store_show_values(store_rig *rig) {
  bb_buf_clear(&rig->shown);
  must(rig, "values", bb_store_values(rig->store, show_value, &rig->shown));
  return bb_buf_string(&rig->shown);
}

static void put_names(store_rig *rig, const bb_batch *batch) {
  bb_buf frame;
  bb_buf_init(&frame, BB_MAX_FRAME_BYTES);
  must(rig, "device", bb_frame_pack_device(&frame, 0, batch->device));
  must(rig, "put device",
       bb_store_name_put(rig->store, BB_STORE_DEVICE, batch->device->hash, frame.bytes, frame.len));
  if (batch->shape != NULL) {
    bb_buf_clear(&frame);
    must(rig, "shape", bb_frame_pack_shape(&frame, batch->shape));
    must(rig, "put shape",
         bb_store_name_put(rig->store, BB_STORE_SHAPE, batch->shape->hash, frame.bytes, frame.len));
  }
  bb_buf_close(&frame);
}

static uint64_t end_pack(store_rig *rig, bb_packer *packer, uint64_t first) {
  bb_buf body;
  bb_buf_init(&body, BB_PACK_LONGEST);
  bb_store_pack pack = {.stream = 1, .first = first, .n = packer->n_records, .age_ns = first};
  must(rig, "end", bb_packer_end(packer, &body));
  pack.body = body.bytes;
  pack.len = body.len;
  must(rig, "append", bb_store_append(rig->store, &pack));
  bb_buf_close(&body);
  return first + pack.n;
}

static void put_letter(store_rig *rig, const bb_batch *batch) {
  bb_packer packer;
  bb_buf body;
  bb_packer_init(&packer);
  bb_buf_init(&body, BB_PACK_LONGEST);
  must(rig, "add", bb_packer_add(&packer, batch));
  must(rig, "end", bb_packer_end(&packer, &body));
  bb_store_dead dead = {.sink = "influx",
                        .reason = "field type conflict",
                        .time_ns = 1767225600000000000,
                        .age_ns = 1,
                        .body = body.bytes,
                        .len = body.len};
  must(rig, "dead", bb_store_dead_put(rig->store, &dead));
  bb_buf_close(&body);
  bb_packer_close(&packer);
}

static int take_next(void *user, const bb_store_stream *stream) {
  if (stream->id == 1) *(uint64_t *)user = stream->next;
  return 0;
}

void store_put_sample(store_rig *rig) {
  pack_sample sample;
  bb_packer packer;
  uint64_t first = 0;
  bb_store_cursor cursor = {
      .stream = 1, .sink = "influx", .ranges = {{3, 7}, {9, BB_STORE_OPEN_END}}, .n = 2};
  pack_sample_open(&sample);
  bb_packer_init(&packer);
  store_begin(rig);
  store_make_stream(rig, "influx", BB_STORE_TELEMETRY);
  must(rig, "streams", bb_store_streams(rig->store, take_next, &first));
  for (size_t i = 0; i < sample.n; i++) {
    put_names(rig, &sample.batches[i]);
    int err = bb_packer_add(&packer, &sample.batches[i]);
    if (err == BB_ERR_AGAIN) {
      first = end_pack(rig, &packer, first);
      err = bb_packer_add(&packer, &sample.batches[i]);
    }
    must(rig, "add", err);
  }
  end_pack(rig, &packer, first);
  put_letter(rig, &sample.batches[0]);
  must(rig, "cursor", bb_store_cursor_put(rig->store, &cursor));
  must(rig, "value", bb_store_value_put(rig->store, "clock", "12345678", 8));
  store_commit(rig);
  bb_packer_close(&packer);
  pack_sample_close(&sample);
}

static void show_mistake(void *user, const char *sentence) {
  bb_buf_printf(user, "%s\n", sentence);
}

const char *store_show_mistakes(store_rig *rig) {
  bb_buf_clear(&rig->shown);
  int n = bb_store_verify(rig->store, show_mistake, &rig->shown);
  must(rig, "verify", n);
  return bb_buf_string(&rig->shown);
}

void store_put_dead(store_rig *rig, const char *sink, uint64_t age_ns, size_t len) {
  bb_store_dead dead = {.sink = sink,
                        .reason = "no",
                        .time_ns = -5,
                        .age_ns = age_ns,
                        .body = store_body(0, age_ns, len),
                        .len = len};
  must(rig, "dead", bb_store_dead_put(rig->store, &dead));
  free((void *)(uintptr_t)dead.body);
}

static int show_dead(void *user, const bb_store_dead *dead) {
  uint8_t *body = store_body(0, dead->age_ns, dead->len);
  expect_bytes("body", dead->body, dead->len, body, dead->len);
  expect_int("time", dead->time_ns, -5);
  free(body);
  return bb_buf_printf(user, "%lld %s/%s ", (long long)dead->id, dead->sink, dead->reason);
}

const char *store_show_dead(store_rig *rig, const char *sink, int64_t after) {
  bb_buf_clear(&rig->shown);
  must(rig, "each", bb_store_dead_each(rig->store, sink, after, show_dead, &rig->shown));
  return bb_buf_string(&rig->shown);
}
