/* SPDX-License-Identifier: Apache-2.0 */
/* See parking.h. */
#include "runtime/parking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/intake.h"
#include "runtime/runtime.h"

typedef struct {
  bb_list link;
  bb_list intakes;
  bb_outlet_counters counters;
  char id[BB_MAX_ID + 1];
} parked;

static void move_all(bb_list *from, bb_list *to, bb_outlet *outlet) {
  for (bb_list *node; (node = bb_list_first(from)) != NULL;) {
    bb_list_remove(node);
    bb_list_append(to, node);
    BB_LIST_ITEM(node, bb_intake, link)->outlet = outlet;
  }
}

void bb_parking_take(bb_outlet *outlet) {
  parked *place = calloc(1, sizeof(*place));
  if (place == NULL) return;
  bb_intake_retry_all(outlet);
  bb_list_init(&place->intakes);
  place->counters = outlet->counters;
  snprintf(place->id, sizeof(place->id), "%s", outlet->id);
  move_all(&outlet->intakes, &place->intakes, NULL);
  bb_list_append(&outlet->runtime->parked, &place->link);
}

static parked *find(bb_runtime *runtime, const char *id) {
  for (bb_list *node = runtime->parked.next; node != &runtime->parked; node = node->next) {
    parked *place = BB_LIST_ITEM(node, parked, link);
    if (strcmp(place->id, id) == 0) return place;
  }
  return NULL;
}

void bb_parking_give(bb_outlet *outlet) {
  parked *place = find(outlet->runtime, outlet->id);
  if (place == NULL) return;
  outlet->counters = place->counters;
  move_all(&place->intakes, &outlet->intakes, outlet);
  /* What the queue dropped meanwhile is counted now. */
  for (bb_list *node = outlet->intakes.next; node != &outlet->intakes; node = node->next) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    outlet->counters.dropped += bb_intake_drop(intake, 0, intake->reader.stream->first);
  }
  bb_list_remove(&place->link);
  free(place);
}

static uint64_t drop(parked *place) {
  uint64_t lost = 0;
  for (bb_list *node; (node = bb_list_first(&place->intakes)) != NULL;) {
    bb_intake *intake = BB_LIST_ITEM(node, bb_intake, link);
    lost += bb_intake_waiting(intake);
    bb_list_remove(node);
    bb_reader_leave(&intake->reader);
    free(intake);
  }
  return lost;
}

void bb_parking_clear(bb_runtime *runtime) {
  for (bb_list *node; (node = bb_list_first(&runtime->parked)) != NULL;) {
    parked *place = BB_LIST_ITEM(node, parked, link);
    uint64_t lost = drop(place);
    if (lost > 0) {
      bb_log_warn(runtime->log, place->id,
                  "the sink was removed; %llu batches that it had not been sent are dropped",
                  (unsigned long long)lost);
    }
    bb_list_remove(node);
    free(place);
  }
}
