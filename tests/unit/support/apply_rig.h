/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that go from one config to the next: what was there, and whether it still is. */
#ifndef BB_TEST_APPLY_RIG_H
#define BB_TEST_APPLY_RIG_H

#include "support/runtime_rig.h"

/* What must be the same afterwards. */
typedef struct apply_before {
  bb_station *station;
  bb_attachment *attachment;
  bb_link *link;
  bb_conn *conn;
  uint64_t offset_ns;
} apply_before;

apply_before apply_note(const rig *r, const char *id);
void apply_expect_untouched(const rig *r, const char *id, apply_before old);

/* Opens the rig with this config; the journal begins behind it. */
void apply_open(rig *r, const char *text);

/* A batch whose first value is 10, until the journal has that line. */
void apply_push_until_live(rig *r, const char *device, const char *line);

#endif
