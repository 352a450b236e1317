/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/sample.h"

typedef struct fixture {
  bb_queue queue;
  bb_stream *stream;
  bb_reader reader; /* of open_read */
  bb_device *device;
  sample sample;
  uint64_t dropped, drops; /* what on_dropped told */
  bb_stream *dropped_from;
  bb_span last; /* of these records */
  unsigned misses;
  bb_span missed;   /* what on_missing told last */
  uint64_t mono_ns; /* of the next batch */
} fixture;

static void on_dropped(bb_queue *queue, bb_stream *stream, uint64_t from, uint64_t to,
                       bb_drop why) {
  uint64_t n = to - from;
  (void)why;
  fixture *f = queue->user;
  f->dropped += n;
  f->drops++;
  f->dropped_from = stream;
  f->last = (bb_span){from, to};
}

static void on_missing(bb_queue *queue, bb_stream *stream, uint64_t from, uint64_t to) {
  fixture *f = queue->user;
  expect_true("of this stream", stream == f->stream);
  f->misses++;
  f->missed = (bb_span){from, to};
}

static void open_fixture(fixture *f, uint64_t max_bytes) {
  static const sample_point points[] = {
      {"power", SAMPLE_F64(1.5), BB_QUALITY_GOOD, "W"},
      {"state", SAMPLE_TEXT("running"), BB_QUALITY_GOOD, NULL},
  };
  memset(f, 0, sizeof(*f));
  bb_queue_init(&f->queue, max_bytes);
  f->queue.user = f;
  f->queue.on_dropped = on_dropped;
  f->queue.on_missing = on_missing;
  f->stream = bb_stream_open(&f->queue, "hist+bus", BB_STORE_TELEMETRY);
  f->device = bb_device_new("meter-1", "", "", NULL, 0);
  sample_open(&f->sample, f->device, "fast", points, 2, 0);
}

static void close_fixture(fixture *f) {
  bb_queue_close(&f->queue);
  expect_uint("nobody keeps the device", f->device->refs, 1);
  expect_uint("nobody keeps the shape", f->sample.batch.shape->refs, 1);
  sample_close(&f->sample);
  bb_device_unref(f->device);
}

/* With a reader of the stream, which needs all that comes. */
static void open_read(fixture *f, uint64_t max_bytes) {
  open_fixture(f, max_bytes);
  bb_reader_join(&f->reader, f->stream);
}

static void close_read(fixture *f) {
  bb_reader_leave(&f->reader);
  close_fixture(f);
}

/* The batches are numbered by seq, as the records of a stream that alone is filled. */
static void append(fixture *f, bb_stream *stream, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    f->sample.batch.seq = stream->next;
    f->sample.batch.mono_ns = f->mono_ns;
    expect_int("append", bb_stream_append(stream, &f->sample.batch), 0);
  }
}

/* Records that one chunk holds, as the first one shows. */
static unsigned chunk_records(void) {
  fixture f;
  bb_chunk *chunk;
  open_read(&f, 1u << 20);
  append(&f, f.stream, 2000);
  expect_int("pin", bb_stream_pin(f.stream, 0, &chunk), 1);
  unsigned n = chunk->n;
  bb_chunk_unpin(chunk);
  close_read(&f);
  expect_true("several chunks", n > 10 && n < 1000);
  return n;
}

/* What was told last: these records went. */
static void expect_dropped(const fixture *f, const char *row, uint64_t from, uint64_t to) {
  expect_uint(row, f->last.from, from);
  expect_uint(row, f->last.to, to);
  expect_true(row, f->dropped_from == f->stream);
}

static void expect_record(fixture *f, uint64_t record) {
  bb_chunk *chunk;
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  expect_int("pin", bb_stream_pin(f->stream, record, &chunk), 1);
  expect_uint("seq", bb_chunk_batch(chunk, &walk, record, &bytes)->seq, record);
  bb_chunk_unpin(chunk);
}

static void test_queue_gives_back_what_was_appended(void **state) {
  (void)state;
  fixture f;
  bb_chunk *chunk;
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  uint8_t codes[2] = {0, 7};
  open_read(&f, 1u << 20);
  f.sample.batch.codes = codes;
  f.sample.batch.time_ns = 42;
  append(&f, f.stream, 1);
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
  close_read(&f);
}

static void test_queue_keeps_an_event_with_its_text(void **state) {
  (void)state;
  fixture f;
  bb_chunk *chunk;
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  open_read(&f, 1u << 20);
  bb_batch event = {.device = f.device, .kind = BB_BATCH_EVENT, .text = "lost", .text_len = 4};
  expect_int("append", bb_stream_append(f.stream, &event), 0);
  expect_int("pin", bb_stream_pin(f.stream, 0, &chunk), 1);
  const bb_batch *batch = bb_chunk_batch(chunk, &walk, 0, &bytes);
  expect_bytes("text", batch->text, batch->text_len, "lost", 4);
  expect_true("a copy", batch->text != event.text);
  expect_true("no shape", batch->shape == NULL);
  bb_chunk_unpin(chunk);
  close_read(&f);
}

static void test_queue_walks_over_chunks_to_and_fro(void **state) {
  (void)state;
  fixture f;
  unsigned one = chunk_records();
  open_read(&f, 1u << 20);
  append(&f, f.stream, 3 * one);
  static const int steps[] = {0, 1, -1};
  for (unsigned edge = one; edge <= 2 * one; edge += one) {
    for (size_t i = 0; i < 3; i++) expect_record(&f, edge + (uint64_t)steps[i]);
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
  close_read(&f);
}

static void test_queue_frees_what_no_reader_needs(void **state) {
  (void)state;
  fixture f;
  bb_reader fast = {0}, slow = {0};
  unsigned one = chunk_records();
  open_fixture(&f, 1u << 20);
  bb_reader_join(&fast, f.stream);
  bb_reader_join(&slow, f.stream);
  append(&f, f.stream, 3 * one + 1);
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
  close_fixture(&f);
}

static void test_queue_drops_whole_oldest_chunks_at_its_bound(void **state) {
  (void)state;
  fixture f;
  unsigned one = chunk_records();
  open_read(&f, 3 * BB_CHUNK_BYTES);
  append(&f, f.stream, 3 * one);
  expect_uint("all fit", f.dropped, 0);
  append(&f, f.stream, one);
  expect_uint("a chunk of records", f.dropped, one);
  expect_uint("at once", f.drops, 1);
  expect_uint("told for the stream", f.stream->first, one);
  expect_true("within the bound", f.queue.bytes <= f.queue.max_bytes);
  close_read(&f);
}

static void test_queue_keeps_a_dropped_chunk_while_it_is_pinned(void **state) {
  (void)state;
  fixture f;
  bb_chunk *chunk, *again;
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  unsigned one = chunk_records();
  open_read(&f, 2 * BB_CHUNK_BYTES);
  append(&f, f.stream, one);
  expect_int("pin", bb_stream_pin(f.stream, 3, &chunk), 1);
  bb_chunk_pin(chunk);
  append(&f, f.stream, 10 * one);
  expect_true("dropped", f.stream->first > 3);
  expect_int("gone", bb_stream_pin(f.stream, 3, &again), BB_ERR_NOTFOUND);
  expect_uint("still readable", bb_chunk_batch(chunk, &walk, 3, &bytes)->seq, 3);
  bb_chunk_unpin(chunk);
  expect_uint("and to its end", bb_chunk_batch(chunk, &walk, one - 1, &bytes)->seq, one - 1);
  bb_chunk_unpin(chunk);
  close_read(&f);
}

static void test_queue_keeps_a_pinned_chunk_past_its_stream(void **state) {
  (void)state;
  fixture f;
  bb_reader reader = {0};
  bb_chunk *chunk;
  bb_chunk_walk walk = {0};
  uint32_t bytes;
  open_fixture(&f, 1u << 20);
  bb_reader_join(&reader, f.stream);
  append(&f, f.stream, 2);
  expect_int("pin", bb_stream_pin(f.stream, 1, &chunk), 1);
  bb_reader_leave(&reader);
  bb_stream_close(f.stream);
  expect_uint("still readable", bb_chunk_batch(chunk, &walk, 1, &bytes)->seq, 1);
  bb_chunk_unpin(chunk);
  close_fixture(&f);
}

static void test_queue_drops_of_the_stream_with_the_oldest(void **state) {
  (void)state;
  fixture f;
  bb_reader readers[2] = {{0}, {0}};
  unsigned one = chunk_records();
  open_fixture(&f, 3 * BB_CHUNK_BYTES);
  bb_stream *other = bb_stream_open(&f.queue, "cloud", BB_STORE_TELEMETRY);
  bb_reader_join(&readers[0], f.stream);
  bb_reader_join(&readers[1], other);
  f.mono_ns = 10;
  append(&f, other, one);
  f.mono_ns = 20;
  append(&f, f.stream, 2 * one);
  f.mono_ns = 30;
  append(&f, f.stream, 1);
  expect_true("the other's is older", f.dropped_from == other);
  expect_uint("all of it", f.dropped, one);
  expect_uint("ours is whole", f.stream->first, 0);
  bb_reader_leave(&readers[0]);
  bb_reader_leave(&readers[1]);
  close_fixture(&f);
}

static bb_batch event_of(fixture *f, const char *text) {
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
  fixture f;
  bb_reader reader = {0}, of_events = {0};
  open_fixture(&f, 4 * BB_CHUNK_BYTES);
  bb_stream *events = bb_stream_open(&f.queue, "hist+bus", BB_STORE_EVENTS);
  bb_reader_join(&reader, f.stream);
  bb_reader_join(&of_events, events);
  bb_batch lost = event_of(&f, "lost");
  expect_int("the oldest of all", bb_stream_append(events, &lost), 0);
  f.mono_ns = 1000;
  append(&f, f.stream, 20 * chunk_records());
  expect_true("telemetry went", f.dropped > 0);
  expect_true("of its stream", f.dropped_from == f.stream);
  expect_uint("the event did not", in_memory(events), 1);
  expect_record(&f, f.stream->next - 1); /* nor the newest sample */
  bb_reader_leave(&reader);
  bb_reader_leave(&of_events);
  close_fixture(&f);
}

static void test_queue_loses_telemetry_that_comes_when_events_fill_it(void **state) {
  (void)state;
  fixture f;
  static char text[30000];
  bb_reader reader = {0}, of_events = {0};
  memset(text, 'x', sizeof(text) - 1);
  open_fixture(&f, 3 * BB_CHUNK_BYTES);
  bb_stream *events = bb_stream_open(&f.queue, "hist+bus", BB_STORE_EVENTS);
  bb_reader_join(&reader, f.stream);
  bb_reader_join(&of_events, events);
  unsigned records = chunk_records();
  append(&f, f.stream, records);
  bb_batch event = event_of(&f, text);
  while (f.drops == 0) expect_int("event", bb_stream_append(events, &event), 0);
  expect_true("the samples had to go first", f.dropped_from == f.stream && f.dropped == records);
  while (f.queue.bytes + sizeof(text) <= f.queue.max_bytes) {
    expect_int("event", bb_stream_append(events, &event), 0);
  }
  uint64_t n = in_memory(events), before = f.stream->next;
  while (f.drops == 1) append(&f, f.stream, 1); /* what little room there is */
  append(&f, f.stream, 50);
  expect_true("told of its stream", f.dropped_from == f.stream);
  expect_uint("its number is used", f.stream->next > before + 50, true);
  expect_uint("all events are there", in_memory(events), n);
  expect_true("bounded", f.queue.bytes <= f.queue.max_bytes);
  expect_int("an event still comes", bb_stream_append(events, &event), 0);
  while (f.dropped_from == f.stream) expect_int("more", bb_stream_append(events, &event), 0);
  expect_true("then the oldest of them goes", in_memory(events) < events->next);
  bb_reader_leave(&reader);
  bb_reader_leave(&of_events);
  close_fixture(&f);
}

static void test_queue_expires_by_age(void **state) {
  (void)state;
  fixture f;
  unsigned one = chunk_records();
  open_read(&f, 1u << 20);
  f.mono_ns = 1 * BB_NS_PER_S;
  append(&f, f.stream, one);
  f.mono_ns = 5 * BB_NS_PER_S;
  append(&f, f.stream, one);
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
  close_read(&f);
}

static void expect_missed(const fixture *f, const char *row, uint64_t from, uint64_t to) {
  expect_uint(row, f->missed.from, from);
  expect_uint(row, f->missed.to, to);
}

static void test_queue_tells_what_a_reader_misses(void **state) {
  (void)state;
  fixture f;
  bb_chunk *chunk;
  uint64_t one = chunk_records();
  open_read(&f, 1u << 20);
  append(&f, f.stream, (unsigned)one);
  bb_stream_miss(f.stream, one - 1);
  expect_uint("what is in memory is not missed", f.misses, 0);
  f.stream->next += 10; /* as behind what a restart found in the store */
  append(&f, f.stream, (unsigned)one);
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
  close_read(&f);
}

/* Without anybody who hears of it, too. */
static void test_queue_misses_in_silence(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, 1u << 20);
  f.queue.on_dropped = NULL;
  f.queue.on_missing = NULL;
  f.stream->next += 4;
  bb_stream_miss(f.stream, 1);
  expect_uint("nothing happens", f.drops + f.misses, 0);
  close_fixture(&f);
}

static void test_queue_since_finds_the_first_not_older(void **state) {
  (void)state;
  fixture f;
  unsigned one = chunk_records();
  open_read(&f, 1u << 20);
  expect_uint("empty", bb_stream_since(f.stream, 0), 0);
  for (unsigned i = 0; i < 3 * one; i++) {
    f.mono_ns = 100 + 10 * (uint64_t)i;
    append(&f, f.stream, 1);
  }
  expect_uint("from the beginning", bb_stream_since(f.stream, 0), 0);
  expect_uint("exactly", bb_stream_since(f.stream, 100 + 10 * (uint64_t)one), one);
  expect_uint("in between", bb_stream_since(f.stream, 100 + 10 * (uint64_t)one - 1), one);
  expect_uint("the last", bb_stream_since(f.stream, 100 + 10 * (3 * (uint64_t)one - 1)),
              3 * one - 1);
  expect_uint("all are older", bb_stream_since(f.stream, UINT64_MAX), 3 * one);
  bb_reader_release(&f.reader, 2 * one);
  expect_uint("of what is there", bb_stream_since(f.stream, 0), 2 * one);
  close_read(&f);
}

static void test_queue_refuses_what_is_larger_than_a_chunk_or_the_bound(void **state) {
  (void)state;
  fixture f;
  static char text[BB_CHUNK_BYTES - 1];
  open_fixture(&f, 1u << 20);
  bb_batch event = {
      .device = f.device, .kind = BB_BATCH_EVENT, .text = text, .text_len = (uint16_t)sizeof(text)};
  expect_int("a chunk", bb_stream_append(f.stream, &event), BB_ERR_LIMIT);
  f.queue.max_bytes = 64;
  expect_int("the bound", bb_stream_append(f.stream, &f.sample.batch), BB_ERR_LIMIT);
  expect_uint("nothing was taken", f.stream->next, 0);
  close_fixture(&f);
}

static int open_and_append(void *user) {
  fixture *f = user;
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
  fixture f;
  open_fixture(&f, 1u << 20);
  bb_stream_close(f.stream);
  failmalloc_each(open_and_append, &f);
  close_fixture(&f);
}

static void test_queue_reuses_its_chunks(void **state) {
  (void)state;
  fixture f;
  open_read(&f, 1u << 20);
  append(&f, f.stream, 1);
  bb_reader_release(&f.reader, 1);
  failmalloc_start(0);
  for (int i = 0; i < 1000; i++) {
    append(&f, f.stream, 1);
    bb_reader_release(&f.reader, f.stream->next);
  }
  expect_uint("allocations", failmalloc_stop(), 0);
  close_read(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_queue_gives_back_what_was_appended),
      cmocka_unit_test(test_queue_keeps_an_event_with_its_text),
      cmocka_unit_test(test_queue_walks_over_chunks_to_and_fro),
      cmocka_unit_test(test_queue_frees_what_no_reader_needs),
      cmocka_unit_test(test_queue_drops_whole_oldest_chunks_at_its_bound),
      cmocka_unit_test(test_queue_keeps_a_dropped_chunk_while_it_is_pinned),
      cmocka_unit_test(test_queue_keeps_a_pinned_chunk_past_its_stream),
      cmocka_unit_test(test_queue_drops_of_the_stream_with_the_oldest),
      cmocka_unit_test(test_queue_drops_telemetry_before_older_events),
      cmocka_unit_test(test_queue_loses_telemetry_that_comes_when_events_fill_it),
      cmocka_unit_test(test_queue_expires_by_age),
      cmocka_unit_test(test_queue_tells_what_a_reader_misses),
      cmocka_unit_test(test_queue_misses_in_silence),
      cmocka_unit_test(test_queue_since_finds_the_first_not_older),
      cmocka_unit_test(test_queue_refuses_what_is_larger_than_a_chunk_or_the_bound),
      cmocka_unit_test(test_queue_without_memory),
      cmocka_unit_test(test_queue_reuses_its_chunks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
