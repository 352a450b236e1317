/* SPDX-License-Identifier: Apache-2.0 */
/* See probe_rig.h. */
#include "support/probe_rig.h"

#include <string.h>

#include "support/expect.h"

static void on_done(bb_runtime_probe *probe) {
  probe_asked *a = probe->wish.user;
  a->n_done++;
  a->probe = NULL;
  a->device = NULL;
  a->status = probe->status;
  a->answered = probe->answered;
  a->other_options = probe->other_options;
  a->reason = probe->reason;
  memcpy(a->through, probe->through, sizeof(a->through));
  for (uint32_t i = 0; i < probe->n_scans; i++) {
    const bb_runtime_probe_scan *scan = &probe->scans[i];
    a->fresh[i] = scan->fresh;
    a->has_batch[i] = scan->has_batch;
    if (!scan->has_batch) continue;
    a->value[i] = bb_value_double(bb_batch_value(&scan->batch, 0));
    a->raw[i] = scan->raw[0];
  }
}

bb_runtime_probe_wish probe_wish(bb_config *config, uint32_t scans) {
  return (bb_runtime_probe_wish){.config = config, .device = &config->devices[0], .scans = scans};
}

int probe_ask_for(rig *r, probe_asked *a, bb_runtime_probe_wish wish) {
  memset(a, 0, sizeof(*a));
  wish.user = a;
  wish.on_done = on_done;
  int err = bb_runtime_probe_start(&r->runtime, &wish, &a->probe, &a->reason);
  if (err == 0) a->device = (fake_device *)a->probe->attachment;
  return err;
}

int probe_ask(rig *r, probe_asked *a, const char *text, uint32_t scans) {
  return probe_ask_for(r, a, probe_wish(rig_config(text), scans));
}

void probe_ask_well(rig *r, probe_asked *a, const char *text, uint32_t scans) {
  expect_int(text, probe_ask(r, a, text, scans), 0);
  expect_uint("nothing inside", a->n_done, 0);
  a->device->value = 42;
}

void probe_wait(rig *r, const probe_asked *a) {
  rig_until(r, a->n_done > 0);
  rig_turn(r);
  expect_uint("told once", a->n_done, 1);
}

void probe_rig_open(rig *r) {
  rig_open(r);
  rig_apply(r, RIG_PLANT);
  bb_runtime_pause(&r->runtime, true);
  /* The store's thread says when it has the number of the sink's session: the last that comes. */
  rig_until(r, journal_count("bus durable") == 1);
  rig_turn(r);
  journal_clear();
}

bb_link *probe_link(const rig *r, const char *id) {
  bb_link *link = bb_map_get(&r->runtime.links, id);
  expect_true(id, link != NULL);
  return link;
}
