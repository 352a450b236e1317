/* SPDX-License-Identifier: Apache-2.0 */
/* Packs from a disk that failed, or from somebody else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "support/expect.h"
#include "support/pack.h"
#include "support/random.h"
#include "support/vector.h"

static void each_vector(void (*check)(const char *name, const uint8_t *bytes, size_t len)) {
  char *names[VECTOR_MAX_FILES];
  size_t n = vector_names("pack", ".hex", names);
  for (size_t i = 0; i < n; i++) {
    char path[128];
    size_t len;
    snprintf(path, sizeof(path), "pack/%s.hex", names[i]);
    uint8_t *bytes = vector_read_hex(path, &len);
    check(names[i], bytes, len);
    free(bytes);
  }
  vector_free_names(names, n);
}

static void test_pack_foreign_refuses(void **state) {
  bb_doc_tree tree;
  (void)state;
  vector_read_json("pack/refused.json", &tree);
  expect_true("there are rows", tree.root->n > 40);
  for (const bb_doc *row = tree.root->first; row != NULL; row = row->next) {
    char name[256];
    size_t len;
    snprintf(name, sizeof(name), "%s (%s)", bb_doc_get_text(row, "name"),
             bb_doc_get_text(row, "why"));
    uint8_t *bytes = pack_from_hex(bb_doc_get_text(row, "hex"), &len);
    expect_int(name, pack_read(bytes, len), BB_ERR_FORMAT);
    free(bytes);
  }
  bb_doc_close(&tree);
}

/* Puts the right checksum in front. */
static void seal(uint8_t *bytes, size_t len) {
  bb_put_le32(bytes, (uint32_t)crc32(0, bytes + 4, (uInt)(len - 4)));
}

static void test_pack_foreign_refuses_a_later_version(void **state) {
  size_t len;
  (void)state;
  uint8_t *bytes = vector_read_hex("pack/one.hex", &len);
  bytes[4] = 2;
  expect_int("without its checksum", pack_read(bytes, len), BB_ERR_FORMAT);
  seal(bytes, len);
  expect_int("with it", pack_read(bytes, len), BB_ERR_VERSION);
  free(bytes);
}

static void flip_each_bit(const char *name, const uint8_t *bytes, size_t len) {
  uint8_t *copy = malloc(len);
  assert_non_null(copy);
  memcpy(copy, bytes, len);
  expect_int(name, pack_read(copy, len), 0);
  for (size_t i = 0; i < len * 8; i++) {
    copy[i / 8] ^= (uint8_t)(1u << i % 8);
    expect_int(name, pack_read(copy, len), BB_ERR_FORMAT);
    copy[i / 8] ^= (uint8_t)(1u << i % 8);
  }
  free(copy);
}

static void test_pack_foreign_refuses_each_flipped_bit(void **state) {
  (void)state;
  each_vector(flip_each_bit);
}

static void cut_each_length(const char *name, const uint8_t *bytes, size_t len) {
  for (size_t cut = 0; cut < len; cut++) {
    uint8_t *copy = malloc(cut > 0 ? cut : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, cut);
    expect_int(name, pack_read(copy, cut), BB_ERR_FORMAT);
    if (cut > 4) {
      seal(copy, cut);
      expect_int(name, pack_read(copy, cut), BB_ERR_FORMAT);
    }
    free(copy);
  }
}

static void test_pack_foreign_refuses_each_shorter_one(void **state) {
  (void)state;
  each_vector(cut_each_length);
}

/* Other bytes under a right checksum may mean something else, but nothing outside of the pack. */
static void change_some(const char *name, const uint8_t *bytes, size_t len) {
  uint64_t seed = len;
  uint8_t *copy = malloc(len);
  assert_non_null(copy);
  for (int i = 0; i < 2000; i++) {
    memcpy(copy, bytes, len);
    for (uint32_t n = random_below(&seed, 3); n < 3; n++) {
      copy[4 + random_below(&seed, (uint32_t)len - 4)] = (uint8_t)random_next(&seed);
    }
    seal(copy, len);
    int err = pack_read(copy, len);
    if (err != 0 && err != BB_ERR_VERSION) expect_int(name, err, BB_ERR_FORMAT);
  }
  free(copy);
}

static void test_pack_foreign_reads_nothing_outside(void **state) {
  (void)state;
  each_vector(change_some);
}

static void test_pack_foreign_refuses_what_is_too_long(void **state) {
  size_t len = BB_PACK_LONGEST + 1;
  uint8_t *bytes = calloc(1, len);
  (void)state;
  expect_int("too long", pack_read(bytes, len), BB_ERR_FORMAT);
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pack_foreign_refuses),
      cmocka_unit_test(test_pack_foreign_refuses_a_later_version),
      cmocka_unit_test(test_pack_foreign_refuses_each_flipped_bit),
      cmocka_unit_test(test_pack_foreign_refuses_each_shorter_one),
      cmocka_unit_test(test_pack_foreign_reads_nothing_outside),
      cmocka_unit_test(test_pack_foreign_refuses_what_is_too_long),
  };
  return cmocka_run_group_tests_name("pack_foreign", tests, NULL, NULL);
}
