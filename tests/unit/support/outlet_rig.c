/* SPDX-License-Identifier: Apache-2.0 */
/* See outlet_rig.h. */
#include "support/outlet_rig.h"

#include "support/expect.h"

void outlet_rig_open(outlet_rig *f, const char *text) {
  rig_open(&f->r);
  rig_apply(&f->r, text);
  f->device = rig_device(&f->r, "m");
  f->outlet = bb_runtime_outlet(&f->r.runtime, "bus");
  f->sink = rig_sink(&f->r, "bus");
  if (f->sink->manual) fake_sink_connect(f->sink);
}

void outlet_rig_close(outlet_rig *f) {
  rig_close(&f->r);
}

void outlet_rig_push(outlet_rig *f, double from, double to) {
  for (; from <= to; from++) expect_true("push", fake_device_push(f->device, 0, from));
}

void outlet_rig_expect_at(outlet_rig *f, const double *values, size_t n, const char *file,
                          int line) {
  rig_turn(&f->r);
  for (size_t i = 0; i < n && i < f->sink->n_pending; i++) {
    expect_double_at("value", fake_sink_value(f->sink->pending[i].batch), values[i], file, line);
  }
  expect_uint_at("pending", f->sink->n_pending, n, file, line);
}

void outlet_rig_ack(outlet_rig *f) {
  while (f->sink->n_pending > 0) fake_sink_judge(f->sink, 0, 1, BB_VERDICT_ACKED);
}

void outlet_rig_deliver(outlet_rig *f, double from, double to) {
  outlet_rig_push(f, from, to);
  rig_turn(&f->r);
  outlet_rig_ack(f);
}
