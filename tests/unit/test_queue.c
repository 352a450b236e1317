/* SPDX-License-Identifier: Apache-2.0 */
/* What a queue takes, gives back and frees; what it does without room is in test_queue_bound.c. */
#include "runtime/queue.h"

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/queue_rig.h"

static void test_queue_gives_back_what_was_appended(void **state) {
  (void)state;
  queue_rig f;
  bb_chunk *chunk;
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  uint8_t codes[2] = {0, 7};
  queue_rig_open_read(&f, 1u << 20);
  f.sample.batch.codes = codes;
  f.sample.batch.time_ns = 42;
  queue_rig_append(&f, f.stream, 1);
  codes[1] = 9; /* it was copied */
  expect_int("pin", bb_stream_pin(f.stream, 0, &chunk), 1);
  const bb_batch *batch = bb_chunk_batch(chunk, &walk, 0, &bytes);
  expect_true("a copy", batch->values != f.sample.batch.values);
  expect_int("time", batch->time_ns, 42);
  expect_uint("quality", batch->quality[1], BB_QUALITY_GOOD);
  expect_uint("code", batch->codes[1], 7);
  expect_double("value", bb_value_double(bb_batch_value(batch, 0)), 1.5);
  bb_value text = bb_batch_value(batch, 1);
  expect_bytes("text", text.v.text.bytes, text.v.text.len, "running", 7);
  expect_uint("bytes are counted", f.queue.bytes, bytes);
  expect_uint("of the stream too", f.stream->bytes, bytes);
  bb_chunk_unpin(chunk);
  expect_int("not yet there", bb_stream_pin(f.stream, 1, &chunk), BB_ERR_NOTFOUND);
  queue_rig_close_read(&f);
}

static void test_queue_keeps_an_event_with_its_text(void **state) {
  (void)state;
  queue_rig f;
  bb_chunk *chunk;
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  queue_rig_open_read(&f, 1u << 20);
  bb_batch event = {.device = f.device, .kind = BB_BATCH_EVENT, .text = "lost", .text_len = 4};
  expect_int("append", bb_stream_append(f.stream, &event), 0);
  expect_int("pin", bb_stream_pin(f.stream, 0, &chunk), 1);
  const bb_batch *batch = bb_chunk_batch(chunk, &walk, 0, &bytes);
  expect_bytes("text", batch->text, batch->text_len, "lost", 4);
  expect_true("a copy", batch->text != event.text);
  expect_true("no shape", batch->shape == NULL);
  bb_chunk_unpin(chunk);
  queue_rig_close_read(&f);
}

static void test_queue_walks_over_chunks_to_and_fro(void **state) {
  (void)state;
  queue_rig f;
  unsigned one = queue_rig_chunk_records();
  queue_rig_open_read(&f, 1u << 20);
  queue_rig_append(&f, f.stream, 3 * one);
  static const int steps[] = {0, 1, -1};
  for (unsigned edge = one; edge <= 2 * one; edge += one) {
    for (size_t i = 0; i < 3; i++) queue_rig_expect_record(&f, edge + (uint64_t)steps[i]);
  }
  bb_chunk *chunk;
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  expect_int("pin", bb_stream_pin(f.stream, one + 5, &chunk), 1);
  expect_uint("first of the second", chunk->first, one);
  expect_uint("on", bb_chunk_batch(chunk, &walk, one + 5, &bytes)->seq, one + 5);
  expect_uint("further", bb_chunk_batch(chunk, &walk, 2 * one - 1, &bytes)->seq, 2 * one - 1);
  expect_uint("back", bb_chunk_batch(chunk, &walk, one, &bytes)->seq, one);
  bb_chunk_unpin(chunk);
  queue_rig_close_read(&f);
}

static void test_queue_frees_what_no_reader_needs(void **state) {
  (void)state;
  queue_rig f;
  bb_reader fast = {0}, slow = {0};
  unsigned one = queue_rig_chunk_records();
  queue_rig_open(&f, 1u << 20);
  bb_reader_join(&fast, f.stream);
  bb_reader_join(&slow, f.stream);
  queue_rig_append(&f, f.stream, 3 * one + 1);
  bb_reader_release(&fast, 3 * one);
  expect_uint("the slow one needs all", f.stream->first, 0);
  bb_reader_release(&slow, one - 1);
  expect_uint("a chunk goes as a whole", f.stream->first, 0);
  bb_reader_release(&slow, one);
  expect_uint("the first has gone", f.stream->first, one);
  bb_reader_release(&slow, 5);
  expect_uint("a floor never falls", slow.floor, one);
  bb_reader_leave(&slow);
  expect_uint("only the fast one is left", f.stream->first, 3 * one);
  expect_uint("no loss", f.dropped, 0);
  bb_reader late = {0};
  bb_reader_join(&late, f.stream);
  expect_uint("who joins begins with the next", late.floor, 3 * one + 1);
  bb_reader_leave(&late);
  bb_reader_leave(&fast);
  expect_uint("nobody needs anything", f.queue.bytes, 0);
  expect_uint("nothing is there", f.stream->first, f.stream->next);
  queue_rig_close(&f);
}

static void test_queue_keeps_a_pinned_chunk_past_its_stream(void **state) {
  (void)state;
  queue_rig f;
  bb_reader reader = {0};
  bb_chunk *chunk;
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  queue_rig_open(&f, 1u << 20);
  bb_reader_join(&reader, f.stream);
  queue_rig_append(&f, f.stream, 2);
  expect_int("pin", bb_stream_pin(f.stream, 1, &chunk), 1);
  bb_reader_leave(&reader);
  bb_stream_close(f.stream);
  expect_uint("still readable", bb_chunk_batch(chunk, &walk, 1, &bytes)->seq, 1);
  bb_chunk_unpin(chunk);
  queue_rig_close(&f);
}

/* What was told last: these records went. */
static void expect_dropped(const queue_rig *f, const char *row, uint64_t from, uint64_t to) {
  expect_uint(row, f->last.from, from);
  expect_uint(row, f->last.to, to);
  expect_true(row, f->dropped_from == f->stream);
}

static void expect_missed(const queue_rig *f, const char *row, uint64_t from, uint64_t to) {
  expect_uint(row, f->missed.from, from);
  expect_uint(row, f->missed.to, to);
}

static void test_queue_tells_what_a_reader_misses(void **state) {
  (void)state;
  queue_rig f;
  bb_chunk *chunk;
  uint64_t one = queue_rig_chunk_records();
  queue_rig_open_read(&f, 1u << 20);
  queue_rig_append(&f, f.stream, (unsigned)one);
  bb_stream_miss(f.stream, one - 1);
  expect_uint("what is in memory is not missed", f.misses, 0);
  f.stream->next += 10; /* as behind what a restart found in the store */
  queue_rig_append(&f, f.stream, (unsigned)one);
  expect_int("never came", bb_stream_pin(f.stream, one + 3, &chunk), BB_ERR_NOTFOUND);
  bb_stream_miss(f.stream, one + 3);
  expect_missed(&f, "up to the next in memory", one + 3, one + 10);
  expect_uint("it was delivered, so it is not dropped", f.drops, 0);
  bb_stream_forget(f.stream, one + 5, false);
  expect_dropped(&f, "the oldest of the store are gone", 0, one + 5);
  bb_stream_miss(f.stream, 5);
  expect_missed(&f, "up to what may still be there", 5, one + 5);
  f.stream->next += 4;
  bb_stream_miss(f.stream, 2 * one + 11);
  expect_missed(&f, "up to the end", 2 * one + 11, 2 * one + 14);
  expect_uint("each told once", f.misses, 3);
  expect_uint("and nothing else dropped", f.drops, 1);
  queue_rig_close_read(&f);
}

/* Without anybody who hears of it, too. */
static void test_queue_misses_in_silence(void **state) {
  (void)state;
  queue_rig f;
  queue_rig_open(&f, 1u << 20);
  f.queue.on_dropped = NULL;
  f.queue.on_missing = NULL;
  f.stream->next += 4;
  bb_stream_miss(f.stream, 1);
  expect_uint("nothing happens", f.drops + f.misses, 0);
  queue_rig_close(&f);
}

static void test_queue_since_finds_the_first_not_older(void **state) {
  (void)state;
  queue_rig f;
  unsigned one = queue_rig_chunk_records();
  queue_rig_open_read(&f, 1u << 20);
  expect_uint("empty", bb_stream_since(f.stream, 0), 0);
  for (unsigned i = 0; i < 3 * one; i++) {
    f.mono_ns = 100 + 10 * (uint64_t)i;
    queue_rig_append(&f, f.stream, 1);
  }
  expect_uint("from the beginning", bb_stream_since(f.stream, 0), 0);
  expect_uint("exactly", bb_stream_since(f.stream, 100 + 10 * (uint64_t)one), one);
  expect_uint("in between", bb_stream_since(f.stream, 100 + 10 * (uint64_t)one - 1), one);
  expect_uint("the last", bb_stream_since(f.stream, 100 + 10 * (3 * (uint64_t)one - 1)),
              3 * one - 1);
  expect_uint("all are older", bb_stream_since(f.stream, UINT64_MAX), 3 * one);
  bb_reader_release(&f.reader, 2 * one);
  expect_uint("of what is there", bb_stream_since(f.stream, 0), 2 * one);
  queue_rig_close_read(&f);
}

static void test_queue_refuses_what_is_larger_than_a_chunk_or_the_bound(void **state) {
  (void)state;
  queue_rig f;
  static char text[BB_CHUNK_BYTES - 1];
  queue_rig_open(&f, 1u << 20);
  bb_batch event = {
      .device = f.device, .kind = BB_BATCH_EVENT, .text = text, .text_len = (uint16_t)sizeof(text)};
  expect_int("a chunk", bb_stream_append(f.stream, &event), BB_ERR_LIMIT);
  f.queue.max_bytes = 64;
  expect_int("the bound", bb_stream_append(f.stream, &f.sample.batch), BB_ERR_LIMIT);
  expect_uint("nothing was taken", f.stream->next, 0);
  queue_rig_close(&f);
}

static int open_and_append(void *user) {
  queue_rig *f = user;
  int err = BB_ERR_NOMEM;
  bb_stream *stream = bb_stream_open(&f->queue, "cloud", BB_STORE_TELEMETRY);
  if (stream == NULL) return err;
  bb_reader reader = {0};
  bb_reader_join(&reader, stream);
  for (int i = 0; i < 2000 && (err = bb_stream_append(stream, &f->sample.batch)) == 0; i++) {
  }
  bb_reader_leave(&reader);
  bb_stream_close(stream);
  bb_queue_close(&f->queue); /* also the chunks kept for reuse */
  bb_queue_init(&f->queue, 1u << 20);
  return err;
}

static void test_queue_without_memory(void **state) {
  (void)state;
  queue_rig f;
  queue_rig_open(&f, 1u << 20);
  bb_stream_close(f.stream);
  failmalloc_each(open_and_append, &f);
  queue_rig_close(&f);
}

static void test_queue_reuses_its_chunks(void **state) {
  (void)state;
  queue_rig f;
  queue_rig_open_read(&f, 1u << 20);
  queue_rig_append(&f, f.stream, 1);
  bb_reader_release(&f.reader, 1);
  failmalloc_start(0);
  for (int i = 0; i < 1000; i++) {
    queue_rig_append(&f, f.stream, 1);
    bb_reader_release(&f.reader, f.stream->next);
  }
  expect_uint("allocations", failmalloc_stop(), 0);
  queue_rig_close_read(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_queue_gives_back_what_was_appended),
      cmocka_unit_test(test_queue_keeps_an_event_with_its_text),
      cmocka_unit_test(test_queue_walks_over_chunks_to_and_fro),
      cmocka_unit_test(test_queue_frees_what_no_reader_needs),
      cmocka_unit_test(test_queue_keeps_a_pinned_chunk_past_its_stream),
      cmocka_unit_test(test_queue_tells_what_a_reader_misses),
      cmocka_unit_test(test_queue_misses_in_silence),
      cmocka_unit_test(test_queue_since_finds_the_first_not_older),
      cmocka_unit_test(test_queue_refuses_what_is_larger_than_a_chunk_or_the_bound),
      cmocka_unit_test(test_queue_without_memory),
      cmocka_unit_test(test_queue_reuses_its_chunks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
