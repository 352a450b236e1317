/* SPDX-License-Identifier: Apache-2.0 */
/* What is changed in a store that no runtime has open, and what it is said to hold. */
#include "cli/store_edit.h"

#include <string.h>

#include "base/err.h"
#include "runtime/holdings.h"
#include "runtime/letters.h"
#include "support/expect.h"
#include "support/pack.h"
#include "support/store.h"

#define END BB_STORE_OPEN_END

/* Packs of ten records of one point each, as many as are asked for. */
static void put_packs(store_rig *rig, uint32_t stream, uint64_t first, uint32_t packs) {
  pack_sample sample;
  pack_sample_open(&sample);
  for (uint32_t i = 0; i < packs; i++) {
    bb_packer packer;
    bb_buf body;
    bb_packer_init(&packer);
    bb_buf_init(&body, BB_PACK_LONGEST);
    for (int k = 0; k < 10; k++) bb_packer_add(&packer, &sample.batches[1]);
    expect_true("pack", bb_packer_end(&packer, &body) > 0);
    bb_store_pack pack = {.stream = stream,
                          .first = first + i * 10u,
                          .n = 10,
                          .age_ns = 1,
                          .body = body.bytes,
                          .len = body.len};
    expect_int("append", bb_store_append(rig->store, &pack), 0);
    bb_packer_close(&packer);
    bb_buf_close(&body);
  }
  pack_sample_close(&sample);
}

static void put_cursor(store_rig *rig, uint32_t stream, const char *sink, uint64_t from,
                       uint64_t to) {
  bb_store_cursor cursor = {.stream = stream, .sink = sink, .n = 1, .ranges = {{from, to}}};
  expect_int("cursor", bb_store_cursor_put(rig->store, &cursor), 0);
}

/* Streams 1, "a+b", with records 0 to 29, and 2, "a", with 100 to 109. a has delivered 0 to 14 of the
 * first, b 0 to 4 and 10 to 29. */
static void open_rig(store_rig *rig) {
  store_rig_open(rig);
  store_begin(rig);
  store_make_stream(rig, "a+b", BB_STORE_TELEMETRY);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  put_packs(rig, 1, 0, 3);
  put_packs(rig, 2, 100, 1);
  put_cursor(rig, 1, "a", 15, END);
  bb_store_cursor cursor = {.stream = 1, .sink = "b", .n = 2, .ranges = {{5, 10}, {30, END}}};
  expect_int("cursor", bb_store_cursor_put(rig->store, &cursor), 0);
  put_cursor(rig, 2, "a", 100, END);
  store_commit(rig);
}

static const char *show_holdings(store_rig *rig, bb_buf *out) {
  bb_holdings list = {0};
  bb_buf_clear(out);
  expect_int("read", bb_holdings_read(&list, rig->store), 0);
  for (uint32_t i = 0; i < list.n; i++) {
    const bb_holding *item = &list.items[i];
    bb_buf_printf(out, "%s of %s: %llu; ", item->sink, item->stream,
                  (unsigned long long)item->records);
    expect_int("oldest", item->oldest_ns > 0, 1);
    expect_true("bytes", item->bytes > 0);
  }
  bb_holdings_close(&list);
  return bb_buf_string(out);
}

#define EXPECT_HOLDINGS(rig, expected)                                                             \
  do {                                                                                             \
    bb_buf text;                                                                                   \
    bb_buf_init(&text, 4096);                                                                      \
    expect_text("holdings", show_holdings((rig), &text), (expected));                              \
    bb_buf_close(&text);                                                                           \
  } while (0)

static void test_store_edit_tells_what_is_held(void **state) {
  (void)state;
  store_rig rig;
  open_rig(&rig);
  EXPECT_HOLDINGS(&rig, "a of a+b: 15; b of a+b: 5; a of a: 10; ");
  store_rig_close(&rig);
}

static void test_store_edit_tells_events_from_readings(void **state) {
  (void)state;
  store_rig rig;
  bb_holdings list = {0};
  bb_buf text;
  bb_json_writer json;
  store_rig_open(&rig);
  store_begin(&rig);
  store_make_stream(&rig, "bus", BB_STORE_TELEMETRY);
  store_make_stream(&rig, "bus", BB_STORE_EVENTS);
  put_packs(&rig, 1, 0, 1);
  put_packs(&rig, 2, 0, 2);
  put_cursor(&rig, 1, "bus", 0, END);
  put_cursor(&rig, 2, "bus", 0, END);
  store_commit(&rig);
  expect_int("read", bb_holdings_read(&list, rig.store), 0);
  bb_buf_init(&text, 4096);
  bb_json_writer_init(&json, &text);
  bb_json_writer_map(&json, NULL);
  bb_holdings_put(&list, &json);
  bb_json_writer_end(&json);
  expect_int("json", bb_json_writer_finish(&json), 0);
  expect_part("first", bb_buf_string(&text), "\"kind\":\"readings\",\"records\":10,");
  expect_part("second", bb_buf_string(&text), "\"kind\":\"events\",\"records\":20,");
  bb_buf_close(&text);
  bb_holdings_close(&list);
  store_rig_close(&rig);
}

static void test_store_edit_drops_for_one_sink_only(void **state) {
  (void)state;
  store_rig rig;
  uint64_t records = 0;
  open_rig(&rig);
  expect_int("nobody", bb_store_edit_drop(rig.store, "c", &records), BB_ERR_NOTFOUND);
  expect_int("drop", bb_store_edit_drop(rig.store, "a", &records), 0);
  expect_uint("records", records, 25);
  EXPECT_HOLDINGS(&rig, "b of a+b: 5; ");
  expect_text("cursors", store_show_cursors(&rig), "1 b 5..10 30..\n");
  bb_store_stats stats;
  bb_store_read_stats(rig.store, &stats);
  expect_uint("packs", stats.packs, 1);
  expect_int("again", bb_store_edit_drop(rig.store, "a", &records), BB_ERR_NOTFOUND);
  expect_int("the other", bb_store_edit_drop(rig.store, "b", &records), 0);
  expect_text("no stream", store_show_streams(&rig), "");
  expect_text("mistakes", store_show_mistakes(&rig), "");
  store_rig_close(&rig);
}

static void test_store_edit_merges_what_two_sinks_need(void **state) {
  (void)state;
  store_rig rig;
  uint64_t records = 0;
  open_rig(&rig);
  expect_int("nobody", bb_store_edit_reassign(rig.store, "c", "b", &records), BB_ERR_NOTFOUND);
  expect_int("reassign", bb_store_edit_reassign(rig.store, "a", "b", &records), 0);
  expect_uint("records", records, 25);
  expect_text("cursors", store_show_cursors(&rig), "1 b 5..10 15..\n2 b 100..\n");
  EXPECT_HOLDINGS(&rig, "b of a+b: 20; b of a: 10; ");
  store_rig_close(&rig);
}

static void test_store_edit_requeues_behind_what_waits(void **state) {
  (void)state;
  store_rig rig;
  uint64_t letters = 0;
  store_rig_open(&rig);
  store_put_sample(&rig); /* with a letter of the sink influx */
  EXPECT_HOLDINGS(&rig, "influx of influx: 17; ");
  expect_int("of another", bb_store_edit_requeue(rig.store, "b", &letters), 0);
  expect_uint("none", letters, 0);
  expect_int("requeue", bb_store_edit_requeue(rig.store, NULL, &letters), 0);
  expect_uint("letters", letters, 1);
  expect_text("no letter", store_show_dead(&rig, NULL, 0), "");
  expect_text("mistakes", store_show_mistakes(&rig), "");
  EXPECT_HOLDINGS(&rig, "influx of influx: 18; ");
  expect_int("again", bb_store_edit_requeue(rig.store, NULL, &letters), 0);
  expect_uint("once", letters, 0);
  store_rig_close(&rig);
}

/* A cursor may lie behind what was ever saved: what is appended counts all the same. */
static void test_store_edit_requeues_where_a_cursor_is_ahead(void **state) {
  (void)state;
  store_rig rig;
  uint64_t letters = 0;
  store_rig_open(&rig);
  store_begin(&rig);
  store_make_stream(&rig, "hist", BB_STORE_TELEMETRY);
  put_packs(&rig, 1, 0, 1);
  put_cursor(&rig, 1, "hist", 500, END);
  store_put_dead(&rig, "hist", 1, 100);
  store_commit(&rig);
  expect_int("requeue", bb_store_edit_requeue(rig.store, "hist", &letters), 0);
  expect_text("cursor", store_show_cursors(&rig), "1 hist 10..11 500..\n");
  store_rig_close(&rig);
}

static int show_class(void *user, const bb_store_stream *stream) {
  return bb_buf_printf(user, "%s %s %llu; ",
                       stream->class == BB_STORE_EVENTS ? "events" : "telemetry", stream->name,
                       (unsigned long long)stream->records);
}

/* One letter of the batch, which is a pack of one record. */
static void put_letter(store_rig *rig, const char *sink, const bb_batch *batch) {
  bb_packer packer;
  bb_buf body;
  bb_packer_init(&packer);
  bb_buf_init(&body, BB_PACK_LONGEST);
  expect_int("add", bb_packer_add(&packer, batch), 0);
  expect_true("pack", bb_packer_end(&packer, &body) > 0);
  bb_store_dead dead = {
      .sink = sink, .reason = "no", .age_ns = 1, .body = body.bytes, .len = body.len};
  expect_int("letter", bb_store_dead_put(rig->store, &dead), 0);
  bb_packer_close(&packer);
  bb_buf_close(&body);
}

static void test_store_edit_requeues_events_as_events(void **state) {
  static const bb_batch_kind kinds[] = {BB_BATCH_EVENT, BB_BATCH_SAMPLES, BB_BATCH_OUTCOME,
                                        BB_BATCH_MESSAGE};
  (void)state;
  store_rig rig;
  pack_sample sample;
  uint64_t letters = 0;
  store_rig_open(&rig);
  pack_sample_open(&sample);
  store_begin(&rig);
  for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
    size_t i = 0;
    while (i < sample.n && sample.batches[i].kind != kinds[k]) i++;
    expect_true("a sample of each kind", i < sample.n);
    put_letter(&rig, "hist", &sample.batches[i]);
  }
  store_commit(&rig);
  expect_int("requeue", bb_store_edit_requeue(rig.store, NULL, &letters), 0);
  expect_uint("letters", letters, 4);
  bb_buf text;
  bb_buf_init(&text, 4096);
  expect_int("streams", bb_store_streams(rig.store, show_class, &text), 0);
  expect_text("streams", bb_buf_string(&text), "events hist 2; telemetry hist 2; ");
  bb_buf_close(&text);
  pack_sample_close(&sample);
  store_rig_close(&rig);
}

static void test_store_edit_drops_the_letters_of_a_sink(void **state) {
  static const uint8_t frame[] = {1};
  (void)state;
  store_rig rig;
  uint64_t letters = 0;
  store_rig_open(&rig);
  store_begin(&rig);
  expect_int("name", bb_store_name_put(rig.store, BB_STORE_DEVICE, 7, frame, 1), 0);
  store_put_dead(&rig, "hist", 1, 100);
  store_put_dead(&rig, "bus", 2, 100);
  store_put_dead(&rig, "hist", 3, 100);
  store_commit(&rig);
  expect_int("of nobody", bb_store_edit_drop_dead(rig.store, "b", &letters), 0);
  expect_uint("none", letters, 0);
  expect_int("of one", bb_store_edit_drop_dead(rig.store, "hist", &letters), 0);
  expect_uint("two", letters, 2);
  expect_part("the other's stays", store_show_dead(&rig, NULL, 0), "bus/");
  expect_true("its names, too", *store_show_names(&rig) != 0);
  expect_int("all", bb_store_edit_drop_dead(rig.store, NULL, &letters), 0);
  expect_uint("one", letters, 1);
  expect_text("no letter", store_show_dead(&rig, NULL, 0), "");
  expect_text("and no name", store_show_names(&rig), "");
  store_rig_close(&rig);
}

static void test_store_edit_pages_letters(void **state) {
  (void)state;
  store_rig rig;
  store_rig_open(&rig);
  store_begin(&rig);
  for (int i = 0; i < 5; i++) store_put_dead(&rig, i % 2 == 0 ? "a" : "b", 1, 100);
  store_commit(&rig);
  bb_letters page = {.sink = "a", .limit = 2};
  expect_int("read", bb_letters_read(&page, rig.store), 0);
  expect_uint("two", page.n, 2);
  expect_true("more", page.more);
  page.after = page.items[1].id;
  bb_letters_close(&page);
  expect_int("read", bb_letters_read(&page, rig.store), 0);
  expect_uint("one", page.n, 1);
  expect_true("no more", !page.more);
  bb_letters_close(&page);
  bb_letters one = {.only = 4};
  expect_int("read", bb_letters_read(&one, rig.store), 0);
  expect_uint("that one", one.n, 1);
  expect_int("id", (int)one.items[0].id, 4);
  bb_letters_close(&one);
  one = (bb_letters){.only = 9};
  expect_int("read", bb_letters_read(&one, rig.store), 0);
  expect_uint("no such one", one.n, 0);
  bb_letters_close(&one);
  store_rig_close(&rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_store_edit_tells_what_is_held),
      cmocka_unit_test(test_store_edit_tells_events_from_readings),
      cmocka_unit_test(test_store_edit_drops_for_one_sink_only),
      cmocka_unit_test(test_store_edit_merges_what_two_sinks_need),
      cmocka_unit_test(test_store_edit_requeues_behind_what_waits),
      cmocka_unit_test(test_store_edit_requeues_where_a_cursor_is_ahead),
      cmocka_unit_test(test_store_edit_requeues_events_as_events),
      cmocka_unit_test(test_store_edit_drops_the_letters_of_a_sink),
      cmocka_unit_test(test_store_edit_pages_letters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
