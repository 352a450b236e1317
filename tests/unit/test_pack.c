/* SPDX-License-Identifier: Apache-2.0 */
/* Packs: what is packed comes back; when a pack is full; the bytes, by vectors that another encoder
 * made. What must be refused: test_pack_foreign.c. */
#include "store/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/frame.h"
#include "support/pack.h"
#include "support/vector.h"

/* Ends the pack, which holds the batches from `from` up to `to`, and checks it. */
static void end_and_check(bb_packer *packer, const pack_sample *sample, size_t from, size_t to) {
  bb_buf out;
  bb_buf_init(&out, BB_PACK_LONGEST);
  expect_uint("records", packer->n_records, to - from);
  int len = bb_packer_end(packer, &out);
  expect_uint("bytes", (uint64_t)len, out.len);
  expect_uint("empty again", packer->n_records + packer->n_sources, 0);
  pack_expect(sample->batches + from, to - from, out.bytes, out.len);
  bb_buf_close(&out);
}

static void test_pack_gives_every_kind_of_batch_back(void **state) {
  (void)state;
  pack_sample sample;
  pack_sample_open(&sample);
  bb_packer packer;
  bb_packer_init(&packer);
  size_t from = 0, packs = 1;
  for (size_t i = 0; i < sample.n; i++) {
    int err = bb_packer_add(&packer, &sample.batches[i]);
    if (err == BB_ERR_AGAIN) {
      end_and_check(&packer, &sample, from, i);
      from = i;
      packs++;
      err = bb_packer_add(&packer, &sample.batches[i]);
    }
    expect_int("add", err, 0);
  }
  end_and_check(&packer, &sample, from, sample.n);
  expect_uint("one before the longest text, one with it, one behind it", packs, 3);
  bb_packer_close(&packer);
  pack_sample_close(&sample);
}

static void check_vector(const char *name) {
  pack_vector v;
  bb_packer packer;
  bb_buf out;
  pack_vector_open(&v, name);
  bb_packer_init(&packer);
  bb_buf_init(&out, BB_PACK_LONGEST);
  bb_buf_text(&out, "before");
  for (size_t i = 0; i < v.n; i++) expect_int(name, bb_packer_add(&packer, &v.batches[i]), 0);
  expect_uint(name, (uint64_t)bb_packer_end(&packer, &out), v.len);
  expect_bytes(name, out.bytes + 6, out.len - 6, v.bytes, v.len);
  pack_expect(v.batches, v.n, v.bytes, v.len);
  bb_packer_close(&packer);
  bb_buf_close(&out);
  pack_vector_close(&v);
}

static void test_pack_is_as_the_vectors_say(void **state) {
  char *names[VECTOR_MAX_FILES];
  size_t n = vector_names("pack", ".hex", names);
  (void)state;
  for (size_t i = 0; i < n; i++) check_vector(names[i]);
  vector_free_names(names, n);
}

/* Adds the batch, each time from another device where there are some, until the pack is full. Returns
 * the length of the pack. */
static size_t fill(bb_batch batch, bb_device *const *devices, size_t n_devices, uint32_t *records) {
  bb_packer packer;
  bb_buf out;
  int err;
  bb_packer_init(&packer);
  bb_buf_init(&out, BB_PACK_LONGEST);
  for (size_t i = 0; (err = bb_packer_add(&packer, &batch)) == 0; i++) {
    if (n_devices > 0) batch.device = devices[(i + 1) % n_devices];
    batch.seq++;
  }
  expect_int("full", err, BB_ERR_AGAIN);
  expect_int("still full", bb_packer_add(&packer, &batch), BB_ERR_AGAIN);
  *records = packer.n_records;
  size_t len = (size_t)bb_packer_end(&packer, &out);
  bb_unpacker unpacker;
  bb_packed packed;
  expect_int("open", bb_unpacker_open(&unpacker, out.bytes, out.len), 0);
  uint32_t read = 0;
  while (bb_unpacker_next(&unpacker, &packed) == 1) read++;
  expect_uint("records", read, *records);
  expect_int("the next one takes it", bb_packer_add(&packer, &batch), 0);
  bb_packer_close(&packer);
  bb_buf_close(&out);
  return len;
}

static void test_pack_is_full_by_bytes(void **state) {
  pack_sample sample;
  uint32_t records;
  (void)state;
  pack_sample_open(&sample);
  size_t len = fill(sample.batches[0], NULL, 0, &records);
  expect_true("not longer than said", len <= BB_PACK_MAX_BYTES);
  expect_true("but nearly so", len + 80 > BB_PACK_MAX_BYTES);
  expect_true("many", records > 900);
  pack_sample_close(&sample);
}

static void test_pack_is_full_by_sources(void **state) {
  enum { DEVICES = BB_PACK_MAX_SOURCES + 1 };
  static bb_device *devices[DEVICES];
  bb_batch event = {.kind = BB_BATCH_EVENT};
  uint32_t records;
  (void)state;
  for (int i = 0; i < DEVICES; i++) {
    char id[16];
    snprintf(id, sizeof(id), "d%d", i);
    devices[i] = bb_device_new(id, "", "", NULL, 0);
  }
  event.device = devices[0];
  size_t len = fill(event, devices, DEVICES, &records);
  expect_uint("records", records, BB_PACK_MAX_SOURCES);
  expect_true("10 bytes a source", len < BB_PACK_MAX_SOURCES * 20);
  for (int i = 0; i < DEVICES; i++) bb_device_unref(devices[i]);
}

static void test_pack_tells_families_apart(void **state) {
  pack_sample sample;
  uint32_t n = 0;
  (void)state;
  pack_sample_open(&sample);
  bb_packer packer;
  bb_packer_init(&packer);
  bb_batch batch = sample.batches[1];
  for (batch.boot = 0; bb_packer_add(&packer, &batch) == 0; batch.boot++) n++;
  expect_uint("one a boot", n, BB_PACK_MAX_SOURCES);
  bb_packer_close(&packer);
  pack_sample_close(&sample);
}

static void test_pack_holds_one_record_of_any_length(void **state) {
  bb_device *device = bb_device_new("d", "", "", NULL, 0);
  bb_shape *shape = frame_wide_shape(BB_MAX_POINTS, BB_MAX_STRING_VALUE + 1, "");
  uint8_t *bytes = calloc(1, shape->value_bytes + 2 * BB_MAX_POINTS);
  (void)state;
  bytes[0] = 1; /* a text, a quality and a code that are not 0 */
  char *text = malloc(UINT16_MAX);
  memset(text, 'x', UINT16_MAX);
  bb_batch batch = {.device = device,
                    .shape = shape,
                    .quality = bytes,
                    .codes = bytes,
                    .values = bytes,
                    .text = text,
                    .text_len = UINT16_MAX};
  bb_packer packer;
  bb_buf out;
  bb_packer_init(&packer);
  bb_buf_init(&out, BB_PACK_LONGEST);
  expect_int("add", bb_packer_add(&packer, &batch), 0);
  expect_int("nothing beside it", bb_packer_add(&packer, &batch), BB_ERR_AGAIN);
  expect_true("long", bb_packer_end(&packer, &out) > 1100000);
  pack_expect(&batch, 1, out.bytes, out.len);
  bb_packer_close(&packer);
  bb_buf_close(&out);
  free(text);
  free(bytes);
  bb_shape_unref(shape);
  bb_device_unref(device);
}

static void test_pack_stays_as_it_was_without_room(void **state) {
  pack_sample sample;
  bb_packer packer;
  bb_buf out;
  (void)state;
  pack_sample_open(&sample);
  bb_packer_init(&packer);
  bb_buf_init(&out, 40);
  expect_int("add", bb_packer_add(&packer, &sample.batches[0]), 0);
  expect_int("no room", bb_packer_end(&packer, &out), BB_ERR_LIMIT);
  expect_uint("nothing appended", out.len, 0);
  bb_buf_close(&out);
  bb_buf_init(&out, BB_PACK_LONGEST);
  expect_true("room", bb_packer_end(&packer, &out) > 0);
  pack_expect(sample.batches, 1, out.bytes, out.len);
  bb_packer_close(&packer);
  bb_buf_close(&out);
  pack_sample_close(&sample);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pack_gives_every_kind_of_batch_back),
      cmocka_unit_test(test_pack_is_as_the_vectors_say),
      cmocka_unit_test(test_pack_is_full_by_bytes),
      cmocka_unit_test(test_pack_is_full_by_sources),
      cmocka_unit_test(test_pack_tells_families_apart),
      cmocka_unit_test(test_pack_holds_one_record_of_any_length),
      cmocka_unit_test(test_pack_stays_as_it_was_without_room),
  };
  return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
