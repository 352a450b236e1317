/* SPDX-License-Identifier: Apache-2.0 */
/* See names.h. */
#include "runtime/names.h"

#include <stdlib.h>

#include "base/err.h"
#include "model/frame.h"

typedef struct entry {
  const bb_device *device; /* one of the two */
  const bb_shape *shape;
  enum { UNSAVED, GOING, SAVED } state;
} entry;

static bb_ledger *ledger_of(bb_names *names, bb_store_kind kind) {
  return kind == BB_STORE_DEVICE ? &names->devices : &names->shapes;
}

static entry *find(bb_names *names, bb_store_kind kind, uint64_t hash) {
  return bb_ledger_get(ledger_of(names, kind), hash);
}

/* Takes over one reference. */
static entry *add(bb_names *names, bb_store_kind kind, uint64_t hash, const bb_device *device,
                  const bb_shape *shape) {
  bb_ledger *ledger = ledger_of(names, kind);
  entry *new = calloc(1, sizeof(*new));
  if (new == NULL) return NULL;
  new->device = device;
  new->shape = shape;
  ledger->max = SIZE_MAX; /* as many as there are records to name them */
  if (bb_ledger_add(ledger, hash, new) == 0) return new;
  free(new);
  return NULL;
}

static void free_entry(void *value) {
  entry *old = value;
  bb_device_unref(old->device);
  bb_shape_unref(old->shape);
  free(old);
}

void bb_names_clear(bb_names *names) {
  bb_ledger_close(&names->devices, free_entry);
  bb_ledger_close(&names->shapes, free_entry);
}

void bb_names_close(bb_names *names) {
  bb_names_clear(names);
}

static int hand_over(entry *known, bb_name *out, bb_store_kind kind, uint64_t hash, bb_buf *frame) {
  known->state = GOING;
  *out = (bb_name){.kind = kind, .hash = hash, .frame = frame->bytes, .len = frame->len};
  return 1;
}

static int note_device(bb_names *names, const bb_device *device, bb_name *out) {
  bb_buf frame;
  entry *known = find(names, BB_STORE_DEVICE, device->hash);
  if (known != NULL && known->state != UNSAVED) return 0;
  if (known == NULL) {
    known = add(names, BB_STORE_DEVICE, device->hash, bb_device_ref(device), NULL);
    if (known == NULL) {
      bb_device_unref(device);
      return BB_ERR_NOMEM;
    }
  }
  bb_buf_init(&frame, BB_MAX_FRAME_BYTES);
  int err = bb_frame_pack_device(&frame, 0, device);
  if (err == 0) return hand_over(known, out, BB_STORE_DEVICE, device->hash, &frame);
  bb_buf_close(&frame);
  return err;
}

static int note_shape(bb_names *names, const bb_shape *shape, bb_name *out) {
  bb_buf frame;
  entry *known = find(names, BB_STORE_SHAPE, shape->hash);
  if (known != NULL && known->state != UNSAVED) return 0;
  if (known == NULL) {
    known = add(names, BB_STORE_SHAPE, shape->hash, NULL, bb_shape_ref(shape));
    if (known == NULL) {
      bb_shape_unref(shape);
      return BB_ERR_NOMEM;
    }
  }
  bb_buf_init(&frame, BB_MAX_FRAME_BYTES);
  int err = bb_frame_pack_shape(&frame, shape);
  if (err == 0) return hand_over(known, out, BB_STORE_SHAPE, shape->hash, &frame);
  bb_buf_close(&frame);
  return err;
}

int bb_names_note(bb_names *names, const bb_device *device, const bb_shape *shape, bb_name out[2]) {
  int n = note_device(names, device, out);
  if (n < 0 || shape == NULL) return n;
  int more = note_shape(names, shape, out + n);
  if (more >= 0) return n + more;
  if (n > 0) free(out[0].frame);
  return more;
}

static void settle(bb_ledger *ledger, bool saved) {
  for (size_t i = 0; i < ledger->n; i++) {
    entry *known = ledger->entries[i].value;
    if (known->state == GOING) known->state = saved ? SAVED : UNSAVED;
  }
}

void bb_names_settle(bb_names *names, bool saved) {
  settle(&names->devices, saved);
  settle(&names->shapes, saved);
}

int bb_names_restore(bb_names *names, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                     size_t len) {
  bb_device *device = NULL;
  bb_shape *shape = NULL;
  uint32_t number;
  if (find(names, kind, hash) != NULL) return 0; /* taken before */
  int err = kind == BB_STORE_DEVICE ? bb_frame_unpack_device(frame, len, &number, &device)
                                    : bb_frame_unpack_shape(frame, len, &shape);
  if (err < 0) return err;
  if ((device != NULL ? device->hash : shape->hash) != hash) err = BB_ERR_FORMAT;
  entry *new = err == 0 ? add(names, kind, hash, device, shape) : NULL;
  if (new != NULL) {
    new->state = SAVED;
    return 0;
  }
  bb_device_unref(device);
  bb_shape_unref(shape);
  return err < 0 ? err : BB_ERR_NOMEM;
}

const bb_device *bb_names_device(const bb_names *names, uint64_t hash) {
  const entry *known = bb_ledger_get(&names->devices, hash);
  return known != NULL ? known->device : NULL;
}

const bb_shape *bb_names_shape(const bb_names *names, uint64_t hash) {
  const entry *known = bb_ledger_get(&names->shapes, hash);
  return known != NULL ? known->shape : NULL;
}
