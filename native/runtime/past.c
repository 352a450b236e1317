/* SPDX-License-Identifier: Apache-2.0 */
/* See past.h. */
#include "runtime/past.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "runtime/runtime.h"

#define MAX_PAST 65536 /* shapes that one sink is told of */

typedef struct entry {
  const bb_device *device; /* referenced */
  const bb_shape *shape;   /* referenced */
  bool adopted;            /* by a feed, which tells when it is gone */
} entry;

static uint64_t key_of(const bb_device *device, const bb_shape *shape) {
  uint64_t hash = bb_hash_add(BB_HASH_START, &device->hash, sizeof(device->hash));
  return bb_hash_add(hash, &shape->hash, sizeof(shape->hash));
}

static void free_entry(void *value) {
  entry *old = value;
  bb_device_unref(old->device);
  bb_shape_unref(old->shape);
  free(old);
}

/* Whether a feed has told the sink of it. */
static bool is_told(const bb_outlet *outlet, const bb_device *device, const bb_shape *shape) {
  const bb_station *station = bb_runtime_station(outlet->runtime, device->id);
  if (station == NULL || station->config->device->hash != device->hash) return false;
  for (uint32_t i = 0; i < station->n_scans; i++) {
    for (const bb_feed *feed = station->scans[i].feeds; feed != NULL; feed = feed->next) {
      if ((feed->told >> outlet->place & 1) && feed->shape->hash == shape->hash) return true;
    }
  }
  return false;
}

static int add(bb_outlet *outlet, uint64_t key, const bb_batch *batch) {
  entry *new = calloc(1, sizeof(*new));
  if (new == NULL) return BB_ERR_NOMEM;
  *new = (entry){.device = bb_device_ref(batch->device), .shape = bb_shape_ref(batch->shape)};
  outlet->past.max = MAX_PAST;
  int err = bb_ledger_add(&outlet->past, key, new);
  if (err < 0) free_entry(new);
  return err;
}

int bb_past_tell(bb_outlet *outlet, const bb_batch *batch) {
  const bb_sink_kind *kind = outlet->config->kind;
  if (kind->shape == NULL || batch->shape == NULL) return 0;
  if (outlet->past_device == batch->device && outlet->past_shape == batch->shape) return 0;
  uint64_t key = key_of(batch->device, batch->shape);
  if (bb_ledger_get(&outlet->past, key) == NULL && !is_told(outlet, batch->device, batch->shape)) {
    int err = add(outlet, key, batch);
    if (err == 0) err = kind->shape(outlet->sink, batch->device, batch->shape);
    if (err < 0) return err;
  }
  outlet->past_device = batch->device;
  outlet->past_shape = batch->shape;
  return 0;
}

bool bb_past_adopt(bb_outlet *outlet, const bb_device *device, const bb_shape *shape) {
  entry *known = bb_ledger_get(&outlet->past, key_of(device, shape));
  if (known == NULL || known->adopted) return false;
  known->adopted = true;
  return true;
}

bool bb_past_give_back(bb_outlet *outlet, const bb_device *device, const bb_shape *shape) {
  entry *known = bb_ledger_get(&outlet->past, key_of(device, shape));
  outlet->past_device = NULL; /* its next batch is to be looked at anew */
  if (known == NULL) return false;
  known->adopted = false;
  bb_past_settle(outlet);
  return true;
}

void bb_past_settle(bb_outlet *outlet) {
  const bb_sink_kind *kind = outlet->config->kind;
  if (outlet->past.n == 0 || outlet->undone > 0 || bb_outlet_has_history(outlet)) return;
  size_t kept = 0;
  for (size_t i = 0; i < outlet->past.n; i++) {
    bb_ledger_entry *place = &outlet->past.entries[i];
    entry *old = place->value;
    if (old->adopted) {
      outlet->past.entries[kept++] = *place;
      continue;
    }
    if (kind->shape_gone != NULL) kind->shape_gone(outlet->sink, old->device, old->shape);
    free_entry(old);
  }
  outlet->past.n = kept;
  outlet->past_device = NULL;
  outlet->past_shape = NULL;
}

void bb_past_close(bb_outlet *outlet) {
  bb_ledger_close(&outlet->past, free_entry);
}
