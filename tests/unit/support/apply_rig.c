/* SPDX-License-Identifier: Apache-2.0 */
/* See apply_rig.h. */
#include "support/apply_rig.h"

#include "support/expect.h"

apply_before apply_note(const rig *r, const char *id) {
  bb_station *station = bb_runtime_station(&r->runtime, id);
  expect_true(id, station != NULL);
  return (apply_before){station, station->attachment, station->link, station->link->conn,
                        station->scans[1].offset_ns};
}

void apply_expect_untouched(const rig *r, const char *id, apply_before old) {
  apply_before now = apply_note(r, id);
  expect_true("the station", now.station == old.station && now.attachment == old.attachment);
  expect_true("the connection", now.link == old.link && now.conn == old.conn);
  expect_uint("the schedule", now.offset_ns, old.offset_ns);
  expect_true("still due", now.station->scans[1].due.place > 0);
}

void apply_open(rig *r, const char *text) {
  rig_open(r);
  rig_apply(r, text);
  journal_clear();
}

void apply_push_until_live(rig *r, const char *device, const char *line) {
  expect_true(device, fake_device_push(rig_device(r, device), 0, 10));
  rig_until(r, journal_count(line) > 0);
}
