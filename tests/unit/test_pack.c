/* SPDX-License-Identifier: Apache-2.0 */
/* Packs: what is packed comes back; when a pack is full; the bytes, by vectors that another encoder
 * made. What must be refused: test_pack_foreign.c. */
#include "store/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/model.h"
#include "support/pack.h"

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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pack_gives_every_kind_of_batch_back),
  };
  return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
