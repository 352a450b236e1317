/* SPDX-License-Identifier: Apache-2.0 */
/* See rewind.h. */
#include "runtime/rewind.h"

#include "base/text.h"

#include "runtime/intake.h"
#include "runtime/runtime.h"

/* A span is the last eighth of what the sink holds, or longer: the ring reaches back that far. */
void bb_rewind_note(bb_intake *intake, uint64_t record) {
  const bb_outlet *outlet = intake->outlet;
  bb_acked *acked = &intake->acked[intake->acked_newest];
  uint64_t now = bb_clock_mono_ns(&outlet->runtime->clock);
  if (outlet->needs.hold_ms == 0) return;
  if (now - acked->begun_ns >= outlet->needs.hold_ms * BB_NS_PER_MS / BB_OUTLET_SPANS) {
    intake->acked_newest = (intake->acked_newest + 1) % (BB_OUTLET_SPANS + 1);
    acked = &intake->acked[intake->acked_newest];
    *acked = (bb_acked){.begun_ns = now};
  }
  acked->last_ns = now;
  acked->n = bb_span_add(acked->ranges, acked->n, BB_OUTLET_ACKED_RANGES, record, record + 1);
}

uint64_t bb_rewind_floor(const bb_intake *intake, uint64_t floor) {
  const bb_outlet *outlet = intake->outlet;
  uint64_t now = bb_clock_mono_ns(&outlet->runtime->clock);
  uint64_t hold = outlet->needs.hold_ms * BB_NS_PER_MS;
  for (uint32_t i = 0; hold > 0 && i <= BB_OUTLET_SPANS; i++) {
    const bb_acked *acked = &intake->acked[i];
    bool held = acked->n > 0 && acked->last_ns + hold >= now;
    if (held && acked->ranges[0].from < floor) floor = acked->ranges[0].from;
  }
  return floor;
}

void bb_rewind_missing(bb_intake *intake, uint64_t from, uint64_t to) {
  bb_outlet *outlet = intake->outlet;
  char count[BB_TEXT_COUNT];
  uint64_t missing = 0;
  intake->n_rewound =
      bb_span_cut(intake->rewound, intake->n_rewound, BB_OUTLET_ACKED_RANGES, from, to, &missing);
  if (missing == 0) return;
  outlet->counters.dropped += missing;
  bb_log_warn(outlet->runtime->log, outlet->id,
              "%s that it had taken and lost cannot be sent again: the memory has had no room, nor "
              "has the store; raise runtime.queue_bytes",
              bb_text_count(count, missing, "batch", "batches"));
}

/* What goes again will be acknowledged again. */
static void rewind_span(bb_intake *intake, bb_acked *acked) {
  uint64_t first = intake->reader.stream->first;
  if (intake->n_history == 0) intake->n_rewound = 0; /* of an earlier one */
  for (uint32_t i = 0; i < acked->n; i++) {
    const bb_span *range = &acked->ranges[i];
    uint64_t to = range->to < intake->live ? range->to : intake->live;
    intake->n_rewound =
        bb_span_add(intake->rewound, intake->n_rewound, BB_OUTLET_ACKED_RANGES, range->from, to);
    if (to > first && to > range->from) bb_intake_add_history(intake, range->from, to);
  }
  acked->n = 0;
  bb_rewind_missing(intake, 0, first);
}

void bb_rewind(bb_outlet *outlet, uint64_t mono_ns) {
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    for (uint32_t i = 0; i <= BB_OUTLET_SPANS; i++) {
      if (intake->acked[i].last_ns >= mono_ns) rewind_span(intake, &intake->acked[i]);
    }
  }
  if (outlet->ready) bb_intake_pump(outlet);
}
