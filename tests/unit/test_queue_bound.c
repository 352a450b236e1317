/* SPDX-License-Identifier: Apache-2.0 */
/* What a queue drops at its bound and by age, and what it keeps. */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "runtime/queue.h"
#include "support/expect.h"
#include "support/queue_rig.h"

static void test_queue_drops_whole_oldest_chunks_at_its_bound(void **state) {
  (void)state;
  queue_rig f;
  unsigned one = queue_rig_chunk_records();
  queue_rig_open_read(&f, 3 * BB_CHUNK_BYTES);
  queue_rig_append(&f, f.stream, 3 * one);
  expect_uint("all fit", f.dropped, 0);
  queue_rig_append(&f, f.stream, one);
  expect_uint("a chunk of records", f.dropped, one);
  expect_uint("at once", f.drops, 1);
  expect_uint("told for the stream", f.stream->first, one);
  expect_true("within the bound", f.queue.bytes <= f.queue.max_bytes);
  queue_rig_close_read(&f);
}

static void test_queue_keeps_a_dropped_chunk_while_it_is_pinned(void **state) {
  (void)state;
  queue_rig f;
  bb_chunk *chunk, *again;
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  unsigned one = queue_rig_chunk_records();
  queue_rig_open_read(&f, 2 * BB_CHUNK_BYTES);
  queue_rig_append(&f, f.stream, one);
  expect_int("pin", bb_stream_pin(f.stream, 3, &chunk), 1);
  bb_chunk_pin(chunk);
  queue_rig_append(&f, f.stream, 10 * one);
  expect_true("dropped", f.stream->first > 3);
  expect_int("gone", bb_stream_pin(f.stream, 3, &again), BB_ERR_NOTFOUND);
  expect_uint("still readable", bb_chunk_batch(chunk, &walk, 3, &bytes)->seq, 3);
  bb_chunk_unpin(chunk);
  expect_uint("and to its end", bb_chunk_batch(chunk, &walk, one - 1, &bytes)->seq, one - 1);
  bb_chunk_unpin(chunk);
  queue_rig_close_read(&f);
}

static void test_queue_drops_of_the_stream_with_the_oldest(void **state) {
  (void)state;
  queue_rig f;
  bb_reader readers[2] = {{0}, {0}};
  unsigned one = queue_rig_chunk_records();
  queue_rig_open(&f, 3 * BB_CHUNK_BYTES);
  bb_stream *other = bb_stream_open(&f.queue, "cloud", BB_STORE_TELEMETRY);
  bb_reader_join(&readers[0], f.stream);
  bb_reader_join(&readers[1], other);
  f.mono_ns = 10;
  queue_rig_append(&f, other, one);
  f.mono_ns = 20;
  queue_rig_append(&f, f.stream, 2 * one);
  f.mono_ns = 30;
  queue_rig_append(&f, f.stream, 1);
  expect_true("the other's is older", f.dropped_from == other);
  expect_uint("all of it", f.dropped, one);
  expect_uint("ours is whole", f.stream->first, 0);
  bb_reader_leave(&readers[0]);
  bb_reader_leave(&readers[1]);
  queue_rig_close(&f);
}

static bb_batch event_of(queue_rig *f, const char *text) {
  return (bb_batch){.device = f->device,
                    .kind = BB_BATCH_EVENT,
                    .mono_ns = f->mono_ns,
                    .text = text,
                    .text_len = (uint16_t)strlen(text)};
}

static uint64_t in_memory(const bb_stream *stream) {
  bb_chunk *chunk;
  uint64_t n = 0;
  for (uint64_t record = 0; record < stream->next; record++) {
    if (bb_stream_pin((bb_stream *)stream, record, &chunk) != 1) continue;
    bb_chunk_unpin(chunk);
    n++;
  }
  return n;
}

static void test_queue_drops_telemetry_before_older_events(void **state) {
  (void)state;
  queue_rig f;
  bb_reader reader = {0}, of_events = {0};
  queue_rig_open(&f, 4 * BB_CHUNK_BYTES);
  bb_stream *events = bb_stream_open(&f.queue, "hist+bus", BB_STORE_EVENTS);
  bb_reader_join(&reader, f.stream);
  bb_reader_join(&of_events, events);
  bb_batch lost = event_of(&f, "lost");
  expect_int("the oldest of all", bb_stream_append(events, &lost), 0);
  f.mono_ns = 1000;
  queue_rig_append(&f, f.stream, 20 * queue_rig_chunk_records());
  expect_true("telemetry went", f.dropped > 0);
  expect_true("of its stream", f.dropped_from == f.stream);
  expect_uint("the event did not", in_memory(events), 1);
  queue_rig_expect_record(&f, f.stream->next - 1); /* nor the newest sample */
  bb_reader_leave(&reader);
  bb_reader_leave(&of_events);
  queue_rig_close(&f);
}

static void test_queue_loses_telemetry_that_comes_when_events_fill_it(void **state) {
  (void)state;
  queue_rig f;
  static char text[30000];
  bb_reader reader = {0}, of_events = {0};
  memset(text, 'x', sizeof(text) - 1);
  queue_rig_open(&f, 3 * BB_CHUNK_BYTES);
  bb_stream *events = bb_stream_open(&f.queue, "hist+bus", BB_STORE_EVENTS);
  bb_reader_join(&reader, f.stream);
  bb_reader_join(&of_events, events);
  unsigned records = queue_rig_chunk_records();
  queue_rig_append(&f, f.stream, records);
  bb_batch event = event_of(&f, text);
  while (f.drops == 0) expect_int("event", bb_stream_append(events, &event), 0);
  expect_true("the samples had to go first", f.dropped_from == f.stream && f.dropped == records);
  while (f.queue.bytes + sizeof(text) <= f.queue.max_bytes) {
    expect_int("event", bb_stream_append(events, &event), 0);
  }
  uint64_t n = in_memory(events), before = f.stream->next;
  while (f.drops == 1) queue_rig_append(&f, f.stream, 1); /* what little room there is */
  queue_rig_append(&f, f.stream, 50);
  expect_true("told of its stream", f.dropped_from == f.stream);
  expect_uint("its number is used", f.stream->next > before + 50, true);
  expect_uint("all events are there", in_memory(events), n);
  expect_true("bounded", f.queue.bytes <= f.queue.max_bytes);
  expect_int("an event still comes", bb_stream_append(events, &event), 0);
  while (f.dropped_from == f.stream) expect_int("more", bb_stream_append(events, &event), 0);
  expect_true("then the oldest of them goes", in_memory(events) < events->next);
  bb_reader_leave(&reader);
  bb_reader_leave(&of_events);
  queue_rig_close(&f);
}

static void test_queue_expires_by_age(void **state) {
  (void)state;
  queue_rig f;
  unsigned one = queue_rig_chunk_records();
  queue_rig_open_read(&f, 1u << 20);
  f.mono_ns = 1 * BB_NS_PER_S;
  queue_rig_append(&f, f.stream, one);
  f.mono_ns = 5 * BB_NS_PER_S;
  queue_rig_append(&f, f.stream, one);
  bb_queue_expire(&f.queue, 100 * BB_NS_PER_S);
  expect_uint("any age is right", f.dropped, 0);
  f.queue.max_age_ns = 10 * BB_NS_PER_S;
  bb_queue_expire(&f.queue, 11 * BB_NS_PER_S - 1);
  expect_uint("just not yet", f.dropped, 0);
  bb_queue_expire(&f.queue, 11 * BB_NS_PER_S);
  expect_uint("the first chunk", f.dropped, one);
  bb_queue_expire(&f.queue, 15 * BB_NS_PER_S);
  expect_uint("the second", f.dropped, 2 * one);
  expect_uint("nothing left", f.queue.bytes, 0);
  queue_rig_close_read(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_queue_drops_whole_oldest_chunks_at_its_bound),
      cmocka_unit_test(test_queue_keeps_a_dropped_chunk_while_it_is_pinned),
      cmocka_unit_test(test_queue_drops_of_the_stream_with_the_oldest),
      cmocka_unit_test(test_queue_drops_telemetry_before_older_events),
      cmocka_unit_test(test_queue_loses_telemetry_that_comes_when_events_fill_it),
      cmocka_unit_test(test_queue_expires_by_age),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
