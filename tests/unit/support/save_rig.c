/* SPDX-License-Identifier: Apache-2.0 */
/* See save_rig.h. */
#include "support/save_rig.h"

#include <stdio.h>
#include <string.h>

#include "support/expect.h"

#define WIDE_POINTS 100 /* 8 bytes each */

const char *save_rig_wide(const char *runtime, const char *sinks) {
  static char text[16384];
  int len = snprintf(text, sizeof(text),
                     "busbar: 1\nruntime: { %s }\n"
                     "connections:\n  - { id: a, cyclic: { port: 1 } }\n"
                     "devices:\n  - { id: m, connection: a, profile: { profile: 1, id: acme/wide, "
                     "scans: { fast: 1s }, points: [",
                     runtime);
  for (int i = 0; i < WIDE_POINTS; i++) {
    len += snprintf(text + len, sizeof(text) - (size_t)len,
                    "{ name: p%d, type: float64, holding: %d, scan: fast }, ", i, 4 * i);
  }
  snprintf(text + len, sizeof(text) - (size_t)len, "] } }\n%s", sinks);
  return text;
}

void save_rig_open(save_rig *s, const char *text) {
  rig_open(&s->r);
  save_rig_begin(s, text);
}

void save_rig_close(save_rig *s) {
  rig_close(&s->r);
}

void save_rig_begin(save_rig *s, const char *text) {
  const bb_runtime *runtime = &s->r.runtime;
  rig_apply(&s->r, text);
  s->device = bb_runtime_station(runtime, "m") != NULL ? rig_device(&s->r, "m") : NULL;
  s->sink = save_bus(s) != NULL ? rig_sink(&s->r, "bus") : NULL;
}

void save_rig_restart(save_rig *s, const char *text) {
  rig_end_runtime(&s->r);
  rig_reopen(&s->r);
  save_rig_begin(s, text);
}

void save_push(save_rig *s, double from, double to) {
  for (; from <= to; from++) expect_true("push", fake_device_push(s->device, 0, from));
}

void save_push_quietly(save_rig *s, double value) {
  save_push(s, value, value);
  journal_clear();
}

bb_save *save_of(save_rig *s) {
  return &s->r.runtime.save;
}

bb_outlet *save_bus(const save_rig *s) {
  return bb_runtime_outlet(&s->r.runtime, "bus");
}

bool save_log_has(save_rig *s, const char *text) {
  return strstr(folder_log(&s->r.folder), text) != NULL;
}

void save_expect_values(save_rig *s, double from, double to) {
  size_t n = (size_t)(to - from) + 1;
  rig_until(&s->r, s->sink->n_pending >= n);
  for (size_t i = 0; i < n; i++) {
    expect_double("value", fake_sink_value(s->sink->pending[i].batch), from + (double)i);
  }
  expect_uint("no more", s->sink->n_pending, n);
}

void save_ack_all(save_rig *s) {
  while (s->sink->n_pending > 0) fake_sink_judge(s->sink, 0, 1, BB_VERDICT_ACKED);
}
