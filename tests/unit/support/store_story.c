/* SPDX-License-Identifier: Apache-2.0 */
/* See store_story.h. */
#include "support/store_story.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "support/disk.h"
#include "support/expect.h"
#include "support/random.h"

#define LONGEST 6000
#define PACKS 4 /* in a step */

/* After so many steps. */
static char *expected[STORY_STEPS + 1], *mistakes[STORY_STEPS + 1];
static bb_buf shown;

static const uint8_t *body_of(uint64_t seed, size_t len) {
  static uint8_t body[LONGEST];
  for (size_t i = 0; i < len; i += 8) {
    uint64_t word = random_next(&seed);
    for (size_t k = 0; k < 8 && i + k < len; k++) body[i + k] = (uint8_t)(word >> 8 * k);
  }
  return body;
}

static int append(bb_store *store, uint32_t stream, int step) {
  static const size_t lengths[PACKS] = {300, 4500, LONGEST, 40};
  int err = 0;
  for (unsigned i = 0; i < PACKS && err == 0; i++) {
    uint64_t first = (uint64_t)step * 100 + i * 25;
    bb_store_pack pack = {.stream = stream,
                          .first = first,
                          .n = 25,
                          .age_ns = first,
                          .body = body_of(first * 3 + stream, lengths[i]),
                          .len = lengths[i]};
    err = bb_store_append(store, &pack);
  }
  return err;
}

static int put_rest(bb_store *store, uint32_t stream, int step) {
  uint64_t from = (uint64_t)step * 50;
  bb_store_cursor cursor = {
      .stream = stream, .sink = "influx", .ranges = {{from, BB_STORE_OPEN_END}}, .n = 1};
  bb_store_dead dead = {.sink = "influx",
                        .reason = "no",
                        .time_ns = step,
                        .age_ns = (uint64_t)step,
                        .body = body_of((uint64_t)step, 900),
                        .len = 900};
  uint64_t hash = (uint64_t)step / 2;
  int err = bb_store_cursor_put(store, &cursor);
  if (err == 0) err = bb_store_name_put(store, BB_STORE_SHAPE, hash, body_of(hash, 2500), 2500);
  if (err == 0) err = bb_store_value_put(store, "step", &step, sizeof(step));
  if (err == 0) err = bb_store_dead_put(store, &dead);
  return err;
}

int story_step(bb_store *store, int step) {
  bb_store_gone gone = {0};
  int stream = bb_store_stream_make(store, step % 4 == 3 ? "b" : "a", BB_STORE_TELEMETRY);
  if (stream < 0) return stream;
  int err = append(store, (uint32_t)stream, step);
  if (err == 0) err = put_rest(store, (uint32_t)stream, step);
  if (err == 0 && step > 1) {
    err = bb_store_trim(store, (uint32_t)stream, 0, (uint64_t)step * 100 - 150, &gone);
  }
  if (err == 0 && step == 7) err = bb_store_stream_drop(store, 2);
  if (err == 0 && step == 8) {
    int dropped = bb_store_dead_bound(store, 3000, 0);
    if (dropped < 0) err = dropped;
  }
  return err;
}

int story_commit(bb_store *store, int step) {
  int err = bb_store_begin(store);
  if (err == 0) err = story_step(store, step);
  if (err == 0) err = bb_store_commit(store);
  if (err < 0) bb_store_rollback(store);
  return err;
}

static unsigned long long hash_of(const void *bytes, size_t len) {
  return crc32(0, bytes, (uInt)len);
}

static int show_pack(void *user, const bb_store_pack *pack) {
  return bb_buf_printf(user, " %u: %llu+%u age %llu %llx\n", pack->stream,
                       (unsigned long long)pack->first, pack->n, (unsigned long long)pack->age_ns,
                       hash_of(pack->body, pack->len));
}

static int show_stream(void *user, const bb_store_stream *stream) {
  return bb_buf_printf(user, "%u %s %d %llu %llu %llu %llu\n", stream->id, stream->name,
                       (int)stream->class, (unsigned long long)stream->first,
                       (unsigned long long)stream->next, (unsigned long long)stream->records,
                       (unsigned long long)stream->bytes);
}

static int show_cursor(void *user, const bb_store_cursor *cursor) {
  return bb_buf_printf(user, "cursor %u %s %llu\n", cursor->stream, cursor->sink,
                       (unsigned long long)cursor->ranges[0].from);
}

static int show_name(void *user, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                     size_t len) {
  return bb_buf_printf(user, "name %d %llu %llx\n", (int)kind, (unsigned long long)hash,
                       hash_of(frame, len));
}

static int show_value(void *user, const char *key, const uint8_t *bytes, size_t len) {
  return bb_buf_printf(user, "value %s %llx\n", key, hash_of(bytes, len));
}

static int show_dead(void *user, const bb_store_dead *dead) {
  return bb_buf_printf(user, "dead %lld %llx\n", (long long)dead->id,
                       hash_of(dead->body, dead->len));
}

void story_show(bb_store *store, bb_buf *out) {
  bb_store_stats stats;
  bb_buf_clear(out);
  int err = bb_store_streams(store, show_stream, out);
  for (uint32_t stream = 1; stream < 4 && err >= 0; stream++) {
    err = bb_store_read(store, stream, 0, SIZE_MAX, show_pack, out);
  }
  if (err >= 0) err = bb_store_cursors(store, show_cursor, out);
  if (err >= 0) err = bb_store_names(store, show_name, out);
  if (err >= 0) err = bb_store_values(store, show_value, out);
  if (err >= 0) err = bb_store_dead_each(store, NULL, 0, show_dead, out);
  if (err >= 0) err = bb_store_read_stats(store, &stats);
  if (err >= 0) {
    bb_buf_printf(out, "%llu packs %llu dead %llu bytes\n", (unsigned long long)stats.packs,
                  (unsigned long long)stats.dead, (unsigned long long)stats.dead_bytes);
  }
  if (err < 0) bb_buf_clear(out);
}

int story_open(bb_store **out) {
  char why[BB_STORE_WHY] = "";
  bb_store_options options = {.path = "/store.db", .vfs = DISK_VFS, .log_pages = STORY_LOG_PAGES};
  return bb_store_open(&options, out, why);
}

const char *story_shown(bb_store *store) {
  story_show(store, &shown);
  return bb_buf_string(&shown);
}

static void say(void *user, const char *sentence) {
  bb_buf_printf(user, "%s\n", sentence);
}

static const char *mistakes_of(bb_store *store) {
  bb_buf_clear(&shown);
  expect_true("verify", bb_store_verify(store, say, &shown) >= 0);
  return bb_buf_string(&shown);
}

void story_expect_sound(const char *row, bb_store *store, int steps) {
  expect_text(row, mistakes_of(store), mistakes[steps]);
}

static void learn_step(bb_store *store, int steps) {
  expected[steps] = strdup(story_shown(store));
  mistakes[steps] = strdup(mistakes_of(store));
}

const char *story_expected(int steps) {
  return expected[steps];
}

/* How many changes of the disk the story makes. */
static unsigned learn(void) {
  bb_store *store;
  disk_open();
  expect_int("open", story_open(&store), 0);
  learn_step(store, 0);
  for (int step = 0; step < STORY_STEPS; step++) {
    int err = story_commit(store, step);
    if (err != 0) fail_msg("step %d: %d %s", step, err, bb_store_why(store));
    learn_step(store, step + 1);
  }
  bb_store_close(store);
  unsigned changes = disk_changes();
  expect_int("opens again", story_open(&store), 0);
  expect_text("content", story_shown(store), expected[STORY_STEPS]);
  bb_store_close(store);
  disk_close();
  return changes;
}

int story_open_group(void **state) {
  static unsigned changes;
  bb_buf_init(&shown, 1u << 20);
  changes = learn();
  expect_true("there is something to fail", changes > 200);
  *state = &changes;
  return 0;
}

int story_close_group(void **state) {
  (void)state;
  for (int i = 0; i <= STORY_STEPS; i++) {
    free(expected[i]);
    free(mistakes[i]);
  }
  bb_buf_close(&shown);
  return 0;
}
